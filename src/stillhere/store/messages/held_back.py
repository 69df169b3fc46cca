"""What is held back from strangers at the last moment before it leaves, and why.

Every message passes here on its way from the lease to a channel, so nothing goes around it. Owns
the reasons; what a stranger may be sent, and how much, stands in ``people/numbers``. A message
to a proved address is never looked at twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import OperationalError, connection, transaction

from stillhere.core.events import CALLS
from stillhere.store.db import budgets
from stillhere.store.db.budgets import BudgetLimit
from stillhere.store.db.row_locks import hurry, in_the_way
from stillhere.store.people.numbers import strangers
from stillhere.store.watches import damage

log = logging.getLogger("stillhere.delivery")

NOT_PROVED = "this number is not proved yet"
NEVER_RUNG = "not proved yet, and not rung in this alarm or an earlier one"
RUNG_ONCE = "not proved yet, and rung once in this alarm"
_CALLED = ", ".join(f"'{word}'" for word in sorted(CALLS))
# What was given up or withdrawn on its way may have got through.
_MAY_HAVE_COME = (
    "b.attempts > 0 AND (b.status <> 'dropped' OR b.why = 'withdrawn' OR b.attempts > 1)"
)
_CALLED_OR_ENDED = ", ".join(f"'{word}'" for word in sorted((*CALLS, strangers.END)))
CALLING = (*CALLS, "again", "ask", "ask-ring")  # held back, they move the ladder at once


def is_strangers(row: Mapping[str, Any]) -> bool:
    """Whether a leased row goes to an address that is not proved yet."""
    return row["address"] is not None and strangers.is_one(row["channel"], row["proved_at"])


def at_sight(row: Mapping[str, Any]) -> str:
    """Why a leased row must not leave, as far as it says itself, or nothing."""
    if not is_strangers(row):
        return ""
    if not strangers.may_hear(row["word"]):
        return NOT_PROVED
    handed_over = row["word"] in CALLS and row["provider_ref"]
    return RUNG_ONCE if handed_over else ""


def by_budget(rows: Sequence[Mapping[str, Any]], now: int) -> dict[int, str]:
    """Why which of these must not leave, by message: what is used up, that they were rung in this
    alarm, or for its end that they were not. What may leave is counted, once for all its tries."""
    mine = [row for row in rows if is_strangers(row) and row["attempts"] == 1]
    said = _said([row for row in mine if row["word"] in (*CALLS, strangers.END)])
    ends = [row for row in mine if row["word"] == strangers.END]
    came = damage.around(lambda: _came_unrung(ends, said), set[int])
    found = {
        row["id"]: _used_up(strangers.limits_of_an_end(row["channel"], row["to"]), now)
        if row["id"] in came
        else _out_of_turn(row, said) or _over_budget(row, now)
        for row in mine
    }
    return {id: why for id, why in found.items() if why}


def _out_of_turn(row: Mapping[str, Any], said: set[tuple[int, str]]) -> str:
    """Why one more ring or end of this alarm must not leave, or nothing. ``said``: which words of
    it went there before, by message."""
    rung = any((row["id"], word) in said for word in CALLS)
    if row["word"] == strangers.END:
        return "" if rung and (row["id"], strangers.END) not in said else NEVER_RUNG
    return RUNG_ONCE if rung else ""


def _over_budget(row: Mapping[str, Any], now: int) -> str:
    """What is used up for one more message, or nothing. The first alarm of a list that invited this
    number is owed, whatever others have used of it."""
    whose = (row["person"], row["channel"], row["to"])
    why = _used_up(strangers.limits(row["word"], *whose), now)
    if row["word"] not in CALLS or not strangers.sent(strangers.INVITE, *whose, now):
        return why
    over = _used_up([strangers.owed_ring(*whose)], now)  # counted also where it was not needed
    return why if over else ""


def _used_up(limits: Sequence[BudgetLimit], now: int) -> str:
    try:
        with transaction.atomic():
            hurry()
            return budgets.take(limits, now)
    except OperationalError as failure:
        if not in_the_way(failure):
            raise
        log.warning("not counted")  # nobody is alarmed later for a number
        return ""


def _came_unrung(ends: Sequence[Mapping[str, Any]], said: set[tuple[int, str]]) -> set[int]:
    """Those of these ends that go to somebody whom nothing rang and who came by their link: they
    are on the alarm, and owed its end too."""
    words = (*CALLS, strangers.END)
    unrung = [row["id"] for row in ends if not any((row["id"], word) in said for word in words)]
    if not unrung:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT m.id FROM message m JOIN journal j ON j.watch_id = m.watch_id "
            "AND j.contact = m.contact_id "
            "WHERE j.event IN ('Claimed', 'Arrived', 'CannotGetIn', 'Resolved', 'Declined') "
            f"AND m.id IN ({', '.join(['%s'] * len(unrung))})",
            unrung,
        )
        return {id for (id,) in cursor.fetchall()}


def _said(rows: Sequence[Mapping[str, Any]]) -> set[tuple[int, str]]:
    """Which rings and ends went before each of these: of the same alarm by the same way before a
    ring, by any way to the same contact before an end; and before an end also the rings of earlier
    alarms of which no end has left, because another alarm came in between."""
    if not rows:
        return set()
    marks = ", ".join(["%s"] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, b.word FROM message m JOIN message b ON b.watch_id = m.watch_id "
            "AND b.alarm = m.alarm AND b.contact_id = m.contact_id AND b.id < m.id "
            "AND (b.address_id = m.address_id OR m.word = 'stand-down' AND b.word <> m.word) "
            f"AND {_MAY_HAVE_COME} AND b.word IN ({_CALLED_OR_ENDED}) WHERE m.id IN ({marks}) "
            "UNION SELECT m.id, b.word FROM message m JOIN message b ON b.watch_id = m.watch_id "
            f"AND b.alarm < m.alarm AND b.contact_id = m.contact_id AND {_MAY_HAVE_COME} "
            f"AND b.word IN ({_CALLED}) WHERE m.word = 'stand-down' AND m.id IN ({marks}) "
            "AND NOT EXISTS (SELECT 1 FROM message e WHERE e.watch_id = m.watch_id "
            "AND e.address_id = m.address_id AND e.word = m.word AND e.id > b.id AND e.id < m.id "
            "AND e.status IN ('sent', 'delivered'))",
            [row["id"] for row in rows] * 2,
        )
        return {(id, word) for id, word in cursor.fetchall()}
