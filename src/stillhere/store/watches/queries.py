"""Reads, for the loops and the pages. Changes nothing.

Loop reads are bounded and use an index, so that they cost what is due, not what is open.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import OuterRef, Subquery

from stillhere.core.events import GRAVE, Outcome, State
from stillhere.core.profiles import TRIAL
from stillhere.core.schedule import Routine, ScheduleError, from_text
from stillhere.core.watch import Watch
from stillhere.store.db import encryption
from stillhere.store.db.optional_tables import OUTAGES
from stillhere.store.db.prepared import Prepared
from stillhere.store.models import (
    Contact,
    Installation,
    JournalLine,
    Message,
    Outage,
    Person,
    WatchRow,
)
from stillhere.store.models.sealed_columns import contact_name
from stillhere.store.watches import damage, rows

ALARMED = ("alarm", "claimed", "attended")
OUTAGES_KEPT = 50
_INSTALLATION = Prepared(Installation, "WHERE id = 1")
_OPEN = Prepared(
    WatchRow,
    "WHERE person_id = %s AND routine = '' AND wake_at IS NOT NULL ORDER BY id DESC LIMIT 1",
)
_LAST = Prepared(
    WatchRow, "WHERE person_id = %s AND routine = '' ORDER BY started_at DESC, id DESC LIMIT 1"
)
_DAILY = Prepared(
    WatchRow, "WHERE person_id = %s AND wake_at IS NOT NULL AND routine <> '' ORDER BY id"
)
_ALL_OPEN = Prepared(WatchRow, "WHERE person_id = %s AND wake_at IS NOT NULL ORDER BY id")
_BY_KEY = Prepared(WatchRow, "WHERE key_hash = %s")
_HISTORY = Prepared(JournalLine, "WHERE watch_id = %s ORDER BY id")
_NAMED = Prepared(Contact, "WHERE id IN ({marks})")
_AWAY = Prepared(Outage, "WHERE to_at >= %s AND from_at <= %s ORDER BY to_at DESC LIMIT 1")
# One statement, however many alarms are open: what is due may be much, and so may they.
# The states stand in it as they are: only so does SQLite see that its index of alarms will do.
_ALARMED = "('alarm', 'claimed', 'attended')"
_LIFELESS = f"""
SELECT w.id, w.wake_at, w.alarm FROM watch w
WHERE w.state IN {_ALARMED} AND w.quarantined_at IS NULL AND (
    w.wake_at IS NULL OR w.alarm = ''
    OR NOT EXISTS (SELECT 1 FROM message m WHERE m.watch_id = w.id AND m.alarm = w.alarms)
)
"""
_OPEN_ALARMS = f"""
SELECT id FROM watch WHERE state IN {_ALARMED} AND profile <> %s ORDER BY CASE
    WHEN quarantined_at IS NOT NULL THEN 0
    WHEN state = 'alarm' AND (alarm LIKE %s OR alarm NOT LIKE %s) THEN 0
    WHEN state = 'alarm' THEN 1 WHEN state = 'claimed' THEN 2 ELSE 3 END, id
"""
_TO_LOOK_AT = """
SELECT id FROM watch WHERE looked_at IS NULL AND (held OR quarantined_at IS NOT NULL)
AND profile <> %s ORDER BY id
"""


# --- for the loops --------------------------------------------------------------------------------


def due(now: int, most: int) -> list[tuple[int, int]]:
    """(watch id, wake_at) of watches that are due, longest due first."""
    return _rows(
        "SELECT id, wake_at FROM watch WHERE wake_at <= %s AND quarantined_at IS NULL "
        "ORDER BY wake_at, id LIMIT %s",
        now,
        most,
    )


def due_after(now: int, most: int, last: tuple[int, int]) -> list[tuple[int, int]]:
    """The same, after ``last``, one of those."""
    return _rows(
        "SELECT id, wake_at FROM watch WHERE wake_at <= %s AND quarantined_at IS NULL "
        "AND (wake_at, id) > (%s, %s) ORDER BY wake_at, id LIMIT %s",
        now,
        last[1],
        last[0],
        most,
    )


def outages_since(at: int) -> list[tuple[int, int]]:
    """(from, to) of the outages that had not ended at ``at``, newest first. If the table cannot be
    read, none is known: then alarms are raised on time, and nobody is asked first."""
    sql = "SELECT from_at, to_at FROM outage WHERE to_at >= %s ORDER BY to_at DESC LIMIT %s"
    return OUTAGES.around(lambda: _rows(sql, at, OUTAGES_KEPT), [])


def away(gaps: Sequence[tuple[int, int]], wake_at: int) -> tuple[int, int] | None:
    """The outage, of ``gaps`` as above, in which a watch fell due; including the moment before it
    that was no longer looked at."""
    those = [gap for gap in gaps if gap[1] >= wake_at]
    return (min(from_at for from_at, _ in those), those[0][1]) if those else None


def require_due() -> None:
    """Raises `DatabaseError` where it cannot be read who is due: then nobody is watched."""
    _rows("SELECT id FROM watch WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1")


def latest_due_ms(now: int) -> int:
    """How late the longest due watch is, without those that were set aside."""
    sql = "SELECT min(wake_at) FROM watch WHERE wake_at <= %s AND quarantined_at IS NULL"

    def beside() -> int:
        due, _ = damage.due(now, 1, (0, 0))
        return now - due[0][1] if due else 0

    late_ms = damage.around(lambda: now - _first(sql, now), beside)
    return beside() if late_ms and damage.any_aside() else late_ms


def _rows(sql: str, *params: int) -> list[Any]:
    """What a loop reads many times a second, without building the query each time."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[Any] = cursor.fetchall()
    return found


def _first(sql: str, now: int) -> int:
    """The earliest instant that ``sql`` finds up to ``now``; ``now`` if there is none."""
    [(at,)] = _rows(sql, now)
    return now if at is None else at


def alarms_without_life(now: int) -> list[int]:
    """Open alarms without a timer, or whose circle has people although no message to any of them
    exists."""
    suspects = damage.around(lambda: _suspects(_LIFELESS), _suspects_around)
    return [
        id
        for id, wake_at, alarm in suspects
        if wake_at is None or not alarm or _told_or_unreadable(alarm)
    ]


def _told_or_unreadable(text: str) -> bool:
    alarm = rows.alarm_or_none(text)
    return alarm is None or bool(alarm.told)


def _suspects(sql: str, *more: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, more)
        return list(cursor.fetchall())


def _suspects_around() -> list[Any]:
    """The same if one of them cannot be read; what happens to that one is up to the tick."""

    def read(ids: Sequence[int]) -> dict[int, Any]:
        named = f" AND w.id IN ({', '.join(['%s'] * len(ids))})"
        return {row[0]: row for row in _suspects(_LIFELESS + named, *ids)}

    return list(damage.readable(named(f"state IN {_ALARMED}"), read).values())


def named(which: str, *params: Any) -> list[int]:
    """The ids of watches, if ``which`` uses one index and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM watch WHERE {which}", params)
        return sorted(id for (id,) in cursor.fetchall())


def readable_rows(ids: Sequence[int]) -> list[WatchRow]:
    """Those of these watches that can be read, if one of them cannot."""
    whole = WatchRow.objects.select_related("person")
    found = damage.readable(ids, lambda part: {row.id: row for row in whole.filter(id__in=part)})
    return [found[id] for id in sorted(found)]


def readable(ids: Sequence[int]) -> set[int]:
    """Those of these watches whose own rows can be read."""
    rows_ = WatchRow.objects.all()
    return {*damage.readable(ids, lambda part: {r.id: r for r in rows_.filter(id__in=part)})}


def _whoever(ids: Sequence[int]) -> list[WatchRow]:
    """The same, plus those whose person cannot be read: reading that person raises."""
    whole = {row.id: row for row in readable_rows(ids)}
    left = [id for id in ids if id not in whole]
    bare = WatchRow.objects.all()
    found = whole | damage.readable(
        left, lambda part: {row.id: row for row in bare.filter(id__in=part)}
    )
    return [found[id] for id in sorted(found)]


# --- for the pages --------------------------------------------------------------------------------


def partner(watch: WatchRow) -> str:
    """The other person of "two of us", or nothing."""
    return encryption.unseal(watch.partner, "watch.partner", watch.nonce)


@dataclass(frozen=True, slots=True)
class ShownWatch:
    """A watch as a page shows it: the value, its row, its key and the installation's time."""

    row: WatchRow
    watch: Watch
    key: str


def shown(row: WatchRow) -> ShownWatch:
    values = tuple(getattr(row, name) for name in rows.COLUMNS)
    watch, _readable = rows.thaw_or_stand_in(values)
    return ShownWatch(row, watch, encryption.key_for("watch", row.nonce))


def _shown(row: WatchRow | None) -> ShownWatch | None:
    return None if row is None else shown(row)


def _whose(row: WatchRow | None, person: Person) -> WatchRow | None:
    """The row with its person, who has already been read."""
    if row is not None:
        row.person = person
    return row


def watch_of(person: Person) -> ShownWatch | None:
    """The person's open acute watch, or the one that ended last."""

    def read() -> WatchRow | None:
        return _OPEN.first(person.id) or _LAST.first(person.id)

    def beside() -> WatchRow | None:
        acute = [
            row for row in readable_rows(named("person_id = %s", person.id)) if not row.routine
        ]
        return max(acute, key=lambda row: (row.wake_at is not None, row.id), default=None)

    return _shown(_whose(damage.around(read, beside), person))


def routines_of(person: Person) -> list[ShownWatch]:
    """The person's open routine check-ins."""

    def beside() -> list[WatchRow]:
        theirs = readable_rows(named("person_id = %s", person.id))
        return [row for row in theirs if row.routine and row.wake_at is not None]

    found = damage.around(lambda: _DAILY.all(person.id), beside)
    return [
        shown for shown in map(_shown, (_whose(row, person) for row in found)) if shown is not None
    ]


def open_of(person: Person) -> list[ShownWatch]:
    """Every open watch of theirs, also one that was set aside: the one they started, and the
    routine check-ins."""

    def beside() -> list[WatchRow]:
        theirs = readable_rows(named("person_id = %s", person.id))
        return [row for row in theirs if row.wake_at is not None]

    found = damage.around(lambda: _ALL_OPEN.all(person.id), beside)
    return [each for each in (_shown(_whose(row, person)) for row in found) if each is not None]


def is_watched(person: Person) -> bool:
    """Whether an acute watch of theirs is open, or a daily check-in waits for an answer."""
    if open_already(person.id, "", None) is not None:
        return True
    return any(shown.row.state != State.OPEN for shown in routines_of(person))


def open_already(person: int, profile: str, routine: Routine | None) -> int | None:
    """The open watch that a form sent twice refers to. One that was set aside watches nobody."""
    mine = WatchRow.objects.filter(
        person=person, wake_at__isnull=False, quarantined_at__isnull=True
    ).order_by("id")

    def beside() -> list[WatchRow]:
        theirs = readable_rows(named("person_id = %s", person))
        return [r for r in theirs if r.wake_at is not None and r.quarantined_at is None]

    for row in damage.around(lambda: list(mine), beside):
        if routine is None and not row.routine:
            return row.id
        again = routine is not None and row.routine and row.profile == profile
        if again and _same(row.routine, routine):
            return row.id
    return None


def _same(text: str, routine: Routine | None) -> bool:
    """One that cannot be read is no other: people look after it, and the new one watches."""
    try:
        known = from_text(text)
    except ScheduleError:
        return False
    return routine is not None and known == replace(routine, pause_until_at=known.pause_until_at)


def alarms_over(contact: int) -> set[int]:
    """The open alarms that may count on this contact: a number that an invitation, or another
    alarm, finds dead is dead there too."""
    theirs = WatchRow.objects.filter(person__contacts=contact, state__in=ALARMED)
    return set(theirs.values_list("id", flat=True))


def watch_by_key(key: str) -> ShownWatch | None:
    return _shown(_BY_KEY.first(encryption.key_hash(key)))


@dataclass(frozen=True, slots=True)
class AskedBy:
    """How a person was asked: the channels an ask was sent on, without those that refused it, and
    since when no screen has shown one."""

    channels: tuple[str, ...]
    unseen_at: int | None


def asked(watch: int, from_at: int, to_at: int) -> AskedBy:
    """How the person was asked between two instants. An ask goes out quietly on another channel
    exactly when the page has not confirmed that it is on the screen
    (``core/quiet_handlers.py``)."""
    sent = Message.objects.filter(
        watch=watch, word__in=["ask", "ask-ring"], created_at__gt=from_at, created_at__lte=to_at
    ).order_by("id")
    found = list(sent.values_list("word", "channel", "attempts", "status", "created_at"))
    channels = dict.fromkeys(
        channel for _, channel, attempts, status, _ in found if attempts and status != "failed"
    )
    unseen = [at for word, _, _, _, at in found if word == "ask"]
    return AskedBy(tuple(channels), min(unseen, default=None))


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of what happened."""

    at: int
    event: str
    state: str
    contact: int | None
    who: str
    facts: dict[str, object]


def journal(watch: int) -> list[HistoryLine]:
    """What happened on a watch, oldest first; nothing where that cannot be read."""
    lines = damage.around(lambda: _HISTORY.all(watch), list[JournalLine])
    who = list({line.contact for line in lines if line.contact})
    names = {c.id: contact_name(c) for c in _NAMED.among(who)}
    return [
        HistoryLine(
            x.at, x.event, x.state, x.contact, names.get(x.contact or 0, ""), json.loads(x.facts)
        )
        for x in lines
    ]


def was_in_alarm(person: int, at: int) -> bool:
    """Whether an alarm of theirs was open just before an instant (ms UTC), by the journal."""
    before = JournalLine.objects.filter(watch=OuterRef("id"), at__lt=at).order_by("-id")
    mine = WatchRow.objects.filter(person=person).annotate(was=Subquery(before.values("state")[:1]))
    return mine.filter(was__in=ALARMED).exists()


def brought_back(shown: ShownWatch) -> bool:
    """Whether the last that was said of how its alarms ended is that somebody was brought back; not
    after grave news."""
    watch = shown.watch
    if not watch.alarms or watch.outcome in GRAVE:
        return False
    said = JournalLine.objects.filter(watch=shown.row.id, event="Resolved").order_by("-id")
    last = damage.around(said.first, lambda: None)
    return last is not None and json.loads(last.facts).get("outcome") == Outcome.REVIVED


def away_between(from_at: int, to_at: int) -> tuple[int, int] | None:
    """The last outage between these instants, as (from, to)."""
    found = OUTAGES.around(lambda: _AWAY.first(from_at, to_at), None)
    return (found.from_at, found.to_at) if found is not None and found.to_at <= to_at else None


def open_alarms() -> list[int]:
    """Every open alarm, by id: first where the coordinator is the only one left (nobody could be
    told, the whole list was tried, or our own code failed), then where nobody is going, where
    somebody is, where somebody is there; of those the oldest watch first. In a damaged database
    also those of a person who cannot be read."""

    def beside() -> list[int]:
        alarmed = [row for row in _whoever(named(f"state IN {_ALARMED}")) if row.profile != TRIAL]
        return [row.id for row in sorted(alarmed, key=lambda row: ALARMED.index(row.state))]

    texts = f"%{rows.TOLD_NOBODY}%", f"%{rows.FIRST_ROUND}%"
    return damage.around(lambda: _ids(_OPEN_ALARMS, TRIAL, *texts), beside)


def to_look_at() -> list[int]:
    """Grave outcomes and quarantined watches that a person must look at, by id, oldest first."""

    def beside() -> list[int]:
        everyone = _whoever(named("id + 0 > 0"))
        waits = [row for row in everyone if row.held or row.quarantined_at is not None]
        return [row.id for row in waits if row.looked_at is None and row.profile != TRIAL]

    return damage.around(lambda: _ids(_TO_LOOK_AT, TRIAL), beside)


def shown_by_id(ids: Sequence[int]) -> dict[int, ShownWatch]:
    """These watches with their people. In a damaged database also those whose person cannot be
    read: reading that person raises."""
    if not ids:
        return {}
    whole = WatchRow.objects.select_related("person").filter(id__in=ids)
    return {row.id: shown(row) for row in damage.around(lambda: list(whole), lambda: _whoever(ids))}


def _ids(sql: str, *params: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [id for (id,) in cursor.fetchall()]


def installation() -> Installation:
    """The installation's row; the engine writes it with its first beat."""
    return _INSTALLATION.first() or Installation(id=1)
