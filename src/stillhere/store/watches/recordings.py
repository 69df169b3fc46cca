"""What a stranger said about where they are: stored sealed, played only during an alarm, then
destroyed.

Owns the row from the moment it was said to the moment it is gone, here and at the carrier. Makes no
requests: the engine fetches and deletes there. Whoever is not on an open alarm of that person, or
not from the program, never hears it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from stillhere.core.events import Outcome
from stillhere.store.db import clock, encryption
from stillhere.store.models import Contact, Message, Person, Recording, WatchRow
from stillhere.store.watches.queries import ALARMED

MOST_BYTES = 1_000_000
MOST_TRIES = 60  # seconds: then it will not come, and is asked to be deleted all the same
WELL = (Outcome.ENDED, Outcome.FINE, Outcome.FALSE_ALARM)


@dataclass(frozen=True, slots=True)
class CarrierRecording:
    """One that lies at a carrier: to be fetched, or to be deleted there."""

    id: int
    carrier: str
    ref: str
    wanted: bool


def said(person: Person, carrier: str, ref: str) -> None:
    """Somebody said where they are; what they said before is erased."""
    with transaction.atomic():
        Recording.objects.filter(person=person).delete()
        nonce = encryption.new_nonce()
        Recording.objects.create(
            person=person,
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("recording", nonce)),
            carrier=carrier,
            ref=ref,
            made_at=clock.now_ms(),
        )


def waiting(most: int) -> list[CarrierRecording]:
    """The recordings stored at carriers."""
    found = Recording.objects.filter(left_there=True).order_by("id")[:most]
    return [
        CarrierRecording(r.id, r.carrier, r.ref, not r.sound and r.tries < MOST_TRIES)
        for r in found
    ]


def fetched(id: int, sound: bytes | None) -> None:
    """The result of asking for it; None: not ready yet."""
    with transaction.atomic():
        found = Recording.objects.select_for_update().filter(id=id).first()
        if found is None:
            return
        found.tries += 1
        if sound and len(sound) <= MOST_BYTES:
            text = base64.b64encode(sound).decode()
            found.sound = encryption.seal(text, "recording.sound", found.nonce)
        found.save(update_fields=["tries", "sound"])


def gone_there(id: int) -> None:
    """The carrier has deleted it."""
    Recording.objects.filter(id=id).update(left_there=False)


def key_for(message: int) -> str:
    """The key to the recording for the person called with this message: somebody from the program,
    in an open alarm. "" if there is none, or they may not hear it."""
    m = Message.objects.select_related("contact", "watch").filter(id=message).first()
    if m is None or m.contact is None or m.watch is None or m.watch.state not in ALARMED:
        return ""
    return key_of(m.contact)


def key_of(contact: Contact) -> str:
    """The same, for a contact's page."""
    if contact.responder_id is None or contact.status != Contact.Status.CONFIRMED:
        return ""
    mine = Recording.objects.filter(person=contact.person_id).exclude(sound=b"").first()
    return encryption.key_for("recording", mine.nonce) if mine is not None else ""


def sound(key: str) -> bytes | None:
    """What was said, while that person has an open alarm; else nothing."""
    found = Recording.objects.filter(key_hash=encryption.key_hash(key)).exclude(sound=b"")
    open_now = WatchRow.objects.filter(person=OuterRef("person"), state__in=ALARMED)
    one = found.filter(Exists(open_now)).first()
    if one is None:
        return None
    return base64.b64decode(encryption.unseal(one.sound, "recording.sound", one.nonce))


def destroy_well_ended() -> int:
    """Destroy what was said for watches that ended well; the rest is erased with the person.
    Returns how many. If it is still stored at a carrier, a bare note is kept until it is gone there
    too."""
    open_now = WatchRow.objects.filter(person=OuterRef("person"), closed_at__isnull=True)
    badly = WatchRow.objects.filter(person=OuterRef("person"), closed_at__isnull=False).exclude(
        outcome__in=WELL
    )
    over = Recording.objects.filter(~Exists(open_now), ~Exists(badly))
    with transaction.atomic():
        over.filter(left_there=True).exclude(sound=b"").update(sound=b"")
        over.filter(left_there=True).update(tries=MOST_TRIES)
        return over.filter(Q(left_there=False)).delete()[0]
