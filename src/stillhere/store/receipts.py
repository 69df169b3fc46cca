"""What carriers say later of what they were handed, and what it means that they say nothing.

Owns receipts, and the silence where one should have come. A receipt moves only what is not final. A
dead number moves the ladder through ``delivery.feed_back``; a phone that nobody picked up, or of
which no word came in time, is *unheard*: the next rung does not wait, and the message goes again,
by another carrier if there is one. Always inside a transaction of few statements: in a bad minute
there are several of these for every alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from stillhere.core.events import Unheard
from stillhere.store import apply
from stillhere.store.delivery import (
    DELIVERED,
    FAILED,
    NOWHERE,
    OPTED_OUT,
    RECEIPT_MS,
    RETRY,
    SENT,
    by_another_way,
    feed_back,
    still_true,
)
from stillhere.store.models import Address, JournalLine, Message, WatchRow
from stillhere.store.outbox import ASK_WORDS, LOUD

MOST_TRIES = 3  # of one message; then the ladder's own rounds go on
CALL_AGAIN_MS = 45_000  # a second call within three minutes gets through "do not disturb"
ON_ITS_WAY = ("sent", "sms:sent")  # as far as many carriers ever tell
HUNG_UP = "completed"  # a call that was picked up, and is over
WANT_A_KEY = {*map(str, LOUD), *ASK_WORDS.values()}  # what was heard out without one was in vain
MOST_SILENT = 200  # looked at in one round


@dataclass(frozen=True, slots=True)
class Told:
    """One receipt. ``fate`` is one of ``delivery``'s words; ``message`` our own id, where the
    carrier brings it back; ``cost_micros`` millionths of ``currency``."""

    channel: str
    provider_ref: str
    fate: str
    why: str = ""
    message: int | None = None
    cost_micros: int | None = None
    currency: str = ""


def receipt(
    channel: str, provider_ref: str, fate: str, why: str, now: int, message: int | None = None
) -> bool:
    """One receipt that came by webhook or bounce; False if it is not about a message of ours."""
    return bool(receipts([Told(channel, provider_ref, fate, why, message)], now))


@transaction.atomic
def receipts(told: Sequence[Told], now: int) -> int:
    """Take them all, in one transaction; returns how many were about messages of ours.

    A receipt may overtake the record of the very send it speaks of, and a dead number must move the
    ladder all the same: so our own id counts first, theirs second.
    """
    found = _spoken_of(told)
    ours = [(each, m) for each in told if (m := _one(found, each)) is not None]
    _paid([(m.id, each) for each, m in ours if each.cost_micros is not None])
    _on_their_way([m.id for each, m in ours if each.fate == SENT and each.why in ON_ITS_WAY])
    _arrived([m.id for each, m in ours if each.fate == DELIVERED], now)
    for each, m in ours:
        in_vain = each.fate == RETRY or (each.why == HUNG_UP and m.word in WANT_A_KEY)
        if each.channel in RECEIPT_MS and in_vain:
            _not_this_time(m.id, each.why, now)
        elif each.fate not in (SENT, RETRY, DELIVERED):  # a mail that is late is still on its way
            _bad_news(m.id, each, now)
    return len(ours)


def _spoken_of(told: Iterable[Told]) -> list[Message]:
    ids = [each.message for each in told if each.message is not None]
    refs = [each.provider_ref for each in told if each.provider_ref]
    which = Q(id__in=ids, attempts__gt=0) | Q(provider_ref__in=refs)
    return list(
        Message.objects.filter(which)
        .only("id", "channel", "provider_ref", "attempts", "watch_id", "word")
        .order_by("id")
    )


def _one(found: Sequence[Message], told: Told) -> Message | None:
    mine = [m for m in found if m.channel == told.channel]
    by_id = (m for m in mine if m.id == told.message)
    by_ref = (m for m in mine if told.provider_ref and m.provider_ref == told.provider_ref)
    return next(by_id, None) or next(by_ref, None)


def _paid(costs: Sequence[tuple[int, Told]]) -> None:
    for id, told in costs:
        mine = Message.objects.filter(id=id)
        mine.update(cost_micros=told.cost_micros, currency=told.currency[:3])


def _on_their_way(ids: Sequence[int]) -> None:
    """Handed on to the phone's own company: a word was heard, and no better one may come."""
    if ids:
        Message.objects.filter(id__in=ids, status="sent").update(receipt_by_at=None)


def _arrived(ids: Sequence[int], now: int) -> None:
    if ids:
        on_the_way = Message.objects.filter(id__in=ids, status__in=["sent", "queued"])
        on_the_way.update(status="delivered", done_at=now, receipt_by_at=None, why="")


def _bad_news(id: int, told: Told, now: int) -> None:
    """The address is of no use: it breaks, and the ladder moves at once. A no counts however late
    it comes."""
    m = _locked(id)
    if m is None:
        return
    if m.status in (Message.Status.SENT, Message.Status.QUEUED):
        m.status, m.why, m.done_at = Message.Status.FAILED, told.why[:200], now
        m.receipt_by_at = None
        m.save(update_fields=["status", "why", "done_at", "receipt_by_at"])
    elif told.fate != OPTED_OUT:
        return
    feed_back([(m.watch_id, m.contact_id, m.address_id, told.fate, told.why)], now)
    if told.fate in (FAILED, NOWHERE):
        by_another_way([m.id], now)


def _not_this_time(id: int, why: str, now: int) -> None:
    """Nobody picked up, or no word came: the ladder does not wait, and it is tried again."""
    m = _locked(id)
    if m is None or m.status in (Message.Status.FAILED, Message.Status.DROPPED):
        return
    m.why, m.receipt_by_at = why[:200], None
    wanted = _still_wanted(m, now)
    if wanted and m.attempts < MOST_TRIES and m.status != Message.Status.QUEUED:
        wait_ms = CALL_AGAIN_MS if m.channel == "call" else 0
        m.status, m.due_at, m.lease_until_at = Message.Status.QUEUED, now + wait_ms, 0
        m.done_at = None
    m.save(update_fields=["status", "why", "receipt_by_at", "due_at", "lease_until_at", "done_at"])
    if wanted and m.watch_id is not None and m.address_id is not None and _decides(m):
        unheard = Unheard(m.contact_id, m.address_id)
        apply.apply_batch([apply.Change(unheard, watch=m.watch_id)])


def _still_wanted(m: Message, now: int) -> bool:
    """Whether it would still be true if it were said again: the alarm is open and this contact has
    said nothing since, or the ask has not lapsed."""
    if m.watch is None:
        return m.word == "invite" and m.channel == "text"
    if m.lapses_at is not None:
        return m.lapses_at > now and m.watch.state == "asking"
    said = JournalLine.objects.filter(
        watch=m.watch, contact=m.contact_id, at__gte=m.created_at
    ).exclude(event__in=["Undeliverable", "Unheard"])
    return still_true(m) and not (m.contact_id is not None and said.exists())


def _decides(m: Message) -> bool:
    """Whether silence on this way is silence: a text beside a call that rings says nothing yet."""
    if m.channel == "call":
        return True
    alive = Address.objects.filter(channel="call", state=Address.State.OK)
    mine = alive.filter(contact=m.contact_id) if m.contact_id else alive.filter(person=m.person_id)
    return not mine.exists()


def _locked(id: int) -> Message | None:
    """The message, its watch locked before it: so two writers never wait for each other."""
    found = Message.objects.select_related("watch").filter(id=id)
    if connection.vendor == "postgresql":  # a transaction on SQLite holds everything already
        of = Message.objects.filter(id=id).values("watch_id")
        list(WatchRow.objects.select_for_update().filter(id__in=of).values_list("id"))
        found = found.select_for_update(of=("self",))
    return next(iter(found), None)


def silent(now: int) -> list[str]:
    """Go on where a receipt should have come by now; returns the carriers that said nothing, one
    for each message; "" where a channel has only one."""
    with transaction.atomic():
        late = Message.objects.filter(receipt_by_at__lte=now).order_by("receipt_by_at")
        found = list(late.values_list("id", "status", "carrier")[:MOST_SILENT])
        for id, status, _ in found:
            if status == Message.Status.SENT:
                _not_this_time(id, "no receipt in time", now)
            else:
                Message.objects.filter(id=id).update(receipt_by_at=None)
    return [carrier for _, status, carrier in found if status == Message.Status.SENT]


def ringing(ids: Sequence[int], now: int) -> None:
    """A call that rings has until its end to be picked up."""
    if ids:
        Message.objects.filter(id__in=ids, status="sent").update(
            receipt_by_at=now + RECEIPT_MS["call"]
        )


# --- traces ---------------------------------------------------------------------------------------

SETTLES_MS = 300_000  # a carrier that never says more than "sent" has said it by then
PRICED_MS = 3_600_000  # after this a price that is still unknown is not waited for


@dataclass(frozen=True, slots=True)
class Trace:
    """What still lies at a carrier of one message. ``priced`` where its cost is known, or will not
    be."""

    message: int
    channel: str
    provider_ref: str
    priced: bool


def traces(now: int, most: int) -> list[Trace]:
    """The oldest messages that are over and whose traces at a carrier were not deleted yet."""
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
    """The carrier holds nothing of it any more."""
    Message.objects.filter(id=message).update(cleared_at=now)


def priced(message: int, cost_micros: int, currency: str) -> None:
    """What it took, as the carrier says."""
    Message.objects.filter(id=message).update(cost_micros=cost_micros, currency=currency[:3])
