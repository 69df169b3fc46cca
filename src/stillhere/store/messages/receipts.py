"""Receipts: what carriers report after a send, and what it means when they report nothing.

A receipt changes only a status that is not final. A dead number moves the ladder through
``delivery.feed_back``. A call that nobody picked up, or a message without a receipt in time, is
*unheard*: the next rung does not wait, and the message goes again, by another carrier if there is
one. Runs in one transaction of few statements, because in a bad minute several come for every
alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction
from django.db.models import Q

from stillhere.core.events import State, Unheard, Word
from stillhere.core.messages import (
    AGAIN,
    ARRIVED,
    HOPELESS,
    WRITTEN,
    Cost,
    DeliveryResult,
    Fate,
    Receipt,
)
from stillhere.store.db import bulk
from stillhere.store.db.row_locks import Held, hold, hold_messages
from stillhere.store.messages.delivery import (
    LONGEST_REF,
    LOST,
    RECEIPT_MS,
    by_another_way,
    feed_back,
)
from stillhere.store.messages.validity import Spoken, Standing, holds
from stillhere.store.models import Message
from stillhere.store.watches import apply, damage
from stillhere.store.watches.outbox import ASK_WORDS, LOUD

MOST_TRIES = 3  # of one message; then the ladder's own rounds go on
CALL_AGAIN_MS = 45_000  # a second call within three minutes gets through "do not disturb"
ON_ITS_WAY = ("sent", "sms:sent")  # as far as many carriers ever tell
HUNG_UP = "completed"  # a call that was picked up, and is over
WANT_A_KEY = {*map(str, LOUD), *ASK_WORDS.values()}  # what was heard out without one was in vain
MOST_SILENT = 200  # looked at in one round


def receipt(
    channel: str, provider_ref: str, fate: Fate, why: str, now: int, message: int | None = None
) -> bool:
    """One receipt that came by webhook or bounce; False if it is not about a message of ours."""
    one = DeliveryResult(channel, Receipt(fate, provider_ref, why), message=message)
    return bool(receipts([one], now))


@transaction.atomic
def receipts(results: Sequence[DeliveryResult], now: int) -> int:
    """Take all of them in one transaction; returns how many were about messages of ours. Raises
    ``Held`` if somebody else has locked one of the rows.

    A receipt may overtake the record of the very send it is about, and a dead number must move the
    ladder all the same: so our own id counts first, the carrier's second.
    """
    found = _Found(_spoken_of(results))
    meant = [(r, m) for r in results if (m := found.one(r)) is not None]
    ours = [(r.receipt, each) for r, m in meant for each in found.within(r, m)]
    in_vain = {m.id: receipt.why for receipt, m in ours if _in_vain(m, receipt)}
    # A mail that is late is still on its way.
    bad = [(m, receipt) for receipt, m in ours if receipt.fate in HOPELESS]
    if _held([*in_vain, *(m.id for m, _ in bad)]) or hold_messages({m.id for _, m in ours}):
        raise Held
    _paid([(m.id, r.receipt.cost) for r, m in meant if r.receipt.cost is not None])
    _overtook([(m.id, r.receipt) for r, m in meant if not m.provider_ref and _ref(r)])
    accepted = [(r, m) for r, m in ours if r.fate is Fate.ACCEPTED]
    _on_their_way([m.id for receipt, m in accepted if receipt.why in ON_ITS_WAY])
    _arrived([m.id for receipt, m in ours if receipt.fate in ARRIVED], now)
    for m, receipt in bad:
        _bad_news(m.id, receipt, now)
    _go_on(_read(list(in_vain)), in_vain, now)
    return len(meant)


@dataclass(frozen=True, slots=True)
class _Meant:
    """One message that a receipt may be about."""

    id: int
    channel: str
    provider_ref: str
    word: str


class _Found:
    """What receipts may be about, by our own id and by the carrier's."""

    def __init__(self, found: Sequence[_Meant]) -> None:
        self._by_id = {(m.channel, m.id): m for m in found}
        self._by_ref: dict[tuple[str, str], list[_Meant]] = {}
        for m in found:
            if m.provider_ref:
                self._by_ref.setdefault((m.channel, m.provider_ref), []).append(m)

    def one(self, result: DeliveryResult) -> _Meant | None:
        """The message this is about."""
        mine = self._by_id.get((result.channel, result.message or 0))
        return mine or next(iter(self._alike(result)), None)

    def within(self, result: DeliveryResult, m: _Meant) -> list[_Meant]:
        """That one, and what left within the same text or call, as one list."""
        return [m, *(other for other in self._alike(result) if other != m)]

    def _alike(self, result: DeliveryResult) -> Sequence[_Meant]:
        return self._by_ref.get((result.channel, _ref(result)), ())


def _spoken_of(results: Sequence[DeliveryResult]) -> list[_Meant]:
    """Two look-ups, each on an index, the second one over messages that have a reference."""
    ids = [each.message for each in results if each.message is not None]
    refs = [ref for each in results if (ref := _ref(each))]
    where = (
        ("attempts > 0 AND id", ids),
        ("NOT (provider_ref = '') AND provider_ref", refs),
    )
    found: set[tuple[int, str, str, str]] = set()
    with connection.cursor() as cursor:
        for which, values in where:
            if values:
                marks = ", ".join(["%s"] * len(values))
                cursor.execute(
                    "SELECT id, channel, provider_ref, word FROM message "
                    f"WHERE {which} IN ({marks})",
                    values,
                )
                found.update(cursor.fetchall())
    return [_Meant(*row) for row in sorted(found)]


def _ref(result: DeliveryResult) -> str:
    """The provider's name for it, as it was stored."""
    return result.receipt.provider_ref[:LONGEST_REF]


def _in_vain(m: _Meant, receipt: Receipt) -> bool:
    """Whether nobody can have heard it: not picked up, or hung up where a key press was asked
    for."""
    unheard = receipt.fate in AGAIN or (receipt.why == HUNG_UP and m.word in WANT_A_KEY)
    return m.channel in RECEIPT_MS and unheard


def _overtook(receipts: Sequence[tuple[int, Receipt]]) -> None:
    """The record of the send finds these messages over and writes nothing: without the carrier's
    name for them, their traces there would never be deleted."""
    for id, receipt in receipts:
        if receipt.fate in ARRIVED | HOPELESS:
            Message.objects.filter(id=id, provider_ref="").update(
                provider_ref=receipt.provider_ref[:LONGEST_REF], carrier=receipt.carrier
            )


def _paid(costs: Sequence[tuple[int, Cost]]) -> None:
    for id, cost in costs:
        mine = Message.objects.filter(id=id)
        mine.update(cost_micros=cost.micros, currency=cost.currency[:3])


def _on_their_way(ids: Sequence[int]) -> None:
    """Handed on to the phone's own company: that much was reported, and nothing better may
    follow."""
    if ids:
        Message.objects.filter(id__in=ids, status="sent").update(receipt_by_at=None)


def _arrived(ids: Sequence[int], now: int) -> None:
    if ids:
        marks = ", ".join(["%s"] * len(ids))
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE message SET status = 'delivered', done_at = %s, receipt_by_at = NULL, "
                f"why = '' WHERE id IN ({marks}) AND status IN ('sent', 'queued')",
                [now, *ids],
            )


def _bad_news(id: int, receipt: Receipt, now: int) -> None:
    """The address is useless: it is marked broken, and the ladder moves on at once. A no counts
    however late it comes."""
    mine = Message.objects.select_for_update().filter(id=id)
    m = mine.only("channel", "status", "watch_id", "contact_id", "address_id").first()
    if m is None:
        return
    if m.status in (Message.Status.SENT, Message.Status.QUEUED):
        m.status, m.why, m.done_at = Message.Status.FAILED, receipt.why[:200], now
        m.receipt_by_at = None
        m.save(update_fields=["status", "why", "done_at", "receipt_by_at"])
    elif receipt.fate is not Fate.OPTED_OUT:
        return
    result = DeliveryResult(
        m.channel,
        receipt,
        message=id,
        watch=m.watch_id,
        contact=m.contact_id,
        address=m.address_id,
    )
    feed_back([result], now)
    if receipt.fate in LOST:
        by_another_way([id], now)


# --- silence --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Unheard:
    """A message without any good report, and what decides whether it is sent again. ``said``: its
    contact has answered since it was written; ``rings``: a call to the same phone may still get
    through."""

    id: int
    status: str
    channel: str
    carrier: str
    attempts: int
    due_at: int
    lease_until_at: int
    done_at: int | None
    lapses_at: int | None
    receipt_by_at: int | None
    contact: int | None
    address: int | None
    word: str
    alarm: int
    watch: int | None
    outcome: str
    alarms: int
    state: str
    came: str
    said: bool
    rings: bool

    @property
    def decides(self) -> bool:
        """Whether silence on this way means anything: that of a text next to a ringing call does
        not."""
        return self.channel == "call" or not self.rings


_READ = """
SELECT m.id, m.status, m.channel, m.carrier, m.attempts, m.due_at, m.lease_until_at, m.done_at,
    m.lapses_at, m.receipt_by_at, m.contact_id, m.address_id, m.word, m.alarm,
    w.id, w.outcome, w.alarms, w.state, w.alarm,
    EXISTS (
        SELECT 1 FROM journal j WHERE j.watch_id = m.watch_id AND j.contact = m.contact_id
        AND j.at >= m.created_at AND j.event NOT IN ('Undeliverable', 'Unheard')
    ),
    EXISTS (
        SELECT 1 FROM address a WHERE a.channel = 'call' AND a.state = 'ok' AND (
            a.contact_id = m.contact_id OR (m.contact_id IS NULL AND a.person_id = m.person_id)
        )
    )
FROM message m LEFT JOIN watch w ON w.id = m.watch_id
WHERE m.id IN ({marks}) ORDER BY m.id{lock}
"""
_MOVED = ("bigint", "text", "text", "bigint", "bigint", "bigint")


def _held(ids: Sequence[int]) -> set[int]:
    """Lock the watches of these messages, before any message; returns those that somebody else has
    locked. On SQLite a transaction has already locked everything."""
    if not ids or connection.vendor != "postgresql":
        return set()
    return hold(list(Message.objects.filter(id__in=ids).values_list("watch_id", flat=True)))


def _read(ids: Sequence[int]) -> list[_Unheard]:
    """The current state of these messages, locked until the end of the transaction; without those
    that somebody else has locked."""
    if not ids:
        return []
    lock = " FOR UPDATE OF m SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(marks=", ".join(["%s"] * len(ids)), lock=lock), list(ids))
        return [_Unheard(*row) for row in cursor.fetchall()]


def _go_on(unheard: Sequence[_Unheard], whys: Mapping[int, str], now: int) -> None:
    """Nobody picked up, or nothing was reported: the ladders do not wait, and what is still true is
    tried again. Everything from one moment takes two statements and one step of each watch."""
    lines, changes = [], []
    for m in unheard:
        if m.status in (Message.Status.FAILED, Message.Status.DROPPED):
            continue
        as_it_was = (m.status, m.due_at, m.lease_until_at, m.done_at)
        wanted = _still_wanted(m, now)
        again = wanted and m.attempts < MOST_TRIES and m.status != Message.Status.QUEUED
        wait_ms = CALL_AGAIN_MS if m.channel == "call" else 0
        status, *times = ("queued", now + wait_ms, 0, None) if again else as_it_was
        lines.append((m.id, status, whys[m.id][:200], *times))
        if wanted and m.watch is not None and m.address is not None and m.decides:
            changes.append(apply.Change(Unheard(m.contact, m.address), watch=m.watch))
    if not lines:
        return
    those, params = bulk.values(_MOVED, lines)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE message SET status = v.column2, why = v.column3, due_at = v.column4, "
            "lease_until_at = v.column5, done_at = v.column6, receipt_by_at = NULL "
            f"FROM {those} AS v WHERE message.id = v.column1",
            params,
        )
    if changes:
        apply.apply_batch(changes)


def _still_wanted(m: _Unheard, now: int) -> bool:
    """Whether it would still be true if it were sent again: the alarm is open and this contact has
    said nothing since, or the ask has not lapsed."""
    if m.watch is None:
        # The alarm of a watch that was set aside stands on its own, see ``damage.py``.
        return m.word == Word.ALARM or (m.word == "invite" and m.channel in WRITTEN)
    if m.lapses_at is not None:
        return m.lapses_at > now and m.state == State.ASKING
    spoken = Spoken(m.watch, m.contact, m.word, m.alarm)
    return not m.said and holds(spoken, Standing(m.outcome, m.alarms, m.state, m.came))


def silent(now: int) -> list[str]:
    """Move on where a receipt should have arrived by now; returns the carriers that reported
    nothing, one for each message; "" if a channel has only one. Most rounds find nothing, and lock
    nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM message WHERE receipt_by_at <= %s "
            "ORDER BY receipt_by_at LIMIT %s", [now, MOST_SILENT],
        )  # fmt: skip
        ids = [id for (id,) in cursor.fetchall()]
    if not ids:
        return []
    return damage.around(lambda: _silent(ids, now), lambda: _silent_around(ids, now))


def _silent_around(ids: Sequence[int], now: int) -> list[str]:
    """Each on its own; for one that cannot be read we stop expecting a receipt."""
    carriers: list[str] = []

    def read(part: Sequence[int]) -> dict[int, bool]:
        carriers.extend(_silent(part, now))
        return dict.fromkeys(part, True)

    _, lost = damage.each(ids, read)
    for id in lost:
        waited = Message.objects.filter(id=id)
        damage.around(partial(waited.update, receipt_by_at=None), lambda: 0)
    return carriers


def _silent(ids: Sequence[int], now: int) -> list[str]:
    with transaction.atomic():
        held = _held(ids)  # left for the next look
        late = [
            m
            for m in _read(ids)
            if m.receipt_by_at is not None and m.receipt_by_at <= now and m.watch not in held
        ]
        waited = [m for m in late if m.status == Message.Status.SENT]
        _go_on(waited, {m.id: "no receipt in time" for m in waited}, now)
        others = [m.id for m in late if m.status != Message.Status.SENT]
        if others:
            Message.objects.filter(id__in=others).update(receipt_by_at=None)
    return [m.carrier for m in waited]


def ringing(ids: Sequence[int], now: int) -> None:
    """A call that is ringing has until it ends to be picked up."""
    if ids:
        Message.objects.filter(id__in=ids, status="sent").update(
            receipt_by_at=now + RECEIPT_MS["call"]
        )


# --- traces ---------------------------------------------------------------------------------------

SETTLES_MS = 300_000  # a carrier that never says more than "sent" has said it by then
PRICED_MS = 3_600_000  # after this a price that is still unknown is not waited for


@dataclass(frozen=True, slots=True)
class Trace:
    """What a carrier still stores about one message. ``priced`` if its cost is known, or never will
    be."""

    message: int
    channel: str
    provider_ref: str
    priced: bool


def traces(now: int, most: int) -> list[Trace]:
    """The oldest messages that are over and whose traces at a carrier have not been deleted yet."""
    over = Q(status__in=["delivered", "failed", "dropped"], done_at__lte=now - 5_000)
    left = Q(status="sent", receipt_by_at__isnull=True, created_at__lte=now - SETTLES_MS)
    old = Message.objects.filter(over | left, cleared_at__isnull=True).exclude(carrier="")
    return [
        Trace(m.id, m.channel, m.provider_ref, m.cost_micros is not None or _old(m, now))
        for m in old.exclude(provider_ref="").order_by("created_at")[:most]
    ]


def _old(m: Message, now: int) -> bool:
    return m.created_at <= now - PRICED_MS


def cleared(message: int, now: int) -> None:
    """The carrier no longer stores anything about it."""
    Message.objects.filter(id=message).update(cleared_at=now)


def priced(message: int, cost_micros: int, currency: str) -> None:
    """What it cost, according to the carrier."""
    Message.objects.filter(id=message).update(cost_micros=cost_micros, currency=currency[:3])
