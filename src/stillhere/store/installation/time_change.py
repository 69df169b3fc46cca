"""Setting the installation's time back: what is stored moves with it.

Owns which columns hold a timer and which a moment in the past. One row records that time was set
back (``clock_back_ms``); the watches follow one by one, earliest timer first
(``engine/timekeeping.py``), or when something happens to them (``apply.py``). Small and urgent data
follows at once, here.
"""

from __future__ import annotations

from django.db import connection
from django.db.models import F, QuerySet

from stillhere.store.models import (
    Arrival,
    Installation,
    Message,
    Outage,
    Peer,
    Person,
    WatchRow,
)

# Moments of the past by which something is judged overdue: none may lie ahead, or it would be
# noticed as much too late as the clock was wrong.
PAST = (
    (Installation, ("proof_at", "checked_at", "backed_up_at")),
    (Peer, ("heard_at", "told_at")),
    (Person, ("created_at",)),
    (Arrival, ("at",)),
    (WatchRow, ("closed_at",)),
)
# Row values, so that however many fall due at one minute none is read twice; and the first of them
# by itself, because only that tells SQLite that the index on the timers holds every such row.
_BEHIND = (
    "SELECT wake_at, id FROM watch WHERE wake_at >= %s AND (wake_at, id) > (%s, %s) "
    "AND clock_back_ms <> %s AND quarantined_at IS NULL ORDER BY wake_at, id LIMIT %s"
)


def set_back(here: Installation, by_ms: int, now: int) -> None:
    """Time is ``now``, and was ``by_ms`` later. Runs in the caller's transaction, which locks the
    installation's row and saves it."""
    here.clock_back_ms += by_ms
    queued = Message.objects.filter(status=Message.Status.QUEUED)
    _earlier(queued, by_ms, "due_at", "lapses_at", "lease_until_at")
    _earlier(Message.objects.filter(receipt_by_at__isnull=False), by_ms, "receipt_by_at")
    _earlier(Outage.objects.filter(to_at__gt=now), by_ms, "from_at", "to_at")
    for model, names in PAST:
        for name in names:
            model._default_manager.filter(**{f"{name}__gt": now}).update(**{name: now})
            if model is Installation:
                setattr(here, name, min(getattr(here, name), now))


def _earlier(rows: QuerySet[Message] | QuerySet[Outage], by_ms: int, *names: str) -> None:
    rows.update(**{name: F(name) - by_ms for name in names})


def behind(after: tuple[int, int], back_ms: int, most: int) -> list[tuple[int, int]]:
    """(wake_at, id) of up to ``most`` open watches still calculated with the earlier time, the one
    with the earliest timer first, starting after ``after``."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHIND, [after[0], *after, back_ms, most])
        found: list[tuple[int, int]] = cursor.fetchall()
    return found


def reckoned(back_ms: int) -> None:
    """Every open watch now follows the time that was set back by ``back_ms`` in all."""
    Installation.objects.filter(id=1).update(clock_reckoned_ms=back_ms)
