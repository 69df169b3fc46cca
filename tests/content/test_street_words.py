"""A program's own words for danger: what is taken from its file, and what is refused."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from stillhere.content import street_words
from stillhere.core import replies, vocabulary
from stillhere.core.reading.signs import Sign
from stillhere.core.replies import HELP, Intent, Role
from tests.core.words import FILES, WORDS

SETTINGS = str(Path(street_words.__file__).parent.parent / "config/settings.py")


def found(tmp_path: Path, text: str) -> tuple[vocabulary.Street, tuple[str, ...]]:
    (tmp_path / street_words.FILE).write_text(text)
    return street_words.find(tmp_path / street_words.FILE, WORDS)


def test_a_program_s_own_words_are_a_cry_for_help(settings: Settings) -> None:
    path = settings.STILLHERE.data / street_words.FILE
    path.write_text('help = "Seeing the ferryman, gone fishing"\ndie = "catch the last bus"\n')
    try:
        words = runpy.run_path(SETTINGS)["UNDERSTOOD"]
    finally:
        path.unlink()
    for text, intent in {
        "yo im seeing the ferryman rn": Intent.HELP,
        "GONE FISHING": Intent.HELP,
        "gonna catch the last bus": Intent.WANTS_TO_DIE,
        "im ok": Intent.HERE,
    }.items():
        assert replies.read_text(text, Role.PERSON, words, watching=True) is intent, text
        if intent in HELP:
            plain = replies.read_text(text, Role.PERSON, WORDS, watching=True)
            assert plain is Intent.UNCLEAR, "without the file"


def test_no_file_is_no_fault(tmp_path: Path) -> None:
    assert street_words.find(tmp_path / street_words.FILE, WORDS) == ((), ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('help = "ok"', "“ok” is also written by people who are well"),
        ('help = "im"', "well, or as an answer"),
        ('help = "Estoy bien"', "well, or as an answer"),
        ('help = "on my way"', "well, or as an answer"),
        ('help = "!"', "is not one to 8 words"),
        ('help = "a b c d e f g h i"', "is not one to 8 words"),
        ('help = "zz"', "too short"),
        ('help = "12345"', "too short"),
        ("help = 5", "help is text with commas"),
        ('here = "solid"', "here is not known here"),
        ("help = ", "Invalid value"),
    ],
)
def test_what_must_not_stand_there_is_named_and_the_rest_counts(
    tmp_path: Path, text: str, why: str
) -> None:
    street, faults = found(tmp_path, text)
    assert street == ()
    assert why in "; ".join(faults)
    if text.endswith('"'):
        street, _ = found(tmp_path, text[:-1] + ', ferryman"' if "help" in text else text)
        assert street == (((Sign.CRY, ("ferryman",)),) if "help" in text else ())


SAID = sorted({word for phrase in WORDS.tables[Role.PERSON] for word in phrase})
WORD = st.sampled_from(SAID) | st.text("abcdefghiklmnoprstuy", min_size=1, max_size=7)
TEXT = st.lists(WORD, min_size=1, max_size=5).map(" ".join)
STREET = st.lists(
    st.tuples(st.sampled_from([Sign.CRY, Sign.DIE]), st.lists(WORD, min_size=1, max_size=3)),
    min_size=1,
    max_size=4,
)


@tries(max_examples=60, deadline=None)
@given(STREET, st.lists(TEXT, min_size=1, max_size=8), st.booleans())
def test_whatever_is_added_makes_no_text_a_check_in(
    street: list[tuple[Sign, list[str]]], texts: list[str], watching: bool
) -> None:
    words = vocabulary.load(FILES, [(sign, tuple(phrase)) for sign, phrase in street])
    for text in [*texts, *(" ".join(phrase) for _, phrase in street)]:
        for role in Role:
            now = replies.read_text(text, role, words, watching=watching)
            before = replies.read_text(text, role, WORDS, watching=watching)
            assert now is before or now in HELP, text
