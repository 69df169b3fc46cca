"""What erasure leaves in PostgreSQL's files, and when it goes.

A row that was erased or changed stays in its table's file until the page it lay on is written anew;
an ordinary VACUUM only gives its place free. So a table is rewritten, which keeps everybody else
out of it meanwhile: only one that is small enough for that to take no longer than a slow commit, at
most once an hour, and never where it would have to wait. SQLite zeroes what is erased
(``erasure.vacuum_traces``). What lies in the write-ahead log, in archives and in backups is not
reached from here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper

log = logging.getLogger("stillhere.erasure")

EVERY_MS = 3_600_000  # real time
MOST_BYTES = 16 * 1024 * 1024  # of a table that is rewritten: about a third of a second
WAITS_MS = 100  # for a table that somebody uses: whoever comes after us waits as long
RESTORED_MOST = 100  # tries to lift a limit again
LONGEST_MS = 500  # of a rewrite: on a slow disk it is given up, and nobody waits any longer
# What changed since the database was made, by table; autovacuum does not set it back.
_CHANGED = """
SELECT relname, n_tup_upd + n_tup_del, pg_table_size(relid) FROM pg_stat_user_tables
WHERE schemaname = current_schema() AND relname = ANY(%s)
"""


class Vacuum:
    """One for each engine: remembers what it has rewritten."""

    def __init__(self) -> None:
        self._tried_ms = settings.BOOT_MS()
        self._changed: dict[str, int] = {}

    def round(self) -> list[str]:
        """Once an hour, `rewrite`; returns the tables that were."""
        boot = settings.BOOT_MS()
        if connection.vendor != "postgresql" or boot - self._tried_ms < EVERY_MS:
            return []
        self._tried_ms = boot
        return self.rewrite()

    def rewrite(self) -> list[str]:
        """Rewrite every table in which a row was erased or changed since the last time; returns
        their names. One that is in use is left for the next time. Call it outside a transaction."""
        done = []
        with connection.cursor() as cursor:
            for table, changed, size in _tables(cursor):
                if changed == self._changed.get(table, 0):
                    continue
                small = size <= MOST_BYTES
                limits = {"lock_timeout": WAITS_MS}
                limits |= {"statement_timeout": LONGEST_MS} if small else {}
                try:
                    with _limited(cursor, limits):
                        cursor.execute(f'VACUUM {"(FULL) " if small else ""}"{table}"')
                except OperationalError:  # it is held, or it takes too long
                    log.info("not rewritten table=%s bytes=%d", table, size)
                    continue
                self._changed[table] = changed
                done.append(table)
        return done


def _tables(cursor: CursorWrapper) -> list[tuple[str, int, int]]:
    ours = [model._meta.db_table for model in apps.get_app_config("store").get_models()]
    cursor.execute(_CHANGED, [ours])
    return list(cursor.fetchall())


@contextmanager
def _limited(cursor: CursorWrapper, limits: Mapping[str, int]) -> Iterator[None]:
    """The server's limits (ms) are these meanwhile, and then what they were."""
    before = {}
    for name, ms in limits.items():
        cursor.execute("SELECT current_setting(%s)", [name])
        (before[name],) = cursor.fetchone()
        cursor.execute("SELECT set_config(%s, %s, false)", [name, f"{ms}ms"])
    try:
        yield
    finally:
        for name, said in reversed(before.items()):
            _restore(cursor, name, said)


def _restore(cursor: CursorWrapper, name: str, said: str) -> None:
    """What it was. The very limit that is lifted holds while it is: on a busy machine it may take
    longer, and is tried again; a connection that keeps it serves nobody and is closed."""
    for _ in range(RESTORED_MOST):
        with suppress(OperationalError):
            cursor.execute("SELECT set_config(%s, %s, false)", [name, said])
            return
    connection.close()
    raise OperationalError(f"{name} stays as it is")
