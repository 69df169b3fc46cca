"""One clock per installation.

``now`` is the database's time (for SQLite, its machine's), read once per transaction, plus what the
installation's row adds. No other file asks what time it is.

Anybody can set a machine's clock; nobody can set the clock that counts since the machine started.
So each beat of the engine records both, and between two beats every process on that machine follows
the second one if the first one jumps. What the engine then makes of the jump is ``held_ms``: how
far the installation's time is kept apart from the machine's until it is proved which of the two is
right (``engine/timekeeping.py``). That is the only way in which time runs backwards, and then
``back_ms`` grows: a watch whose row has a different ``clock_back_ms`` was calculated with the
earlier time (``apply.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection

BACK_MS = 2_000  # a clock this far behind was set back; less is a clock being nudged
FORWARD_MS = 15_000  # and one this far ahead was set forward
CLOSE_MS = 2_000  # nearer to the proved time than this is right
DOUBT_MS = 60_000  # set by less, it moves no daily check-in that anybody would notice

_COLUMNS = {
    "offset_ms": "clock_offset_ms",
    "rate": "clock_rate",
    "anchor_at": "clock_anchor_at",
    "beat_at": "beat_at",
    "held_ms": "clock_held_ms",
    "back_ms": "clock_back_ms",
    "reckoned_ms": "clock_reckoned_ms",
    "boot": "beat_boot",
    "boot_ms": "beat_boot_ms",
}
SELECT = f"SELECT {', '.join(_COLUMNS.values())} FROM installation WHERE id = 1"


@dataclass(frozen=True, slots=True)
class ClockRow:
    """What the installation's row says about its time. ``beat_at`` is the engine's last beat;
    ``boot`` identifies one start of a machine, and ``boot_ms`` is how long ago that was at that
    beat. ``reckoned_ms`` is the ``back_ms`` of all open watches; ``offset_ms`` and ``rate`` are
    used by a demo and the tests."""

    offset_ms: int = 0
    rate: float = 1.0
    anchor_at: int = 0
    beat_at: int = 0
    held_ms: int = 0
    back_ms: int = 0
    reckoned_ms: int = 0
    boot: str = ""
    boot_ms: int = 0

    def plain(self, raw_ms: int) -> int:
        """Installation time if the machine's clock is right: with the offset and the rate that a
        demo and the tests have."""
        at = self.anchor_at + (raw_ms - self.anchor_at) * self.rate if self.rate != 1.0 else raw_ms
        return int(at) + self.offset_ms

    def told(self, raw_ms: int) -> int:
        """Installation time according to the machine's clock."""
        return self.plain(raw_ms) + self.held_ms

    def steady(self, boot: str, boot_ms: int) -> int | None:
        """Installation time according to the clock that counts since the machine started; None if
        the last beat was another machine's, or this one's before it restarted."""
        if not self.beat_at or not boot or boot != self.boot or boot_ms < self.boot_ms:
            return None
        return self.beat_at + int((boot_ms - self.boot_ms) * self.rate)

    def leaps(self, told: int, steady: int) -> bool:
        """Whether the machine's clock was set since the last beat, and not merely adjusted a
        little."""
        return not -BACK_MS <= (told - steady) / self.rate <= FORWARD_MS

    def now(self, raw_ms: int, steady: int | None = None) -> int:
        """Installation time for these readings, never before the last beat."""
        told = self.told(raw_ms)
        if steady is not None and self.leaps(told, steady):
            told = steady
        return max(told, self.beat_at)


def row_of(here: object) -> ClockRow:
    """The clock of an ``Installation`` that has already been read."""
    return ClockRow(**{name: getattr(here, column) for name, column in _COLUMNS.items()})


def in_words(ms: int) -> str:
    """A difference of two clocks, for a coordinator: 20 minutes, 3 days."""
    seconds = round(abs(ms) / 1000)
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{round(seconds / size)} {unit}"
    return f"{seconds} seconds"


def read() -> ClockRow:
    """The installation's clock settings."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT)
        row = cursor.fetchone()
    return ClockRow(*row) if row else ClockRow()


@dataclass(slots=True)
class _Memory:
    """What this process last read: if the beats come from another machine, this is its
    reference."""

    boot_ms: int = 0
    now: int = 0
    back_ms: int = -1


_MEMORY = _Memory()


def steady_of(row: ClockRow) -> int | None:
    """The installation's time, ms UTC, by a clock that nobody can set; None if there is none."""
    boot, boot_ms = settings.BOOT_ID(), settings.BOOT_MS()
    if row.boot in ("", boot) or _MEMORY.back_ms != row.back_ms or boot_ms < _MEMORY.boot_ms:
        return row.steady(boot, boot_ms)
    return max(_MEMORY.now + int((boot_ms - _MEMORY.boot_ms) * row.rate), row.beat_at)


def now_of(row: ClockRow) -> int:
    """The installation's time according to its ``row``, ms UTC."""
    now = row.now(settings.RAW_NOW_MS(connection), steady_of(row))
    _MEMORY.boot_ms, _MEMORY.now, _MEMORY.back_ms = settings.BOOT_MS(), now, row.back_ms
    return now


def now_ms() -> int:
    """The installation's time, ms UTC. Call once per transaction and pass it down."""
    return now_of(read())
