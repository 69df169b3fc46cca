"""Cries for help written wrongly, by the ear, in one piece or in two; and words that look so."""

from __future__ import annotations

import pytest

from stillhere.core.reading.typos import Sounds, Typos
from stillhere.core.replies import HELP, Role
from tests.core.words import WORDS, read_text


def cries(text: str) -> bool:
    return read_text(text, Role.PERSON, watching=True) in HELP


@pytest.mark.parametrize(
    "text",
    [
        "hwlp", "jelp", "GELP", "hekp", "cnat breathe", "cabt breath",  # one letter
        "cant brreathr", "oveerdosing", "hes unconnscius",  # doubled letters beside it
        "ambulamse", "he is ovrrdosing", "esta convulsnado",  # two letters of a long word
        "i overdsed", "cant braethe",  # of a word that only a stem knows
        "yamen a mi mama", "kiero morirme", "bengan rapido", "hinchada la garjanta", "me haogo",
        "nopuedo respirar", "nopuedorespirar", "nostoy bien", "icant breathe", "imdying here",
        "no puedo res pirar", "no despi erta", "ambul ance now",
        "everythings gettin dark", "seein double",
        "9111 now", "9911", "call 91", "llamen al 991",
    ],
)  # fmt: skip
def test_a_cry_is_heard_however_it_is_spelt(text: str) -> None:
    assert cries(text)


@pytest.mark.parametrize(
    "text",
    [
        "held", "hell yeah", "hello", "kelp", "heap", "cart", "flood warning", "pills hills",
        "media", "academy", "drawing", "painting", "attached", "standing",
        "nomas", "another", "fireplace", "impossible", "novias", "separado", "telephone",
        "poor", "core", "zero", "village", "callo", "caza", "abogado", "cuero",
        "cousin", "robin", "9112 elm", "19111", "1911",
    ],
)  # fmt: skip
def test_a_word_of_its_own_is_no_cry(text: str) -> None:
    assert not cries(text)


def test_two_letters_are_forgiven_in_long_words_only() -> None:
    typos = Typos(["ambulance", "breathe"], ["ambulate"])
    assert typos.meant("ambulamse") == {"ambulance"}
    assert typos.meant("zmbulamce") == set(), "it begins otherwise"
    assert typos.meant("ambulate") == set(), "a word of its own"
    assert typos.meant("braethr") == set()
    assert typos.meant("brreathr") == {"breathe"}


def test_what_sounds_alike_is_written_in_one_way() -> None:
    sounds = Sounds({"ll": "i", "y": "i", "qu": "k", "c": "k", "h": "", "ch": "ch"})
    assert sounds.of("llamen") == sounds.of("yamen")
    assert sounds.of("quiero") == sounds.of("kiero")
    assert sounds.of("hecho") == "echo"


def test_each_word_stands_where_it_was_in_the_text() -> None:
    parts, places = WORDS.signs.parts(("oye", "nopuedo", "res", "pirar", "porfa"))
    assert parts == ["oye", "no", "puedo", "respirar", "porfa"]
    assert places == [0, 1, 1, 2, 4]
