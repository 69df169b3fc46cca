"""What a key of a call means, and how many minutes a text names."""

from __future__ import annotations

import pytest

from stillhere.core.replies import Intent, Role, read_key
from tests.core.words import read_minutes, read_text

I = Intent  # noqa: E741


@pytest.mark.parametrize("key", "012345678*#")
def test_any_key_is_a_sign_of_life(key: str) -> None:
    assert read_key(key, Role.PERSON) is I.HERE


@pytest.mark.parametrize(
    ("key", "role", "intent"),
    [
        ("9", Role.PERSON, I.HELP),
        ("", Role.PERSON, I.EMPTY),
        ("12", Role.PERSON, I.UNCLEAR),
        ("a", Role.PERSON, I.UNCLEAR),
        ("٣", Role.PERSON, I.UNCLEAR),
        ("1", Role.CONTACT, I.CLAIM),
        ("2", Role.CONTACT, I.DECLINE),
        ("3", Role.CONTACT, I.REPEAT),
        ("5", Role.CONTACT, I.STEPS),
        ("4", Role.CONTACT, I.UNCLEAR),
        ("9", Role.CONTACT, I.UNCLEAR),
        ("*", Role.CONTACT, I.UNCLEAR),
        ("", Role.CONTACT, I.EMPTY),
    ],
)
def test_keys(key: str, role: Role, intent: Intent) -> None:
    assert read_key(key, role) is intent


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("omw 10 min", 10),
        ("omw 5min", 5),
        ("be there in 20", 20),
        ("voy en 3 minutos", 3),
        ("omw 10", 10),
        ("voy 5", 5),
        ("3 min", 3),
        ("1", None),
        ("1 going", None),
        ("303-555-0142", None),
        ("", None),
    ],
)
def test_how_soon_is_read_only_where_it_is_said(text: str, minutes: int | None) -> None:
    assert read_minutes(text) == minutes


def test_adding_a_short_number_is_a_cry_only_while_a_watch_is_on() -> None:
    said = "add Bob 911"
    assert read_text(said, Role.PERSON, watching=False) is Intent.ADD
    assert read_text(said, Role.PERSON, watching=True) is Intent.HELP
    assert read_text(said, Role.CONTACT, watching=False) is Intent.HELP
    assert read_text("call 911, add Bob", Role.PERSON, watching=False) is Intent.HELP
