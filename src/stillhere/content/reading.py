"""What is read in peace: the parts of the pages and the six questions, in the reader's language.

Owns how ``content/reading.toml`` is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.content import steps
from stillhere.content.sentences import language, said_in

KINDS = {"you": ("you", "fine"), "came": ("came",), "circle": ("circle",)}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to know, in the reader's language."""

    head: str
    says: str
    draw: str


@dataclass(frozen=True, slots=True)
class Question:
    """One of the six. ``answers`` are (value, text) in the order of the page."""

    no: int
    ask: str
    answers: tuple[tuple[str, str], ...]
    why: str
    right: str


def parts(page: str, *kinds: str) -> list[Part]:
    """What stands on a page, in order; of these kinds only, if any are given."""
    reads = language()
    return [
        Part(
            said_in(p["head"], reads),
            said_in(p["says"], reads),
            p.get("draw", ""),
        )
        for p in steps.reading()["part"]
        if p["page"] == page and (not kinds or p.get("for") in kinds)
    ]


def questions() -> list[Question]:
    """The six questions. The right answer stands in another place each time."""
    reads = language()
    found = []
    for no, row in enumerate(steps.reading()["question"]):
        texts = [said_in(text, reads) for text in row["answers"]]
        turn = (no + 1) % len(texts)
        shown = tuple((str(at), text) for at, text in enumerate(texts[turn:] + texts[:turn]))
        right = str((len(texts) - turn) % len(texts))
        found.append(
            Question(no, said_in(row["ask"], reads), shown, said_in(row["why"], reads), right)
        )
    return found
