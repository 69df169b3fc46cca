"""What somebody said in a call for their plan: a first name, where they are, how to get in.

Owns the rows, and what may be done to them: the first of a kind is kept at once, because whoever
says it may not come to the key that keeps it; another takes its place only when it was heard and
kept, and in an alarm not at all, because the number may be forged. Who may hear them is said in
``store/inbound/place.py``.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from stillhere.store.db import clock, encryption
from stillhere.store.models import CarrierSound, Person, SpokenNote, WatchRow
from stillhere.store.recordings import at_carriers
from stillhere.store.watches.queries import ALARMED

log = logging.getLogger("stillhere.recordings")

KINDS = tuple(SpokenNote.Kind.values)
WAITS_MS = 600_000  # for the key that keeps it


def said(person: Person, kind: str, carrier: str, ref: str) -> int:
    """Somebody said it; returns the note's id. Told again by the carrier, it is the same one."""
    now = clock.now_ms()
    with transaction.atomic():
        mine = SpokenNote.objects.filter(person=person, kind=kind)
        again = mine.filter(carrier=carrier, ref=ref).first()
        if again is not None:
            return int(again.id)
        mine.filter(kept=False).delete()
        at_carriers.owe(carrier, ref, now)
        nonce = encryption.new_nonce()
        note = SpokenNote.objects.create(
            person=person,
            kind=kind,
            kept=not mine.exists(),
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("spoken_note", nonce)),
            carrier=carrier,
            ref=ref,
            made_at=now,
        )
    return int(note.id)


def has(person: Person, kind: str) -> bool:
    """Whether one of this kind is kept."""
    return SpokenNote.objects.filter(person=person, kind=kind, kept=True).exists()


def just_said(person: Person, note: int) -> SpokenNote | None:
    """The one that was said in this call; None if it is not there any more."""
    recent = clock.now_ms() - WAITS_MS
    mine = SpokenNote.objects.filter(person=person, id=note, made_at__gt=recent)
    return mine.select_related("person").first()


def keep(note: SpokenNote) -> bool:
    """It was heard and is kept, in place of the one before; whether that may be."""
    with transaction.atomic():
        mine = SpokenNote.objects.filter(person=note.person_id, kind=note.kind, kept=True)
        before = mine.exclude(id=note.id)
        if before.exists() and in_alarm(note.person_id):
            return False
        before.delete()
        SpokenNote.objects.filter(id=note.id).update(kept=True)
    return True


def take_back(note: SpokenNote) -> None:
    """What was just said was wrong."""
    SpokenNote.objects.filter(id=note.id).delete()


def take_away(person: Person, kind: str) -> bool:
    """Nothing of this kind is kept any more; whether that may be: not in an alarm."""
    if in_alarm(person.id):
        return False
    SpokenNote.objects.filter(person=person, kind=kind).delete()
    return True


def in_alarm(person: int) -> bool:
    """Whether their people are being called: then what is there stays."""
    return WatchRow.objects.filter(person=person, state__in=ALARMED).exists()


# --- what is told -----------------------------------------------------------------------------


def kept_of(person: int, kinds: Iterable[str]) -> dict[str, str]:
    """Those of these kinds that can be heard: a key by kind, in this order."""
    found = SpokenNote.objects.filter(person=person, kept=True).exclude(sound=b"")
    nonces = dict(found.values_list("kind", "nonce"))
    return {k: encryption.key_for("spoken_note", nonces[k]) for k in kinds if k in nonces}


def kept_by(persons: Collection[int], kinds: Collection[str]) -> set[int]:
    """Of which of these persons a note of these kinds can be heard."""
    found = SpokenNote.objects.filter(person__in=persons, kept=True, kind__in=kinds)
    return {*found.exclude(sound=b"").values_list("person_id", flat=True)}


def key_of(note: SpokenNote) -> str:
    """The key to one; "" while its sound is not here."""
    return encryption.key_for("spoken_note", note.nonce) if note.sound else ""


def sound(key: str) -> bytes | None:
    """What was said, in an alarm, or in the call in which it was said; else nothing."""
    found = SpokenNote.objects.filter(key_hash=encryption.key_hash(key)).exclude(sound=b"")
    alarmed = Exists(WatchRow.objects.filter(person=OuterRef("person"), state__in=ALARMED))
    just_said = Q(made_at__gt=clock.now_ms() - WAITS_MS)
    one = found.filter((Q(kept=True) & alarmed) | just_said).first()
    try:
        return opened(one) if one is not None else None
    except encryption.SealBroken:
        log.error("spoken_note=%d cannot be opened", one.id if one is not None else 0)
        return None


def opened(note: SpokenNote) -> bytes:
    """The sound. Raises SealBroken."""
    return base64.b64decode(encryption.unseal(note.sound, "spoken_note.sound", note.nonce))


def of_sound(carrier: str, ref: str, kinds: Iterable[str]) -> list[SpokenNote]:
    """The kept notes of these kinds that have this sound."""
    found = SpokenNote.objects.filter(carrier=carrier, ref=ref, kind__in=list(kinds), kept=True)
    return list(found.exclude(sound=b"").select_related("person"))


# --- what goes, and what goes along -----------------------------------------------------------


def erase_unkept() -> None:
    """Whatever was not kept within ten minutes, and whatever never came from the carrier."""
    owed = CarrierSound.objects.filter(carrier=OuterRef("carrier"), ref=OuterRef("ref"))
    late = Q(kept=False, made_at__lt=clock.now_ms() - WAITS_MS)
    SpokenNote.objects.filter(late | (Q(sound=b"") & ~Exists(owed))).delete()


def copy(person: Person, double: Person) -> None:
    """The same notes for somebody who stands for this person."""
    for note in SpokenNote.objects.filter(person=person, kept=True).exclude(sound=b""):
        try:
            text, nonce = base64.b64encode(opened(note)).decode(), encryption.new_nonce()
        except encryption.SealBroken:  # help is called all the same
            continue
        SpokenNote.objects.create(
            person=double,
            kind=note.kind,
            kept=True,
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("spoken_note", nonce)),
            carrier=note.carrier,
            ref=note.ref,
            sound=encryption.seal(text, "spoken_note.sound", nonce),
            made_at=note.made_at,
        )
