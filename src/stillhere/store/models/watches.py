"""The watch as a row, its journal, and what was done in an alarm. Only ``apply.py`` writes the
first two, ``care_log.py`` the third.

The columns are the fields of ``core.watch.Watch`` (``store/watches/rows.py`` maps them), so that a
due ``wake_at`` is one index entry and a check-in is one update. Every write compares and swaps
``version``.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from stillhere.store.models.people import Contact, Person


class WatchRow(models.Model):
    """One watch. ``wake_at`` *is* the timer; null once closed."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="watches")
    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    version = models.BigIntegerField(default=0)
    wake_at = models.BigIntegerField(null=True)
    profile = models.CharField(max_length=20)
    own = models.TextField(default="")  # the person's own numbers, JSON, or nothing
    state = models.CharField(max_length=10)
    started_at = models.BigIntegerField()
    seen_at = models.BigIntegerField()
    ends_at = models.BigIntegerField(null=True)
    next_ask_at = models.BigIntegerField(null=True)
    routine = models.TextField(default="")
    deadline_at = models.BigIntegerField(null=True)
    marked_at = models.BigIntegerField(null=True)
    seq = models.BigIntegerField(default=-1)
    asks = models.IntegerField(default=0)
    base_at = models.BigIntegerField(null=True)
    stage = models.SmallIntegerField(default=0)
    shown = models.BooleanField(default=False)
    grace_at = models.BigIntegerField(null=True)
    unclear = models.BooleanField(default=False)  # of the release before: nothing reads it
    unclear_at = models.BigIntegerField(null=True)
    rechecks = models.CharField(max_length=60, default="")
    alarms = models.IntegerField(default=0)
    alarm = models.TextField(default="")
    ended_by = models.TextField(default="", db_default="")
    outcome = models.CharField(max_length=12, default="")
    closed_at = models.BigIntegerField(null=True)
    held = models.BooleanField(default=False)
    quarantined_at = models.BigIntegerField(
        null=True
    )  # our own code could not step it: a person must look
    looked_at = models.BigIntegerField(null=True)  # a person has looked at a grave outcome
    clock_back_ms = models.BigIntegerField(default=0, db_default=0)  # see ``store/db/clock.py``
    partner = models.BinaryField(default=b"", db_default=b"")  # sealed; "two of us": who else

    class Meta:
        db_table = "watch"
        indexes: ClassVar = [
            models.Index(
                fields=["wake_at"], name="watch_due", condition=models.Q(wake_at__isnull=False)
            ),
            models.Index(
                fields=["closed_at"],
                name="watch_closed",
                condition=models.Q(closed_at__isnull=False),
            ),
            models.Index(
                fields=["state"],
                name="watch_alarmed",
                condition=models.Q(state__in=["alarm", "claimed", "attended"]),
            ),
        ]


class SetAside(models.Model):
    """A watch whose row can no longer be read or written, and since when. It holds only the id:
    there may be no row to point at. ``looked_at``: a person has looked, and acted."""

    watch = models.BigIntegerField(primary_key=True)
    person = models.BigIntegerField(null=True)
    at = models.BigIntegerField()
    looked_at = models.BigIntegerField(null=True)

    class Meta:
        db_table = "set_aside"


class JournalLine(models.Model):
    """What happened, for the people it happened to. It is evidence; the truth is the row."""

    watch = models.ForeignKey(WatchRow, on_delete=models.CASCADE, related_name="journal")
    at = models.BigIntegerField()
    event = models.CharField(max_length=30)
    state = models.CharField(max_length=10)
    contact = models.BigIntegerField(null=True)
    facts = models.TextField(default="{}")

    class Meta:
        db_table = "journal"
        indexes: ClassVar = [models.Index(fields=["watch", "id"], name="journal_of_watch")]


class Deed(models.Model):
    """What somebody did in an alarm, and when: for the others, and for the crew."""

    watch = models.ForeignKey(WatchRow, on_delete=models.CASCADE, related_name="deeds")
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True)
    alarm = models.IntegerField()
    what = models.CharField(max_length=12)
    form = models.CharField(max_length=12, default="")
    at = models.BigIntegerField()
    ref = models.CharField(max_length=40)  # the phone's own name for it: said twice, kept once
    known = models.BooleanField(default=True, db_default=True)  # said on a phone of theirs

    class Meta:
        db_table = "deed"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["watch", "contact", "ref"], name="deed_once")
        ]


class PageChange(models.Model):
    """That something changed which somebody's pages show: their own, or those of the people on
    their list. Appended in the transaction of the change, read soon after (``store/changes.py``),
    and erased within minutes; it holds only whose."""

    id = models.BigAutoField(primary_key=True)
    person = models.BigIntegerField()
    at = models.BigIntegerField()

    class Meta:
        db_table = "page_change"
