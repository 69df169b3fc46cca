"""Checks whether a SQLite database is up to date without loading Django.

Owns a shortcut, nothing else: almost every start finds nothing to do, and finding that out with
Django takes longer than the rest of the supervisor. Anything that is not exactly as expected (no
file, no keys, another set of migrations) is left to ``actions/migrate.py``, which knows what to do
about it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from stillhere.cli.backup_file import integrity
from stillhere.config import databases, keys
from stillhere.config.environment import Stillhere

MIGRATIONS = Path(__file__).resolve().parent.parent / "store" / "migrations"


def ours() -> set[str]:
    """The migrations of this release, as "app.name"."""
    return {f"store.{path.stem}" for path in MIGRATIONS.glob("[0-9]*.py")}


def is_current(stillhere: Stillhere) -> bool:
    """Whether the database holds exactly our migrations, so that there is nothing to prepare."""
    database = stillhere.data / databases.SQLITE_FILE
    if stillhere.database_url or not keys.exist(stillhere.keys) or not database.exists():
        return False
    try:
        with contextlib.closing(integrity.connect(database)) as found:
            rows = found.execute("SELECT app, name FROM django_migrations")
            return {f"{app}.{name}" for app, name in rows} == ours()
    except sqlite3.Error:
        return False
