"""Backups in a folder of their own: their names, and which may go.

Owns one promise: nothing is removed but after a newer one was proved whole, and only what bears a
name that we give. A folder belongs to one installation.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

_NAME = re.compile(r"\d{8}T\d{6}Z\.backup(\.damaged)?")
_HALF = re.compile(rf"\.{_NAME.pattern}\.part")  # of a run that was killed


def name(folder: Path, now: int) -> Path:
    """A new file in ``folder``, named by the time (ms UTC), or by the next second that is free: a
    clock may come back to where it was. The names sort as the times do."""
    while True:
        file = folder / f"{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}.backup"
        if not file.exists():
            return file
        now += 1000


def damaged(file: Path) -> Path:
    """The name of what is kept of a database that was not whole."""
    return file.with_name(f"{file.name}.damaged")


def has_damaged(file: Path) -> bool:
    """Whether some of a damaged database was kept already since the newest backup beside
    ``file``: the first such copy holds the most, and a disk is not filled with them."""
    if damaged(file).exists():
        return True
    if not _NAME.fullmatch(file.name):
        return False
    there = _ours(file.parent)
    return bool(there) and there[-1].suffix == ".damaged"


def let_go(folder: Path, newest: Path, keep: int) -> list[Path]:
    """Remove what is older than the ``keep`` newest, of which ``newest`` was just proved whole;
    what was removed."""
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
