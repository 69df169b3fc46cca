"""A database as one file, and back: SQLite by its online copy, PostgreSQL by pg_dump.

Owns finding and calling PostgreSQL's own programs, and the question whether a database is empty.
Never changes the database it copies. A password goes to them by the environment, where no list of
processes shows it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import psycopg

from stillhere.cli import database
from stillhere.config import databases
from stillhere.config.environment import SettingError, Stillhere
from stillhere.store.backups import MARK

PROGRAMS = Path("/usr/lib/postgresql")  # where Debian keeps each version's own


def copy_sqlite(file: Path, copy: Path) -> None:
    """Copy a SQLite database whole while others write to it. Raises `sqlite3.Error`."""
    with (
        contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
        contextlib.closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)


def dump_postgresql(stillhere: Stillhere, copy: Path) -> None:
    """Write what PostgreSQL holds at one moment into ``copy``. Raises `SettingError`."""
    _run(
        stillhere,
        "pg_dump",
        "--format=custom", "--no-owner", "--no-privileges", f"--file={copy}",
    )  # fmt: skip


def restore_sqlite(copy: Path) -> None:
    """Make a copied database ready to go on: prove it whole, mark it restored. Raises
    `SettingError`."""
    try:
        with contextlib.closing(sqlite3.connect(copy)) as found:
            said = found.execute("PRAGMA quick_check").fetchone()
            if said != ("ok",):
                raise SettingError(f"The database in this backup is damaged: {said[0]}.")
            found.execute(MARK)
            found.commit()
            found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise SettingError(f"The database in this backup cannot be used: {error}.") from None


def restore_postgresql(stillhere: Stillhere, copy: Path) -> None:
    """Fill the empty database from ``copy``, all of it or nothing, and mark it restored. Raises
    `SettingError`."""
    _run(
        stillhere,
        "pg_restore",
        "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(copy),
    )  # fmt: skip
    with psycopg.connect(database.address(stillhere, password=True)) as connection:
        connection.execute(MARK)


def require_empty_postgresql(stillhere: Stillhere) -> None:
    """Raise `SettingError` where a table is there already, or nobody answers."""
    try:
        with psycopg.connect(database.address(stillhere, password=True)) as connection:
            row = connection.execute(
                "SELECT count(*) FROM information_schema.tables "
                "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
            ).fetchone()
    except psycopg.Error as error:
        raise database.problem(error, stillhere) from None
    if row != (0,):
        raise SettingError(
            "The database in STILLHERE_DATABASE_URL is not empty, and nothing is ever overwritten. "
            "Make a new one (createdb) and name that."
        )


def _run(stillhere: Stillhere, program: str, *arguments: str) -> None:
    at = database.address(stillhere, password=False)
    password = databases.postgresql(stillhere.database_url)["PASSWORD"]
    environment = dict(os.environ) | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run(
        [_find(program), f"--dbname={at}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise SettingError(f"{program} did not succeed; it said: {_first_error(said)}")


def _first_error(lines: list[str]) -> str:
    return next((line for line in lines if "error" in line), lines[0])[:300]


def _find(program: str) -> str:
    """The newest version of one of PostgreSQL's programs. Raises `SettingError`."""
    versions = [p for p in PROGRAMS.glob(f"*/bin/{program}") if re.fullmatch(r"\d+", p.parts[-3])]
    newest = max(versions, key=lambda path: int(path.parts[-3]), default=None)
    found = str(newest) if newest is not None else shutil.which(program)
    if found is None:
        raise SettingError(
            f"{program} is not here. Install PostgreSQL's client programs, as new as your server "
            "(on Debian: postgresql-client)."
        )
    return found
