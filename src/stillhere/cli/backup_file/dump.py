"""A database as one file, and back: SQLite by its online backup, PostgreSQL by pg_dump.

Owns calling PostgreSQL's own programs, what is counted at the very moment of the copy, and the
check that a database is empty. Never changes the database it copies. Passwords are passed in the
environment, where no list of processes shows them.
"""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from pathlib import Path

import psycopg
from psycopg import IsolationLevel, sql

from stillhere import programs
from stillhere.cli import database
from stillhere.cli.backup_file import integrity, postgresql_programs
from stillhere.cli.backup_file.integrity import DamagedDatabase, Rows
from stillhere.config import databases
from stillhere.config.environment import SettingError, Stillhere
from stillhere.store.installation import backups
from stillhere.store.installation.backups import MARK, Contents

# Tables that pg_dump writes: everybody's own, and none that an extension brought.
_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


def copy_sqlite(file: Path, copy: Path) -> None:
    """Copy a SQLite database page by page while others write to it; a damaged page is copied as it
    is. Raises `sqlite3.Error`, and `Damaged` if it is no longer a database."""
    try:
        with (
            contextlib.closing(integrity.connect(file)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # no room, no right, held by another
            raise
        raise DamagedDatabase(f"it cannot be read ({error})") from None


def sqlite_contents(copy: Path) -> Contents:
    """What a copied database holds. Raises `sqlite3.Error`."""
    with contextlib.closing(integrity.connect(copy, still=True)) as found:
        return backups.contents(found.cursor())


def dump_postgresql(stillhere: Stillhere, copy: Path) -> tuple[Contents, Rows]:
    """Write what PostgreSQL holds at one moment into ``copy``; returns what it held at that moment.
    Raises `SettingError` and `psycopg.Error`."""
    with psycopg.connect(database.address(stillhere, password=True)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        cursor = connection.cursor()
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {limit} = 0".encode())  # it takes as long as pg_dump does
        ((snapshot,),) = cursor.execute("SELECT pg_export_snapshot()").fetchall()
        held = backups.contents(cursor)
        rows = {
            f"{schema}.{table}": cursor.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            ).fetchall()[0][0]
            for schema, table in cursor.execute(_TABLES.encode()).fetchall()
        }
        _run(
            stillhere,
            "pg_dump",
            "--format=custom", "--no-owner", "--no-privileges",
            f"--snapshot={snapshot}", f"--file={copy}",
        )  # fmt: skip
    return held, rows


def restore_sqlite(copy: Path) -> None:
    """Mark a copied database as restored, so that it can be used. Raises `SettingError`."""
    try:
        with contextlib.closing(sqlite3.connect(copy)) as found:
            found.execute(MARK)
            found.commit()
            found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise SettingError(f"The database in this backup cannot be used: {error}.") from None


def restore_postgresql(stillhere: Stillhere, copy: Path) -> None:
    """Fill the empty database from ``copy``, all or nothing, and mark it restored. Raises
    `SettingError`."""
    _run(
        stillhere,
        "pg_restore",
        "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", str(copy),
    )  # fmt: skip
    with psycopg.connect(database.address(stillhere, password=True)) as connection:
        connection.execute(MARK)


def require_empty_postgresql(stillhere: Stillhere) -> None:
    """Raise `SettingError` if there already is a table, or the server does not answer."""
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
    environment = programs.environment("PG", **({"PGPASSWORD": password} if password else {}))
    done = subprocess.run(
        [postgresql_programs.find(program), f"--dbname={at}", *arguments],
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
