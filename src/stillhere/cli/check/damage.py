"""Whether the database is there, and whether SQLite's file can be read while it is in use.

Owns how much to check in a given time, and what is said. A check costs a reader's time and changes
nothing; the full proof of a copy is in ``integrity.py``. A PostgreSQL server looks after its own
pages; whether it is the one we filled is checked here.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stillhere.cli import data_lock, database, trouble
from stillhere.cli.backup_file import integrity, record
from stillhere.config import databases
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import boot_ms
from stillhere.store.db.sqlite import indexes

START_MS = 400  # a start waits for it, and nobody is watched meanwhile
CHECK_MS = 30_000
FIRST = ("django_migrations", "installation", "watch", "outage", "person", "contact", "message")
NOBODY = "NOBODY IS WATCHED NOW. Phone everybody who counts on this."
EVERYBODY = "Everybody is watched."
# What must be read for anybody to be watched. Of two ends of a table one is enough, for one torn
# page costs only those who lie on it.
_NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {
    "installation": (("SELECT * FROM installation",),),
    "watch": (
        ("SELECT min(wake_at) FROM watch WHERE wake_at IS NOT NULL",),
        ("SELECT min(id) FROM watch NOT INDEXED", "SELECT max(id) FROM watch NOT INDEXED"),
    ),
    "message": (
        ("SELECT max(id) FROM message NOT INDEXED",),
        ("SELECT DISTINCT channel FROM message WHERE status = 'queued'",),
    ),
}
# What follows where only these cannot be read; the first that fits.
_FOLLOWS = (
    (("person", "contact", "address", "watch", "message", "set_aside"),
     "Whoever can be read is asked and alarmed for; whoever cannot is not watched."),
    (("outage",), f"{EVERYBODY} After an absence an alarm comes without a question first."),
    (("journal",), f"{EVERYBODY} What happens may not be written down."),
)  # fmt: skip
# What is made only once there is a database.
TRACES = (
    data_lock.ENGINE_FILE,
    "static",
    "backups/stillhere-*.sqlite3",
    f"{databases.SQLITE_FILE}-*",  # what SQLite and we write beside it
)
_EVERY = 2_000  # of SQLite's own steps between two looks at the time


@dataclass(frozen=True, slots=True)
class DamageReport:
    """The tables that cannot be read completely, whether there was time to check all of them, and
    whether nobody can be watched because of it."""

    damaged: tuple[str, ...] = ()
    finished: bool = True
    blind: bool = False  # nobody can be watched


def look(stillhere: Stillhere, within_ms: int) -> DamageReport:
    """Check the database's tables, those that watches need first, for ``within_ms`` at most. Raises
    `SettingError` if it is no longer a database, is gone, or cannot be opened."""
    require_there(stillhere)
    file = stillhere.data / databases.SQLITE_FILE
    if stillhere.database_url or not file.exists():
        return DamageReport()
    until = boot_ms() + within_ms
    try:
        with contextlib.closing(integrity.connect(file)) as found:
            names = sorted(integrity.tables(found), key=lambda name: (_rank(name), name))
            found.set_progress_handler(lambda: boot_ms() > until, _EVERY)
            return _through(found, names)
    except sqlite3.Error as error:
        raise SettingError(_unusable(error, stillhere.data)) from None


def mend(stillhere: Stillhere) -> str:
    """Make indexes anew whose tables are whole; returns what is said of it, or nothing."""
    if stillhere.database_url:
        return ""
    try:
        mended = indexes.mend(stillhere.data / databases.SQLITE_FILE)
    except sqlite3.Error as error:
        raise SettingError(_unusable(error, stillhere.data)) from None
    if not mended:
        return ""
    return (
        f"The disk is damaged: an index of {', '.join(mended)} could not be read, and was made "
        "anew from its table. Nothing is lost. Make a backup now, and look at the disk."
    )


def require_there(stillhere: Stillhere) -> None:
    """Raise `SettingError` if something else is in the database's place, or if it is gone or empty
    although there are signs that one existed: a new one would look fine and watch nobody."""
    if not stillhere.database_url and (said := trouble.in_the_way(stillhere.data)):
        raise SettingError(said)
    if stillhere.demo:  # each demo begins anew, and watches nobody
        return
    if not is_gone(stillhere):
        return
    shows = traces(stillhere.data)
    gone, look = f"The database {stillhere.data / databases.SQLITE_FILE} is gone", ""
    if stillhere.database_url:
        gone = "The database in STILLHERE_DATABASE_URL is empty"
        look = "Look at the name in it first: is it another one? "
    raise SettingError(
        f"{gone}, and {shows[0].name} in {stillhere.data} shows that there was one. No new one was "
        f"made, for it would watch nobody. {look}{record.way_back(stillhere.data)} "
        "To begin anew on purpose, name a new folder in STILLHERE_DATA."
    )


def is_gone(stillhere: Stillhere) -> bool:
    """Whether there is no database although there are signs that one existed."""
    return bool(traces(stillhere.data)) and holds(stillhere) is False


def traces(data: Path) -> list[Path]:
    """Files in the data folder that show that there was a database."""
    found = [path for name in TRACES for path in data.glob(name)]
    return found + ([data / record.FILE] if record.read(data).whole else [])


def require_filled(stillhere: Stillhere) -> None:
    """Raise `SettingError` where there is no database with tables, whatever the reason: what starts
    on it makes files that would show that there was one."""
    require_there(stillhere)
    if holds(stillhere) is False:
        raise SettingError(database.NOT_READY)


def holds(stillhere: Stillhere) -> bool | None:
    """Whether there is a database that was ever prepared; None if it cannot be asked."""
    if stillhere.database_url:
        return database.holds(stillhere)
    names = _tables(stillhere)
    return None if names is None else "django_migrations" in names


def holds_nothing(stillhere: Stillhere) -> bool:
    """Whether there is no file of SQLite's, or one in which nothing is."""
    return _tables(stillhere) == []


def _tables(stillhere: Stillhere) -> list[str] | None:
    """What SQLite's file holds; nothing where there is none, None where it cannot be asked."""
    file = stillhere.data / databases.SQLITE_FILE
    if not file.exists() or not file.stat().st_size:
        return []
    try:
        with contextlib.closing(integrity.connect(file)) as found:
            return integrity.tables(found)
    except sqlite3.Error:
        return None


def _rank(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def _through(found: sqlite3.Connection, names: list[str]) -> DamageReport:
    damaged: list[str] = []
    for name in names:
        try:
            if not integrity.is_readable(found, name):
                damaged.append(name)
        except sqlite3.OperationalError:  # the time is over
            return DamageReport(tuple(damaged), finished=False, blind=_blind(found, damaged))
    return DamageReport(tuple(damaged), blind=_blind(found, damaged))


def _blind(found: sqlite3.Connection, damaged: Iterable[str]) -> bool:
    """Whether something cannot be read without which nobody is watched."""
    found.set_progress_handler(None, 0)
    needed = [ways for name in damaged for ways in _NEEDED.get(name, ())]
    return any(not any(_answers(found, sql) for sql in ways) for ways in needed)


def _answers(found: sqlite3.Connection, sql: str) -> bool:
    try:
        found.execute(sql).fetchall()
    except sqlite3.OperationalError:  # no such column yet: not a word about its pages
        return True
    except sqlite3.DatabaseError:
        return False
    return True


def _unusable(error: sqlite3.Error, data: Path) -> str:
    return trouble.sentence(error, data) or f"The database in {data} cannot be opened: {error}."


def sentence(found: DamageReport, data: Path) -> str:
    """What is said if something cannot be read, and who is still being watched."""
    follows = (who for names, who in _FOLLOWS if set(names) & set(found.damaged))
    who = NOBODY if found.blind else next(follows, EVERYBODY)
    tables = ", ".join(found.damaged)
    return (
        f"THE DATABASE IS DAMAGED: not all of {tables} can be read. {who} {record.way_back(data)}"
    )
