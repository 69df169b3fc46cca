"""The outbox: messages are leased, sent by the engine, and their results recorded.

Only this file and ``receipts.py`` change a message's status. Whoever leases a message records its
result before ``lease_until_at``, or it is leased again: every message is sent at least once. The
address, an opt-out and an erasure are read at the lease, the last moment before sending, and win.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, Error, connection, transaction

from stillhere.core.events import Undeliverable
from stillhere.core.messages import AGAIN, ARRIVED, HOPELESS, LEFT, DeliveryResult, Fate, Receipt
from stillhere.store.db import bulk, encryption
from stillhere.store.db.row_locks import hold, hold_messages
from stillhere.store.messages import alarm_lists, alarm_numbers, held_back, pages, salvage
from stillhere.store.messages.leased import ONE_BY_ONE, LeasedMessage
from stillhere.store.messages.spoken_of import opened, speaking_of
from stillhere.store.messages.validity import still_true
from stillhere.store.models import Address, Message
from stillhere.store.people import (
    address_book,
    notices,
    opt_out,
    push_subscriptions,
    sealed,
    suppression,
)
from stillhere.store.watches import apply, damage, queries
from stillhere.store.watches.outbox import COORDINATOR

log = logging.getLogger("stillhere.delivery")

BACK_OFF_S = (1, 2, 4, 8, 15, 30, 60)
LOST = (Fate.FAILED, Fate.NOWHERE)  # this way is none: another one may be
LONGEST_REF = 120
LAPSED, NOT_WANTED = "lapsed", "not wanted"
STOPPED = "every number of theirs said STOP"  # whoever is paged: it waits for START
GONE = "address gone"
UNREADABLE = "address cannot be opened"
LOST_WAYS = (GONE, UNREADABLE)
QUESTIONS = ("ask", "ask-ring")
# What a message keeps when it goes by another way.
_SAME = (
    "watch_id", "person_id", "contact_id", "word", "facts", "alarm", "urgency", "place",
    "lapses_at",
)  # fmt: skip

# Nobody is in danger when these come later.
CAN_WAIT = ("invite", "test", "drill", "well", "news", "kit-soon", "kit-used")
_NEEDED = " AND word NOT IN ({})".format(", ".join(f"'{word}'" for word in CAN_WAIT))
_DUE = "status = 'queued' AND channel = %s AND due_at <= %s AND lease_until_at <= %s{which}"
_LOOK = f"SELECT 1 FROM message WHERE {_DUE} LIMIT 1"
_LEASE = f"""
UPDATE message SET lease_until_at = %s, attempts = attempts + 1
WHERE id IN (
    SELECT id FROM message WHERE {_DUE} ORDER BY urgency, place, due_at LIMIT %s{{lock}}
) RETURNING id
"""
_PARTS = {
    **{
        name: f"m.{name}"
        for name in (
            "id",
            "key",
            "channel",
            "word",
            "facts",
            "alarm",
            "attempts",
            "lapses_at",
            "carrier",
        )
    },
    "provider_ref": "m.provider_ref",
    "why": "m.why",
    "person": "m.person_id",
    "watch": "m.watch_id",
    "contact": "m.contact_id",
    "address": "m.address_id",
    "person_nonce": "p.nonce",
    "person_name": "p.name",
    "caller": "p.caller",
    "place": "p.place",
    "entry": "p.entry",
    "town": "p.town",
    "dispatch": "p.dispatch",
    "tz": "p.tz",
    "wish": "p.wish",
    "person_lang": "p.lang",
    "contact_nonce": "c.nonce",
    "contact_name": "c.name",
    "contact_lang": "c.lang",
    "status": "c.status",
    "address_nonce": "a.nonce",
    "value": "a.value",
    "state": "a.state",
    "proved_at": "a.proved_at",
    "watch_nonce": "w.nonce",
    "partner": "w.partner",
}
_READ = f"""
SELECT {", ".join(_PARTS.values())}
FROM message m
LEFT JOIN person p ON p.id = m.person_id
LEFT JOIN contact c ON c.id = m.contact_id
LEFT JOIN address a ON a.id = m.address_id
LEFT JOIN watch w ON w.id = m.watch_id
WHERE m.id IN ({{marks}}) ORDER BY m.urgency, m.place, m.due_at, m.id
"""


def due(channels: Sequence[str], now: int) -> Collection[str]:
    """Those of ``channels`` for which something may leave; in a damaged database all of them. One
    statement for all, because it is asked ten times a second and mostly nothing is due."""
    looks = " UNION ALL ".join(
        f"SELECT CAST(%s AS text) WHERE EXISTS ({_LOOK.format(which='')})" for _ in channels
    )
    params = [part for channel in channels for part in (channel, channel, now, now)]

    def look() -> Collection[str]:
        with connection.cursor() as cursor:
            cursor.execute(looks, params)
            return {channel for (channel,) in cursor.fetchall()}

    return damage.around(look, lambda: channels) if channels else ()


def lease(
    channel: str, now: int, most: int, lease_s: float, *, frugal: bool = False
) -> list[LeasedMessage]:
    """Up to ``most`` unsent messages of ``channel``, the most urgent first, ours until the lease
    ends. ``frugal``: whatever can wait for next month does. Messages that expired, or whose contact
    opted out or was removed since they were queued, are dropped here and not returned."""
    if channel == COORDINATOR:
        damage.around(lambda: pages.gather(now), lambda: None)
    until, which = now + int(lease_s * 1000), _NEEDED if frugal else ""
    taken = damage.around(
        lambda: _take(channel, now, most, until, which),
        lambda: salvage.take(channel, now, most, until, which, _READ),
    )
    if not taken:
        return []
    try:
        found = _not_silenced([_addressed(dict(zip(_PARTS, row, strict=True))) for row in taken])
        wanted = damage.around(lambda: _without_stale(found, now), lambda: _fresh(found, now))
        return speaking_of(_together(wanted, channel, now, until))
    except Error:  # nobody sends them now: they are for the next round, not for when the lease ends
        _give_back([row[0] for row in taken], until)
        raise


def _give_back(ids: Sequence[int], until: int) -> None:
    """Leased, and not sent. Where that cannot be written, they wait for the end of the lease."""
    with suppress(Error):
        Message.objects.filter(id__in=ids, lease_until_at=until).update(lease_until_at=0)


def _together(wanted: list[dict[str, Any]], channel: str, now: int, until: int) -> list[Any]:
    """As lists of alarms, where there are any; each by itself where that cannot be stored now: they
    are leased already, and would wait for the end of it."""
    try:
        return alarm_lists.together(wanted, channel, now, until)
    except DatabaseError as failure:
        log.warning("not as a list: %s", type(failure).__name__)
        return wanted


def _take(channel: str, now: int, most: int, until: int, which: str) -> list[Any]:
    with connection.cursor() as cursor:  # mostly nothing is due, and nobody is kept from writing
        cursor.execute(_LOOK.format(which=which), [channel, now, now])
        if cursor.fetchone() is None:
            return []
    lock = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LEASE.format(lock=lock, which=which), [until, channel, now, now, most])
        ids = [id for (id,) in cursor.fetchall()]
        if not ids:
            return []
        cursor.execute(_READ.format(marks=", ".join(["%s"] * len(ids))), ids)
        return list(cursor.fetchall())


def _addressed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its address in clear; None if that cannot be opened."""
    nonce = row["address_nonce"]
    to: str | None = ""
    if nonce is not None:
        to = opened(f"message={row['id']}", row["value"], "address.value", nonce)
    elif row["channel"] == COORDINATOR:
        to = pages.addresses(row["facts"])
    return row | {"to": to}


def _not_silenced(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last look before anything is handed over: a row that was made while its number said no
    does not know it yet. Where the list cannot be read the rows' own state counts."""
    ways = {(row["channel"], row["to"]) for row in found if row["to"]}
    silenced = damage.around(lambda: suppression.silenced(ways), set[tuple[str, str]])
    gone = Address.State.OPTED_OUT
    return [
        row | {"state": gone} if (row["channel"], row["to"]) in silenced else row for row in found
    ]


def _fresh(found: list[dict[str, Any]], now: int) -> list[dict[str, Any]]:
    """Those that are not stale; the others wait for their lease to end."""
    return [row for row in found if not _stale(row, now)]


def _without_stale(found: list[dict[str, Any]], now: int) -> list[dict[str, Any]]:
    """Drop what must not be sent after all; a message that lost its address may have another way to
    go."""
    stale = {row["id"]: why for row in found if (why := _stale(row, now))}
    if stopped := {id for id, why in stale.items() if why == STOPPED}:
        found = [row for row in found if row["id"] not in stopped]
        stale = {id: why for id, why in stale.items() if id not in stopped}
        Message.objects.filter(id__in=stopped).update(why=STOPPED, attempts=0)
    if UNREADABLE in stale.values() and (waits := _waits_for_a_key(found, stale)):
        found = [row for row in found if row["id"] not in waits]
        stale = {id: why for id, why in stale.items() if id not in waits}
    stale |= held_back.by_budget([row for row in found if row["id"] not in stale], now)
    if not stale:
        return found
    gone = [row for row in found if _moves_on(row, stale.get(row["id"], ""))]
    with transaction.atomic():
        held = hold({row["watch"] for row in gone})
        later = {row["id"] for row in gone if row["watch"] in held}  # once this lease is over
        Message.objects.filter(id__in=later).update(attempts=0)  # then they are counted anew
        gone = [row for row in gone if row["id"] not in later]
        feed_back([_lost(row) for row in gone], now)
        for id, why in stale.items():
            if id in later:
                continue
            mine = Message.objects.filter(id=id, status="queued")
            mine.update(status="dropped", why=why, done_at=now)
        by_another_way([row["id"] for row in gone if stale[row["id"]] in LOST_WAYS], now)
    return [row for row in found if row["id"] not in stale]


def _waits_for_a_key(found: list[dict[str, Any]], stale: dict[int, str]) -> set[int]:
    """Those that cannot be opened for want of their key, and not because they are damaged."""
    shut = {row["id"]: row["value"] for row in found if stale.get(row["id"]) == UNREADABLE}
    if sealed.opens():
        shut = {id: value for id, value in shut.items() if not encryption.is_known(value)}
    if shut:
        log.critical("%s: messages wait", sealed.MISSING)
    return set(shut)


def _moves_on(row: dict[str, Any], why: str) -> bool:
    """Whether what is dropped for this reason must not keep a ladder waiting."""
    held = why not in ("", LAPSED, NOT_WANTED) and row["word"] in held_back.CALLING
    return why in LOST_WAYS or held


def _lost(row: dict[str, Any]) -> DeliveryResult:
    return DeliveryResult(
        row["channel"],
        Receipt(Fate.NOWHERE),
        message=row["id"],
        watch=row["watch"],
        contact=row["contact"],
        address=row["address"],
    )


def _stale(row: dict[str, Any], now: int) -> str:
    """Why a message must not be sent after all, or nothing."""
    if row["lapses_at"] is not None and row["lapses_at"] <= now:
        return LAPSED
    if row["address"] is None and row["channel"] != COORDINATOR:
        return NOT_WANTED  # whoever it was for is erased
    if row["contact"] is not None and row["status"] not in ("invited", "confirmed"):
        return NOT_WANTED
    if row["to"] is None:
        return UNREADABLE if row["channel"] != COORDINATOR else STOPPED
    if row["address"] is not None and row["state"] != "ok":
        return GONE
    return held_back.at_sight(row)


def record(results: Sequence[DeliveryResult], now: int) -> list[DeliveryResult]:
    """Write down what became of leased messages and pass bad news on to their watches, in one
    transaction. Returns those that could not be recorded because somebody else has locked their
    rows; they have to be recorded again."""
    results = [each for r in results for each in (r, *r.also)]
    with transaction.atomic():
        # Watches before messages, as in ``apply``.
        watches = hold({r.watch for r in results if r.receipt.fate in HOPELESS})
        held: set[int | None] = {*hold_messages([r.message for r in results if r.message])}
        held |= {r.message for r in results if r.receipt.fate in HOPELESS and r.watch in watches}
        free = [r for r in results if r.message not in held]
        feed_back(free, now)
        _move(free, now)
        push = [r for r in free if r.channel == push_subscriptions.CHANNEL]
        push_subscriptions.reached(
            [r.address for r in push if r.address and r.receipt.fate in LEFT], now
        )
        by_another_way([r.message for r in free if r.message and r.receipt.fate in LOST], now)
        alarm_numbers.refused(
            [r.address for r in free if r.address and r.receipt.why == ONE_BY_ONE]
        )
    return [r for r in results if r.message in held]


_MOVED = ("bigint", "text", "text", "text", "bigint", "bigint", "text", "bigint")
# How long we wait for a word of what was handed over. A call rings for 25 s.
RECEIPT_MS = {"text": 30_000, "whatsapp": 30_000, "call": 60_000}


def _move(results: Sequence[DeliveryResult], now: int) -> None:
    """All of them in one statement. A later record never changes a final status: receipts that
    overtook it win."""
    lines = [_moved(result, now) for result in results]
    if not lines:
        return
    those, params = bulk.values(_MOVED, lines)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE message SET status = v.column2, provider_ref = v.column3, why = v.column4, "
            "done_at = v.column5, due_at = COALESCE(v.column6, message.due_at), lease_until_at = "
            "CASE WHEN v.column2 = 'queued' THEN 0 ELSE %s END, "
            "carrier = CASE WHEN v.column7 = '' THEN message.carrier ELSE v.column7 END, "
            "receipt_by_at = v.column8, vain_at = "
            "CASE WHEN v.column2 = 'queued' THEN COALESCE(message.vain_at, %s) END "
            f"FROM {those} AS v WHERE message.id = v.column1 AND message.status = 'queued'",
            [now, now, *params],
        )


def _moved(result: DeliveryResult, now: int) -> tuple[object, ...]:
    """Id, status, reference, why, when it was over, when it is due again, who carried it, and until
    when we wait for a receipt."""
    receipt, why = result.receipt, result.receipt.why[:200]
    if receipt.fate in AGAIN:
        wait_s = BACK_OFF_S[min(result.attempts, len(BACK_OFF_S)) - 1]
        wait_s = min(max(wait_s, receipt.retry_after_s or 0), 60)
        return (
            result.message, "queued", "", why, None, now + wait_s * 1000, receipt.carrier, None,
        )  # fmt: skip
    sent = receipt.fate is Fate.ACCEPTED
    status = "sent" if sent else "delivered" if receipt.fate in ARRIVED else "failed"
    wait_ms = RECEIPT_MS.get(result.channel) if sent else None
    until_at = now + wait_ms if wait_ms is not None else None
    ref, done_at = receipt.provider_ref[:LONGEST_REF], None if sent else now
    return (result.message, status, ref, why, done_at, None, receipt.carrier, until_at)


def feed_back(results: Sequence[DeliveryResult], now: int) -> None:
    """Permanent failures break the address and move the ladder on; an opt-out ends everything to
    that number."""
    changes = []
    for result in results:
        fate, contact, address = result.receipt.fate, result.contact, result.address
        if address is None or fate not in HOPELESS:
            continue
        if fate is Fate.OPTED_OUT:
            opt_out.refuse_at(address, now)
            continue
        if fate is Fate.FAILED:
            address_book.break_address(address, result.receipt.why, now)
            if contact is not None:
                notices.tell_of_gap_if_any(contact, now)
            else:
                notices.tell_of_lost_way(address, now)
        watches = {result.watch} if result.watch is not None else set()
        if fate is Fate.FAILED and contact is not None:
            watches |= queries.alarms_over(contact)
        lost = Undeliverable(contact, address)
        changes += [apply.Change(lost, watch=watch) for watch in sorted(watches)]
    if changes:
        apply.apply_batch(changes)


def by_another_way(lost: Sequence[int], now: int) -> None:
    """News that did not reach a contact is sent by a way not tried yet, as long as it is still
    true. Loud messages went by every way at once and have none left; an ask grows louder by
    itself."""
    if not lost:
        return
    dead = Message.objects.filter(id__in=lost, contact__isnull=False, watch__isnull=False)
    for m in dead.filter(status__in=["failed", "dropped"]).select_related("watch").order_by("id"):
        effect = m.key.rpartition(".")[0]
        alike = Message.objects.filter(contact=m.contact_id, key__startswith=f"{effect}.")
        alive = alike.filter(status__in=["queued", "sent", "delivered"])
        if not still_true(m) or alive.exists():
            continue
        ways = Address.objects.filter(contact=m.contact_id, state=Address.State.OK)
        same = {name: getattr(m, name) for name in _SAME}
        Message.objects.bulk_create(
            Message(
                **same, key=f"{effect}.{way.id}", address=way, channel=way.channel,
                due_at=now, created_at=now,
            )
            for way in ways.exclude(id__in=alike.values("address")).order_by("id")
        )  # fmt: skip


def channels_waiting() -> list[str]:
    """The channels for which something is queued. In a damaged database this is not looked up."""
    queued = Message.objects.filter(status="queued").values_list("channel", flat=True)
    return damage.around(lambda: list(queued.distinct()), list)


def release_leases() -> int:
    """Return what a dead engine had leased, if we know that it is dead (a single engine, at its
    start). In a damaged database the leases simply run out."""
    leased = Message.objects.filter(status="queued", lease_until_at__gt=0)
    return damage.around(lambda: leased.update(lease_until_at=0), lambda: 0)


def drop_the_past(now: int) -> int:
    """After a restore: drop what was queued and is no longer true; returns how much that was. Old
    questions are asked again. What stays: the news that an alarm is over, if somebody is still owed
    it; the call of an alarm that is still open; an invitation."""
    queued = Message.objects.filter(status="queued").exclude(word="invite").select_related("watch")
    past = [m.id for m in queued if m.word in QUESTIONS or not _goes_on(m)]
    for start in range(0, len(past), 500):
        mine = Message.objects.filter(id__in=past[start : start + 500])
        mine.update(status="dropped", why="from before the restore", done_at=now)
    return len(past)


def _goes_on(m: Message) -> bool:
    """Whether an old message belongs to something that is not over."""
    return m.watch is not None and (m.watch.quarantined_at is not None or still_true(m))
