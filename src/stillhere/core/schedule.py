"""When a routine check-in is due: days, a time on the wall, a time zone, pauses.

Owns the step from "Mondays at ten in the evening in Denver" to an instant. Refuses to know what day
it is: the instant to look from is always an argument. Time zone data comes through `zoneinfo`.

When the clocks change:
- a time that does not exist that day (spring) is due at the first moment that does;
- a time that comes twice (autumn) is due the first time.

So no deadline is lost to a clock change, and none comes later than the person expects by more than
the jump itself. All ``_at`` are whole milliseconds since 1970 UTC.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

OPENS_S = 12 * 3600
OPENS_LEAST_S, OPENS_MOST_S = 3600, 18 * 3600  # longer, and one check-in would do for two days
LATEST_AT = 32_503_680_000_000  # the year 3000: further is a mistake, not a plan
MINUTE_MS = 60_000
FORMAT = 1  # of the stored text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# IANA names as browsers give them. Not "localtime" or "right/...", which depend on the machine.
_ZONE = re.compile(r"UTC|(?!right/|posix/)[A-Za-z]\w*(/[\w+-]+){1,2}", re.ASCII)


class ScheduleError(ValueError):
    """A routine that makes no sense. The message can be shown to people."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A check-in that is due on ``days`` (Monday is 0) at ``at`` minutes after midnight in ``tz``.

    A check-in counts from ``opens_s`` before the deadline on. Nothing is due before
    ``pause_until_at``. ``once`` has only the first deadline; ``well`` tells the contacts when one
    was answered. Raises ScheduleError.
    """

    days: frozenset[int]
    at: int
    tz: str
    opens_s: int = OPENS_S
    pause_until_at: int | None = None
    once: bool = False
    well: bool = False

    def __post_init__(self) -> None:
        if not self.days or not all(_whole(day, 0, 6) for day in self.days):
            raise ScheduleError("Choose at least one day of the week.")
        if not _whole(self.at, 0, 24 * 60 - 1):
            raise ScheduleError("The time has to be between 00:00 and 23:59.")
        if not _whole(self.opens_s, OPENS_LEAST_S, OPENS_MOST_S):
            raise ScheduleError("A check-in can count from 1 to 18 hours before it is due.")
        if self.pause_until_at is not None and not _whole(self.pause_until_at, 0, LATEST_AT):
            raise ScheduleError("A pause has to end on a day we can count to.")
        _zone(self.tz)


def next_deadline(routine: Routine, after_at: int) -> int:
    """The first deadline strictly after ``after_at``, and not before the pause is over.

    Without a pause never more than eight days away. Raises ScheduleError if ``after_at`` is absurd.
    """
    if not _whole(after_at, 0, LATEST_AT):
        raise ScheduleError("That date is too far away.")
    # Deadlines lie on whole minutes, so a million watches that look from the same one share this.
    due_at = _deadline(routine, after_at - after_at % MINUTE_MS)
    return due_at if due_at > after_at else _deadline.__wrapped__(routine, after_at)


@lru_cache(maxsize=4096)
def _deadline(routine: Routine, after_at: int) -> int:
    from_at = max(after_at + 1, routine.pause_until_at or 0)
    zone = _zone(routine.tz)
    today = (_EPOCH + timedelta(milliseconds=from_at)).astimezone(zone).date()
    # From yesterday: where a whole day was skipped, yesterday's deadline falls on today.
    for offset in range(-1, 9):
        day = today + timedelta(days=offset)
        if day.weekday() in routine.days:
            due_at = _instant(day, routine.at, zone)
            if due_at >= from_at:
                return due_at
    raise AssertionError("a weekly routine is due within eight days")


def counts_for(routine: Routine, deadline_at: int, made_at: int) -> bool:
    """Whether a check-in made at ``made_at`` satisfies the deadline at ``deadline_at``. One made
    too early says nothing about the evening. One made after the deadline does count: whoever
    answers late was alive when it was due."""
    return made_at >= deadline_at - routine.opens_s * 1000


@lru_cache(maxsize=4096)
def to_text(routine: Routine) -> str:
    """One short line for storage; equal routines give equal text. What an older release does not
    know is written only if it is used, so that the older release can read all others."""
    fields = {
        "v": FORMAT,
        "days": sorted(routine.days),
        "at": routine.at,
        "tz": routine.tz,
        "opens_s": routine.opens_s,
        "pause_until_at": routine.pause_until_at,
    }
    fields |= {name: True for name in ("once", "well") if getattr(routine, name)}
    return json.dumps(fields, separators=(",", ":"))


@lru_cache(maxsize=4096)
def from_text(text: str) -> Routine:
    """What ``to_text`` wrote. Raises ScheduleError on anything else."""
    try:
        fields = json.loads(text)
        if fields.pop("v") != FORMAT:
            raise ScheduleError("This routine was stored by another version.")
        fields |= {name: fields.get(name) is True for name in ("once", "well")}
        return Routine(days=frozenset(fields.pop("days")), **fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, ScheduleError):
            raise
        raise ScheduleError("This routine cannot be read.") from error


@lru_cache(maxsize=4096)
def _instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The wall time ``minutes`` after midnight on ``day`` as ms UTC: the first of two, or the first
    moment after a gap."""
    wall = datetime.combine(day, time(minutes // 60, minutes % 60))

    def wall_at(second: int) -> datetime:
        return (_EPOCH + timedelta(seconds=second)).astimezone(zone).replace(tzinfo=None)

    def second_of(fold: int) -> int:
        return (wall.replace(tzinfo=zone, fold=fold) - _EPOCH) // timedelta(seconds=1)

    first = second_of(fold=0)
    if wall_at(first) != wall:
        # In a gap fold 0 reads the old offset (after the jump) and fold 1 the new one (before it).
        # Between the two the wall jumps past ``wall`` once: there.
        before = second_of(fold=1)
        first = before + bisect_left(range(before, first), True, key=lambda s: wall_at(s) >= wall)
    return first * 1000


def _zone(name: object) -> ZoneInfo:
    try:
        if isinstance(name, str) and _ZONE.fullmatch(name):
            return ZoneInfo(name)
    except (
        KeyError,
        ValueError,
        OSError,
    ):  # unknown; malformed; a folder such as "America/Indiana"
        pass
    raise ScheduleError("We do not know this time zone. It looks like America/Denver.")


def _whole(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
