"""What the database said about its disk when it would not write: full, read-only, broken.

Owns reading the errors of both databases, and the last such error, once per process. Both of our
connections (``store/db/sqlite``, ``store/db/postgresql``) report every error here, so the first
statement that fails is enough, whoever issued it. Only time clears it: a write that fits says
little about the next one.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.utils import DatabaseErrorWrapper

log = logging.getLogger("stillhere.disk")

FULL = "the disk is full"
READ_ONLY = "the database can only be read"
BROKEN = "the disk of the database does not work"
LEAST_ROOM = 64 * 1024  # bytes: without them SQLite often says no more than that it could not write
HOLDS_MS = 5_000  # this process tries to write every second

_OF_SQLITE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_IOERR: BROKEN,
    sqlite3.SQLITE_CANTOPEN: BROKEN,
}
_OF_POSTGRESQL = {"53100": FULL, "58030": BROKEN}
_OF_THE_SYSTEM = {
    errno.ENOSPC: FULL,  # no blocks, or no inodes
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EIO: BROKEN,
}


def meaning(failure: BaseException) -> str:
    """What a driver's error says about the disk, or nothing."""
    if isinstance(failure, sqlite3.Error):
        said = _OF_SQLITE.get(getattr(failure, "sqlite_errorcode", 0) & 0xFF, "")
        return FULL if said == BROKEN and full(settings.STILLHERE.data, LEAST_ROOM) else said
    if isinstance(failure, OSError):
        return _OF_THE_SYSTEM.get(failure.errno or 0, "")
    return _OF_POSTGRESQL.get(getattr(failure, "sqlstate", None) or "", "")


@dataclass(slots=True)
class Disk:
    """``met_ms`` is on the boot clock."""

    said: str = ""
    met_ms: int = 0
    damaged: bool = False  # a page that cannot be read was met since this was last set to false

    def meet(self, failure: BaseException) -> None:
        """Remember what an error says about the disk, if anything."""
        said = meaning(failure)
        if said:
            self.said, self.met_ms = said, settings.BOOT_MS()
            log.error("%s", said)
        if isinstance(failure, sqlite3.Error):
            code = getattr(failure, "sqlite_errorcode", 0) & 0xFF
            self.damaged = self.damaged or code == sqlite3.SQLITE_CORRUPT

    def says(self) -> str:
        """What was reported recently, or nothing."""
        recent = self.said and settings.BOOT_MS() - self.met_ms < HOLDS_MS
        return self.said if recent else ""


DISK = Disk()


def full(folder: Path, least: int = 1) -> bool:
    """Whether there is no room for ``least`` bytes on the disk of this folder. Writes may still fit
    into existing files."""
    try:
        there = os.statvfs(folder)
    except OSError:
        return False
    return there.f_bavail * there.f_frsize < least or (there.f_files > 0 and there.f_favail == 0)


class Noticing(DatabaseErrorWrapper):
    """Django's error wrapper, which also remembers what an error says about the disk."""

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_value is not None:
            DISK.meet(exc_value)
        super().__exit__(exc_type, exc_value, traceback)
