"""What the papers say is shown by a test has a test that is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillhere.channels.wording import compose
from stillhere.cli.main import COMMANDS
from stillhere.config import environment
from stillhere.core.messages import Facts

ROOT = Path(__file__).resolve().parent.parent.parent
PAPERS = ("docs/privacy.md", "docs/assessment.md", "docs/asvs.md")
TEST = re.compile(r"`([\w/]+\.py)(?:::(test_\w+))?`")
# Whom the threat model goes through, one chapter each.
ADVERSARIES = (
    "A stranger", "A partner with the phone in hand", "An abusive ex", "A bot",
    "Somebody who takes the server", "Somebody at the carrier", "The coordinator or a volunteer",
    "A subpoena, or police at the door",
)  # fmt: skip


def _chapters(paper: str) -> dict[str, str]:
    """The text under each heading of the second rank."""
    parts = re.split(r"^## (.+)$", (ROOT / paper).read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _rows(text: str) -> Iterator[list[str]]:
    """The rows of the tables in it, without their heads."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if line.startswith("|") and not line.startswith("|---") and following[:4] != "|---":
            yield [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_test_that_a_paper_names_is_there(paper: str) -> None:
    named = TEST.findall((ROOT / paper).read_text("utf-8"))
    assert named
    for place, test in named:
        path = ROOT / "tests" / place
        assert path.is_file(), f"{place} is not there"
        assert not test or f"def {test}(" in path.read_text("utf-8"), f"{test} is not in {place}"


@pytest.mark.parametrize("adversary", ADVERSARIES)
def test_each_adversary_has_what_they_get_a_test_for_it_and_what_is_left(adversary: str) -> None:
    text = _chapters("docs/privacy.md")[adversary]
    assert re.search(r"^\*\*Wants?\*\*", text, re.MULTILINE)
    assert "**We cannot prevent:**" in text
    rows = list(_rows(text))
    assert len(rows) >= 5
    for tries, happens, shown in rows:
        assert tries
        assert happens
        assert TEST.fullmatch(shown), (tries, shown)


def test_every_law_that_is_named_has_a_source_that_says_how_far_it_was_seen() -> None:
    chapters = _chapters("docs/assessment.md")
    sources = list(_rows(chapters["Where this is from"]))
    for what, where, how_far in sources:
        assert re.search(r"\]\(https?://", where), what
        assert re.fullmatch("V|S|V, S", how_far), what
    known = " ".join(what for what, _where, _how_far in sources)
    said = " ".join(text for name, text in chapters.items() if name != "Where this is from")
    named = set(re.findall(r"\b\d\d CFR \d+\.\d+|\bArticle \d+", said))
    assert len(named) > 10
    assert {law for law in named if law not in known} == set()


def test_every_command_of_a_breach_is_there() -> None:
    text = (ROOT / "docs/assessment.md").read_text("utf-8")
    commands = set(re.findall(r"`stillhere (\w+)", text))
    assert {"check", "desk", "backup"} <= commands
    assert commands <= set(COMMANDS)


def test_the_words_that_a_carrier_is_said_to_read_are_those_we_send() -> None:
    facts = Facts(person="Sam", at=1790000000000, tz="America/New_York", program="Lamp House")
    rows = [
        row
        for row in _rows(_chapters("docs/assessment.md")["What a carrier sees"])
        if row[0].startswith("`")
    ]
    assert len(rows) == 4
    for word, text, lock_screen in rows:
        assert compose(word.strip("`"), facts, "en").text == text
        shown = compose(word.strip("`"), facts, "en", "push")
        assert " · ".join(filter(None, (shown.subject, shown.text))) == lock_screen


def _constant(place: str, name: str) -> float:
    """A limit, as the code spells it: a number, a product, or the first part of a pair."""
    for node in ast.parse((ROOT / "src/stillhere" / place).read_text("utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            value = getattr(node, "value", None)
            return _number(value.args[0] if isinstance(value, ast.Call) else value)
    raise LookupError(f"{name} is not in {place}")


def _number(node: ast.expr | None) -> float:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _number(node.left) * _number(node.right)
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, int | float)
    return node.value


def test_every_limit_that_is_written_down_is_the_one_in_the_code() -> None:
    rows = list(_rows(_chapters("docs/defenses.md")["Limits"]))
    assert len(rows) > 20
    assert len({where for _what, _most, where in rows}) == len(rows), "each stands there once"
    for what, most, where in rows:
        place, _colons, name = where.strip("`").partition("::")
        assert _constant(place, name) == float(most), what


def test_whatever_leaves_the_machine_is_set_by_a_setting_or_named_as_a_users() -> None:
    said = _chapters("docs/defenses.md")["Whom it talks to"]
    leads_outwards = {name for name in environment.SETTINGS if name.endswith(("_URL", "_URLS"))}
    leads_outwards |= {"STILLHERE_CARRIERS", "STILLHERE_WARNING_FEEDS", "STILLHERE_COORDINATOR"}
    here = {"STILLHERE_BASE_URL", "STILLHERE_EXIT_URL"}  # links, which only a press follows
    assert {name for name in leads_outwards - here if f"`{name}`" not in said} == set()


ASVS = dict(line.split() for line in (ROOT / "tests/house/asvs_5_0_0.txt").read_text().splitlines())
STANDS = ("shown", "written", "not met", "does not apply")


def _asvs() -> list[list[str]]:
    """The rows of all chapters of the standard."""
    chapters = _chapters("docs/asvs.md")
    return [row for name, text in chapters.items() if name.startswith("V") for row in _rows(text)]


def test_every_requirement_of_levels_one_and_two_stands_there_once() -> None:
    assert len(ASVS) == 253
    found = [(number.removeprefix("V"), level) for number, level, *_rest in _asvs()]
    assert sorted(found) == sorted(ASVS.items())


def test_each_requirement_has_a_test_a_document_or_a_reason() -> None:
    for number, _level, asks, stands, why in _asvs():
        assert asks
        assert stands in STANDS, number
        if stands == "shown":
            assert TEST.fullmatch(why), number
        elif stands == "written":
            assert re.fullmatch(r"\[[^]]+\]\([^)]+\)", why), number  # test_site.py follows it
        else:
            assert len(why) > 7, number


def test_what_is_not_met_is_counted_at_the_top() -> None:
    top = (ROOT / "docs/asvs.md").read_text("utf-8").partition("\n## ")[0]
    said = {stands: int(many) for stands, _what, many in _rows(top)}
    found = [stands for _number, _level, _asks, stands, _why in _asvs()]
    assert said == {stands: found.count(stands) for stands in STANDS}
