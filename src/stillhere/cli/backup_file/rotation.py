"""Backups in their own folder: their names, and which ones may be removed.

Owns one promise: nothing is removed until a newer backup has been proved whole, and only files with
a name that we gave. A folder belongs to one installation.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

_NAME = re.compile(r"\d{8}T\d{6}Z\.backup(\.damaged)?")
_HALF = re.compile(rf"\.{_NAME.pattern}\.part")  # of a run that was killed


def name(folder: Path, now: int) -> Path:
    """A new file in ``folder``, named after the time (ms UTC), or the next free second: a clock may
    return to an earlier time. The names sort in order of time."""
    while True:
        file = folder / f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}.backup"
        if not file.exists():
            return file
        now += 1000


def damaged(file: Path) -> Path:
    """The name for what is kept of a damaged database."""
    return file.with_name(f"{file.name}.damaged")


def has_damaged(file: Path) -> bool:
    """Whether a copy of the damaged database has been kept since the newest backup beside ``file``:
    the first such copy holds the most, and they must not fill the disk."""
    if damaged(file).exists():
        return True
    if not _NAME.fullmatch(file.name):
        return False
    there = _ours(file.parent)
    return bool(there) and there[-1].suffix == ".damaged"


def let_go(folder: Path, newest: Path, keep: int) -> list[Path]:
    """Remove what is older than the ``keep`` newest, of which ``newest`` was just proved whole;
    returns what was removed."""
    whole = [path for path in _ours(folder) if path.suffix == ".backup" and path != newest]
    oldest = min([newest, *whole[max(0, len(whole) - keep + 1) :]], key=lambda path: path.name)
    gone = [path for path in _ours(folder) if path.name < oldest.name]
    halves = [path for path in folder.iterdir() if _HALF.fullmatch(path.name)]
    for path in gone + halves:
        path.unlink(missing_ok=True)
    return gone


def _ours(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
