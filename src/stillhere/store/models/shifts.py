"""Who comes for people with nobody on their list."""

from __future__ import annotations

from django.db import models


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
