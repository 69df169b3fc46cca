"""One clock per installation.

``now`` is the database's time (its machine's, for SQLite), read once per transaction, plus the
offset and rate kept in the installation row. It never runs backwards past the engine's last beat,
so a clock set back an hour cannot put a watch's past ahead of it. No other file asks what time it
is.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db import connection


@dataclass(frozen=True, slots=True)
class ClockRow:
    offset_ms: int
    rate: float
    anchor_at: int
    beat_at: int

    def now(self, raw_ms: int) -> int:
        """Installation time for a raw reading, never before the last beat."""
        told = (
            self.anchor_at + (raw_ms - self.anchor_at) * self.rate if self.rate != 1.0 else raw_ms
        )
        return max(int(told) + self.offset_ms, self.beat_at)


def read() -> ClockRow:
    """The installation's clock settings."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_offset_ms, clock_rate, clock_anchor_at, beat_at "
            "FROM installation WHERE id = 1"
        )
        row = cursor.fetchone()
    return ClockRow(*row) if row else ClockRow(0, 1.0, 0, 0)


def now_ms() -> int:
    """The installation's time, ms UTC. Call once per transaction and pass it down."""
    return read().now(settings.RAW_NOW_MS(connection))
