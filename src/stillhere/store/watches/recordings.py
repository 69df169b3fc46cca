"""What a stranger said about where they are: kept sealed, played only in an alarm, then destroyed.

Owns the row from the moment it was said to the moment it is gone, here and at the carrier. Makes no
request: the engine fetches and deletes there. Whoever is not on an open alarm of that person, or
not of the programme, never hears it.
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
    """Somebody said where they are; what they said before is forgotten."""
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
    """What lies at carriers."""
    found = Recording.objects.filter(left_there=True).order_by("id")[:most]
    return [
        CarrierRecording(r.id, r.carrier, r.ref, not r.sound and r.tries < MOST_TRIES)
        for r in found
    ]


def fetched(id: int, sound: bytes | None) -> None:
    """What came of asking for it; None: not ready yet."""
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
    """What opens the recording for whoever is called by this message: somebody of the programme,
    in an open alarm. "" where there is none, or it is not theirs to hear."""
    m = Message.objects.select_related("contact", "watch").filter(id=message).first()
    if m is None or m.contact is None or m.watch is None or m.watch.state not in ALARMED:
        return ""
    return key_of(m.contact)


def key_of(contact: Contact) -> str:
    """The same for a contact's page."""
    if contact.responder_id is None or contact.status != Contact.Status.CONFIRMED:
        return ""
    mine = Recording.objects.filter(person=contact.person_id).exclude(sound=b"").first()
    return encryption.key_for("recording", mine.nonce) if mine is not None else ""


def sound(key: str) -> bytes | None:
    """What was said, while an alarm of that person is open; else nothing."""
    found = Recording.objects.filter(key_hash=encryption.key_hash(key)).exclude(sound=b"")
    open_now = WatchRow.objects.filter(person=OuterRef("person"), state__in=ALARMED)
    one = found.filter(Exists(open_now)).first()
    if one is None:
        return None
    return base64.b64decode(encryption.unseal(one.sound, "recording.sound", one.nonce))


def destroy_well_ended() -> int:
    """Destroy what was said for watches that ended well. The rest goes with the person. Returns how
    many; what still lies at a carrier is kept as a bare note until it is gone there too."""
    open_now = WatchRow.objects.filter(person=OuterRef("person"), closed_at__isnull=True)
    badly = WatchRow.objects.filter(person=OuterRef("person"), closed_at__isnull=False).exclude(
        outcome__in=WELL
    )
    over = Recording.objects.filter(~Exists(open_now), ~Exists(badly))
    with transaction.atomic():
        over.filter(left_there=True).exclude(sound=b"").update(sound=b"")
        over.filter(left_there=True).update(tries=MOST_TRIES)
        return over.filter(Q(left_there=False)).delete()[0]
