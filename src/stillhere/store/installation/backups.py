"""What a backup records about its database, when the last one was whole, and how a database shows
that it was restored from one.

Plain SQL over columns that every release has, because a backup may be older than the code. Needs no
models, so it can be loaded before there are settings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import DatabaseError, connection

# One row among the outages: `stillhere restore` writes it, the engine finds it when it starts, asks
# everybody first and turns it into an outage like any other. The gap begins with the engine's last
# beat in the backup; a database that never beat has watched nobody.
WAITING = "restored, nobody asked yet"
DONE = "restored from a backup"
MARK = (
    "INSERT INTO outage (from_at, to_at, why) "
    f"SELECT beat_at, beat_at, '{WAITING}' FROM installation WHERE beat_at > 0"
)


class Cursor(Protocol):
    """The parts that those of SQLite and PostgreSQL have in common."""

    def execute(self, query: Any, /) -> Any: ...
    def fetchall(self) -> list[Any]: ...


@dataclass(frozen=True, slots=True)
class Contents:
    """``migrations`` are "app.name", sorted; what is open is counted, no more."""

    migrations: tuple[str, ...]
    open_watches: int
    open_alarms: int


def contents(cursor: Cursor) -> Contents:
    """What a database holds. Raises its driver's error where there are no tables."""
    cursor.execute("SELECT app, name FROM django_migrations")
    migrations = tuple(sorted(f"{app}.{name}" for app, name in cursor.fetchall()))
    cursor.execute(
        "SELECT (SELECT count(*) FROM watch WHERE wake_at IS NOT NULL), (SELECT count(*) "
        "FROM watch WHERE state IN ('alarm', 'claimed', 'attended'))"
    )
    ((watches, alarms),) = cursor.fetchall()
    return Contents(migrations, watches, alarms)


def keep(now: int) -> None:
    """Record that a backup was whole at ``now`` (ms UTC). A database that has not been migrated yet
    has no column for it, and is worth backing up all the same."""
    with suppress(DatabaseError), connection.cursor() as cursor:
        cursor.execute("UPDATE installation SET backed_up_at = %s WHERE id = 1", [now])
