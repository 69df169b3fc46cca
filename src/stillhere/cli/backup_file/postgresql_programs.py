"""PostgreSQL's own programs on this machine.

Owns finding them, and the message if they are missing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from stillhere import programs
from stillhere.config.environment import SettingError

FOLDER = Path("/usr/lib/postgresql")  # where Debian keeps each version's own


def find(program: str) -> str:
    """The newest version of one of PostgreSQL's programs. Raises `SettingError`."""
    versions = [p for p in FOLDER.glob(f"*/bin/{program}") if re.fullmatch(r"\d+", p.parts[-3])]
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    found = str(newest) if newest is not None else shutil.which(program)
    if found is None:
        raise SettingError(
            f"{program} is not here. Install PostgreSQL's client programs, as new as your server "
            "(on Debian: postgresql-client)."
        )
    return found


def version(program: str) -> int:
    """The major version of the one that is used. Raises `SettingError`."""
    told = subprocess.run(
        [find(program), "--version"],
        env=programs.environment("PG"),
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"\d+", told.stdout)
    if found is None:
        raise SettingError(f"{program} does not say its version. Install it again.")
    return int(found[0])
