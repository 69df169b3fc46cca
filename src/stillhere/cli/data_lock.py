"""Who may run on a data folder: one `stillhere up`, one engine, and one process at a time that
builds its static files.

Owns the lock files. The kernel releases a lock when its holder ends, however it ends, so there are
no stale locks to clean up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from stillhere.config import keys
from stillhere.config.environment import SettingError, Stillhere

LOCK_FILE = "lock"
ENGINE_FILE = "engine.lock"


@contextlib.contextmanager
def held(stillhere: Stillhere) -> Iterator[None]:
    """Create the data folder if needed, and hold it. Raises `SettingError` if somebody else holds
    it, saying who, or if it belongs to a demo and this is none, or the other way round."""
    there = stillhere.data.exists()
    before = {path.name for path in stillhere.data.iterdir()} if there else None
    keys.require_folder(stillhere)
    keys.ensure_folder(stillhere.data)
    with _locked(stillhere.data / LOCK_FILE, fcntl.LOCK_EX | fcntl.LOCK_NB) as descriptor:
        if descriptor is None:
            raise SettingError(_who(stillhere.data))
        with _nothing_left(stillhere.data, before):
            _enter(stillhere, descriptor)
            yield


def _enter(stillhere: Stillhere, descriptor: int) -> None:
    """Write into the lock who holds it. Raises `SettingError` where a demo and a real one meet."""
    if keys.exist(stillhere.keys):  # a new folder becomes what it is started as
        keys.keep_apart(stillhere.data, demo=stillhere.demo)
    where = f"{os.getpid()} {stillhere.base_url} {stillhere.host} {stillhere.port}\n"
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, where.encode(), 0)
    except OSError as error:  # a full disk names no file
        error.filename = error.filename or str(stillhere.data)
        raise


@contextlib.contextmanager
def _nothing_left(data: Path, before: set[str] | None) -> Iterator[None]:
    """On failure, remove the folder of keys and the lock that were made, and the data folder if
    there was none ``before``; never one that holds more."""
    try:
        yield
    except BaseException:
        left = {path.name for path in data.iterdir()}
        with contextlib.suppress(OSError):
            if left <= {keys.FOLDER, LOCK_FILE} | (before or set()):
                if keys.FOLDER not in (before or ()):
                    (data / keys.FOLDER).rmdir()
                if LOCK_FILE not in (before or ()):
                    (data / LOCK_FILE).unlink()
                if before is None:
                    data.rmdir()
        raise


@contextlib.contextmanager
def only_engine(stillhere: Stillhere) -> Iterator[None]:
    """Be the only engine on the SQLite database in this folder; raises `SettingError` that says who
    is. On PostgreSQL there may be several.

    The engine holds the lock itself: two engines would each take the other's messages for
    abandoned, and send them twice.
    """
    if stillhere.database_url:
        yield
        return
    with _locked(stillhere.data / ENGINE_FILE, fcntl.LOCK_EX | fcntl.LOCK_NB) as descriptor:
        if descriptor is None:
            pid = (stillhere.data / ENGINE_FILE).read_text().strip()
            raise SettingError(
                f"An engine already runs on {stillhere.data}: process {pid or '?'}. "
                "One is enough, so this one was not started. `stillhere up` has its own."
            )
        with contextlib.suppress(OSError):  # a full disk is no reason not to ask anybody
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield


@contextlib.contextmanager
def turn(file: Path) -> Iterator[None]:
    """Wait for our turn at whatever this file guards."""
    with _locked(file, fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def _locked(file: Path, how: int) -> Iterator[int | None]:
    """A lock on a file created for it, or None if somebody else has it and we do not wait."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    keys.own(file)
    try:
        try:
            fcntl.flock(descriptor, how)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)


def follow_running(data: Path) -> None:
    """Use the address of the process running on ``data`` for the rest of this command, whatever
    this shell is set to: a link with another address opens nothing. If none runs, nothing
    changes."""
    os.environ |= running(data)


def running(data: Path) -> dict[str, str]:
    """The settings of the process running on ``data``, as far as it recorded them; empty if none
    runs."""
    try:
        pid, url, host, port = (data / LOCK_FILE).read_text().split()
        with contextlib.suppress(PermissionError):  # it runs, as somebody else
            os.kill(int(pid), 0)
    except (OSError, ValueError, OverflowError):
        return {}
    return {
        "STILLHERE_BASE_URL": url,
        "STILLHERE_HOST": host,
        "STILLHERE_PORT": port,
    }


def _who(data: Path) -> str:
    pid, url = [*(data / LOCK_FILE).read_text().split(), "", ""][:2]
    return (
        f"Stillhere already runs on {data}: process {pid or '?'}, {url or 'just starting'}. "
        "Stop that one first, or give this one a folder of its own with STILLHERE_DATA."
    )
