"""Every address that a page, a redirect or a script of ours leads to has a name, and is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, resolve, reverse

from stillhere.web.asgi import check_in, page_gate, webhooks
from stillhere.web.live import lane
from stillhere.web.urls import urlpatterns

WEB = Path(__file__).resolve().parent.parent.parent / "src/stillhere/web"
PAGES = sorted((WEB / "templates").rglob("*.html"))
WORKER = WEB / "templates/site/sw.js"
NAMED = re.compile(r"""\{% url "([\w:]+)"((?: (?!as )[\w."]+)*)(?: as \w+)? %\}""")
LITERAL = re.compile(r"""=["']/[^"']*|\{% block home %\}/[^{]*|\}\}/\w+|["']/[a-z][^"']*""")
WORKERS = {"'/static/", "'/c/"}  # what the service worker looks for in an address it is given
# Not views: they stand in front of Django and see an address before it has a name.
LANES = WEB / "asgi"


def _named() -> Iterator[tuple[Path, str, int]]:
    for page in [*PAGES, WORKER]:
        for name, given in NAMED.findall(page.read_text()):
            yield page, name, len(given.split())


def test_every_address_has_a_name_in_the_namespace_of_its_room() -> None:
    names = []
    for room in urlpatterns:
        for pattern in room.url_patterns:
            assert isinstance(pattern, URLPattern)
            assert pattern.callback.__module__.split(".")[2] == room.namespace, pattern
            names.append(f"{room.namespace}:{pattern.name}")
    assert sorted(names) == sorted(set(names))
    assert [name for name in names if name.endswith(":None")] == []


@pytest.mark.parametrize("page", [*PAGES, WORKER], ids=lambda path: path.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    """A name that is none, or the wrong number of keys, would be found only where it is shown."""
    text = page.read_text()
    assert text.count("{% url ") == len(NAMED.findall(text))
    for _page, name, given in (each for each in _named() if each[0] == page):
        assert resolve(reverse(name, args=["x"] * given)).view_name == name


@pytest.mark.parametrize("page", [*PAGES, WORKER], ids=lambda path: path.name)
def test_no_page_spells_an_address_of_ours(page: Path) -> None:
    found = set(LITERAL.findall(NAMED.sub("", page.read_text())))
    assert found - WORKERS == set(), "say it with {% url %}"


def test_no_view_spells_an_address_of_ours() -> None:
    spelt = [
        f"{path.relative_to(WEB)}:{node.lineno} {address}"
        for path in sorted(WEB.rglob("*.py"))
        if LANES not in path.parents and path.name not in ("urls.py", "lane.py")
        for node, address in _spelt(path)
    ]
    assert spelt == [], "say it with reverse()"


def _spelt(path: Path) -> Iterator[tuple[ast.expr, str]]:
    """What reads like an address, and the first page where something leads there."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and re.match(r"/[a-z]", str(node.value)):
            yield node, str(node.value)
        if isinstance(node, ast.Call) and "redirect" in ast.unparse(node.func).lower():
            for first in node.args[:1]:
                if isinstance(first, ast.Constant) and str(first.value).startswith("/"):
                    yield first, str(first.value)


def test_the_lanes_stand_where_the_names_lead() -> None:
    """What is answered before Django is asked, and what goes first, go by the address itself."""
    assert reverse("person:button", args=["x"]) == f"{check_in.PREFIX}x"
    assert reverse("person:watch").encode() == check_in.WATCH
    assert reverse("hooks:call", args=["x"]).startswith(f"{webhooks.PREFIX}x/")
    assert reverse("site:health") == page_gate.HEALTH
    assert reverse("person:watch_live") == lane.OWN
    assert lane.CONTACT.fullmatch(reverse("contact:live", args=["x" * 27]))
    alarming = ("contact:page", "person:button", "program:door", "program:responder")
    first = [reverse(name, args=["x"]).removesuffix("x") for name in alarming]
    first += [reverse(name) for name in ("person:watch", "guide:help_now", "guide:steps")]
    first.append(reverse("guide:helplines"))
    assert {each.rstrip("/") for each in first} == {each.rstrip("/") for each in page_gate.ACTED_ON}


def test_no_page_asks_another_site_for_anything() -> None:
    texts = [file for file in (WEB / "static").rglob("*.*") if file.suffix not in (".wav", ".png")]
    for page in [*PAGES, *texts]:
        asked = re.findall(
            r"""(?:src=|url\(|@import|fetch\()\s*["']?(?:https?:)?//""", page.read_text()
        )
        assert asked == [], page
