"""Who asks who we are, and in which language somebody writes."""

from __future__ import annotations

import pytest

from stillhere.core.replies import Intent, Role
from tests.core.words import language_of, read_text


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "text", ["who is this", "Who is this?", "¿Quién es?", "who r u", "hi who dis?"]
)
def test_who_is_this_is_a_question_of_its_own(text: str, role: Role) -> None:
    assert read_text(text, role, watching=True) is Intent.WHO


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("GO", "en"),
        ("empezar", "es"),
        ("Estoy bien 👍", "es"),
        ("still here", "en"),
        ("ok", ""),
        ("1", ""),
        ("no", ""),
        ("ayuda help", ""),
        ("", ""),
    ],
)
def test_the_language_is_that_of_a_word_only_one_of_them_has(text: str, lang: str) -> None:
    assert language_of(text) == lang
