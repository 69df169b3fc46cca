"""The plan as the core sees it: whom to reach, in what order, with how many ways.

Read only when an alarm may start. It leaves out contacts who left or were removed, and ways that a
receipt or an opt-out has broken. Whoever said "not tonight" is reached last, after everyone else:
only a no removes someone. If the person wants it, whoever carries a kit in good condition is
reached first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from itertools import groupby

from django.db import connection

from stillhere.core.circle import Circle, Reach

_SQL = """
SELECT c.person_id, c.away_until_at > %s, CASE WHEN p.kits_first AND EXISTS (
    SELECT 1 FROM kit k WHERE (k.contact_id = c.id OR k.responder_id = c.responder_id)
    AND k.doses > 0 AND k.used_at = 0 AND (k.expires = '' OR k.expires >= %s)
) THEN -1 ELSE c.rung END, c.id, c.status, a.id
FROM contact c JOIN person p ON p.id = c.person_id
LEFT JOIN address a ON a.contact_id = c.id AND a.state = 'ok'
WHERE c.person_id IN ({marks}) AND c.status IN ('invited', 'confirmed')
ORDER BY 1, 2, 3, 4, 6
"""

_Line = tuple[int, bool, int, int, str, int | None]


def circles_of(persons: Collection[int], now: int) -> dict[int, Circle]:
    """The circle of each person at ``now`` (ms UTC). A person without contacts is left out."""
    if not persons:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL.format(marks=", ".join(["%s"] * len(persons))), [now, month(now), *persons]
        )
        lines: list[_Line] = cursor.fetchall()
    return {
        person: Circle(
            tuple(tuple(_rung(rung)) for _, rung in groupby(own, key=lambda line: line[1:3]))
        )
        for person, own in groupby(lines, key=lambda line: line[0])
    }


def month(at: int) -> str:
    """The month of an instant (ms UTC), like "2027-05": kits are good until theirs is over."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m")


def _rung(lines: Iterator[_Line]) -> Iterator[Reach]:
    for (contact, status), ways in groupby(lines, key=lambda line: (line[3], line[4])):
        yield Reach(
            contact, tuple(way[5] for way in ways if way[5] is not None), status == "confirmed"
        )
