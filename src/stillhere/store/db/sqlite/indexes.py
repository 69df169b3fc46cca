"""Indexes of a SQLite file that cannot be read any more, made anew from their tables.

An index holds nothing that its table does not. Owns finding a table that is whole while one of its
indexes is not, and giving that index another page to begin on: SQLite's own REINDEX first empties
the old one, which it must read for that. Works on a file that is in use. Knows no Django.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

WAIT_S = 5.0  # for whoever writes just now
_SPARE = "stillhere_spare"


def mend(file: Path) -> list[str]:
    """Make the indexes of each table anew that is whole while they are not; returns those tables.
    Raises `sqlite3.Error` if the file cannot be opened, or stays locked."""
    options = {"timeout": WAIT_S, "isolation_level": None}
    uri = f"{file.absolute().as_uri()}?mode=rw"
    with contextlib.closing(sqlite3.connect(uri, uri=True, **options)) as found:  # type: ignore[call-overload]
        sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 ORDER BY name"
        names = [name for (name,) in found.execute(sql).fetchall()]
        torn = [name for name in names if not _reads(found, f'PRAGMA quick_check("{name}")')]
        mended = [name for name in torn if _whole(found, name) and _anew(found, name)]
        if mended:  # the old pages belong to nobody: a backup would call that damage
            with contextlib.suppress(sqlite3.Error):
                found.execute("VACUUM")
        return mended


def _reads(found: sqlite3.Connection, sql: str) -> bool:
    try:
        said: object = found.execute(sql).fetchone()
    except sqlite3.OperationalError:  # locked: not a word about its pages
        raise
    except sqlite3.DatabaseError:
        return False
    return said == ("ok",)


def _whole(found: sqlite3.Connection, table: str) -> bool:
    """Whether every row of it can be read without any index."""
    try:
        for _ in found.execute(f'SELECT * FROM "{table}" NOT INDEXED'):
            pass
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return False
    return True


def _anew(found: sqlite3.Connection, table: str) -> bool:
    """In one transaction, or not at all."""
    sql = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?"
    names = [name for (name,) in found.execute(sql, [table]).fetchall()]
    try:
        found.execute("BEGIN IMMEDIATE")
        for name in names:
            _begin_elsewhere(found, table, name)
            found.execute(f'REINDEX "{name}"')
        found.execute("COMMIT")
    except sqlite3.OperationalError:
        _give_up(found)
        raise
    except sqlite3.DatabaseError:
        _give_up(found)
        return False
    return True


def _begin_elsewhere(found: sqlite3.Connection, table: str, index: str) -> None:
    """Let this index begin on an empty page, which an index without rows brings along."""
    [column] = found.execute("SELECT name FROM pragma_table_info(?)", [table]).fetchone()
    found.execute(f'CREATE INDEX {_SPARE} ON "{table}" ("{column}") WHERE 0')
    found.execute("PRAGMA writable_schema = ON")
    found.execute(
        "UPDATE sqlite_schema SET rootpage = "
        "(SELECT rootpage FROM sqlite_schema WHERE name = ?) WHERE name = ?",
        [_SPARE, index],
    )
    found.execute("DELETE FROM sqlite_schema WHERE name = ?", [_SPARE])
    found.execute("PRAGMA writable_schema = RESET")


def _give_up(found: sqlite3.Connection) -> None:
    if found.in_transaction:
        found.execute("ROLLBACK")
    found.execute("PRAGMA writable_schema = RESET")
