"""Somebody who is on several open alarms at once gets one message with the list, by numbers that
stay the same until all of them are over.

Owns the rows of ``alarm_list``, which messages of a lease become one list, which wait a moment for
the next, and which say nothing that this phone need hear: that somebody else goes. Only numbers of
people who said yes are looked at; where one of their alarms says what no list can (force, somebody
who wants to die) it leaves alone. A list that is refused leaves again as its single messages.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from stillhere.core.events import Cause, Word
from stillhere.core.messages import DeliveryResult, Fate, Receipt
from stillhere.store.db import clock, encryption
from stillhere.store.messages.leased import ONE_BY_ONE, OUR_FAULT
from stillhere.store.models import Address, AlarmList, Message, WatchRow, sealed_columns
from stillhere.store.people import suppression
from stillhere.store.watches import rows as watch_rows
from stillhere.store.watches.queries import ALARMED

FIRST = (Word.ALARM, Word.HELP)
CALLING = (
    *FIRST, Word.AGAIN, Word.REOPENED, Word.AMBULANCE, Word.CANNOT_GET_IN, Word.NOT_FOUND,
    Word.SERVICE_WAS_DOWN,
)  # fmt: skip
NEWS = (Word.GOING, Word.ARRIVED, Word.STILL_THERE, Word.ANSWERED_ONCE, Word.UNREADABLE)
LIST, BUSY = "list", "list-busy"
# Real time between two to one phone. A first word waits seconds; a call as long as one rings.
FIRST_GAP_MS = {"text": 5_000, "call": 25_000}
GAP_MS = 75_000
MOST_SIBLINGS = 200
KEPT_MS = 2 * 86_400_000
_SENT = {"text": "texted_at", "call": "called_at"}
COVERED, ELSEWHERE = "somebody else goes", "they go to another"

Row = dict[str, Any]


def _marks(values: Collection[object]) -> str:
    return ", ".join(["%s"] * len(values))


# Every lease reads these: as SQL, because putting the same queries together anew took longer than
# they did.
_KEPT = "SELECT lookup FROM alarm_list WHERE lookup IN ({lookups})"
_WANTS_TO_DIE = r'%"wants\_to\_die": true%'
_TOLD = rf"""
SELECT m.id, a.lookup, m.watch_id, m.contact_id, m.attempts, m.created_at
FROM message m
JOIN address a ON a.id = m.address_id
JOIN contact c ON c.id = m.contact_id
JOIN watch w ON w.id = m.watch_id
WHERE a.lookup IN ({{lookups}}) AND a.proved_at > 0 AND c.status = 'confirmed'
AND m.word IN ({_marks(CALLING)}) AND w.state IN ({_marks(ALARMED)}) AND m.alarm = w.alarms
AND m.facts NOT LIKE %s ESCAPE '\' AND (m.attempts > 0 OR m.status = 'queued')
ORDER BY m.id
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One alarm on somebody's list: its number, and whether it is ``open`` with nobody going;
    ``over``: it is none any more; ``mine``: they go themselves."""

    number: int
    watch: int
    contact: int
    open: bool
    over: bool
    mine: bool


@dataclass(slots=True)
class _Told:
    """What one phone was told: for each watch its contact, and when the last message to it left by
    this channel. ``rows`` are those of this lease."""

    contacts: dict[int, int]
    last_at: int
    rows: list[Row]


def lookup_of(number: str) -> bytes:
    """Under what the list of a phone is kept."""
    return suppression.lookup_of("text", number)


def entries(number: str) -> list[Entry]:
    """The list of this phone, by number; empty where it has none."""
    kept = AlarmList.objects.filter(lookup=lookup_of(number)).first()
    return _entries(json.loads(kept.numbers)) if kept is not None else []


def texted_at(number: str) -> int:
    """When this phone was last texted its list."""
    return _of(number, "texted_at")


def made_at(number: str) -> int:
    """When this phone was first told of its list."""
    return _of(number, "made_at")


def _of(number: str, column: str) -> int:
    kept = AlarmList.objects.filter(lookup=lookup_of(number)).values_list(column, flat=True)
    return kept.first() or 0


def _entries(numbers: Mapping[str, Sequence[int]]) -> list[Entry]:
    """``numbers``: watch, contact and number of the alarm, by number."""
    watches = _watches(watch for watch, _, _ in numbers.values())
    found = []
    for no, (watch, contact, alarm) in numbers.items():
        state, current, text = watches.get(watch, ("", 0, ""))
        over = state not in ALARMED or current != alarm
        going = None if over else watch_rows.alarm_or_none(text)
        mine = going is not None and going.covered_by(contact)
        found.append(Entry(int(no), watch, contact, state == "alarm" and not over, over, mine))
    return sorted(found, key=lambda each: each.number)


def _watches(ids: Iterable[int]) -> dict[int, tuple[str, int, str]]:
    found = WatchRow.objects.filter(id__in={*ids}).values_list("id", "state", "alarms", "alarm")
    return {id: (state, alarms, alarm) for id, state, alarms, alarm in found}


# --- as messages leave ----------------------------------------------------------------------------


def together(rows: list[Row], channel: str, now: int, until: int) -> list[Row]:
    """The rows of one lease, as they leave: of those to a phone with several alarms one, which
    stands for the others. ``until`` is when the lease ends."""
    able = [row for row in rows if _groups(row)]
    if channel not in FIRST_GAP_MS or not able:
        return rows
    told = _told(able, channel)
    of = {lookup_of(number): number for number in told}
    kept = _read(_KEPT.format(lookups=_marks(of)), list(of))
    have = {of[bytes(lookup)] for (lookup,) in kept}
    for number, theirs in told.items():
        if len(theirs.contacts) > 1 or number in have:
            with transaction.atomic():
                gone, leader = _of_phone(number, theirs, channel, now, until)
            as_list = {leader["id"]: leader} if leader is not None else {}
            rows = [as_list.get(row["id"], row) for row in rows if row["id"] not in gone]
    return rows


def _groups(row: Row) -> bool:
    """Whether this may become a line of a list, or be left unsaid."""
    if row["contact"] is None or row["watch"] is None or row["status"] != "confirmed":
        return False
    alone = row["why"] in (ONE_BY_ONE, OUR_FAULT)
    known = bool(row["proved_at"]) and row["word"] in (*CALLING, *NEWS)
    return known and not alone and not json.loads(row["facts"]).get("wants_to_die")


def _told(able: Sequence[Row], channel: str) -> dict[str, _Told]:
    """What the phones of these rows were told about alarms that are open, this lease included."""
    told = {row["to"]: _Told({}, 0, []) for row in able}
    for row in able:
        told[row["to"]].rows.append(row)
    of = {encryption.lookup(channel, number): number for number in told}
    mine = {row["id"] for row in able}
    found = _read(_TOLD.format(lookups=_marks(of)), [*of, *CALLING, *ALARMED, _WANTS_TO_DIE])
    for id, lookup, watch, contact, attempts, at in found:
        phone = told[of[bytes(lookup)]]
        phone.contacts.setdefault(watch, contact)
        if attempts and id not in mine:
            phone.last_at = max(at, phone.last_at)
    return told


def _read(sql: str, values: Sequence[str | bytes]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _calling(lookups: Sequence[bytes]) -> QuerySet[Message]:
    """What calls these addresses to alarms that are open, as `_TOLD` has it."""
    return Message.objects.filter(
        address__lookup__in=lookups,
        address__proved_at__gt=0,
        contact__status="confirmed",
        word__in=CALLING,
        watch__state__in=ALARMED,
        alarm=F("watch__alarms"),
    ).exclude(facts__contains='"wants_to_die": true')


def _of_phone(
    number: str, told: _Told, channel: str, now: int, until: int
) -> tuple[set[int], Row | None]:
    """What becomes of the rows to one phone: which of them do not leave now, and the one that
    leaves as the list."""
    kept = AlarmList.objects.select_for_update().filter(lookup=lookup_of(number)).first()
    kept = kept or AlarmList(lookup=lookup_of(number))
    had, numbers = _numbered(kept, told)
    listed = _entries(numbers)
    by_watch = {each.watch: each for each in listed}
    rows = [row for row in told.rows if row["watch"] in by_watch]
    unsaid = [row for row in rows if _is_unsaid(row["word"], by_watch[row["watch"]], listed)]
    gone = _drop(unsaid, COVERED, now)
    calling = [row for row in rows if row["word"] in CALLING and by_watch[row["watch"]].open]
    if not calling or (not had and sum(each.open for each in listed) < 2):
        return gone, None
    busy = next((each for each in listed if each.mine), None)
    if busy is not None and channel == "call":
        return gone | _drop(calling, ELSEWHERE, now), None
    due_at = _due_at(kept, told, channel, calling, now)
    if now < due_at:
        return gone | _hold(calling, due_at), None
    leader, *others = calling
    also = [_result(channel, row) for row in (*others, *_siblings(number, channel, now, until))]
    kept.numbers = json.dumps(numbers)
    setattr(kept, _SENT[channel], now)
    kept.made_at = kept.made_at if had else now
    kept.save()
    facts: dict[str, Any] = {"list": [(each.number, each.watch) for each in listed if each.open]}
    facts |= {"busy": busy.watch} if busy is not None else {}
    facts |= {"ambulance": any(row["word"] == Word.AMBULANCE for row in calling)}
    word = LIST if busy is None else BUSY
    as_list = leader | {"word": word, "facts": json.dumps(facts), "also": tuple(also)}
    return gone | {row["id"] for row in others}, as_list


def _numbered(kept: AlarmList, told: _Told) -> tuple[bool, dict[str, Sequence[int]]]:
    """Whether the phone has a list, and the list with the new alarms on it."""
    numbers: dict[str, Sequence[int]] = json.loads(kept.numbers)
    if all(each.over for each in _entries(numbers)):
        numbers = {}
    had = bool(numbers)
    watches = _watches(told.contacts)
    listed = {watch for watch, _, _ in numbers.values()}
    fresh = [
        watch
        for watch in told.contacts
        if watch not in listed and watch in watches and not _is_forced(watches[watch][2])
    ]
    first = 1 + max(map(int, numbers), default=0)
    more = {
        str(no): (watch, told.contacts[watch], watches[watch][1])
        for no, watch in enumerate(fresh, first)
    }
    return had, numbers | more


def _is_forced(alarm: str) -> bool:
    """Whether nobody must phone or go alone: no list says that."""
    read = watch_rows.alarm_or_none(alarm) if alarm else None
    return read is None or read.cause is Cause.FORCE


def _is_unsaid(word: str, about: Entry, listed: Sequence[Entry]) -> bool:
    """Whether this phone need not hear it: it is on several alarms, and somebody else is at this
    one. Of one that nobody holds the news is the list itself."""
    if about.mine or about.over or sum(not each.over for each in listed) < 2:
        return False
    return word in NEWS or not about.open


def _due_at(kept: AlarmList, told: _Told, channel: str, calling: Sequence[Row], now: int) -> int:
    """When the next list may leave."""
    first = any(row["word"] in FIRST for row in calling)
    gap_ms = int((FIRST_GAP_MS[channel] if first else GAP_MS) * clock.read().rate)
    last_at = max(getattr(kept, _SENT[channel]), told.last_at)
    return last_at + gap_ms if last_at <= now else now


def _result(channel: str, row: Mapping[str, Any]) -> DeliveryResult:
    """Becomes what the list becomes."""
    return DeliveryResult(
        channel,
        Receipt(Fate.UNKNOWN),
        message=row["id"],
        watch=row["watch"],
        contact=row["contact"],
        address=row["address"],
        attempts=row["attempts"],
    )


def _siblings(number: str, channel: str, now: int, until: int) -> list[Row]:
    """What else waits to call this phone: leased too, for the list speaks of it."""
    waiting = _calling([encryption.lookup(channel, number)]).filter(
        status="queued", channel=channel, lease_until_at__lte=now, watch__state="alarm"
    )
    alike = waiting.filter(due_at__lte=now + GAP_MS).exclude(why__in=[ONE_BY_ONE, OUR_FAULT])
    ids = list(alike.values_list("id", flat=True)[:MOST_SIBLINGS])
    if not ids:
        return []
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE message SET lease_until_at = %s, attempts = attempts + 1 "
            f"WHERE id IN ({marks}) AND status = 'queued' AND lease_until_at <= %s "
            "RETURNING id, watch_id, contact_id, address_id, attempts",
            [until, *ids, now],
        )
        names = "id", "watch", "contact", "address", "attempts"
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _drop(rows: Sequence[Row], why: str, now: int) -> set[int]:
    ids = {row["id"] for row in rows}
    if ids:
        gone = Message.objects.filter(id__in=ids, status="queued")
        gone.update(status="dropped", why=why, done_at=now)
    return ids


def _hold(rows: Sequence[Row], due_at: int) -> set[int]:
    """Not yet: as if they had not been leased."""
    ids = {row["id"] for row in rows}
    held = Message.objects.filter(id__in=ids, status="queued")
    held.update(due_at=due_at, lease_until_at=0, attempts=F("attempts") - 1)
    return ids


def refused(addresses: Sequence[int]) -> None:
    """Lists that could not be sent to these addresses: nobody has seen their numbers."""
    if not addresses:  # as nearly always
        return
    for address in Address.objects.filter(id__in=addresses):
        number = sealed_columns.address_value(address)
        AlarmList.objects.filter(lookup=lookup_of(number)).delete()


def erase(now: int) -> int:
    """Erase lists that are long over; returns how many."""
    old = AlarmList.objects.filter(texted_at__lt=now - KEPT_MS, called_at__lt=now - KEPT_MS)
    return old.delete()[0]
