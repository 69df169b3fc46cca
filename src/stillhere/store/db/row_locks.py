"""Rows that somebody else has locked right now, and what to do then: leave them, and come back.

Owns finding out which rows are locked, on PostgreSQL; on SQLite a transaction locks everything, so
no row is ever found locked. Never waits for long: one locked row would keep everybody else waiting.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import Error, OperationalError, connection

# What a server says when it ended a statement of ours and the line lives on.
_ENDED = frozenset({"40P01", "55P03", "57014"})  # deadlock, lock not available, query canceled


MOMENT = "100ms"


class Held(OperationalError):
    """Somebody else has locked this row right now. Nothing was stored; try again."""


def hold(watches: Collection[int | None]) -> set[int]:
    """Lock these watches until the end of the transaction, in id order and before any message, so
    that two writers never deadlock. Returns those that somebody else has locked."""
    return _hold("watch", watches)


def hold_messages(messages: Collection[int]) -> set[int]:
    """The same for messages."""
    return _hold("message", messages)


def _hold(table: str, which: Collection[int | None]) -> set[int]:
    ids = sorted({id for id in which if id is not None})
    if not ids or connection.vendor != "postgresql":
        return set()
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE id IN ({marks}) ORDER BY id FOR UPDATE SKIP LOCKED", ids
        )
        ours = {id for (id,) in cursor.fetchall()}
        others = [id for id in ids if id not in ours]
        return _there(table, "id", others) if others else set()


def exist(ids: Sequence[int], hashes: Sequence[bytes]) -> set[int | bytes]:
    """Those of these watches that exist, by id or by the hash of their key."""
    by_hash = _there("watch", "key_hash", hashes) if hashes else set()
    by_id = _there("watch", "id", ids) if ids else set()
    return {*by_id, *map(bytes, by_hash)}


def _there(table: str, column: str, values: Sequence[Any]) -> set[Any]:
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IN ({marks})", list(values))
        return {value for (value,) in cursor.fetchall()}


def hurry() -> None:
    """Until the end of this transaction, wait only a moment for rows that somebody else has
    locked."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [MOMENT])


def in_the_way(failure: BaseException) -> bool:
    """Whether this error means that somebody else has locked what we need: the connection is fine,
    and another try may well succeed."""
    said = getattr(failure.__cause__, "sqlstate", None)
    return isinstance(failure, Held) or (isinstance(failure, Error) and said in _ENDED)
