"""What a stranger said about where they are: stored sealed, played only during an alarm, then
destroyed.

Owns the row from the moment it was said to the moment it is gone; what lies at the carrier is owed
in ``at_carriers.py``. Whoever is not on an open alarm of that person, or not from the program,
never hears it.
"""

from __future__ import annotations

import base64
from collections.abc import Collection

from django.db import transaction
from django.db.models import Exists, OuterRef

from stillhere.core.events import Outcome
from stillhere.store.db import clock, encryption
from stillhere.store.models import Contact, Message, Person, Recording, WatchRow
from stillhere.store.recordings import at_carriers
from stillhere.store.watches.queries import ALARMED

WELL = (Outcome.ENDED, Outcome.FINE, Outcome.FALSE_ALARM)


def said(person: Person, carrier: str, ref: str) -> None:
    """Somebody said where they are; what they said before is erased."""
    with transaction.atomic():
        before = Recording.objects.filter(person=person)
        if before.filter(carrier=carrier, ref=ref).exists():  # told again by the carrier
            return
        at_carriers.adopt(before)
        before.delete()
        at_carriers.owe(carrier, ref, clock.now_ms())
        nonce = encryption.new_nonce()
        Recording.objects.create(
            person=person,
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("recording", nonce)),
            carrier=carrier,
            ref=ref,
            made_at=clock.now_ms(),
        )


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


def said_by(persons: Collection[int]) -> set[int]:
    """Who of these said where they are, and can be heard."""
    found = Recording.objects.filter(person__in=persons).exclude(sound=b"")
    return {*found.values_list("person_id", flat=True)}


def sound(key: str) -> bytes | None:
    """What was said, while that person has an open alarm; else nothing."""
    found = Recording.objects.filter(key_hash=encryption.key_hash(key)).exclude(sound=b"")
    open_now = WatchRow.objects.filter(person=OuterRef("person"), state__in=ALARMED)
    one = found.filter(Exists(open_now)).first()
    if one is None:
        return None
    return opened(one)


def opened(recording: Recording) -> bytes:
    """The sound. Raises SealBroken."""
    text = encryption.unseal(recording.sound, "recording.sound", recording.nonce)
    return base64.b64decode(text)


def destroy_well_ended() -> int:
    """Destroy what was said for watches that ended well; the rest is erased with the person.
    Returns how many. What still lies at a carrier is owed there all the same."""
    open_now = WatchRow.objects.filter(person=OuterRef("person"), closed_at__isnull=True)
    badly = WatchRow.objects.filter(person=OuterRef("person"), closed_at__isnull=False).exclude(
        outcome__in=WELL
    )
    over = Recording.objects.filter(~Exists(open_now), ~Exists(badly))
    with transaction.atomic():
        at_carriers.adopt(over)
        return over.delete()[0]
