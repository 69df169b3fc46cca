"""What is handed to the store and what it refuses: a way to reach somebody, and why not."""

from __future__ import annotations

from dataclasses import dataclass


class Problem(ValueError):
    """What was asked cannot be done. The message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Reached:
    """One way to reach somebody, made regular by its channel."""

    channel: str
    value: str
    rings: bool
