"""Naloxone that people carry or a program has, and what was found in the supply."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from stillhere.store.models.people import Contact, Person
from stillhere.store.models.shifts import Responder


class Kit(models.Model):
    """Naloxone that somebody carries, or that is in the program's stock (nobody carries it). Its
    key is on its sticker: whoever scans it may say what is in it, and nothing else."""

    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="kits")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="kits")
    responder = models.ForeignKey(
        Responder, on_delete=models.SET_NULL, null=True, related_name="kits"
    )
    place = models.BinaryField(default=b"")  # sealed: where it lies
    form = models.CharField(max_length=12, default="")  # of naloxone.FORMS; "": unsaid
    doses = models.PositiveSmallIntegerField(default=0)
    lot = models.CharField(max_length=40, default="")
    expires = models.CharField(max_length=7, default="")  # a month, like 2027-05
    created_at = models.BigIntegerField()
    seen_at = models.BigIntegerField(default=0)  # somebody last said what is in it
    used_at = models.BigIntegerField(default=0)
    warned_at = models.BigIntegerField(default=0)  # its keeper heard that it runs out

    class Meta:
        db_table = "kit"
        indexes: ClassVar = [models.Index(fields=["expires"], name="kit_expires")]


class SupplyWarning(models.Model):
    """What was found in the supply around here. Public, without anybody's name."""

    ref = models.CharField(max_length=200, unique=True)  # of the source, or made here
    area = models.CharField(max_length=80)
    text = models.CharField(max_length=600)
    source = models.CharField(max_length=200)
    found_on = models.CharField(max_length=10)  # a day, like 2026-11-24
    created_at = models.BigIntegerField()
    ends_at = models.BigIntegerField()

    class Meta:
        db_table = "supply_warning"
        indexes: ClassVar = [models.Index(fields=["ends_at"], name="supply_warning_ends")]
