"""Who else on this machine can read the keys, or change files in the data folder.

Owns what is said about it, at a start and in `stillhere check`. Changes no permission. The folder's
own group may write there: whoever set up that group chose so.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from stillhere.config import keys


def look(data: Path, folder: Path | None = None) -> Iterator[str]:
    """What is open to others, one sentence each. ``folder`` is the one of the keys, where it is not
    in the data folder."""
    folder = folder or data / keys.FOLDER
    if str(folder) == os.environ.get("CREDENTIALS_DIRECTORY"):  # systemd's, with rights of its own
        return
    readable = [path.name for path in sorted(folder.iterdir()) if _mode(path) & 0o077]
    if readable:
        names = ", ".join(readable)
        yield f"Others on this machine can read {names} in keys/: chmod 600 {folder}/*"
    changeable = [
        path for path in _kept(data, folder) if _mode(path) & 0o002 and _is_reached(path, data)
    ]
    if changeable:
        more = f" (and {len(changeable) - 1} more)" if len(changeable) > 1 else ""
        yield (
            f"Anybody on this machine can change {changeable[0]}{more}, or put something else in "
            f"its place: chmod -R o-w {data}"
        )


def _kept(data: Path, folder: Path) -> Iterator[Path]:
    """What nobody else may change."""
    yield from (data, folder, *sorted(folder.iterdir()), *sorted(data.glob("*.sqlite3*")))


def _is_reached(path: Path, data: Path) -> bool:
    """Whether anybody can get through the folders above it, up to the data folder."""
    folders = [data, *(each for each in path.parents if data in each.parents)]
    return all(_mode(each) & 0o001 for each in folders)


def _mode(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):  # SQLite's own come and go
        return stat.S_IMODE(path.stat().st_mode)
    return 0
