"""Words that somebody in need tried and that were not read, or were read as something else."""

from __future__ import annotations

import pytest

from stillhere.core.replies import Intent, Role, read_note
from tests.core.words import WORDS, read_text


@pytest.mark.parametrize(
    "text",
    [
        "dios mio que hago", "sigue", "el siguiente", "y ahora que?",
        "que hago ahora", "como lo ayudo",
    ],
)  # fmt: skip
def test_a_contact_who_asks_what_to_do_reads_the_next_step(text: str) -> None:
    assert read_text(text, Role.CONTACT, watching=True) is Intent.STEPS


@pytest.mark.parametrize(
    "text", ["apartamento equivocado", "edificio equivocado", "depto equivocado"]
)
def test_a_wrong_flat_is_a_wrong_flat_in_spanish(text: str) -> None:
    assert read_text(text, Role.CONTACT, watching=True) is Intent.NOT_FOUND


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("begin", Intent.GO), ("comenzar", Intent.GO), ("comienza", Intent.GO),
        ("termina", Intent.DONE),
    ],
)  # fmt: skip
def test_a_watch_begins_and_ends_by_the_next_best_word(text: str, intent: Intent) -> None:
    assert read_text(text, Role.PERSON, watching=False) is intent


def test_one_letter_left_out_is_forgiven() -> None:
    note = read_note("PURTA llave en la maceta", WORDS)
    assert note is not None
    assert (note.field, note.text) == ("entry", "llave en la maceta")
