"""Sounds that lie at carriers: which are still to be fetched, and which to be deleted there.

Owns what is owed there: each is deleted once it is here, or once nobody wants it any more, whatever
became of whoever spoke. Makes no requests: the engine does.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from stillhere.store.db import clock, encryption
from stillhere.store.models import CarrierSound, Recording, SpokenNote

MOST_BYTES = 1_000_000
MOST_TRIES = 60  # at fetching, over twenty minutes: then it will not come
SOONEST_MS, LATEST_MS = 1_000, 3_600_000  # until it is tried again
DROPPED_MS = 30 * 86_400_000  # for so long it is owed to a carrier that is not here any more


@dataclass(frozen=True, slots=True)
class CarrierRecording:
    """One that lies at a carrier: ``wanted`` here, or to be deleted there."""

    id: int
    carrier: str
    ref: str
    wanted: bool


def owe(carrier: str, ref: str, since_at: int) -> None:
    """It lies there from now on. Told again, it is the same one."""
    CarrierSound.objects.bulk_create(
        [CarrierSound(carrier=carrier, ref=ref, since_at=since_at)], ignore_conflicts=True
    )


def adopt(rows: QuerySet[Recording]) -> None:
    """What the release before this one has left there."""
    known = CarrierSound.objects.filter(carrier=OuterRef("carrier"), ref=OuterRef("ref"))
    for row in rows.filter(~Exists(known), left_there=True):
        owe(row.carrier, row.ref, row.made_at)


def due(most: int) -> list[CarrierRecording]:
    """What is to be done at carriers now."""
    adopt(Recording.objects.all())
    found = CarrierSound.objects.filter(due_at__lte=clock.now_ms()).order_by("due_at", "id")
    return [CarrierRecording(s.id, s.carrier, s.ref, _is_wanted(s)) for s in found[:most]]


def fetched(id: int, sound: bytes | None) -> None:
    """The result of asking for it; None: not to be had yet."""
    with transaction.atomic():
        owed = CarrierSound.objects.select_for_update().filter(id=id).first()
        if owed is None:
            return
        if sound is not None and len(sound) <= MOST_BYTES:
            for rows in _waiting(owed):
                for row in rows.select_for_update():
                    _keep(row, sound)
        owed.tries = MOST_TRIES if sound is not None else owed.tries + 1
        owed.due_at = 0 if sound is not None else _again_at(owed)
        owed.save(update_fields=["tries", "due_at"])


def gone_there(id: int) -> None:
    """The carrier has deleted it."""
    with transaction.atomic():
        for owed in CarrierSound.objects.filter(id=id):
            rows = Recording.objects.filter(carrier=owed.carrier, ref=owed.ref)
            rows.update(left_there=False)
            owed.delete()


def still_there(id: int, *, reachable: bool = True) -> None:
    """It could not be deleted: it is tried again, more and more seldom. Where the carrier is not
    among ours any more, for a month; ``stillhere check`` names it meanwhile."""
    owed = CarrierSound.objects.filter(id=id).first()
    if owed is None:
        return
    if not reachable and owed.since_at < clock.now_ms() - DROPPED_MS:
        gone_there(id)
    else:
        CarrierSound.objects.filter(id=id).update(due_at=_again_at(owed))


def owed_to() -> dict[str, int]:
    """How many sounds lie at each carrier, by its name."""
    names = list(CarrierSound.objects.values_list("carrier", flat=True))
    return {name: names.count(name) for name in sorted(set(names))}


def _is_wanted(owed: CarrierSound) -> bool:
    return owed.tries < MOST_TRIES and any(rows.exists() for rows in _waiting(owed))


def _waiting(owed: CarrierSound) -> list[QuerySet[Any]]:
    """The rows that wait for this sound, by table."""
    return [
        model._default_manager.filter(carrier=owed.carrier, ref=owed.ref, sound=b"")
        for model in (Recording, SpokenNote)
    ]


def _keep(row: Recording | SpokenNote, sound: bytes) -> None:
    text, field = base64.b64encode(sound).decode(), f"{row._meta.db_table}.sound"
    row.sound = encryption.seal(text, field, row.nonce)
    row.save(update_fields=["sound"])


def _again_at(owed: CarrierSound) -> int:
    now = clock.now_ms()
    return now + min(max((now - owed.since_at) // 10, SOONEST_MS), LATEST_MS)
