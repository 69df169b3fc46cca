"""The day's counts, which stay when everything else is erased. Used by ``outbox.py`` inside its
transaction; never keeps an alarm waiting for a number."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import connection
from django.db.backends.utils import CursorWrapper

log = logging.getLogger("stillhere.tally")


def add(counts: Mapping[str, int], now: int) -> None:
    """Add to the day's counts. In name order, so that two writers never deadlock. No alarm is
    delayed for the sake of a number: a count that somebody else has locked is left as it is, and
    logged."""
    day = datetime.fromtimestamp(now / 1000, UTC).date().isoformat()
    with connection.cursor() as cursor:
        held = _held(cursor, day, counts) if connection.vendor == "postgresql" else set()
        for what in sorted(counts.keys() - held):
            cursor.execute(
                "INSERT INTO tally (day, what, count) VALUES (%s, %s, %s) "
                "ON CONFLICT (day, what) DO UPDATE SET count = tally.count + excluded.count",
                [day, what, counts[what]],
            )
    if held:
        log.warning("not counted: %s", ", ".join(sorted(held)))


def _held(cursor: CursorWrapper, day: str, counts: Mapping[str, int]) -> set[str]:
    """Today's counts that somebody else has locked right now. The others are ours from here on."""
    marks = ", ".join(["%s"] * len(counts))
    there = f"SELECT what FROM tally WHERE day = %s AND what IN ({marks}) ORDER BY what"
    cursor.execute(f"{there} FOR UPDATE SKIP LOCKED", [day, *counts])
    ours = {what for (what,) in cursor.fetchall()}
    if len(ours) == len(counts):
        return set()
    cursor.execute(there, [day, *counts])
    return {what for (what,) in cursor.fetchall()} - ours
