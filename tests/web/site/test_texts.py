"""Sentences: none of the core's refusals without one, times as people say them, both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

import stillhere
from stillhere.core.refusals import Refusal
from stillhere.web.site import texts

SOURCE = Path(stillhere.__file__).parent
NOW = 1_769_896_800_000  # 22:00 UTC


def sentences(folder: str, pattern: str) -> set[str]:
    text = "\n".join(path.read_text() for path in sorted((SOURCE / folder).rglob("*.py")))
    return set(re.findall(pattern, text, re.DOTALL))


def test_every_refusal_has_a_sentence_and_none_stands_there_for_nothing() -> None:
    assert set(texts.REFUSALS) == set(Refusal)
    used = sentences(".", r"Refusal\.([A-Z_]+)(?!\w|:)")
    assert {Refusal[name] for name in used} == set(Refusal)


def test_every_sentence_of_a_schedule_is_translated() -> None:
    said = sentences("core", r'ScheduleError\("([^"]+)"\)')
    kept = {s for s in said if "routine" not in s and "18 hours" not in s}
    assert kept <= set(texts.SCHEDULE)


def test_every_note_is_said_in_every_language() -> None:
    english = {name: texts.note(name) for name in texts.NOTES}
    with translation.override("es"):
        spanish = {name: texts.note(name) for name in texts.NOTES}
    assert all(english.values())
    assert all(spanish[name] and spanish[name] != english[name] for name in english)


def test_a_note_that_is_none_is_nothing() -> None:
    assert texts.note("../etc") == ""


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (-5, "0 seconds"),
        (1_000, "1 second"),
        (40_400, "40 seconds"),
        (90_000, "90 seconds"),
        (108_000, "2 minutes"),
        (120_000, "2 minutes"),
        (7_100_000, "118 minutes"),
        (7_200_000, "2 hours"),
    ],
)
def test_spans_are_told_as_people_tell_them(ms: int, said: str) -> None:
    assert texts.span(ms) == said


def test_times_stand_on_the_wall_where_sam_is() -> None:
    assert texts.clock_time(NOW, "America/New_York", NOW) == "17:00"
    assert texts.clock_time(NOW, "UTC", NOW) == "22:00 UTC"
    assert texts.clock_time(NOW, "Nowhere/Land", NOW) == "22:00 UTC"
    tomorrow = NOW + 86_400_000
    assert texts.clock_time(NOW, "America/New_York", tomorrow) == "31 January, 17:00"
    with translation.override("es"):
        assert texts.clock_time(NOW, "America/New_York", tomorrow) == "17:00 del 31 de enero"


def test_names_are_joined_as_in_speech() -> None:
    assert texts.names([]) == ""
    assert texts.names(["Leo"]) == "Leo"
    assert texts.names(["Leo", "Maya"]) == "Leo and Maya"
    assert texts.names(["Leo", "Maya", "Ana"]) == "Leo, Maya and Ana"


def test_words_that_judge_are_on_no_page() -> None:
    """Person-first: evidence.md, section 10."""
    text = "\n".join(p.read_text() for p in sorted((SOURCE / "web").rglob("*.html")))
    text += (SOURCE / "locale/es/LC_MESSAGES/django.po").read_text()
    judging = r"\b(addict\w*|abuse\w*|junkie|clean|relapse\w*|enabling|oops|adicto|drogadicto)\b"
    assert not re.findall(judging, text, re.IGNORECASE)
