"""What pages that wait are told by: whose pages must show something else.

Whatever changes what a page shows says so here, in its own transaction; a plain check-in in an open
watch does not, because it comes a thousand times a second and moves only the next ask. Reading
costs what changed, not what is open. Nothing depends on it but how soon a page knows: each one that
waits is looked at once a minute in any case (``web/live``), so a table that is damaged is done
without.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from stillhere.store.db import bulk
from stillhere.store.db.optional_tables import CHANGES
from stillhere.store.models import PageChange

KEPT_MS = 10 * 60_000  # a process that read nothing for so long looks at every page anyway
MOST_READ = 5_000
MOST_FORGOTTEN = 20_000
# PostgreSQL hands out numbers before it commits: a lower one may still appear for so long.
LATE_MS = 5_000


def note(persons: Collection[int], now: int) -> None:
    """The pages of ``persons`` and of those on their lists show something else from ``now`` on,
    ms UTC. In the caller's transaction."""
    if persons:
        lines = [(person, now) for person in persons]
        CHANGES.around(lambda: bulk.insert("page_change", ("person", "at"), lines), None)


def forget(now: int) -> None:
    """Erase what everybody has read long ago, the oldest first."""
    oldest = PageChange.objects.order_by("id").values_list("id", "at")[:MOST_FORGOTTEN]
    ids = [id for id, at in oldest if at < now - KEPT_MS]
    if ids:
        PageChange.objects.filter(id__lte=ids[-1]).delete()


@dataclass(slots=True)
class ChangeReader:
    """Whose pages changed since it was asked the last time; the first time nobody's did. For one
    thread: it compares what its own connection sees."""

    _settled: int | None = None  # of this number and those before it nothing new can appear
    _seen: dict[int, int] = field(default_factory=dict)  # later ones that were read: boot clock, ms
    _version: int = -1  # SQLite: of the database

    def read(self) -> set[int]:
        """Persons, by id. Raises what the database raises, unless the table is damaged."""
        return CHANGES.around(self._read, set())

    def _read(self) -> set[int]:
        if self._unchanged():
            return set()
        if self._settled is None:
            self._settled = self._newest()
            return set()
        most = MOST_READ + len(self._seen)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, person FROM page_change WHERE id > %s ORDER BY id LIMIT %s",
                (self._settled, most),
            )
            rows = cursor.fetchall()
        if len(rows) == most:
            self._version = -1  # there may be more
        fresh = [(id, person) for id, person in rows if id not in self._seen]
        self._settle([id for id, _ in fresh])
        return {person for _, person in fresh}

    def _settle(self, fresh: list[int]) -> None:
        now, late_ms = settings.BOOT_MS(), LATE_MS if connection.vendor == "postgresql" else 0
        self._seen |= dict.fromkeys(fresh, now)
        old = [id for id, read_ms in self._seen.items() if now - read_ms >= late_ms]
        self._settled = max([self._settled or 0, *old])
        self._seen = {id: ms for id, ms in self._seen.items() if id > self._settled}

    def _unchanged(self) -> bool:
        """Whether nobody else wrote to this SQLite file since the last time: that costs no read."""
        if connection.vendor != "sqlite":
            return False
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")
            version = cursor.fetchone()[0]
        before, self._version = self._version, version
        return bool(version == before)

    def _newest(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(id) FROM page_change")
            return int(cursor.fetchone()[0] or 0)
