"""Budgets: how often something may be done, ever or a day, counted where every process sees it.

Owns the rows of ``budget``. A scope is hashed with a key of ours, so a row names nobody, and it
outlives whatever it is about. Days are those of UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from stillhere.store.db import encryption

DAY_MS = 86_400_000
EVER = 0  # the day of what is counted for good
KEPT_DAYS = 2

_USE = """
INSERT INTO budget (scope, day, used) VALUES (%s, %s, 1)
ON CONFLICT (scope, day) DO UPDATE SET used = budget.used + 1 WHERE budget.used < %s
RETURNING used
"""


@dataclass(frozen=True, slots=True)
class BudgetLimit:
    """No more than ``most`` a day, or ``ever``; ``says`` is what is said where it is used up."""

    says: str
    scope: bytes
    most: int
    ever: bool = False

    def day(self, now: int) -> int:
        return EVER if self.ever else now // DAY_MS


class _UsedUpError(Exception):
    """Rolls back what was used of the others."""


def limit(says: str, most: int, *of: object, ever: bool = False) -> BudgetLimit:
    """A limit of whatever ``of`` names: kinds, ids and addresses."""
    return BudgetLimit(says, encryption.lookup("budget", ":".join(map(str, of))), most, ever)


def take(limits: Sequence[BudgetLimit], now: int) -> str:
    """Use one of each, or none; what the first says that is used up, "" if none is. Two who take
    the last one at the same time: one of them gets it."""
    try:
        with transaction.atomic():
            for each in sorted(limits, key=lambda each: each.scope):  # or two would wait in a ring
                if not _use(each.scope, each.day(now), each.most):
                    raise _UsedUpError(each.says)
    except _UsedUpError as used_up:
        return str(used_up)
    return ""


def spend(now: int, most: int, *of: object) -> bool:
    """Use one of ``most`` today; False where none is left."""
    scope = encryption.lookup("budget", ":".join(map(str, of)))
    with transaction.atomic():
        return _use(scope, now // DAY_MS, most)


def used_up(limits: Sequence[BudgetLimit], now: int) -> str:
    """What the first of them says that is used up, or nothing. Uses none."""
    return next((each.says for each in limits if used(each, now) >= each.most), "")


def used(each: BudgetLimit, now: int) -> int:
    """How many of it are used."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT used FROM budget WHERE scope = %s AND day = %s", [each.scope, each.day(now)]
        )
        row = cursor.fetchone()
    return int(row[0]) if row is not None else 0


def forget(now: int, most: int) -> int:
    """Erase the days that are over, ``most`` at once; returns how many rows that was."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM budget WHERE id IN "
            "(SELECT id FROM budget WHERE day > %s AND day < %s LIMIT %s)",
            [EVER, now // DAY_MS - KEPT_DAYS, most],
        )
        return int(cursor.rowcount)


def _use(scope: bytes, day: int, most: int) -> bool:
    if most < 1:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_USE, [scope, day, most])
        return cursor.fetchone() is not None
