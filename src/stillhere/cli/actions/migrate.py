"""Brings the database up to date, and never loses the old one.

Owns the order: refuse a newer database, back up, migrate. Only one process does this at a time: on
SQLite the lock of the data folder ensures it, on PostgreSQL an advisory lock.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from stillhere.cli import database
from stillhere.cli.backup_file import dump, integrity, record
from stillhere.cli.backup_file.integrity import DamagedDatabase
from stillhere.cli.check import damage, key_fit
from stillhere.config import keys
from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.wiring import wall_ms

BACKUPS_KEPT = 5
_ADVISORY_LOCK = 8_420_001  # any number, the same for every Stillhere


def migrate(stillhere: Stillhere, new_keys: list[str]) -> list[str]:
    """Create or update the tables; returns the names of the migrations applied now. ``new_keys``
    were created in this start. Raises `SettingError`."""
    try:
        with _alone():
            return _migrate(stillhere, new_keys)
    except (DatabaseError, sqlite3.Error) as error:
        raise database.problem(error, stillhere) from None
    finally:
        connection.close()


def _migrate(stillhere: Stillhere, new_keys: list[str]) -> list[str]:
    if connection.vendor == "sqlite" and damage.holds_nothing(stillhere):
        with _made_aside(Path(settings.DATABASES["default"]["NAME"]).resolve()):
            return _apply(stillhere, new_keys)
    return _apply(stillhere, new_keys)


@contextlib.contextmanager
def _made_aside(file: Path) -> Iterator[None]:
    """Make a new database beside its place, and put it there when it has all its tables: what a
    start that was killed leaves is never taken for the database of an installation."""
    part = file.with_name(f"{file.name}.new")
    for left_behind in file.parent.glob(f"{part.name}*"):
        left_behind.unlink()
    part.touch(0o600)
    connection.close()
    named, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], str(part)
    finished = False
    try:
        yield
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finished = True
    finally:
        connection.close()
        connection.settings_dict["NAME"] = named
        if not finished:  # on a full disk it would only take room
            for left_behind in file.parent.glob(f"{part.name}*"):
                left_behind.unlink()
    keys.sync_file(part)
    keys.own(part)
    part.rename(file)
    for beside in file.parent.glob(f"{part.name}-*"):  # they show from now on that there is one
        beside.rename(beside.with_name(beside.name.replace(part.name, file.name)))
    keys.sync_folder(file.parent)


def _apply(stillhere: Stillhere, new_keys: list[str]) -> list[str]:
    executor = MigrationExecutor(connection)
    loader = executor.loader
    applied = set(loader.applied_migrations)
    if applied and new_keys:
        keys.forget_created(stillhere.keys, new_keys)
        raise SettingError(key_fit.missing(stillhere))
    newer = sorted(applied - set(loader.disk_migrations) - set(loader.replacements))
    if newer:
        raise SettingError(
            f"The database was written by a newer Stillhere ({newer[-1][1]}). Use that version, "
            "or put back the backup from before it."
        )
    targets = loader.graph.leaf_nodes()
    plan = executor.migration_plan(targets)
    if plan and applied and connection.vendor == "sqlite":
        back_up(Path(settings.DATABASES["default"]["NAME"]), stillhere.data)
    if plan:
        executor.migrate(targets, plan)
    return [migration.name for migration, _backwards in plan]


def back_up(file: Path, data: Path) -> Path:
    """Copy a SQLite database into ``backups`` in the data folder and prove that the copy is whole;
    keep the newest five. Returns the copy. Raises `SettingError` if it is damaged, and then removes
    nothing."""
    backups = data / "backups"
    backups.mkdir(mode=0o700, exist_ok=True)
    keys.own(backups)
    moment = datetime.fromtimestamp(wall_ms() / 1000, UTC)
    copy = backups / f"stillhere-{moment:%Y%m%dT%H%M%S%fZ}.sqlite3"
    part = copy.with_suffix(".part")
    try:
        dump.copy_sqlite(file, part)
        integrity.prove_sqlite(part)
        keys.sync_file(part)
        keys.own(part)
        part.rename(copy)
        keys.sync_folder(backups)
    except DamagedDatabase as error:
        raise SettingError(
            f"The database is damaged: {error}. It was not brought up to date, and nothing was "
            f"changed: the release before goes on with what it can read. {record.way_back(data)}"
        ) from None
    finally:
        part.unlink(missing_ok=True)
    for old in sorted(backups.glob("stillhere-*.sqlite3"))[:-BACKUPS_KEPT]:
        old.unlink()
    return copy


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Several machines may start on one PostgreSQL: one migrates, the others wait."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ADVISORY_LOCK])
    try:
        yield
    finally:
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_ADVISORY_LOCK])
