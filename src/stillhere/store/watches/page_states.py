"""What a person's own page turns on, for many people in one statement.

The page of a watch is made by Django from everything there is; whether it must show something else
hangs on these few columns. Changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from stillhere.core.events import State
from stillhere.store.models import Person
from stillhere.store.watches import damage, queries
from stillhere.store.watches.queries import ShownWatch

_COLUMNS = "person_id, id, version, state, asks, next_ask_at, grace_at, quarantined_at, routine"
_OPEN = f"SELECT {_COLUMNS} FROM watch WHERE person_id IN (%s) AND wake_at IS NOT NULL ORDER BY id"
_PAST = (
    f"SELECT {_COLUMNS} FROM watch WHERE person_id IN (%s) AND routine = '' ORDER BY started_at, id"
)


@dataclass(frozen=True, slots=True)
class WatchState:
    """An acute watch, open or the last one; its instants are ms UTC."""

    id: int
    version: int
    state: State
    asks: int
    next_ask_at: int | None
    grace_at: int | None
    aside: bool

    @property
    def open(self) -> bool:
        """Whether it listens to the person."""
        return self.state is not State.CLOSED and not self.aside


@dataclass(frozen=True, slots=True)
class PageState:
    """All of it: the acute watch, and (id, version) of each daily check-in."""

    watch: WatchState | None = None
    daily: tuple[tuple[int, int], ...] = ()

    @property
    def version(self) -> str:
        """Changes whenever the page must show something else."""
        watch = f"{self.watch.id}.{self.watch.version}" if self.watch is not None else "0"
        return watch + "".join(f".{id}-{version}" for id, version in self.daily)


def of_shown(shown: ShownWatch | None, routines: Sequence[ShownWatch]) -> PageState:
    """The same of a page that has been read."""
    watch = None
    if shown is not None:
        row, value = shown.row, shown.watch
        aside = row.quarantined_at is not None
        watch = WatchState(
            row.id,
            row.version,
            value.state,
            value.asks,
            value.next_ask_at,
            value.grace_at,
            aside,
        )
    return PageState(watch, tuple((each.row.id, each.row.version) for each in routines))


def of_persons(persons: Sequence[int]) -> dict[int, PageState]:
    """The state of each, by id."""
    return damage.around(lambda: _read(persons), lambda: _one_by_one(persons))


def _read(persons: Sequence[int]) -> dict[int, PageState]:
    if not persons:
        return {}
    acute: dict[int, WatchState] = {}
    daily: dict[int, list[tuple[int, int]]] = {}
    for person, *row, routine in _rows(_OPEN, persons):
        if routine:
            daily.setdefault(person, []).append((row[0], row[1]))
        else:
            acute[person] = _watch(row)
    for person, *row, _ in _rows(_PAST, [person for person in persons if person not in acute]):
        acute[person] = _watch(row)
    return {p: PageState(acute.get(p), tuple(daily.get(p, ()))) for p in persons}


def _rows(sql: str, persons: Sequence[int]) -> list[Any]:
    if not persons:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql % ", ".join(["%s"] * len(persons)), list(persons))
        found: list[Any] = cursor.fetchall()
    return found


def _watch(row: Sequence[Any]) -> WatchState:
    id, version, state, asks, next_ask_at, grace_at, quarantined_at = row
    aside = quarantined_at is not None
    return WatchState(id, version, State(state), asks, next_ask_at, grace_at, aside)


def _one_by_one(persons: Sequence[int]) -> dict[int, PageState]:
    """The same if a row of theirs cannot be read."""
    found = Person.objects.in_bulk(list(persons))
    return {
        id: of_shown(queries.watch_of(person), queries.routines_of(person))
        for id, person in found.items()
    }
