"""What the store is given, and what it refuses: a way to reach somebody, and a reason why not."""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.core.refusals import Refusal


class Problem(ValueError):
    """What was asked cannot be done, and ``why``; for a file, in which ``row`` (0: in none of
    them)."""

    def __init__(self, why: Refusal, row: int = 0) -> None:
        super().__init__(str(why))
        self.why, self.row = why, row


@dataclass(frozen=True, slots=True)
class Reached:
    """One way to reach somebody, normalized by its channel."""

    channel: str
    value: str
    rings: bool
