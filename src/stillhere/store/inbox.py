"""What comes in from phones: stored first and once, then heard, all in one transaction.

Owns the arrival row (repeats stop there) and the question who is speaking: by the message that is
answered where the provider carries that back, else by the number. What is said is ``hearing.py``'s
to understand. Refuses to guess about strangers: what an unknown number says is stored and no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection, transaction

from stillhere.store import clock, hearing, receipts, sealed
from stillhere.store.hearing import Reply, Speaker
from stillhere.store.models import Address, Contact, Message, WatchRow
from stillhere.store.queries import ALARMED

PHONE = ("text", "call")  # one number is both
LONGEST_ID = 120
RECENT = 20  # messages among which the one a text answers is looked for
WANTED = (Contact.Status.INVITED, Contact.Status.CONFIRMED)


@dataclass(frozen=True, slots=True)
class Came:
    """One thing a provider told us.

    ``kind`` is text, key, missed-call or receipt. ``provider_id`` is the same when it is told
    again. ``reply_ref`` is the id of the message it answers, where the provider knows.
    ``age_ms`` is how long ago it happened, in real time. A receipt has a ``fate`` (one of
    ``delivery``'s words), the ``provider_ref`` of its message and a ``why``.
    """

    channel: str
    provider_id: str
    kind: str
    sender: str = ""
    text: str = ""
    reply_ref: str = ""
    age_ms: int = 0
    fate: str = ""
    provider_ref: str = ""
    why: str = ""


def take(came: Came) -> Reply | None:
    """Store and apply one thing that came in; when it returns, both are durable.

    The answer is what to say to whoever is on the phone; to a text it is queued as a message
    already. None for a repeat, a receipt, a stranger, and what needs no word. Raises what the
    database raises when nothing could be stored: the provider should tell us again.
    """
    with transaction.atomic():
        now, rate = clock.now_ms(), clock.read().rate
        arrival = _arrive(came, now)
        if arrival is None:
            return None
        if came.kind == "receipt":
            ref = came.provider_ref[:LONGEST_ID]
            receipts.receipt(
                came.channel, ref, came.fate, came.why, now, message=_id(came.reply_ref)
            )
            return None
        known = _known(came)
        speaker = _speaker(came, known)
        if speaker is None:
            return None
        heard = hearing.Heard(came.kind, came.text, int(came.age_ms * rate), arrival)
        return hearing.hear(speaker, heard, list(known.values()), now)


def _arrive(came: Came, now: int) -> int | None:
    """Store the raw row; None if it was there already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO arrival (channel, provider_id, kind, at) VALUES (%s, %s, %s, %s) "
            "ON CONFLICT (channel, provider_id) DO NOTHING RETURNING id",
            [came.channel, _stored_id(came.provider_id), came.kind, now],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _stored_id(provider_id: str) -> str:
    """The id as the column can hold it: a long or strange one is hashed."""
    if len(provider_id) <= LONGEST_ID and provider_id.isascii() and provider_id.isprintable():
        return provider_id
    return hashlib.sha256(provider_id.encode("utf-8", "replace")).hexdigest()


def _id(reply_ref: str) -> int | None:
    """A message's id as a provider carries it back."""
    plain = reply_ref.isascii() and reply_ref.isdigit() and len(reply_ref) <= 18
    return int(reply_ref) if plain else None


# --- who is speaking ----------------------------------------------------------------------------


def _known(came: Came) -> dict[int, Address]:
    """Everyone who has this number, by address id. Who left or was removed is nobody."""
    if not came.sender or not came.sender.isascii():
        return {}
    channels = PHONE if came.channel in PHONE else (came.channel,)
    lookups = [sealed.lookup(channel, came.sender) for channel in channels]
    found = Address.objects.filter(lookup__in=lookups).order_by("id")
    return {
        address.id: address
        for address in found.select_related("person", "contact__person")
        if address.contact is None or address.contact.status in WANTED
    }


def _speaker(came: Came, known: Mapping[int, Address]) -> Speaker | None:
    if not known:
        return None
    message = _answered(came, known)
    if message is not None and message.address_id is not None:
        return Speaker.of(known[message.address_id], message)
    return Speaker.of(_likeliest(came, known.values()), None)


def _answered(came: Came, known: Mapping[int, Address]) -> Message | None:
    """The message that is answered: the one the provider names, if it went to this number; else
    the last one that went there and still waits for an answer. A number may be several people's."""
    theirs = Message.objects.filter(address__in=list(known)).select_related("watch", "contact")
    named = theirs.filter(id=_id(came.reply_ref) or 0).first()
    if named is not None:
        return named
    recent = theirs.filter(attempts__gt=0).order_by("-id")[:RECENT]
    return next((message for message in recent if _waits(message)), None)


def _waits(message: Message) -> bool:
    """Whether an answer to this message can still mean something."""
    if message.word == "invite":
        return message.contact is not None and message.contact.status == Contact.Status.INVITED
    if message.watch is None:
        return False
    if message.contact_id is not None:
        return message.watch.state in ALARMED
    return message.watch.closed_at is None


def _likeliest(came: Came, known: Collection[Address]) -> Address:
    """Of several people with one number: who keeps a watch, who can help in an alarm, then a
    person, then a contact."""
    persons = {a.person_id or (a.contact.person_id if a.contact else None) for a in known}
    watches = WatchRow.objects.filter(person__in=persons, closed_at__isnull=True)
    watching = set(watches.values_list("person_id", flat=True))
    alarmed = set(watches.filter(state__in=ALARMED).values_list("person_id", flat=True))

    def rank(address: Address) -> tuple[int, bool, int]:
        if address.person_id is not None:
            place = 0 if address.person_id in watching else 2
        else:
            assert address.contact is not None
            place = 1 if address.contact.person_id in alarmed else 3
        return place, address.channel != came.channel, address.id

    return min(known, key=rank)
