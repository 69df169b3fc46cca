"""Many at once; and if that fails, each as separately as necessary.

One bad row must not harm the others. Whatever makes a group fail is found by halving the group,
which costs a few transactions instead of one for each row. Owns when to stop: a database that is
gone is not asked again for each of five hundred rows, and rows that have to be waited for one after
the other must not hold up the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError, connection

from stillhere.store.db.row_locks import in_the_way

log = logging.getLogger("stillhere.halves")

MOST_BREAKS = 3  # failures in a row that cost the connection: then it is not what we ask
MOST_MS = 4_000  # real time for one group: below the patience of whoever waits behind it

Q = TypeVar("Q")  # what is asked
A = TypeVar("A")  # what is answered


class Untried(RuntimeError):
    """There was no time, or no database, to try this one. Nothing was stored; try again."""


def each(apply: Callable[[Sequence[Q]], Sequence[A]], all_: Sequence[Q]) -> list[A | Exception]:
    """Apply all of them at once; if that fails, in halves. Returns an answer for each, in order, or
    why there is none. ``apply`` stores its part in one transaction, or nothing of it."""
    answers: list[A | Exception] = []
    parts, tried, breaks = [all_], 0, 0
    until_ms = settings.BOOT_MS() + MOST_MS
    while parts:
        part = parts.pop()
        late = settings.BOOT_MS() >= until_ms
        if tried and (breaks == MOST_BREAKS or late or not reachable()):
            answers += [Untried("not tried")] * len(part)
            continue
        tried += 1
        try:
            answers += apply(part)
            breaks = 0
        except Exception as failure:  # noqa: BLE001  whatever it was, the others go on
            log.warning("%d at once failed: %s", len(part), type(failure).__name__)
            forget_broken_connection(failure)
            lost = broke(failure) and connection.connection is None
            breaks = breaks + 1 if lost else 0
            if lost and tried == 1:  # that line may have been dead before we began
                parts.append(part)
            elif len(part) == 1:
                answers.append(failure)
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
    return answers


def reachable() -> bool:
    """Whether there is a connection, or one can be made."""
    try:
        connection.ensure_connection()
    except Error as failure:
        log.warning("no database: %s", type(failure).__name__)
        return False
    return True


def broke(failure: BaseException) -> bool:
    """Whether this may have broken the connection, in which case it says nothing about the
    request."""
    return isinstance(failure, OperationalError | InterfaceError) and not in_the_way(failure)


def forget_broken_connection(failure: BaseException) -> None:
    """Do not use a broken connection again; the next statement opens a new one."""
    if broke(failure):
        connection.close()
