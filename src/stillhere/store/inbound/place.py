"""Where the person is and how to get in, for whoever comes.

Owns who may be told, on the page, by text and in a call alike: a contact who said yes, to whom the
person shows the door, once they said in this alarm that they come. A text tells it to who asks;
unasked to who goes to somebody without a page, to who said so in a call, and to all of them when it
becomes known or changes. The place itself is opened only when the message leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stillhere.core.alarm import Alarm
from stillhere.core.events import Cause
from stillhere.core.messages import TELEGRAM
from stillhere.store.db import encryption
from stillhere.store.inbound.reply import ParsedInbound, Reply, queue, tell
from stillhere.store.messages.spoken_of import PLACE, WHERE
from stillhere.store.models import Address, Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.people.numbers import known_before
from stillhere.store.recordings import notes
from stillhere.store.watches import rows
from stillhere.store.watches.queries import ALARMED

ASK_FIRST, NONE = "reply-where", "reply-no-place"
AFTER_MS = 1_000  # after the thanks
TOLD_MOST, TOLD_APART_MS = 10, 60_000  # texts that tell a contact where, unasked; then seldom
RUNG_MOST, RINGS_MS = 5, 60_000  # calls of an alarm that do, and how far apart
_BY = (
    "text",
    "whatsapp",
    TELEGRAM,
)  # where somebody without a page reads us, the first that they have


def may_be_told(
    contact: Contact, alarm: Alarm, *, came: bool = False, at: Address | None = None
) -> bool:
    """Whether this contact may read where the person is. ``came``: they are known to have said in
    this alarm that they come, also where that no longer holds anybody up. ``at``: the number it
    would be told to, which they must have shown to be theirs before the alarm."""
    if contact.status != Contact.Status.CONFIRMED or not contact.door or contact.id in alarm.out:
        return False
    if at is not None and not known_before.was_theirs(at, contact, alarm.raised_at):
        return False  # mistyped, it is a stranger's, who may press 1 as well
    if alarm.cause is Cause.HELP and contact.door_at > alarm.raised_at:
        return False  # both may have been forged
    claimed = any(c.contact == contact.id and c.known for c in alarm.claims)
    return came or claimed or contact.id in alarm.arrivals


def answer(contact: Contact, address: Address, alarms: Sequence[int]) -> str:
    """What "where?" from this address is answered with."""
    if _told_of(contact, address, alarms):
        return PLACE
    texts = WatchRow.objects.filter(id__in=list(alarms)).values_list("alarm", flat=True)
    came = any(
        alarm.covered_by(contact.id) for alarm in filter(None, map(rows.alarm_or_none, texts))
    )
    return NONE if came else ASK_FIRST


def tell_after_claim(
    parsed: ParsedInbound, contact: Contact, alarms: Sequence[int], now: int
) -> None:
    """Whoever is going to somebody without a page reads where, unasked; so does who said it in a
    call, where it is gone as soon as it was heard."""
    called = parsed.inbound.kind != "text"
    if not (called or parsed.person.caller) or not _is_known(parsed.person):
        return
    if not (watches := _told_of(contact, parsed.address, alarms)):
        return
    if not called:
        queue(parsed, PLACE, {}, now, due_at=now + AFTER_MS)
        return
    before = Message.objects.filter(contact=contact, word=PLACE, watch=watches[0])
    if not before.filter(alarm=watches[0].alarms).exists():
        _text(contact, watches[0], f"r{parsed.arrival}.place", now)


def tell_of_change(person: Person, key: str, now: int) -> None:
    """Where they are became known, or changed, in an alarm: everybody who comes reads it at once.
    ``key`` names the change."""
    for watch in WatchRow.objects.filter(person=person, state__in=ALARMED).order_by("id"):
        alarm = rows.alarm_or_none(watch.alarm)
        if alarm is None:
            continue
        for contact in Contact.objects.filter(id__in=alarm.told).order_by("id"):
            told = Message.objects.filter(contact=contact, word=PLACE, watch=watch)
            told_at = told.filter(alarm=watch.alarms).values_list("created_at", flat=True)
            if len(told_at) < TOLD_MOST or now - max(told_at) > TOLD_APART_MS:
                _text(contact, watch, f"{key}.place{contact.id}", now)


def tell_of_sound(carrier: str, ref: str, now: int) -> None:
    """What somebody said in a call of where they are has come from the carrier."""
    for note in notes.of_sound(carrier, ref, WHERE):
        tell_of_change(note.person, f"spoken{note.id}", now)


def said_aloud(reply: Reply, parsed: ParsedInbound, now: int) -> Reply:
    """The thanks to who says in a call of ours that they are going, with where. Who rings us may
    have forged the number: it is texted, and what was said in a call is heard in one of ours."""
    contact = parsed.contact
    if contact is None or reply.word != "reply-going":
        return reply
    if parsed.inbound.rang_us:
        rings = _ring_back(parsed, contact, now)
        return replace(reply, facts=replace(reply.facts, spoken=rings))
    return with_where(reply, contact, parsed.address)


def _ring_back(parsed: ParsedInbound, contact: Contact, now: int) -> bool:
    """Ring the number itself with what only a voice can tell; whether there is anything."""
    watches = _told_now(contact, parsed.address)
    ways = Address.objects.filter(contact=contact, channel="call", state=Address.State.OK)
    back = ways.filter(lookup=encryption.lookup("call", parsed.inbound.sender)).first()
    if not watches or back is None or not notes.kept_of(contact.person_id, WHERE):
        return False
    before = Message.objects.filter(contact=contact, word=PLACE, channel="call", watch=watches[0])
    rung = before.filter(alarm=watches[0].alarms).order_by("-created_at")
    rung_at = list(rung.values_list("created_at", flat=True))
    if rung_at and now - rung_at[0] <= RINGS_MS:
        return True  # it is ringing
    if len(rung_at) >= RUNG_MOST:
        return False
    tell(back, PLACE, f"r{parsed.arrival}.call", now, watch=watches[0])
    return True


def with_where(reply: Reply, contact: Contact, address: Address) -> Reply:
    """The same for whoever may be told at this address, with where: as it was typed, and as it was
    said."""
    if not _told_now(contact, address):
        return reply
    person = contact.person
    place, entry = (sealed_columns.person_note(person, note) for note in WHERE)
    spoken = notes.kept_of(person.id, notes.KINDS)
    facts = replace(reply.facts, place=place, entry=entry)
    return replace(reply, facts=facts, spoken=tuple(spoken.items()))


def _is_known(person: Person) -> bool:
    return bool(person.place) or bool(notes.kept_of(person.id, WHERE))


def _text(contact: Contact, watch: WatchRow, key: str, now: int) -> None:
    """Tell where by a text, to a number that takes one, if they may be told it there."""
    alarm = rows.alarm_or_none(watch.alarm)
    written = Address.objects.filter(contact=contact, state=Address.State.OK, channel__in=_BY)
    theirs = [at for at in written if alarm and may_be_told(contact, alarm, at=at)]
    back = min(theirs, key=lambda a: (_BY.index(a.channel), -a.id), default=None)
    if back is not None:
        tell(back, PLACE, key, now, watch=watch)


def _told_now(contact: Contact, address: Address) -> list[WatchRow]:
    """Those of all open alarms of their person."""
    alarms = WatchRow.objects.filter(person=contact.person_id, state__in=ALARMED)
    return _told_of(contact, address, list(alarms.values_list("id", flat=True)))


def _told_of(contact: Contact, address: Address, alarms: Sequence[int]) -> list[WatchRow]:
    """Those of these alarms of which they may be told where, at this address."""
    found = WatchRow.objects.filter(id__in=list(alarms)).order_by("id")
    read = ((watch, rows.alarm_or_none(watch.alarm)) for watch in found)
    return [
        watch
        for watch, alarm in read
        if alarm is not None and may_be_told(contact, alarm, at=address)
    ]
