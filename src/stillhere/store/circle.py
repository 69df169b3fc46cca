"""The plan as the core sees it: whom to reach, in what order, with how many ways.

Read only when an alarm may start. Contacts who left or were removed are not in it, nor are ways
that a receipt or an opt-out has broken. Whoever said "not tonight" is reached last, after everyone
else: only a no removes someone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby

from django.db import connection

from stillhere.core.circle import Circle, Reach

_SQL = """
SELECT c.person_id, c.away_until_at > %s, c.rung, c.id, c.status, a.id
FROM contact c LEFT JOIN address a ON a.contact_id = c.id AND a.state = 'ok'
WHERE c.person_id IN ({marks}) AND c.status IN ('invited', 'confirmed')
ORDER BY 1, 2, 3, 4, 6
"""

_Line = tuple[int, bool, int, int, str, int | None]


def circles_of(persons: Collection[int], now: int) -> dict[int, Circle]:
    """The circle of each person at ``now`` (ms UTC). A person with nobody is not in the answer."""
    if not persons:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(marks=", ".join(["%s"] * len(persons))), [now, *persons])
        lines: list[_Line] = cursor.fetchall()
    return {
        person: Circle(
            tuple(tuple(_rung(rung)) for _, rung in groupby(own, key=lambda line: line[1:3]))
        )
        for person, own in groupby(lines, key=lambda line: line[0])
    }


def _rung(lines: Iterator[_Line]) -> Iterator[Reach]:
    for (contact, status), ways in groupby(lines, key=lambda line: (line[3], line[4])):
        yield Reach(
            contact, tuple(way[5] for way in ways if way[5] is not None), status == "confirmed"
        )
