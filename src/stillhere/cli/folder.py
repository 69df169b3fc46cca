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
        os.pwrite(descriptor, f"{os.getpid()} {stillhere.base_url}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _who(data: Path) -> str:
    pid, _, url = (data / LOCK_FILE).read_text().strip().partition(" ")
    return (
        f"Stillhere already runs on {data}: process {pid or '?'}, {url or 'just starting'}. "
        "Stop that one first, or give this one a folder of its own with STILLHERE_DATA."
    )
