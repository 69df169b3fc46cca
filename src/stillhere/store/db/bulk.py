"""Many rows in one statement, on both databases.

Owns the shape of such statements and their limit. One statement, because SQLite's driver releases
the interpreter lock at every step, and because a transaction should be short. Values are always
parameters; names of tables and columns are our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from django.db import connection

MOST_PARAMETERS = 30_000  # SQLite takes 32,766, PostgreSQL 65,535

Line = Sequence[Any]


def insert(
    table: str, columns: Sequence[str], lines: Iterable[Line], fixed: str = "", values: str = ""
) -> None:
    """Insert ``lines``. ``fixed`` are columns that get the same ``values`` (SQL) in every row."""
    names = ", ".join((*columns, fixed) if fixed else columns)
    one = ", ".join(["%s"] * len(columns) + ([values] if fixed else []))
    with connection.cursor() as cursor:
        for part in _parts(lines, len(columns)):
            marks = ", ".join([f"({one})"] * len(part))
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES {marks}", _flat(part))


def values(types: Sequence[str], lines: Sequence[Line]) -> tuple[str, list[Any]]:
    """``(VALUES ...)`` with its parameters; both databases name its columns column1, column2, ...
    ``types`` are PostgreSQL's, which it cannot infer there."""
    postgres = connection.vendor == "postgresql"
    one = ", ".join(f"%s::{kind}" if postgres else "%s" for kind in types)
    return f"(VALUES {', '.join([f'({one})'] * len(lines))})", _flat(lines)


def _parts(lines: Iterable[Line], width: int) -> Iterator[list[Line]]:
    waiting = iter(lines)
    while part := list(islice(waiting, MOST_PARAMETERS // width)):
        yield part


def _flat(lines: Iterable[Line]) -> list[Any]:
    return [*chain.from_iterable(lines)]
