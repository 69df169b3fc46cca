"""Sentences: none of the core's refusals without one, times as people say them, both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

import stillhere
from stillhere.core.refusals import Refusal
from stillhere.web.site import page_text

SOURCE = Path(stillhere.__file__).parent
NOW = 1_769_896_800_000  # 22:00 UTC


def sentences(folder: str, pattern: str) -> set[str]:
    text = "\n".join(path.read_text() for path in sorted((SOURCE / folder).rglob("*.py")))
    return set(re.findall(pattern, text, re.DOTALL))


def test_every_refusal_has_a_sentence_and_none_stands_there_for_nothing() -> None:
    assert set(page_text.REFUSALS) == set(Refusal)
    used = sentences(".", r"Refusal\.([A-Z_]+)(?!\w|:)")
    assert {Refusal[name] for name in used} == set(Refusal)


def test_every_sentence_of_a_schedule_is_translated() -> None:
    said = sentences("core", r'ScheduleError\("([^"]+)"\)')
    kept = {s for s in said if "routine" not in s and "18 hours" not in s}
    assert kept <= set(page_text.SCHEDULE)


def test_every_note_is_said_in_every_language() -> None:
    english = {name: page_text.note(name) for name in page_text.NOTES}
    with translation.override("es"):
        spanish = {name: page_text.note(name) for name in page_text.NOTES}
    assert all(english.values())
    assert all(spanish[name] and spanish[name] != english[name] for name in english)


def test_a_note_that_is_none_is_nothing() -> None:
    assert page_text.note("../etc") == ""


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
    assert page_text.span(ms) == said


def test_times_stand_on_the_wall_where_sam_is() -> None:
    assert page_text.clock_time(NOW, "America/New_York", NOW) == "17:00"
    assert page_text.clock_time(NOW, "UTC", NOW) == "22:00 UTC"
    assert page_text.clock_time(NOW, "Nowhere/Land", NOW) == "22:00 UTC"
    tomorrow = NOW + 86_400_000
    assert page_text.clock_time(NOW, "America/New_York", tomorrow) == "January 31, 17:00"
    with translation.override("es"):
        assert page_text.clock_time(NOW, "America/New_York", tomorrow) == "17:00 del 31 de enero"


def test_names_are_joined_as_in_speech() -> None:
    assert page_text.names([]) == ""
    assert page_text.names(["Leo"]) == "Leo"
    assert page_text.names(["Leo", "Maya"]) == "Leo and Maya"
    assert page_text.names(["Leo", "Maya", "Ana"]) == "Leo, Maya and Ana"


def test_words_that_judge_are_on_no_page() -> None:
    """Person-first: evidence.md, section 10."""
    text = "\n".join(p.read_text() for p in sorted((SOURCE / "web").rglob("*.html")))
    text += (SOURCE / "locale/es/LC_MESSAGES/django.po").read_text()
    judging = r"\b(addict\w*|abuse\w*|junkie|clean|relapse\w*|enabling|oops|adicto|drogadicto)\b"
    assert not re.findall(judging, text, re.IGNORECASE)
