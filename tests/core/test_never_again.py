"""A contact who says "never again" in their own words; somebody on watch says it to us plainly."""

from __future__ import annotations

import pytest

from stillhere.core.replies import Intent, Role
from tests.core.words import read_text

NEVER_AGAIN = [
    "No. Stop texting me.",
    "No, stop",
    "you have the wrong number",
    "wrong person",
    "stop calling",
    "stop contacting me",
    "do not text me again",
    "never text me again",
    "take me off your list",
    "remove my number",
    "remove me from this list",
    "leave me alone",
    "stop it",
    "no more texts",
    "Stop sending me messages",
    "STOPP",
    "s t o p",
    "basta",
    "no me escriba más",
    "déjame en paz",
    "no gracias, quítenme de la lista",
]


@pytest.mark.parametrize("watching", [True, False])
@pytest.mark.parametrize("said", NEVER_AGAIN)
def test_a_plain_no_of_a_contact_is_kept_however_they_say_it(said: str, watching: bool) -> None:
    assert read_text(said, Role.CONTACT, watching=watching) is Intent.OPT_OUT


@pytest.mark.parametrize(
    "said", ["no stop", "stop it please", "leave me alone", "basta", "s t o p"]
)
def test_whoever_keeps_a_watch_ends_the_asking_by_no_cry_at_somebody_else(said: str) -> None:
    assert read_text(said, Role.PERSON, watching=True) is not Intent.OPT_OUT


@pytest.mark.parametrize(
    "said", ["going, stop", "stop calling 911", "stop the bleeding", "I'm in, stop"]
)
def test_a_no_beside_something_else_is_no_never_again(said: str) -> None:
    assert read_text(said, Role.CONTACT, watching=True) is not Intent.OPT_OUT
