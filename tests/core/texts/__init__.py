"""What people may text, each with what it is, and how well it is read: the figures of reading.

Owns the sets and the split. ``held_out``, half of ``written.tsv``, is looked at as figures only.
Each later set was written when the words were tuned on the ones before, read once, and all but
``seventh`` then tuned on too. What the first reading gave: ``second`` 77 % of the cries and 11 %
false help, ``third`` 74 and 10, ``fourth`` 87 and 9, ``fifth`` 100 and 5, ``sixth``, the largest
and not by the same writers, 87 and 3 (English 88, Spanish 87), ``seventh``, by others again, 94
and 1.6 (English 93 and 2.0, Spanish 95 and 0.7); no false "I'm here" in any.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stillhere.core.replies import HELP, Intent, Role
from tests.core.words import read_text

HOME = Path(__file__).parent
CRIES = ("help", "die")
RECALL, MOST_FALSE_HELP = 90.0, 3.0  # percent


@dataclass(frozen=True, slots=True)
class Text:
    """One text, and what it is: help, die (they want to), here, unclear, harmless."""

    is_a: str
    said: str

    @property
    def read(self) -> Intent:
        """What we take it for while a watch is on."""
        return read_text(self.said, Role.PERSON, watching=True)


def texts(file: str) -> list[Text]:
    """All of one set."""
    lines = (HOME / file).read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [Text(row[0], row[-1]) for row in rows]


def _held_out(text: Text) -> bool:
    return hashlib.sha256(text.said.encode()).digest()[0] % 2 == 0


def sets() -> dict[str, list[Text]]:
    """The sets by name. ``tuned`` and ``held_out`` are halves of one."""
    written = texts("written.tsv")
    return {
        "reported": texts("reported.tsv"),
        "tuned": [text for text in written if not _held_out(text)],
        "held_out": [text for text in written if _held_out(text)],
        "second": texts("second.tsv"),
        "third": texts("third.tsv"),
        "fourth": texts("fourth.tsv"),
        "fifth": texts("fifth.tsv"),
        "sixth": texts("sixth.tsv"),
        "seventh": texts("seventh.tsv"),
    }


@dataclass(frozen=True, slots=True)
class Rates:
    """In percent. ``recall`` of cries for help, ``false_help`` of what is none, ``here`` of signs
    of life; ``false_here`` is a number: there may be none."""

    recall: float
    dying: float
    false_help: float
    here: float
    false_here: int


def rates(texts: Iterable[Text]) -> Rates:
    """How well these are read."""
    read = [(text.is_a, text.read) for text in texts]
    cries = [intent in HELP for is_a, intent in read if is_a in CRIES]
    deaths = [intent is Intent.WANTS_TO_DIE for is_a, intent in read if is_a == "die"]
    others = [intent in HELP for is_a, intent in read if is_a in ("unclear", "harmless")]
    here = [intent is Intent.HERE for is_a, intent in read if is_a == "here"]
    false = sum(intent is Intent.HERE for is_a, intent in read if is_a != "here")
    return Rates(_percent(cries), _percent(deaths), _percent(others), _percent(here), false)


def _percent(hits: list[bool]) -> float:
    return 100 * sum(hits) / len(hits) if hits else 0.0
