"""Who comes for people with nobody on their list, and what a stranger said about where they are."""

from __future__ import annotations

from django.db import models

from stillhere.store.models.people import Person


class Responder(models.Model):
    """Somebody trained who takes shifts for the programme. On shift they stand on the list of
    everyone who wants that, as a contact like any other (``Contact.responder``)."""

    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    name = models.BinaryField(default=b"")  # sealed, as is the number
    phone = models.BinaryField(default=b"")
    lang = models.CharField(max_length=8, default="en")
    created_at = models.BigIntegerField()
    until_at = models.BigIntegerField(default=0, db_default=0)  # on shift until then; 0: off
    trained_at = models.BigIntegerField(default=0, db_default=0)  # answered the questions; 0: not

    class Meta:
        db_table = "responder"


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
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    left_there = models.BooleanField(default=True, db_default=True)  # still lies at the carrier

    class Meta:
        db_table = "recording"
