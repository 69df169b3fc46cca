"""Whether SQLite's file can be read, looked at while it is in use.

Owns how far one looks in a given time, and what is said. A look costs a reader's time and changes
nothing; the whole proof of a copy is ``integrity.py``'s. A PostgreSQL server looks after its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from stillhere.cli import integrity, record, trouble
from stillhere.config import databases
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import boot_ms

START_MS = 400  # a start waits for it, and nobody is watched meanwhile
CHECK_MS = 30_000
FIRST = ("django_migrations", "installation", "watch", "outage", "person", "contact", "message")
_EVERY = 2_000  # of SQLite's own steps between two looks at the time


@dataclass(frozen=True, slots=True)
class Look:
    """The tables of which something cannot be read, and whether there was time for all of them."""

    damaged: tuple[str, ...] = ()
    finished: bool = True


def look(stillhere: Stillhere, within_ms: int) -> Look:
    """Look through the database's tables, what watches need first, for ``within_ms`` at most.
    Raises `SettingError` where it is no database any more, or cannot be opened."""
    database = stillhere.data / databases.SQLITE_FILE
    if stillhere.database_url or not database.exists():
        return Look()
    until = boot_ms() + within_ms
    try:
        with contextlib.closing(integrity.connect(database)) as found:
            names = sorted(integrity.tables(found), key=lambda name: (_rank(name), name))
            found.set_progress_handler(lambda: boot_ms() > until, _EVERY)
            return _through(found, names)
    except sqlite3.Error as error:
        raise SettingError(_unusable(error, stillhere.data)) from None


def _rank(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _through(found: sqlite3.Connection, names: list[str]) -> Look:
    damaged: list[str] = []
    for name in names:
        try:
            if not integrity.is_readable(found, name):
                damaged.append(name)
        except sqlite3.OperationalError:  # the time is over
            return Look(tuple(damaged), finished=False)
    return Look(tuple(damaged))


def _unusable(error: sqlite3.Error, data: Path) -> str:
    return trouble.sentence(error, data) or f"The database in {data} cannot be opened: {error}."


def sentence(found: Look, data: Path) -> str:
    """What is said where something cannot be read."""
    return (
        f"THE DATABASE IS DAMAGED: not all of {', '.join(found.damaged)} can be read. Whoever can "
        f"be read is asked and alarmed for; whoever cannot is not watched. {record.way_back(data)}"
    )
