"""PostgreSQL as the product uses it, and a cheap way back to an empty database.

Owns what a test's end costs, and that a forgotten transaction becomes an error instead of a test
that hangs for ever. Django truncates every table, and PostgreSQL then makes new files for
every table and each of its indexes, though most were empty. Here only what has rows is deleted. All
tables are locked first, as TRUNCATE would: a transaction that a test forgot still shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

from stillhere.store.db.postgresql import base
from stillhere.store.db.timeouts import PATIENCE


class Operations(DatabaseOperations):
    """Django's, but for ``flush``."""

    def sql_flush(
        self,
        style: Any,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        """One statement. Foreign keys are checked when it ends, so the order is of no matter."""
        assert not reset_sequences, "ids go on counting from test to test"
        if not tables:
            return []
        names = [self.quote_name(table) for table in tables]
        deletes = (f"IF EXISTS (SELECT FROM {t}) THEN DELETE FROM {t}; END IF;" for t in names)
        return [f"LOCK TABLE {', '.join(names)}", f"DO $$ BEGIN {' '.join(deletes)} END $$"]


class DatabaseWrapper(base.DatabaseWrapper):
    """The product's, with the above."""

    ops_class = Operations

    def init_connection_state(self) -> None:
        """Whoever is impatient has shorter limits already."""
        super().init_connection_state()
        if PATIENCE.limit_s is None:
            with self.cursor() as cursor:
                cursor.execute("SET lock_timeout = '20s'")
                cursor.execute("SET idle_in_transaction_session_timeout = '30s'")
