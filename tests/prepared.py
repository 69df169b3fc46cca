"""What `stillhere migrate` makes of nothing, made once a process and then copied.

Owns one pattern for each kind of database. A copy has keys of its own, as if it had been migrated
itself; ``tests/cli/test_up.py`` proves that nothing else is different.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from functools import cache
from pathlib import Path

import psycopg

from stillhere.config import keys
from tests import commands

SERVER = os.environ.get("STILLHERE_DATABASE_URL", "")  # of this run; nothing on SQLite


@cache
def _pattern(on_postgresql: bool) -> tuple[Path, str]:
    """A data folder that was migrated, and the name of its database on PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="stillhere-pattern-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environment = commands.inherited() | {"STILLHERE_DATA": str(folder / "data")}
    name = f"pattern_{uuid.uuid4().hex}" if on_postgresql else ""
    if name:
        _on_server(f'CREATE DATABASE "{name}"')
        environment["STILLHERE_DATABASE_URL"] = f"{SERVER.rpartition('/')[0]}/{name}"
    command = [sys.executable, "-m", "stillhere", "migrate"]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    return folder / "data", name


def _on_server(*statements: str) -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


def prepare(data: Path, database_url: str, *, demo: bool) -> None:
    """Fill ``data``, which is not there yet, and the database of ``database_url``, which is empty
    and on the server of this run; on SQLite the url is empty."""
    pattern, name = _pattern(bool(database_url))
    keys.ensure_folder(data)
    keys.create_missing(data / keys.FOLDER, demo=demo)
    for file in pattern.iterdir():
        if file.is_file():
            shutil.copy(file, data / file.name)
    if database_url:
        server, _, own = database_url.rpartition("/")
        assert server == SERVER.rpartition("/")[0]
        _on_server(f'DROP DATABASE "{own}"', f'CREATE DATABASE "{own}" TEMPLATE "{name}"')
