"""How well cries for help are read: the figures of ``make bench-words``, held as a test."""

from __future__ import annotations

import pytest

from tests.core import texts
from tests.core.texts import MOST_FALSE_HELP, RECALL


@pytest.mark.parametrize("name", texts.sets())
def test_cries_for_help_are_understood_and_nothing_is_taken_for_one(name: str) -> None:
    found = texts.rates(texts.sets()[name])
    assert found.recall >= RECALL, name
    assert found.false_help <= MOST_FALSE_HELP, name


def test_nothing_but_a_sign_of_life_is_one() -> None:
    everything = [text for each in texts.sets().values() for text in each]
    assert [text.said for text in everything if text.is_a != "here" and text.read == "here"] == []
