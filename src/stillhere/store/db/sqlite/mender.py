"""When indexes are made anew while we run: once this process has met a page that it cannot read.

Owns how often. What cannot be mended so (a table itself is torn) is tried again now and then, for a
disk may tear more than one page.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.conf import settings
from django.db import connection

from stillhere.store.db.disk import DISK
from stillhere.store.db.sqlite import indexes

log = logging.getLogger("stillhere.damage")

EVERY_MS = 60_000  # real time: it reads the whole file


class Mender:
    """One for each process, so that what any of them meets is mended."""

    def __init__(self) -> None:
        self._tried_ms = -EVERY_MS

    def round(self) -> list[str]:
        """Mend if there is reason to; returns the tables whose indexes are new. Raises
        `sqlite3.Error` if the file stays locked."""
        boot = settings.BOOT_MS()
        if not DISK.damaged or connection.vendor != "sqlite" or boot - self._tried_ms < EVERY_MS:
            return []
        self._tried_ms, DISK.damaged = boot, False
        mended = indexes.mend(Path(connection.settings_dict["NAME"]))
        if mended:
            log.critical("indexes could not be read and were made anew: %s", ", ".join(mended))
        return mended
