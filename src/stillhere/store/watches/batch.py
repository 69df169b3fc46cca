"""The watches of one batch: the statement that reads and locks their rows, and what it collects.

Writes nothing: ``apply.py`` steps the watches and swaps their rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection

from stillhere.core.watch import Watch
from stillhere.store.watches import rows
from stillhere.store.watches.outbox import JournalEntry, StepEffects
from stillhere.store.watches.rows import COLUMNS, FIXED, MUTABLE, Row

# What moves with every check-in in an open watch: no page that waits is told of that alone.
QUIET = {"wake_at", "seen_at", "next_ask_at", "seq"}
_SHOWN = itemgetter(*(at for at, name in enumerate(MUTABLE) if name not in QUIET))


@dataclass(slots=True)
class Bench:
    """One watch while its events are folded. ``before`` and ``after`` are its changeable columns;
    ``back_ms`` says with which time it was calculated (``clock.py``)."""

    watch: Watch
    person: int
    version: int
    before: Row
    quarantined: bool
    back_ms: int
    readable: bool = True
    set_back: bool = False
    after: Row = ()
    effects: list[StepEffects] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)

    @property
    def shows(self) -> bool:
        """Whether somebody's page must show something else."""
        if self.quarantined or self.set_back or not self.readable:
            return True
        return bool(_SHOWN(self.after) != _SHOWN(self.before))


Benches = dict[int | bytes | None, Bench]  # by id, and by the hash of the key

# How rows are locked on PostgreSQL, in id order: two batches never cross.
WAIT, SKIP = "FOR UPDATE", "FOR UPDATE SKIP LOCKED"


def load(ids: Sequence[int], hashes: Sequence[bytes], lock: str = WAIT) -> Benches:
    """The rows of all watches named, by id and by key hash."""
    where: list[str] = []
    params: list[int | bytes] = []
    if ids:
        where.append(f"id IN ({', '.join(['%s'] * len(ids))})")
        params += ids
    if hashes:
        where.append(f"key_hash IN ({', '.join(['%s'] * len(hashes))})")
        params += hashes
    if not where:
        return {}
    benches: Benches = {}
    found = _read(" OR ".join(where), params, lock)
    for person, version, key_hash, quarantined_at, back_ms, *row in found:
        watch, readable = rows.thaw_or_stand_in(tuple(row))
        aside = quarantined_at is not None
        bench = Bench(watch, person, version, tuple(row[len(FIXED) :]), aside, back_ms, readable)
        benches[watch.id] = benches[key_hash] = bench
    return benches


_WANTED = ("person_id", "version", "key_hash", "quarantined_at", "clock_back_ms", *COLUMNS)
_ONE = ", ".join("hex(key_hash)" if name == "key_hash" else name for name in _WANTED)


def _read(where: str, params: Sequence[int | bytes], lock: str) -> list[list[Any]]:
    """The rows as ``_WANTED``. From SQLite as a single value: its driver releases the interpreter
    lock between any two rows, and every page waiting for it would get in between."""
    columns = ", ".join(_WANTED)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sql = f"SELECT {columns} FROM watch WHERE {where} ORDER BY id {lock}"
            cursor.execute(sql, params)
            found = [list(row) for row in cursor.fetchall()]
        else:
            sql = f"SELECT json_group_array(json_array({_ONE})) FROM watch WHERE {where}"
            cursor.execute(sql, params)
            found = json.loads(cursor.fetchone()[0])
    for row in found:
        row[2] = bytes.fromhex(row[2]) if isinstance(row[2], str) else bytes(row[2])
    return found
