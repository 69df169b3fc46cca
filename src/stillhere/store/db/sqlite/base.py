"""Django's SQLite, with a queue in front of every transaction that writes (all of ours do).

Named by ``config/databases.py``; Django looks for ``DatabaseWrapper`` in a module called ``base``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import base
from django.utils.functional import cached_property

from stillhere.store.db.disk import Noticing
from stillhere.store.db.sqlite.write_queue import Turnstile


class PlainCursor(base.SQLiteCursorWrapper):
    """Django's, but for how it puts SQLite's sign for a parameter into a statement."""

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """The same without a pattern: on a statement of 500 rows that took as long as running
        it."""
        if param_names is None and "%%" not in query:
            return query.replace("%s", "?")
        converted: str = super().convert_query(query, param_names=param_names)  # type: ignore[misc]
        return converted


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a turn at BEGIN and gives it back after COMMIT or ROLLBACK, whatever the outcome.
    ``mode`` among the options is that of SQLite's URIs: with "rw" it makes no file."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._turnstile: Turnstile | None = None

    @cached_property
    def wrap_database_errors(self) -> Noticing:
        return Noticing(self)

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        mode = params.pop("mode", None)
        if mode and not self.is_in_memory_db():
            params["database"] = f"{Path(params['database']).absolute().as_uri()}?mode={mode}"
        return params

    def create_cursor(self, name: str | None = None) -> PlainCursor:
        """As Django does, with our own."""
        cursor: PlainCursor = self.connection.cursor(factory=PlainCursor)
        return cursor

    def get_new_connection(self, conn_params: Any) -> Any:
        if not self.is_in_memory_db():
            self._turnstile = Turnstile(str(self.settings_dict["NAME"]))
        return super().get_new_connection(conn_params)

    def _start_transaction_under_autocommit(self) -> None:
        if self._turnstile is None:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        with self.wrap_database_errors:
            self._turnstile.enter()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._turnstile.leave()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            if self._turnstile is not None:
                self._turnstile.close()
                self._turnstile = None

    def _leave(self) -> None:
        if self._turnstile is not None:
            self._turnstile.leave()
