"""What the papers say is shown by a test has a test that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stillhere.channels.wording import compose
from stillhere.cli.main import COMMANDS
from stillhere.core.messages import Facts

ROOT = Path(__file__).resolve().parent.parent.parent
PAPERS = ("docs/privacy.md", "docs/assessment.md")
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
