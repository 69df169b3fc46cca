"""`make docs`: every page is in the menu, links lead somewhere, and nobody else is asked.

MkDocs itself, strict, runs in `make docs`, which builds into a folder of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools import site

LINK = re.compile(r'(?:\]\(|\b(?:href|src)=")([^)\s"]+)')


def _named(part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    else:
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _named(inner)


def test_every_page_is_in_the_menu_once() -> None:
    assert sorted(_named(site.navigation())) == site.pages()


@pytest.mark.parametrize("page", site.pages())
def test_every_link_of_a_document_leads_to_a_file(page: str) -> None:
    folder = (site.ROOT / page).parent
    links = LINK.findall((site.ROOT / page).read_text("utf-8"))
    paths = [link.partition("#")[0] for link in links if "://" not in link]
    assert [path for path in paths if path and not (folder / path).is_file()] == []


@pytest.mark.parametrize("page", site.pages())
def test_every_link_into_a_document_leads_to_a_heading(page: str) -> None:
    links = LINK.findall((site.ROOT / page).read_text("utf-8"))
    for link in links:
        name, _hash, anchor = link.partition("#")
        target = (site.ROOT / page).parent / name if name else site.ROOT / page
        if anchor and "://" not in link and target.suffix == ".md":
            assert anchor in _anchors(target), link


def _anchors(page: Path) -> set[str]:
    """What its headings are called in an address."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.html", '<script src="https://cdn.example.org/a.js"></script>'),
        ("a.html", '<link rel="stylesheet" href="//fonts.example.org/a.css">'),
        ("a.html", "<link href=https://fonts.example.org rel=preconnect crossorigin>"),
        ("a.html", '<img alt="" src="http://example.org/a.png">'),
        ("a.html", '<img srcset="https://example.org/a.png 2x">'),
        ("a.html", "<style>@font-face { src: url(https://example.org/a.woff2) }</style>"),
        ("a.html", '<p style="background: url(https://example.org/a.png)">'),
        ("a.css", "@import 'https://example.org/a.css';"),
        ("a.css", 'p { background: url("//example.org/a.png") }'),
    ],
)
def test_what_is_fetched_from_elsewhere_is_found(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / name).write_text(text)
    (found,) = site.asked_elsewhere(tmp_path)
    assert found.startswith(f"deep/{name}: ")
    assert "example.org" in found


def test_what_a_reader_follows_is_theirs_to_decide(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://example.org">there</a><img src="pictures/a.png">'
        '<link rel="canonical" href="https://lamp.example.org/a.html"><script src="a.js"></script>'
    )
    (tmp_path / "a.css").write_text("p { background: url(a.png) } /* https://example.org */")
    assert list(site.asked_elsewhere(tmp_path)) == []
