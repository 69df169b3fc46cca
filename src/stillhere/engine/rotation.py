"""A rotation of the data key, carried to its end in the background.

Owns the round: everything is sealed under the newest key, a little at a time, and a key that no row
names is retired. That takes a whole look at all rows that began a day after the newest key began to
seal: by then every process of every machine seals with it. Knows no files; what removes a key is
handed down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping

from django.conf import settings
from django.db import DatabaseError

from stillhere.store.db.key_ring import DataKey, KeyRing, sealing
from stillhere.store.installation import reseal
from stillhere.store.models.sealed_columns import SEALED

log = logging.getLogger("stillhere.keys")

ROUND_MS = 200  # how long one round works
REST_MS = 60_000  # after a look at everything, before the next one
RETIRE_MS = 24 * 3600 * 1000


class Rotation:
    """One for each engine. A look begins again with a start: it costs a read of the tables."""

    def __init__(self) -> None:
        self._newest = 0
        self._rested_ms = 0
        self._begin(0)

    def _begin(self, wall: int) -> None:
        self._began_at, self._table, self._after = wall, 0, 0
        self._found = 0

    def round(self) -> int:
        """Seal some rows anew; returns how many. Nothing to do where there is one key."""
        ring = settings.STILLHERE.master_keys
        if not isinstance(ring, KeyRing) or len(ring) == 1:
            return 0
        return self._round(ring.known(), settings.WALL_MS(), settings.RETIRE_KEYS)

    def _round(
        self,
        known: Mapping[int, DataKey],
        wall: int,
        retire: Callable[[Collection[int]], bool],
    ) -> int:
        newest, boot = sealing(known, wall), settings.BOOT_MS()
        older = [number for number in known if number < newest]
        if newest != self._newest:
            self._newest, self._rested_ms = newest, boot
            self._begin(wall)
        if not older or boot < self._rested_ms:
            return 0
        try:
            done = self._look(newest, boot + ROUND_MS)
        except DatabaseError:
            self._rested_ms = boot + REST_MS
            raise
        if self._table == len(SEALED):
            sealed_all_day = self._began_at >= known[newest].seals_from_at + RETIRE_MS
            if not self._found and sealed_all_day and retire(older):
                log.warning("data keys retired numbers=%s", ",".join(map(str, older)))
            self._rested_ms = boot + REST_MS
            self._begin(wall)
        return done

    def _look(self, newest: int, until_ms: int) -> int:
        """Go on where the last round stopped."""
        done = 0
        while self._table < len(SEALED):
            part = reseal.some(SEALED[self._table], self._after, newest)
            done += part.done
            self._found += part.done + part.left
            self._table, self._after = (
                (self._table + 1, 0) if part.last is None else (self._table, part.last)
            )
            if settings.BOOT_MS() >= until_ms:
                break
        return done
