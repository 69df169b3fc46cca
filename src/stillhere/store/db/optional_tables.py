"""Tables that we go on without where they cannot be read or written.

Nobody is left waiting for when we were away, for a line of a journal or for a number. Owns which
tables those are, and that a change is stored once more without the one that was found damaged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, connection

from stillhere.store.db import halving
from stillhere.store.db.row_locks import in_the_way

log = logging.getLogger("stillhere.damage")

AGAIN_MS = 60_000  # real time: an index may have been made anew

T = TypeVar("T")


def is_damage(failure: BaseException) -> bool:
    """Whether the database answered that it cannot read or write this, and would answer so
    again."""
    answered = isinstance(failure, DatabaseError) and not in_the_way(failure)
    return answered and not halving.broke(failure)


class OptionalTable:
    """A table that this process does without for a minute once it cannot be read; then it tries
    again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lost = False
        self.met, self._met_ms = 0, 0

    def around(self, read: Callable[[], T], empty: T) -> T:
        """What ``read`` finds, ``empty`` if it cannot. Within a transaction a failure is raised,
        since SQLite keeps nothing of it: see ``without_damaged``."""
        if self.lost and settings.BOOT_MS() - self._met_ms < AGAIN_MS:
            return empty
        try:
            found = read()
        except DatabaseError as failure:
            if not is_damage(failure):
                raise
            if not self.lost:
                log.critical("the table %s cannot be read, going on without it", self.name)
            self.lost, self._met_ms = True, settings.BOOT_MS()
            self.met += 1
            if connection.in_atomic_block:
                raise
            return empty
        self.lost = False
        return found


OUTAGES, JOURNAL, COUNTS, CHANGES = OPTIONAL = (
    OptionalTable("outage"),
    OptionalTable("journal"),
    OptionalTable("tally"),
    OptionalTable("page_change"),
)


def without_damaged(store: Callable[[], T]) -> T:
    """What ``store`` returns; repeated once for each of these tables that it found damaged."""
    for _ in OPTIONAL:
        met = _met()
        try:
            return store()
        except DatabaseError:
            if connection.in_atomic_block or _met() == met:
                raise
    return store()


def _met() -> int:
    return sum(each.met for each in OPTIONAL)
