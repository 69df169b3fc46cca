"""When a routine is due, reckoned a second time: what a person with a calendar and a clock on the
wall would say.

Owns no rule and knows nothing of ``core/schedule.py``, on purpose: it walks along the clock of a
place until the wall shows the time for the first time that day, or has jumped over it. All ``_at``
are ms UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONES = (
    "UTC", "America/Denver", "America/New_York", "America/St_Johns", "America/Santiago",
    "America/Havana", "Europe/Berlin", "Europe/London", "Africa/Cairo", "Asia/Kathmandu",
    "Asia/Beirut", "Australia/Lord_Howe", "Australia/Sydney", "Pacific/Chatham",
    "Pacific/Kiritimati", "Pacific/Pago_Pago",
)  # fmt: skip
DAY_MS = 86_400_000
FIRST, LAST = date(2026, 1, 1), date(2029, 12, 31)
# Clocks everywhere change on a quarter of an hour of UTC; no place is further away than this.
STEP, FURTHEST = timedelta(minutes=15), timedelta(hours=15)


@cache
def due_on(day: date, minutes: int, tz: str) -> int:
    """The first moment of ``day`` at which the wall shows so many minutes after midnight, or more
    because the clock jumped over them."""
    zone, minute = ZoneInfo(tz), timedelta(minutes=1)
    wall = datetime.combine(day, time(minutes // 60, minutes % 60))

    def is_past(at: datetime) -> bool:
        return at.astimezone(zone).replace(tzinfo=None) >= wall

    at = wall.replace(tzinfo=UTC, hour=wall.hour, minute=0) - FURTHEST
    while not is_past(at + STEP - minute):  # within a step the wall only moves on
        at += STEP
    while not is_past(at):
        at += minute
    return round(at.timestamp()) * 1000


def deadlines(
    days: frozenset[int], minutes: int, tz: str, from_at: int, to_at: int
) -> Iterator[int]:
    """Every deadline after the one and not after the other, in order."""
    day = datetime.fromtimestamp(from_at / 1000, UTC).date() - timedelta(days=2)
    last = datetime.fromtimestamp(to_at / 1000, UTC).date() + timedelta(days=2)
    while day <= last:
        if day.weekday() in days:
            at = due_on(day, minutes, tz)
            if from_at < at <= to_at:
                yield at
        day += timedelta(days=1)


@cache
def changes(tz: str) -> tuple[int, ...]:
    """The days, as ms UTC of their beginning, in which the clocks of a place change."""
    zone = ZoneInfo(tz)
    begins = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    days = (begins + timedelta(days=n) for n in range((LAST - FIRST).days))
    return tuple(
        round(day.timestamp()) * 1000
        for day in days
        if day.astimezone(zone).utcoffset()
        != (day + timedelta(days=1)).astimezone(zone).utcoffset()
    )
