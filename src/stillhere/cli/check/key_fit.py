"""Whether the keys are here, and open the database that is here.

Owns the question and what is said. A well-formed key that is the wrong one lets everything start
and reaches nobody. A few rows are opened, because a single one may be damaged. A database with
nothing sealed in it proves nothing, and one that cannot be read is reported elsewhere.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

from stillhere.cli import database, unlock
from stillhere.cli.backup_file import bundle, integrity, record
from stillhere.cli.check import damage
from stillhere.config import databases, keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.store.db import encryption

_SOME = 5  # rows of each table: one that is damaged is no reason not to start
_SEALED = (("person", "name"), ("contact", "name"), ("address", "value"))


def require(stillhere: Stillhere) -> None:
    """Raise `SettingError` if the keys do not open what the database holds: those that this process
    works with where it has read them, for the file may hold others by now."""
    masters = stillhere.master_keys or keys.read_master(stillhere.keys)
    if not opens(_found(stillhere), masters):
        raise SettingError(
            f"The keys in {stillhere.keys} do not open this database: nobody could "
            "be reached. Nothing was changed. Put back the keys that belong to it; they lie in "
            f"every backup. {record.newest(stillhere.data)} `stillhere restore FILE` into a new "
            "folder brings them."
        )


def require_usable(stillhere: Stillhere) -> None:
    """Raise `SettingError` where the database is gone, or the keys do not open it."""
    damage.require_there(stillhere)
    require(stillhere)
    if keys.NEXT in stillhere.link_keys:
        raise SettingError(
            "A change of the links' key was interrupted: `stillhere up` finishes it, or `stillhere "
            "keys new-links`."
        )


def require_keys(stillhere: Stillhere) -> None:
    """Raise `SettingError` if a key is missing, saying whether there ever was one, or waits for a
    passphrase that nobody gives."""
    require_there(stillhere)
    unlock.require(stillhere)


def require_there(stillhere: Stillhere) -> None:
    """Raise `SettingError` if a key is missing, saying whether there ever was one."""
    if keys.exist(stillhere.keys):
        return
    keys.require_folder(stillhere)
    if damage.traces(stillhere.data) or damage.holds(stillhere):
        raise SettingError(missing(stillhere))
    raise SettingError(
        f"There is no installation in {stillhere.data} yet: `stillhere up`. If it is in another "
        "folder, name that in STILLHERE_DATA."
    )


def require_whole(stillhere: Stillhere) -> None:
    """Raise `SettingError` if a key is missing or damaged, naming the newest backup."""
    require_keys(stillhere)
    try:
        keys.require_whole(stillhere.keys)
    except SettingError as error:
        raise SettingError(f"{error} {record.newest(stillhere.data)}") from None


def missing(stillhere: Stillhere) -> str:
    """What is said if there is a database but a key to it is missing."""
    folder = stillhere.keys
    lost = " and ".join(name for name in keys.NAMES if not (folder / name).exists())
    empty = " and an empty database in STILLHERE_DATABASE_URL" if stillhere.database_url else ""
    return (
        f"Not in {folder}: {lost}. Without the keys nobody in the database can be reached, and "
        "nothing was changed. Put them back from your backup. "
        f"{record.newest(stillhere.data)} Name a new folder in STILLHERE_DATA{empty}, type "
        f"`stillhere restore FILE`, and copy its {keys.FOLDER}/ to {folder}."
    )


def require_of_backup(work: Path, kind: str, data: Path) -> None:
    """As ``require``, for the keys and the database of this ``kind`` unpacked in ``work``. Where
    the keys have a passphrase, the installation in ``data`` may know what opens them."""
    file = work / bundle.DATABASE
    unlock.require_of_backup(work / keys.FOLDER, data)
    try:
        masters = keys.read_master(work / keys.FOLDER)
        keys.read_links(work / keys.FOLDER)
    except SettingError:
        raise SettingError("The keys in this backup are damaged. Take an older one.") from None
    found = _of_dump(file) if kind == bundle.POSTGRESQL else _of_sqlite(file, still=True)
    if not opens(found, masters):
        raise SettingError(
            "The keys in this backup do not open its database: nobody in it could be reached. "
            "Nothing was put in place. Take an older one."
        )


Sealed = tuple[str, bytes, bytes]  # field, nonce, what was sealed


def opens(found: Iterable[Sealed], masters: Mapping[int, bytes]) -> bool:
    """Whether at least one of these opens, or there are none."""
    empty = True
    for field, nonce, blob in found:
        empty = False
        with contextlib.suppress(encryption.SealBroken):
            encryption.unseal_with(masters, blob, field, nonce)
            return True
    return empty


def _found(stillhere: Stillhere) -> list[Sealed]:
    if stillhere.database_url:
        return _of_postgresql(stillhere)
    file = stillhere.data / databases.SQLITE_FILE
    return _of_sqlite(file) if file.exists() else []


def _of_sqlite(file: Path, *, still: bool = False) -> list[Sealed]:
    found: list[Sealed] = []
    for table, column in _SEALED:
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(integrity.connect(file, still=still)) as connection,
        ):
            rows = connection.execute(_query(table, column))
            found += [(f"{table}.{column}", nonce, blob) for nonce, blob in rows]
    return found


def _of_dump(file: Path) -> list[Sealed]:
    found: list[Sealed] = []
    for table, column in _SEALED:
        rows = (row for row in integrity.dumped(file, table, ("nonce", column)) if row[1])
        found += [(f"{table}.{column}", nonce, blob) for nonce, blob in deque(rows, _SOME)]
    return found


def _of_postgresql(stillhere: Stillhere) -> list[Sealed]:
    found: list[Sealed] = []
    with (
        contextlib.suppress(psycopg.Error),
        psycopg.connect(database.address(stillhere, password=True)) as connection,
    ):
        for table, column in _SEALED:
            rows = connection.execute(_query(table, column).encode()).fetchall()
            found += [(f"{table}.{column}", nonce, blob) for nonce, blob in rows]
    return found


def _query(table: str, column: str) -> str:
    return (
        f"SELECT nonce, {column} FROM {table} WHERE length({column}) > 0 "  # noqa: S608  ours
        f"ORDER BY id DESC LIMIT {_SOME}"
    )
