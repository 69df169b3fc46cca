"""Rows of a table, as Django's own objects, by a statement that is written down once.

Django puts a query together anew each time it is asked, and that costs ten times what the database
needs for the few rows of a page. Here the columns come from the model and only what follows FROM is
text. For what is read with every page; everything else asks Django.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)
Convert = Callable[..., Any]


class Prepared(Generic[M]):
    """``rest`` is what stands after the table's name: ``%s`` for each parameter, or ``{marks}`` for
    one list of them. ``whose`` is a foreign key whose row is read as well; then ``rest`` names
    columns with their tables."""

    def __init__(self, model: type[M], rest: str, whose: str = "") -> None:
        self._model = model
        self._rest = rest
        self._whose = whose
        self._link: Any = None
        self._own: tuple[Any, ...] = ()
        self._other: tuple[Any, ...] = ()
        self._sql = ""
        self._converters: dict[str, list[tuple[int, list[Convert], Any]]] = {}

    def all(self, *params: object) -> list[M]:
        """Every row, in the order of the statement."""
        return self._read(self._statement(), params)

    def first(self, *params: object) -> M | None:
        """The first row, or None."""
        found = self.all(*params)
        return found[0] if found else None

    def among(self, ids: Sequence[object]) -> list[M]:
        """Every row, with ``ids`` in the place of ``{marks}``."""
        if not ids:
            return []
        marks = ", ".join(["%s"] * len(ids))
        return self._read(self._statement().replace("{marks}", marks), ids)

    def _statement(self) -> str:
        if not self._sql:
            table, joined = self._model._meta.db_table, ""
            self._own = tuple(self._model._meta.concrete_fields)
            if self._whose:
                self._link = self._model._meta.get_field(self._whose)
                of = self._link.related_model._meta
                self._other = tuple(of.concrete_fields)
                joined = (
                    f' LEFT JOIN "{of.db_table}" ON '
                    f'"{of.db_table}"."{of.pk.column}" = "{table}"."{self._link.column}"'
                )
            named = (f'"{f.model._meta.db_table}"."{f.column}"' for f in (*self._own, *self._other))
            self._sql = f'SELECT {", ".join(named)} FROM "{table}"{joined} {self._rest}'
        return self._sql

    def _read(self, sql: str, params: Sequence[Any]) -> list[M]:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows = cursor.fetchall()
        return [self._made(list(row)) for row in rows]

    def _made(self, values: list[Any]) -> M:
        for at, converters, column in self._conversions():
            for convert in converters:
                values[at] = convert(values[at], column, connection)
        many, alias = len(self._own), connection.alias
        made = self._model.from_db(alias, _names(self._own), values[:many])
        if self._link is not None:
            theirs = values[many:]
            whole = theirs[[f.primary_key for f in self._other].index(True)] is not None
            of = self._link.related_model
            other = of.from_db(alias, _names(self._other), theirs) if whole else None
            self._link.set_cached_value(made, other)
        return made

    def _conversions(self) -> list[tuple[int, list[Convert], Any]]:
        """What has to be done to which values on this database, as Django does it."""
        vendor = connection.vendor
        if vendor not in self._converters:
            found = []
            for at, field in enumerate((*self._own, *self._other)):
                column = field.get_col(field.model._meta.db_table)
                backend = connection.ops.get_db_converters(column)
                if converters := [*backend, *field.get_db_converters(connection)]:
                    found.append((at, converters, column))
            self._converters[vendor] = found
        return self._converters[vendor]


def _names(fields: Sequence[Any]) -> list[str]:
    return [field.attname for field in fields]
