"""Messages in a damaged database: leased one by one if a row of theirs or of their watch is
unreadable.

Owns nothing else. A message whose watch or person cannot be read is sent without what is stored
there. One that cannot be read itself may have been an alarm, so its watch is set aside and people
are told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from stillhere.store.db import halving
from stillhere.store.watches import damage

_OF_WATCH, _OF_PERSON = "w.id = m.watch_id", "p.id = m.person_id"
_WITHOUT = ((_OF_WATCH,), (_OF_PERSON,), (_OF_WATCH, _OF_PERSON))  # what a message can do without


def take(channel: str, now: int, most: int, until: int, which: str, read: str) -> list[Any]:
    """As ``delivery.lease`` takes them: the rows of ``read``, the most urgent first."""
    wanted = (
        "SELECT id, urgency, place, due_at FROM message WHERE id IN ({marks}) AND channel = %s "
        f"AND status = 'queued' AND due_at <= %s AND lease_until_at <= %s{which}"
    )
    queued = [id for (id,) in _rows("SELECT id FROM message WHERE status || '' = 'queued'")]
    found, lost = damage.each(
        queued, lambda ids: {row[0]: row for row in _of(wanted, ids, channel, now, now)}
    )
    for id in lost:
        for (watch,) in _rows("SELECT watch_id FROM message WHERE id + 0 = %s", id):
            if watch is not None:
                damage.set_aside(watch, now)
    first = [row[0] for row in sorted(found.values(), key=lambda row: (*row[1:], row[0]))]
    ready: list[int] = []
    for start in range(0, len(first), most):  # one that cannot be read takes nobody's place
        part = first[start : start + most]
        readable = _whole(read, part)
        ready += [id for id in part if id in readable]
        if len(ready) >= most:
            break
    ours = _leased(ready[:most], until)
    whole = _whole(read, ours)
    return [whole[id] for id in ours if id in whole]


def _whole(read: str, ids: Sequence[int]) -> dict[int, Any]:
    """What ``read`` finds, if necessary without the parts that a message can do without."""
    whole = damage.readable(ids, lambda part: {row[0]: row for row in _of(read, part)})
    for unread in _WITHOUT:
        whole |= _bare(read, unread, [id for id in ids if id not in whole])
    return whole


def _bare(read: str, unread: Sequence[str], ids: Sequence[int]) -> dict[int, Any]:
    """What ``read`` finds for these, without the joined tables in ``unread``."""
    for join in unread:
        read = read.replace(join, f"{join} AND 1 = 0")
    return damage.readable(ids, lambda part: {row[0]: row for row in _of(read, part)})


def _leased(ids: Sequence[int], until: int) -> list[int]:
    """Those of them that are ours now."""
    sql = "UPDATE message SET lease_until_at = %s, attempts = attempts + 1 WHERE id IN ({marks})"

    def lease(part: Sequence[int]) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(marks=_marks(part)), [until, *part])
        return list(part)

    return [told for told in halving.each(lease, ids) if isinstance(told, int)] if ids else []


def _of(sql: str, ids: Sequence[int], *params: Any) -> list[Any]:
    return _rows(sql.format(marks=_marks(ids)), *ids, *params)


def _marks(ids: Sequence[int]) -> str:
    return ", ".join(["%s"] * len(ids))


def _rows(sql: str, *params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
