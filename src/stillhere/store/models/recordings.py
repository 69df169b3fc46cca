"""What people said in a call, and what of it still lies at a carrier."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from stillhere.store.models.people import Person


class Recording(models.Model):
    """Where somebody is, in their own voice. It stays at the carrier until we have fetched it, and
    is gone once their watch ends well."""

    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="recording")
    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    carrier = models.CharField(max_length=20)
    ref = models.CharField(max_length=80)
    sound = models.BinaryField(default=b"")  # sealed; empty until it was fetched
    made_at = models.BigIntegerField()
    # Read and written by the release before ``CarrierSound``.
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    left_there = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "recording"


class CarrierSound(models.Model):
    """A sound that lies at a carrier and is to be deleted there. It belongs to nobody, so that it
    is still owed when whoever spoke is erased."""

    carrier = models.CharField(max_length=20)
    ref = models.CharField(max_length=80)
    since_at = models.BigIntegerField()
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)  # at fetching it
    due_at = models.BigIntegerField(default=0, db_default=0, db_index=True)

    class Meta:
        db_table = "carrier_sound"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["carrier", "ref"], name="carrier_sound_once")
        ]


class SpokenNote(models.Model):
    """A note of the plan in their own voice. One of a kind is ``kept``; another that was just said
    waits beside it for the key that keeps it."""

    class Kind(models.TextChoices):
        NAME = "name"
        PLACE = "place"
        ENTRY = "entry"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="spoken_notes")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    kept = models.BooleanField(default=False, db_default=False)
    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    carrier = models.CharField(max_length=20)
    ref = models.CharField(max_length=80)
    sound = models.BinaryField(default=b"", db_default=b"")  # sealed; empty until it was fetched
    made_at = models.BigIntegerField()

    class Meta:
        db_table = "spoken_note"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "kind", "kept"], name="spoken_note_once")
        ]
