"""What a person says of themselves by text: their name, where they are, how to get in.

Owns the split of such a text into which note it is and what it says. The words it begins with are
data of each language (``note`` in ``understood.toml``). It is no sign of life and no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

FIELDS = ("name", "place", "entry")  # as in the plan
WITH_NUMBER = "place-with-number"  # says a place only where a number follows: "i'm at 12 Elm"
LONGEST = 4  # words of a beginning

Beginnings = Mapping[tuple[str, ...], str]


@dataclass(frozen=True, slots=True)
class Note:
    """``field`` is one of ``FIELDS``; ``text`` as it was typed, empty where nothing followed."""

    field: str
    text: str


def read_note(
    text: str, beginnings: Beginnings, fold: Callable[[str], tuple[str, ...]]
) -> Note | None:
    """The note that a text is, or None. ``fold``: a text as the words of the vocabulary."""
    typed = text.split()
    for count in range(min(LONGEST, len(typed)), 0, -1):
        field = beginnings.get(fold(" ".join(typed[:count])))
        if field is None:
            continue
        rest = " ".join(typed[count:]).strip(" :,;-")
        if field != WITH_NUMBER:
            return Note(field, rest)
        if any(character.isdecimal() for character in rest):
            return Note("place", rest)
    return None
