"""The engine's heartbeat, and what it learns from it about lost time and moved clocks.

The beat stored with every round is the reference. Found far behind: we were away, or the clock
jumped forward; either way people could not have been heard, so an ``Outage`` is written and they
are asked first. Found ahead of the clock: somebody set it back, and the difference goes into the
installation's offset, so that no timer waits an hour longer. The offset is given back once nobody
waits for a timer: then time runs back, and nothing may stand still because of it. Several engines
may beat; it is idempotent. A database that was put back from a backup says so, once: ``come_back``.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q

from stillhere.core.asking import SHORT_S
from stillhere.core.events import ServiceWasDown, State
from stillhere.store import backups, clock, delivery
from stillhere.store.apply import Change, apply_batch
from stillhere.store.models import Installation, Message, Outage, WatchRow

log = logging.getLogger("stillhere.pulse")

AWAY_MS = 15_000  # a gap longer than this, in real time, is an outage
MOST = 200  # watches told in one go that they come from a backup
LONG_MS = (SHORT_S + 1) * 1000  # an absence after which an open ask gets its full grace again
BACK_MS = 2_000  # a clock behind the last beat by more than this was set back


def pulse_once() -> int:
    """Beat once and return ``now``. Where another engine beats just now, or was stopped in the
    middle of it, this one gives way at once: raises ``OperationalError``."""
    with transaction.atomic():
        here = Installation.objects.select_for_update(nowait=True).get_or_create(id=1)[0]
        row = clock.read()
        told = row.now(settings.RAW_NOW_MS(connection)) if row.beat_at == 0 else _unclamped(row)
        behind = row.beat_at - told
        if behind > BACK_MS:
            here.clock_offset_ms += behind
            log.warning("clock set back by_ms=%d", behind)
        elif here.clock_offset_ms > 0 and not _anybody_waits():
            log.info("clock offset given back ms=%d", here.clock_offset_ms)
            here.clock_offset_ms, here.beat_at = 0, 0
            told -= row.offset_ms
        now = max(told, here.beat_at)
        if row.beat_at and (told - row.beat_at) / row.rate > AWAY_MS:
            Outage.objects.create(from_at=row.beat_at, to_at=now, why="away or clock forward")
            log.warning("outage from_at=%d to_at=%d", row.beat_at, now)
        here.beat_at = now
        here.save(update_fields=["clock_offset_ms", "beat_at"])
    return now


def _unclamped(row: clock.ClockRow) -> int:
    return clock.ClockRow(row.offset_ms, row.rate, row.anchor_at, 0).now(
        settings.RAW_NOW_MS(connection)
    )


def _anybody_waits() -> bool:
    """Whether time may not run back now: somebody is watched closely, asked or called, or is to
    hear how it ended. A daily check-in between two days would not notice."""
    close = Q(routine="") | ~Q(state=State.OPEN) | ~Q(rechecks="")
    watched = WatchRow.objects.filter(close, wake_at__isnull=False)
    unsent = Message.objects.filter(status="queued", watch__isnull=False)
    return unsent.exists() or watched.exists()


def come_back() -> int:
    """After a restore, before anything else: ask whoever was being asked or called for, again;
    returns how many that were. Nothing to do, and cheap, at every other start.

    Whatever answered them after the backup is lost, so an ask that stood open gets its full grace
    again, even where its time is not up; an alarm says that we were away. Watches that were not
    being asked lose nothing: they fall due in the gap, or when they would have.
    """
    with transaction.atomic():
        marks = Outage.objects.filter(why=backups.WAITING)
        if not marks.exists():
            return 0
        Installation.objects.select_for_update().filter(id=1).first()
        mark = marks.order_by("id").first()
        if mark is None:  # another engine was quicker
            return 0
        now = pulse_once()
        delivery.release_leases()
        dropped = delivery.drop_the_past(now)
        told = WatchRow.objects.filter(wake_at__isnull=False, quarantined_at__isnull=True)
        ids = list(told.exclude(state=State.OPEN).order_by("id").values_list("id", flat=True))
        # Never a short absence: whatever was answered after the backup is lost.
        gap = ServiceWasDown(min(mark.from_at, now - LONG_MS), now)
        for start in range(0, len(ids), MOST):
            apply_batch([Change(gap, watch=id) for id in ids[start : start + MOST]])
        marks.update(to_at=now, why=backups.DONE)
    log.warning("restored from_at=%d asked=%d dropped=%d", mark.from_at, len(ids), dropped)
    return len(ids)
