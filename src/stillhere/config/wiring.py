"""The real clock and the real channels, built once and handed down.

Owns the only place that reads a clock, and the list of channels an installation has. Decides
nothing. Lower floors never import this file: they get what it builds as arguments or from
`django.conf.settings` (``RAW_NOW_MS``, ``BOOT_MS``, ``BUILD_CHANNELS``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from stillhere.config.environment import Stillhere

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from stillhere.channels.base import Channel

# Counts on through sleep, never jumps. Elsewhere than Linux the monotonic clock does that.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def raw_now_ms(connection: BaseDatabaseWrapper) -> int:
    """The database's time in milliseconds since 1970 UTC, before the installation's own offset.

    Several machines may share one PostgreSQL, so its clock counts; SQLite's is this machine's.
    `clock_timestamp`, not `now`: the latter stands still at the start of a transaction.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
            return int(cursor.fetchone()[0])
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Milliseconds since this machine started, asleep or not: jumps are held against it."""
    return time.clock_gettime_ns(_BOOT_CLOCK) // 1_000_000


def build_channels(stillhere: Stillhere) -> dict[str, Channel]:
    """The channels this installation is configured for, by name."""
    builders: list[Callable[[Stillhere], dict[str, Channel]]] = []
    channels: dict[str, Channel] = {}
    for build in builders:
        channels |= build(stillhere)
    return channels
