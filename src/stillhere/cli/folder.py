"""One process at a time may run on a data folder.

Owns the lock file. The kernel drops the lock when its holder ends, however it ends, so there is
no stale lock to clean up.
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


@contextlib.contextmanager
def held(stillhere: Stillhere) -> Iterator[None]:
    """Make the data folder and hold it; raise `SettingError` that says who holds it already, or
    that it is a demo's and this is not, or the other way round."""
    keys.ensure_folder(stillhere.data)
    descriptor = os.open(stillhere.data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(_who(stillhere.data)) from None
        if keys.exist(stillhere.data):  # a new folder becomes what it is started as
            keys.keep_apart(stillhere.data, demo=stillhere.demo)
        os.ftruncate(descriptor, 0)
        where = f"{os.getpid()} {stillhere.base_url} {stillhere.host} {stillhere.port}\n"
        os.pwrite(descriptor, where.encode(), 0)
        yield
    finally:
        os.close(descriptor)


def follow_running(data: Path) -> None:
    """Let the rest of this command speak of the address of the one that runs on ``data``, whatever
    this shell is set to: a link with another address opens nothing. Where none runs nothing
    changes."""
    try:
        pid, url, host, port = (data / LOCK_FILE).read_text().split()
        with contextlib.suppress(PermissionError):  # it runs, as somebody else
            os.kill(int(pid), 0)
    except (OSError, ValueError, OverflowError):
        return
    os.environ |= {
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
