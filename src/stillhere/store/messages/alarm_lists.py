"""Somebody who is on several open alarms at once gets one message with the list.

Owns which messages of a lease become one list, which wait a moment for the next, which go beside it
by themselves, and which say nothing that this phone need hear: that somebody else goes. A list
stands for what it names, and for nothing else. Only numbers of people who said yes are looked at;
where one of their alarms says what no list can (force, somebody who wants to die) it leaves alone.
A list that is refused leaves again as its single messages. The numbers are ``alarm_numbers.py``'s.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet

from stillhere.core.events import Cause, Word
from stillhere.core.messages import NAMED_AT_LEAST, DeliveryResult, Fate, Receipt
from stillhere.store.db import clock, encryption
from stillhere.store.messages import alarm_numbers
from stillhere.store.messages.alarm_numbers import Entry, Line
from stillhere.store.messages.leased import ONE_BY_ONE, OUR_FAULT
from stillhere.store.models import AlarmList, Message
from stillhere.store.watches import rows as watch_rows
from stillhere.store.watches.queries import ALARMED

FIRST = (Word.ALARM, Word.HELP)
# They ask for more than somebody who goes: no line of a list says that.
BY_THEMSELVES = (Word.CANNOT_GET_IN, Word.NOT_FOUND, Word.REOPENED)
CALLING = (*FIRST, Word.AGAIN, Word.AMBULANCE, Word.SERVICE_WAS_DOWN, *BY_THEMSELVES)
NEWS = (Word.GOING, Word.ANSWERED_ONCE, Word.UNREADABLE)
LIST, BUSY, WHICH = "list", "list-busy", "reply-alarms"
# Real time between two to one phone. A first word waits seconds; a call as long as one rings.
FIRST_GAP_MS = {"text": 5_000, "call": 25_000}
GAP_MS = 75_000
MOST_SIBLINGS = 200
_SENT = {"text": "texted_at", "call": "called_at"}
COVERED = "somebody else goes"

Row = dict[str, Any]


def _marks(values: Collection[object]) -> str:
    return ", ".join(["%s"] * len(values))


# Every lease reads these: as SQL, because putting the same queries together anew took longer than
# they did.
_KEPT = "SELECT lookup FROM alarm_list WHERE lookup IN ({lookups})"
_WANTS_TO_DIE = r'%"wants\_to\_die": true%'
_TOLD = rf"""
SELECT m.id, a.lookup, m.watch_id, m.contact_id, m.alarm, m.attempts, m.created_at
FROM message m
JOIN address a ON a.id = m.address_id
JOIN contact c ON c.id = m.contact_id
JOIN watch w ON w.id = m.watch_id
WHERE a.lookup IN ({{lookups}}) AND a.proved_at > 0 AND c.status = 'confirmed'
AND m.word IN ({_marks(CALLING)}) AND w.state IN ({_marks(ALARMED)}) AND m.alarm = w.alarms
AND m.facts NOT LIKE %s ESCAPE '\' AND (m.attempts > 0 OR m.status = 'queued')
ORDER BY m.id
"""


@dataclass(slots=True)
class _Told:
    """What one phone was told: each watch's alarm, and when the last message to it left by this
    channel. ``rows`` are those of this lease."""

    alarms: dict[int, Line]
    last_at: int
    rows: list[Row]


# --- as messages leave ----------------------------------------------------------------------------


def together(rows: list[Row], channel: str, now: int, until: int) -> list[Row]:
    """The rows of one lease, as they leave: of those to a phone with several alarms one, which
    stands for the others. ``until`` is when the lease ends."""
    if channel not in FIRST_GAP_MS:
        return rows
    rows = [_answer(row, now) if row["word"] in (WHICH, BUSY) else row for row in rows]
    phones = {row["to"] for row in rows if row["word"] in CALLING and row["proved_at"]}
    told = _told([row for row in rows if _groups(row)], channel)
    of = {alarm_numbers.lookup_of(number): number for number in {*phones, *told}}
    kept = _read(_KEPT.format(lookups=_marks(of)), list(of)) if of else []
    have = {of[bytes(lookup)] for (lookup,) in kept}
    for number, theirs in told.items():
        if len(theirs.alarms) > 1 or number in have:
            have.add(number)
            with transaction.atomic():
                gone, leader = _of_phone(number, theirs, channel, now, until)
            as_list = {leader["id"]: leader} if leader is not None else {}
            rows = [as_list.get(row["id"], row) for row in rows if row["id"] not in gone]
    return _numbered(rows, have) if channel == "text" else rows


def _groups(row: Row) -> bool:
    """Whether this may become a line of a list, or be left unsaid."""
    if row["contact"] is None or row["watch"] is None or row["status"] != "confirmed":
        return False
    alone = row["why"] in (ONE_BY_ONE, OUR_FAULT)
    known = bool(row["proved_at"]) and row["word"] in (*CALLING, *NEWS)
    return known and not alone and not json.loads(row["facts"]).get("wants_to_die")


def _numbered(rows: list[Row], have: set[str]) -> list[Row]:
    """What leaves by itself to a phone that has a list is answered by the number on it: any other
    digit would be another alarm. Where they go to one, digits are about that one."""
    numbers: dict[tuple[str, int, int], int] = {}
    for number in have & {row["to"] for row in rows if row["word"] in CALLING}:
        alive = [each for each in alarm_numbers.entries(number) if not each.over]
        goes = any(each.mine for each in alive)
        for each in alive:
            if not each.mine:
                numbers[number, each.watch, each.alarm] = 0 if goes else each.number

    def said(row: Row) -> Row:
        no = numbers.get((row["to"], row["watch"], row["alarm"]))
        if no is None or row["word"] not in CALLING:
            return row
        return row | {"facts": json.dumps(json.loads(row["facts"]) | {"number": no})}

    return [said(row) for row in rows]


def _answer(row: Row, now: int) -> Row:
    """The list as an answer, as it is now: what was kept with it names nobody else's alarm."""
    facts = json.loads(row["facts"])
    if "list" in facts or not row["to"]:
        return row
    with transaction.atomic():
        kept = (
            AlarmList.objects.select_for_update()
            .filter(lookup=alarm_numbers.lookup_of(row["to"]))
            .first()
        )
        those = alarm_numbers.lines(kept) if kept is not None else None
        listed = alarm_numbers.read(row["to"], those) if those else []
        ended = [each.watch for each in listed if each.ended and each.number == facts.get("over")]
        facts |= {"list": _in_turn(listed), "over": next(iter(ended), None)}
        facts |= {"busy": row["watch"]} if row["word"] == BUSY else {}
        if kept is not None and those:
            _name(kept, those, facts["list"], row["word"], now)
            kept.texted_at = now
            kept.save()
    return row | {"facts": json.dumps(facts)}


def _in_turn(listed: Sequence[Entry]) -> list[tuple[int, int]]:
    """Number and watch of what needs somebody: first what no text has named yet, the newest of
    them first, then what was named longest ago."""
    needs = sorted((e for e in listed if e.open), key=lambda e: (e.named_at, -e.number))
    return [(each.number, each.watch) for each in needs]


def _name(
    kept: AlarmList,
    those: alarm_numbers.Lines,
    turn: Sequence[tuple[int, int]],
    word: str,
    now: int,
) -> None:
    """Note which of them a text is sure to name."""
    named = {no: replace(those[no], named_at=now) for no, _ in turn[: NAMED_AT_LEAST[word]]}
    kept.numbers = alarm_numbers.text_of(those | named)


def _told(able: Sequence[Row], channel: str) -> dict[str, _Told]:
    """What the phones of these rows were told about alarms that are open, this lease included."""
    told = {row["to"]: _Told({}, 0, []) for row in able}
    for row in able:
        told[row["to"]].rows.append(row)
    of = {encryption.lookup(channel, number): number for number in told}
    mine = {row["id"] for row in able}
    if not of:
        return told
    found = _read(_TOLD.format(lookups=_marks(of)), [*of, *CALLING, *ALARMED, _WANTS_TO_DIE])
    for id, lookup, watch, contact, alarm, attempts, at in found:
        phone = told[of[bytes(lookup)]]
        phone.alarms.setdefault(watch, Line(watch, contact, alarm))
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
    lookup = alarm_numbers.lookup_of(number)
    kept = AlarmList.objects.select_for_update().filter(lookup=lookup).first()
    kept = kept or AlarmList(lookup=lookup)
    had = alarm_numbers.lines(kept)
    if had is None:
        return set(), None
    had, those = _with_told(number, had, told)
    listed = alarm_numbers.read(number, those)
    about = {(each.watch, each.alarm): each for each in listed if not each.over}
    rows = [(about.get((row["watch"], row["alarm"])), row) for row in told.rows]
    known = [(each, row) for each, row in rows if each is not None]
    gone = _drop([row for each, row in known if _is_unsaid(row["word"], each, listed)], now)
    if channel == "call" and any(each.mine for each in listed):
        others = [row for each, row in known if row["word"] in CALLING and not each.mine]
        return gone | _hold(
            [row for row in others if row["id"] not in gone], now + _real(GAP_MS)
        ), None
    calling = [row for each, row in known if each.open and is_a_line(row["word"])]
    if not calling or (not had and sum(each.open for each in listed) < 2):
        return gone, None
    due_at = _due_at(kept, told, channel, calling, now)
    if now < due_at:
        return gone | _hold(calling, due_at), None
    changed = any(had.get(no, line).alarm != line.alarm for no, line in those.items())
    kept.made_at = now if changed or not had else kept.made_at
    leader = _leave(kept, those, listed, calling, channel, now)
    others = [*calling[1:], *_siblings(number, listed, channel, now, until)]
    also = tuple(_result(channel, row) for row in others)
    return gone | {row["id"] for row in calling[1:]}, leader | {"also": also}


def _leave(
    kept: AlarmList,
    those: alarm_numbers.Lines,
    listed: Sequence[Entry],
    calling: Sequence[Row],
    channel: str,
    now: int,
) -> Row:
    """The list as it leaves, which is noted with its phone."""
    busy = next((each for each in listed if each.mine), None)
    facts: dict[str, Any] = {"list": _in_turn(listed)}
    facts |= {"busy": busy.watch} if busy is not None else {}
    facts |= {"ambulance": any(row["word"] == Word.AMBULANCE for row in calling)}
    word = LIST if busy is None else BUSY
    kept.numbers = alarm_numbers.text_of(those)
    if channel == "text":
        _name(kept, those, facts["list"], word, now)
    setattr(kept, _SENT[channel], now)
    kept.save()
    return calling[0] | {"word": word, "facts": json.dumps(facts)}


def _with_told(
    number: str, had: alarm_numbers.Lines, told: _Told
) -> tuple[alarm_numbers.Lines, alarm_numbers.Lines]:
    """What the numbers of this phone stand for, before it is told and after; they begin anew where
    all of it is over."""
    listed = alarm_numbers.read(number, had)
    if all(each.over for each in listed):
        had, listed = {}, []
    states = alarm_numbers.states(told.alarms)
    fresh = {
        watch: line
        for watch, line in told.alarms.items()
        if watch in states and not _is_forced(states[watch][2])
    }
    return had, alarm_numbers.with_new(had, listed, fresh)


def is_a_line(word: str) -> bool:
    """Whether a line of a list says what this word does."""
    return word in CALLING and word not in BY_THEMSELVES


def _is_forced(alarm: str) -> bool:
    """Whether nobody must phone or go alone: no list says that."""
    read = watch_rows.alarm_or_none(alarm) if alarm else None
    return read is None or read.cause is Cause.FORCE


def _is_unsaid(word: str, about: Entry, listed: Sequence[Entry]) -> bool:
    """Whether this phone need not hear it: it is on several alarms, and somebody else is at this
    one. Of one that nobody holds the news is the list itself. What asks for more than that somebody
    goes is said, whoever says they do."""
    if about.mine or sum(not each.over for each in listed) < 2:
        return False
    return word in NEWS or (not about.open and word not in (*BY_THEMSELVES, Word.AMBULANCE))


def _due_at(kept: AlarmList, told: _Told, channel: str, calling: Sequence[Row], now: int) -> int:
    """When the next list may leave."""
    first = any(row["word"] in FIRST for row in calling)
    last_at = max(getattr(kept, _SENT[channel]), told.last_at)
    gap_ms = _real(FIRST_GAP_MS[channel] if first else GAP_MS)
    return last_at + gap_ms if last_at <= now else now


def _real(ms: int) -> int:
    return int(ms * clock.read().rate)


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


def _siblings(
    number: str, listed: Sequence[Entry], channel: str, now: int, until: int
) -> list[Row]:
    """What else waits to call this phone to what stands on the list: leased too, for the list
    speaks of it."""
    waiting = _calling([encryption.lookup(channel, number)]).filter(
        status="queued", channel=channel, lease_until_at__lte=now,
        watch__in=[each.watch for each in listed if each.open],
    ).exclude(word__in=BY_THEMSELVES)  # fmt: skip
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


def _drop(rows: Sequence[Row], now: int) -> set[int]:
    ids = {row["id"] for row in rows}
    if ids:
        gone = Message.objects.filter(id__in=ids, status="queued")
        gone.update(status="dropped", why=COVERED, done_at=now)
    return ids


def _hold(rows: Sequence[Row], due_at: int) -> set[int]:
    """Not yet: as if they had not been leased."""
    ids = {row["id"] for row in rows}
    held = Message.objects.filter(id__in=ids, status="queued")
    held.update(due_at=due_at, lease_until_at=0, attempts=F("attempts") - 1)
    return ids
