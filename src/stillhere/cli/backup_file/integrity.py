"""Whether a copied database is whole: its pages, its references, its rows.

Owns what "whole" means, for a backup, for a restore and for the copy before migrations. Knows
nothing of who wrote the copy, never changes it, and needs no server and no Django.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from stillhere import programs
from stillhere.cli.backup_file import postgresql_programs

Rows = Mapping[str, int]  # how many there are, by table

_COPY = re.compile(rb"COPY (.+?) \((.*)\) FROM stdin;\n")


class DamagedDatabase(ValueError):
    """The database is damaged. The message says what is wrong, as part of a sentence."""


def connect(database: Path, *, still: bool = False) -> sqlite3.Connection:
    """Open a SQLite file read-only. ``still``: nobody else has it open, so leave no trace."""
    options = "mode=ro&immutable=1" if still else "mode=ro"
    return sqlite3.connect(f"{database.absolute().as_uri()}?{options}", uri=True)


def tables(found: sqlite3.Connection) -> list[str]:
    """Every table of a SQLite database."""
    rows = found.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    return [name for (name,) in rows]


def prove_sqlite(copy: Path) -> Rows:
    """Read every page, index and reference of a copied database. Raises `Damaged`."""
    try:
        with contextlib.closing(connect(copy, still=True)) as found:
            names = tables(found)
            if found.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise DamagedDatabase(f"not all of it can be read ({_where(found, names)})")
            dangling = found.execute("PRAGMA foreign_key_check").fetchone()
            if dangling is not None:
                raise DamagedDatabase(
                    f"a row of {dangling[0]} names one of {dangling[2]} that is gone"
                )
            return {name: _count(found, name) for name in names}
    except sqlite3.Error as error:
        raise DamagedDatabase(f"it cannot be read ({error})") from None


def _count(found: sqlite3.Connection, table: str) -> int:
    (count,) = found.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608  ours
    return int(count)


def _where(found: sqlite3.Connection, names: Iterable[str]) -> str:
    """Which tables, with their indexes, are damaged; a table may be too damaged to ask."""
    broken = [name for name in names if not is_readable(found, name)]
    return f"damaged: {', '.join(broken)}" if broken else "damaged between the tables"


def is_readable(found: sqlite3.Connection, table: str) -> bool:
    """Whether every page of a table and of its indexes can be read. Raises
    `sqlite3.OperationalError` if the check was interrupted."""
    try:
        said: object = found.execute(f'PRAGMA quick_check("{table}")').fetchone()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False
    return said == ("ok",)


def prove_dump(dump: Path) -> Rows:
    """Read a PostgreSQL dump to its end, every row of it. Raises `Damaged`, and `SettingError` if
    PostgreSQL's programs are not installed."""
    rows: dict[str, int] = {}
    table = ""
    with _reading(dump) as reading:
        for line in cast("IO[bytes]", reading.stdout):
            begun = None if table else _COPY.fullmatch(line)
            if begun:
                table = begun[1].decode().replace('"', "")
                rows[table] = 0
            elif line == b"\\.\n":
                table = ""
            elif table:
                rows[table] += 1
    if reading.returncode or table:
        raise DamagedDatabase("what PostgreSQL wrote cannot be read to its end")
    return rows


def dumped(dump: Path, table: str, columns: Sequence[str]) -> Iterator[tuple[bytes, ...]]:
    """The values of these binary columns of one table in a PostgreSQL dump; nothing if it is not
    there. Raises `SettingError` if PostgreSQL's programs are not installed."""
    places: list[int] | None = None
    with _reading(dump, f"--table={table}") as reading:
        for line in cast("IO[bytes]", reading.stdout):
            begun = _COPY.fullmatch(line)
            if begun:
                names = begun[2].decode().replace('"', "").split(", ")
                places = [names.index(column) for column in columns if column in names]
            elif line == b"\\.\n":
                places = None
            elif places is not None and len(places) == len(columns):
                cells = line.rstrip(b"\n").split(b"\t")
                with contextlib.suppress(ValueError):  # NULL is no bytes
                    yield tuple(_bytes(cells[place]) for place in places)


def _bytes(cell: bytes) -> bytes:
    return bytes.fromhex(cell.decode("ascii").removeprefix("\\\\x"))


def _reading(dump: Path, *more: str) -> subprocess.Popen[bytes]:
    """PostgreSQL's own program, writing the rows of a dump as text."""
    program = postgresql_programs.find("pg_restore")
    return subprocess.Popen(
        [program, "--data-only", "--file=-", *more, str(dump)],
        env=programs.environment("PG"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def compare(found: Rows, wanted: Rows) -> None:
    """Raise `Damaged` if a table holds a different number of rows than was recorded."""
    for table, count in wanted.items():
        if table not in found:
            raise DamagedDatabase(f"{table} is not in it")
        if found[table] != count:
            raise DamagedDatabase(f"{table} holds {found[table]} rows, and {count} were there")


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
