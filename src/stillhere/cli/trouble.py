"""What is said when a folder, a disk or a database file does not do what we need.

Owns these sentences for every command, and recognizing which fault it is; each says what to do.
Knows no Django: Django's exceptions have the driver's error as their cause.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pwd
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from stillhere.cli.backup_file import record
from stillhere.config import databases

LEAST_ROOM = 64 * 1024  # bytes: what SQLite takes for its shared memory, and a little more
_WRITTEN = ("*.sqlite3*", "*.lock", "static")  # what a start must write, beside the folder itself
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def sentence(error: BaseException, data: Path) -> str | None:
    """What to say about ``error``; None if it is not one of ours. ``data`` is the data folder."""
    for fault in _chain(error):
        if isinstance(fault, OSError):
            named = fault.filename if isinstance(fault.filename, str | os.PathLike) else data
            inner = Path(named).name.startswith(f"{databases.SQLITE_FILE}-")
            said = _of_the_system(fault.errno, data if inner else Path(named))
        elif isinstance(fault, sqlite3.Error):
            said = _of_sqlite(fault, data)
        else:
            continue
        if said is not None:
            return said
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _of_the_system(number: int | None, path: Path) -> str | None:
    if number == errno.EROFS:
        return read_only(path)
    if number in (errno.EACCES, errno.EPERM):
        return forbidden(path)
    if number in FULL:
        return f"There is no room for {path}: the disk is full. Make room and try again."
    if number == errno.EIO:
        return f"The disk of {path} cannot be read or written any more. Look at it at once."
    if number == errno.EISDIR:
        return f"{path} is a folder, and a file is needed here. Name a file in it."
    return None


def _of_sqlite(fault: sqlite3.Error, data: Path) -> str | None:
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    # On a full disk SQLite often says no more than that it could not write.
    unclear = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
    if code in unclear and (said := in_the_way(data)):
        return said
    if code == sqlite3.SQLITE_FULL or (code in unclear and is_full(data)):
        return f"There is no room in {data}: the disk is full. Make room and try again."
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return unwritable(data) or f"The database in {data} cannot be opened ({fault})."
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"The database in {data} is damaged ({fault}). {record.way_back(data)}"
    if code == sqlite3.SQLITE_IOERR:
        return f"The disk of {data} cannot be read or written any more. Look at it at once."
    return None


def is_full(data: Path) -> bool:
    """Whether the disk of this folder has no room even for what SQLite needs to open a file."""
    try:
        disk = os.statvfs(data)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < LEAST_ROOM


def in_the_way(data: Path) -> str | None:
    """What is in the place of SQLite's file and cannot be a database; None if nothing is."""
    file = data / databases.SQLITE_FILE
    if file.is_dir():
        return (
            f"{file} is a folder, and the database is a file of this name. Move the folder away. "
            f"{record.way_back(data)}"
        )
    if file.is_symlink() and not file.exists():
        return (
            f"{file} is a link to {file.readlink()}, which is not there. Bring it back: is its "
            f"disk mounted? {record.way_back(data)}"
        )
    return None


def unwritable(data: Path) -> str | None:
    """Why this user cannot write to the data folder, or to what is in it; None if it can."""
    if said := in_the_way(data):
        return said
    needed = (path for name in _WRITTEN for path in sorted(data.glob(name)))
    for path in (data, *needed):
        if not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
            system = os.statvfs(path).f_flag if path.exists() else 0
            return read_only(path) if system & os.ST_RDONLY else forbidden(path)
    return None


def read_only(path: Path) -> str:
    """The disk accepts no writes."""
    return (
        f"{path} cannot be written: its disk is read-only. Make it writable, or name another "
        "folder with STILLHERE_DATA."
    )


def forbidden(path: Path) -> str:
    """It belongs to another user, or to this one without the right to write."""
    there = path
    while not os.path.exists(there) and there != there.parent:  # noqa: PTH110  never raises
        there = there.parent
    whose, me = owner(there), _me()
    if whose == me:
        return f"{there} cannot be written, though it is yours: chmod u+rwX {there}"
    if owner(there.parent) == me:
        return (
            f"{there} belongs to {whose}, and its folder to {me}, who cannot use it. As an "
            f"administrator: chown -R {me} {there.parent}"
        )
    return (
        f"The user {me} may not use {path}. {there} belongs to the user {whose}: run "
        f"this as {whose}, or name another place."
    )


def others(data: Path) -> list[Path]:
    """Files in the data folder that belong to a different user than the folder."""
    whose, found = data.stat().st_uid, list[Path]()
    for path in sorted(data.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_uid != whose:
                found.append(path)
    return found


def owner(path: Path) -> str:
    """The name of the user a file belongs to."""
    try:
        return _name(path.stat().st_uid)
    except OSError:
        return "somebody else"


def _me() -> str:
    return _name(os.geteuid())


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"
