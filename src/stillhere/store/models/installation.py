"""What belongs to the whole installation: its clock, its signs of life, its outages, its counts."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Installation(models.Model):
    """One row (id 1). ``now`` = anchor + (raw - anchor) * rate + offset + held, see
    ``store/db/clock.py``, which also says what ``clock_back_ms`` and ``beat_boot`` are;
    ``clock_reckoned_ms`` is the ``clock_back_ms`` that every open watch has, ``clock_proved_at``
    when the time was last proved to be right.

    ``beat_at`` is written by the engine about once a second; ``proof_at`` when the audit last
    proved that every open alarm has a living timer and living messages. ``checked`` holds what
    `stillhere check` found at ``checked_at``, as JSON. ``backed_up_at`` is when the last backup was
    whole. ``stuck_at`` is since when something urgent reaches nobody (0: nothing of that kind),
    ``stuck_told_at`` when the coordinator was last told so.
    """

    clock_offset_ms = models.BigIntegerField(default=0)
    clock_rate = models.FloatField(default=1.0)
    clock_anchor_at = models.BigIntegerField(default=0)
    clock_held_ms = models.BigIntegerField(default=0, db_default=0)
    clock_back_ms = models.BigIntegerField(default=0, db_default=0)
    clock_reckoned_ms = models.BigIntegerField(default=0, db_default=0)
    clock_proved_at = models.BigIntegerField(default=0, db_default=0)
    beat_at = models.BigIntegerField(default=0)
    beat_boot = models.CharField(max_length=40, default="", db_default="")
    beat_boot_ms = models.BigIntegerField(default=0, db_default=0)
    proof_at = models.BigIntegerField(default=0)
    proof_says = models.TextField(default="")
    desk_nonce = models.BinaryField(max_length=16, default=b"")
    checked_at = models.BigIntegerField(default=0, db_default=0)
    checked = models.TextField(default="", db_default="")
    backed_up_at = models.BigIntegerField(default=0, db_default=0)
    stuck_at = models.BigIntegerField(default=0, db_default=0)
    stuck_told_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "installation"


class Outage(models.Model):
    """A period in which we were down. Read by the tick; never written to each watch."""

    from_at = models.BigIntegerField()
    to_at = models.BigIntegerField(db_index=True)
    why = models.CharField(max_length=40)

    class Meta:
        db_table = "outage"


class Peer(models.Model):
    """Another installation that this one looks after: it calls in as long as its own proof holds.
    ``heard_at`` is when it last did, ``told_at`` when the coordinator here was last told about its
    silence (0: never, or it has been heard since)."""

    name = models.CharField(max_length=80, unique=True)
    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    created_at = models.BigIntegerField()
    heard_at = models.BigIntegerField(default=0, db_default=0)
    told_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "peer"


class Page(models.Model):
    """What people on call are asked to look at, until one of them says that they do.

    ``count``: how many messages to the coordinator are in it; ``about`` their ids as JSON, as far
    as there is room. ``told`` is JSON, pairs of who was paged and when; ``looked_by`` who said at
    ``looked_at`` that they look. Who somebody is stands there as a keyed hash of the name in the
    setting. ``next_at`` is when the next is tried (null: nobody need be), ``turn`` how many turns
    there were.
    """

    nonce = models.BinaryField(max_length=16)
    key_hash = models.BinaryField(max_length=32, unique=True)
    opened_at = models.BigIntegerField()
    count = models.IntegerField(default=0, db_default=0)
    about = models.TextField(default="[]", db_default="[]")
    turn = models.IntegerField(default=0, db_default=0)
    next_at = models.BigIntegerField(null=True)
    told = models.TextField(default="[]", db_default="[]")
    looked_by = models.CharField(max_length=16, default="", db_default="")
    looked_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "page"
        indexes: ClassVar = [
            models.Index(
                fields=["next_at"], name="page_open", condition=models.Q(next_at__isnull=False)
            )
        ]


class GatewayClock(models.Model):
    """What the last texts of a gateway said of its clock, as JSON: pairs of when each came (real
    time) and how old its stamp was then. See ``store/inbound/gateway_clocks.py``."""

    gateway = models.CharField(max_length=40, primary_key=True)
    stamps = models.TextField(default="", db_default="")

    class Meta:
        db_table = "gateway_clock"


class Tally(models.Model):
    """Counts that stay when everything else is erased: no name, no time finer than a day."""

    day = models.CharField(max_length=10)
    what = models.CharField(max_length=60)
    count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "tally"
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "what"], name="tally_once")]
