"""The engine's heartbeat, and what it shows about lost time and clocks that were changed.

The beat stored in every round is the reference, together with how long ago this machine started, by
the clock that nobody can set. If the stored beat is far behind by both clocks, we were away and
nobody could be heard, so an ``Outage`` is written and people are asked first. If only the machine's
wall clock jumped, somebody set it: the installation's time goes on as if nothing had happened, and
the difference is kept aside until it is proved which of the two is right (``timekeeping.py``).
After the machine restarts only the beat is left to compare with: a clock that is behind it is
wrong, and so is one a year ahead. Several engines may beat; that is harmless. A database that was
restored from a backup is noticed once: ``come_back``.
"""

from __future__ import annotations

import logging
from functools import partial

from django.conf import settings
from django.db import connection, transaction

from stillhere.core.events import ServiceWasDown, State
from stillhere.core.lost_time import SHORT_S
from stillhere.store.db import clock
from stillhere.store.installation import backups
from stillhere.store.messages import delivery
from stillhere.store.models import Installation, Outage, WatchRow
from stillhere.store.watches import damage
from stillhere.store.watches.apply import Change, apply_batch

log = logging.getLogger("stillhere.pulse")

AWAY_MS = 15_000  # a gap longer than this, in real time, is an outage
MOST = 200  # watches told in one go that they come from a backup
LONG_MS = (SHORT_S + 1) * 1000  # an absence after which an open ask gets its full grace again
ABSURD_MS = 366 * 24 * 3600 * 1000  # nobody was away for that long: the clock is wrong


def pulse_once() -> int:
    """Beat once and return ``now``. If another engine is beating at this moment, or was stopped in
    the middle of it, this one gives way at once: raises ``OperationalError``. If the table of
    outages is damaged no outage is written, but the beat still is."""
    return damage.around(partial(_pulse, outages=True), partial(_pulse, outages=False))


def _pulse(*, outages: bool) -> int:
    with transaction.atomic():
        here = Installation.objects.select_for_update(nowait=True).get_or_create(id=1)[0]
        _adopt(here)
        row = clock.row_of(here)
        told = row.told(settings.RAW_NOW_MS(connection))
        right = _right(row, told) if row.beat_at else told
        here.clock_held_ms += right - told
        now = max(right, row.beat_at)
        away = bool(row.beat_at) and (now - row.beat_at) / row.rate > AWAY_MS
        if away and outages:
            Outage.objects.create(from_at=row.beat_at, to_at=now, why="away")
        here.beat_at = now
        here.beat_boot, here.beat_boot_ms = settings.BOOT_ID(), settings.BOOT_MS()
        here.save(update_fields=_BEAT)
    # Said once it stands: on a full disk the same is tried every second.
    if right != told:
        log.warning("clock set by_ms=%d", told - right)
    if away:
        log.warning(
            "outage%s from_at=%d to_at=%d", "" if outages else " not kept", row.beat_at, now
        )
    return now


_BEAT = ("clock_offset_ms", "clock_held_ms", "beat_at", "beat_boot", "beat_boot_ms")


def _adopt(here: Installation) -> None:
    """Until release 0.1 the held difference was part of the offset. Beats from then name no
    boot."""
    if here.beat_at and not here.beat_boot and here.clock_rate == 1.0:
        here.clock_held_ms += here.clock_offset_ms
        here.clock_offset_ms = 0


def _right(row: clock.ClockRow, told: int) -> int:
    """The installation's time now, where ``told`` is its time according to the machine's clock."""
    steady = clock.steady_of(row)
    if steady is not None:
        return steady if row.leaps(told, steady) else told
    ahead_ms = told - row.beat_at
    return told if -clock.BACK_MS <= ahead_ms < ABSURD_MS else row.beat_at


def come_back() -> int:
    """After a restore, before anything else: ask everybody again who was being asked or had an open
    alarm; returns how many that was. At every other start there is nothing to do, and finding that
    out is cheap.

    Any answer given after the backup is lost, so an open ask gets its full grace again, even if its
    time is not up; an alarm says that we were away. Watches that were not being asked lose nothing:
    they fall due during the gap, or when they would have anyway. If the table of outages cannot be
    read, nobody knows about a restore, and the engine starts all the same.
    """
    return damage.around(_come_back, _come_back_unknown)


def _come_back_unknown() -> int:
    log.critical("not known whether this comes from a backup: damaged")
    return 0


def _come_back() -> int:
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
