"""A real SQLite database for each night, and the points between any two statements where a process
may die.

Owns the connection the simulated processes use: a migrated template, made once, is copied into
memory for every night. Refuses to be durable (there is no disk here), and to touch the database of
the installation it runs in. What is proved here is order and atomicity; that a commit survives a
power cut is tested with real files and real kills.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from django.core.management import call_command
from django.db import OperationalError, connections
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.utils import ConnectionHandler

from stillhere.store.db import clock
from stillhere.store.db.clock import ClockRow
from stillhere.store.watches import rows
from stillhere.store.watches.rows import Row

_DATABASE = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=OFF;"},
    }
}


class Crash(BaseException):
    """The process dies here: no handler of ours may catch it, only the database rolls back."""


@dataclass(slots=True)
class Fuse:
    """Burns one statement at a time, then the process dies, or the database refuses."""

    left: int
    dies: bool = True


class Storage:
    """The database, and who is at it. ``acting`` names the process whose statement it is;
    ``between`` is called where another process may get in, unless it wants to be ``alone``."""

    def __init__(self) -> None:
        self._ours = cast("DatabaseWrapper", ConnectionHandler(_DATABASE)["default"])
        self._template = sqlite3.connect(":memory:")
        self.acting: str | None = None
        self.fuses: dict[str, Fuse] = {}
        self.statements = 0
        self.between: Callable[[], None] = lambda: None
        self.alone = False
        self.held = False  # somebody else keeps the database to themselves
        self._clock, self._clock_of = ClockRow(), -1
        self._beats = 0

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Stand in for this thread's database."""
        theirs = connections["default"]
        connections["default"] = self._ours
        self._ours.ensure_connection()
        self._ours.execute_wrappers.append(self._at_each_statement)
        try:
            yield
        finally:
            self._ours.execute_wrappers.remove(self._at_each_statement)
            self._ours.close()
            connections["default"] = theirs

    def make_template(self, fill: Callable[[], None]) -> None:
        """Migrate once, let ``fill`` write what every night begins with, and keep that."""
        call_command("migrate", verbosity=0, interactive=False)
        fill()
        self.raw.backup(self._template)

    def fresh(self) -> None:
        """Begin a night: everything as in the template."""
        assert not self._ours.in_atomic_block
        self._template.backup(self.raw)
        self._clock_of = -1
        self.acting, self.fuses, self.between, self.alone = None, {}, lambda: None, False
        self.held = False

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection itself, for looking on without being one of the processes."""
        return cast("sqlite3.Connection", self._ours.connection)

    @property
    def in_transaction(self) -> bool:
        return self._ours.in_atomic_block

    def burn(self) -> None:
        """One more point at which the acting process may die."""
        fuse = self.fuses.get(self.acting) if self.acting is not None else None
        if fuse is None:
            return
        fuse.left -= 1
        if fuse.left > 0:
            return
        del self.fuses[cast("str", self.acting)]
        if fuse.dies:
            raise Crash
        raise OperationalError("database is locked")

    def _at_each_statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if self.acting is not None:
            self.statements += 1
            if not self.alone and not self._ours.in_atomic_block:
                self.between()
            self.burn()
            if self.held and not self._ours.in_atomic_block:
                raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    # --- looking on -----------------------------------------------------------------------------

    @property
    def written(self) -> int:
        """Moves on with every row written, mere beats aside: whoever looked at what else there is
        need not look again."""
        return self.raw.total_changes - self._beats

    def clock_row(self) -> ClockRow:
        """The installation's clock, read without being noticed, and only after somebody wrote."""
        if self.written != self._clock_of:
            found = self.look(clock.SELECT)
            self._clock = ClockRow(*found[0]) if found else ClockRow()
            self._clock_of = self.written
        return self._clock

    def beat(self, at: int, boot_ms: int) -> None:
        """The engine was there at ``at``, and nothing else happened."""
        row, written = self.clock_row(), self.written
        sql = "UPDATE installation SET beat_at = ?, beat_boot_ms = ? WHERE id = 1"
        self.raw.execute(sql, [at, boot_ms])
        self._beats += self.written - written
        self._clock = replace(row, beat_at=at, boot_ms=boot_ms)

    def look(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """Read without being noticed."""
        return self.raw.execute(sql, params).fetchall()

    def first_rung(self, person: int) -> set[int]:
        """Whoever stands on the first rung of this person's list, and has a way."""
        found = self.look(
            "SELECT c.rung, c.id, EXISTS (SELECT 1 FROM address a WHERE a.contact_id = c.id "
            "AND a.state = 'ok') FROM contact c WHERE c.person_id = ? "
            "AND c.status IN ('invited', 'confirmed') ORDER BY c.rung",
            person,
        )
        return {id for rung, id, has_a_way in found if rung == found[0][0] and has_a_way}

    def set_aside(self, watch: int) -> bool:
        """Whether this watch is looked after by people from now on."""
        sql = "SELECT quarantined_at IS NOT NULL FROM watch WHERE id = ?"
        return bool(self.look(sql, watch)[0][0])

    def watch_rows(
        self, known: dict[int, int], unreadable: Container[int]
    ) -> Iterator[tuple[int, int, bool, Row]]:
        """(id, version, quarantined, row) of watches that changed since ``known``,
        without those whose row is known to be garbage."""
        for id, version in self.look("SELECT id, version FROM watch ORDER BY id"):
            if known.get(id) != version and id not in unreadable:
                columns = ", ".join(rows.COLUMNS)
                sql = f"SELECT quarantined_at, {columns} FROM watch WHERE id = ?"  # noqa: S608
                quarantined_at, *row = self.look(sql, id)[0]
                yield id, version, quarantined_at is not None, tuple(row)
