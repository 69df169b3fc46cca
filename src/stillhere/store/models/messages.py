"""The outbox, and what came in. Messages are created in the transaction of what they tell
(``apply.py``, ``invitations.py``, ``notices.py``, ``reply.py``, ``peers.py`` and others); only
``delivery.py`` and ``receipts.py`` say what became of one.

``carrier`` is who carried it last, ``receipt_by_at`` when we stop waiting for a receipt,
``cleared_at`` when its traces at the carrier were deleted, ``vain_at`` since when every attempt has
failed (null: never tried, or it got through). ``lease_until_at`` is when its last lease ended, once
it is no longer queued. A message holds a word and facts (ids, times), never a text, a name or an
address: those are read and rendered when it is leased, so that an opt-out or an erasure made a
moment ago takes effect.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from stillhere.store.models.people import Address, Contact, Person
from stillhere.store.models.watches import WatchRow


class Message(models.Model):
    """One thing to deliver on one channel to one address, at least once; ``key`` is the same for
    every repetition."""

    class Status(models.TextChoices):
        QUEUED = "queued"  # to be sent; leased while ``lease_until_at`` is ahead
        SENT = "sent"  # the provider has it
        DELIVERED = "delivered"
        FAILED = "failed"  # for good
        DROPPED = "dropped"  # no longer true, lapsed, or not wanted

    key = models.CharField(max_length=80, unique=True)
    watch = models.ForeignKey(
        WatchRow, on_delete=models.CASCADE, null=True, related_name="messages"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True)
    address = models.ForeignKey(
        Address, on_delete=models.CASCADE, null=True
    )  # null: the coordinator
    channel = models.CharField(max_length=20)
    word = models.CharField(max_length=20)
    facts = models.TextField(default="{}")
    alarm = models.IntegerField(default=0)  # number of the alarm within its watch, 0 for none
    urgency = models.SmallIntegerField()
    place = models.SmallIntegerField(default=0)
    due_at = models.BigIntegerField()
    lapses_at = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.IntegerField(default=0)
    lease_until_at = models.BigIntegerField(default=0)
    provider_ref = models.CharField(max_length=120, default="")
    why = models.CharField(max_length=200, default="")
    created_at = models.BigIntegerField()
    done_at = models.BigIntegerField(null=True)
    carrier = models.CharField(max_length=20, default="", db_default="")
    cost_micros = models.BigIntegerField(null=True)  # millionths of the currency
    currency = models.CharField(max_length=3, default="", db_default="")
    receipt_by_at = models.BigIntegerField(null=True)
    cleared_at = models.BigIntegerField(null=True)
    vain_at = models.BigIntegerField(null=True)

    class Meta:
        db_table = "message"
        indexes: ClassVar = [
            models.Index(
                fields=["receipt_by_at"],
                name="message_awaited",
                condition=models.Q(receipt_by_at__isnull=False),
            ),
            models.Index(
                fields=["created_at"],
                name="message_uncleared",
                condition=models.Q(cleared_at__isnull=True) & ~models.Q(carrier=""),
            ),
            models.Index(
                fields=["channel", "urgency", "place", "due_at"],
                name="message_unsent",
                condition=models.Q(status="queued"),
            ),
            models.Index(
                fields=["done_at"], name="message_failed", condition=models.Q(status="failed")
            ),
            models.Index(
                fields=["provider_ref"], name="message_ref", condition=~models.Q(provider_ref="")
            ),
            models.Index(fields=["watch", "status"], name="message_of_watch"),
        ]


class AlarmList(models.Model):
    """The open alarms of one phone that is on several: by number, as JSON, the watch, the contact
    and which alarm of that watch. ``lookup`` is the phone's, ``texted_at`` and ``called_at`` when
    the list last left, ``made_at`` when it began; see ``store/messages/alarm_lists.py``."""

    lookup = models.BinaryField(max_length=32, unique=True)
    numbers = models.TextField(default="{}", db_default="{}")
    texted_at = models.BigIntegerField(default=0, db_default=0)
    called_at = models.BigIntegerField(default=0, db_default=0)
    made_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "alarm_list"


class Arrival(models.Model):
    """Something that came in from a provider, stored before anything is done with it. Repeats stop
    here."""

    channel = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    at = models.BigIntegerField()

    class Meta:
        db_table = "arrival"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "provider_id"], name="arrival_once")
        ]


class Budget(models.Model):
    """How much of something was used on a ``day`` (days since 1970 UTC; 0: ever). ``scope`` is a
    keyed hash that says of what, so that no row names a number or a person."""

    scope = models.BinaryField(max_length=32)
    day = models.IntegerField(default=0)
    used = models.IntegerField(default=0)

    class Meta:
        db_table = "budget"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scope", "day"], name="budget_once")
        ]
        indexes: ClassVar = [models.Index(fields=["day"], name="budget_day")]
