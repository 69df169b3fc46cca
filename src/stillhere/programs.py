"""What a program that we start may know, and how two of ours find each other.

Owns the environment of everything that is not our own process: ours holds passwords of mail
servers, carriers and databases, and whatever the shell held that started us; another program would
carry them on, and show them to whoever looks at it. And the names of sockets in a data folder.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PAGES_BESIDE = "PAGES_BESIDE"  # the supervisor tells its children that one of them makes the pages
_NEEDED = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
})  # fmt: skip
_KINDS = ("LC_", "FONTCONFIG_", "XDG_", "PYTHON", "VIRTUAL_ENV")


def environment(*kinds: str, **more: str) -> dict[str, str]:
    """The environment for another program: what any program needs, names that begin with one of
    these ``kinds`` ("PG"), and ``more``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _NEEDED or name.startswith((*_KINDS, *kinds))
    }
    return kept | more


@contextlib.contextmanager
def short_name(folder: Path) -> Iterator[str]:
    """Another name for a folder: that of a socket has room for a hundred letters. Raises
    `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        named = f"/proc/self/fd/{descriptor}"
        yield named if Path(named).is_dir() else str(folder)
    finally:
        os.close(descriptor)
