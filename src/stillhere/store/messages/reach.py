"""Whether what is urgent reaches anybody: the reads behind the proof. Changes nothing.

Owns what counts as reached (something from this alarm was handed over to a contact, or a contact
did something about it) and since when urgent messages have been waiting, untried or tried in vain.
One bounded statement each, however many alarms are open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from django.db import connection

from stillhere.core.events import Urgency
from stillhere.core.profiles import TRIAL
from stillhere.store.people.push_subscriptions import CHANNEL as PUSH
from stillhere.store.watches import damage, rows
from stillhere.store.watches.outbox import COORDINATOR

URGENT = (Urgency.ALARM, Urgency.RING, Urgency.ASK)
MOST_NAMED = 200  # of the alarms whose reasons are looked up
MOST_REASONS = 3
DAY_MS = 24 * 3600 * 1000

# Taken by a provider: also what is to be said again because nobody picked up.
_HANDED_OVER = (
    "({0}.status IN ('sent', 'delivered') OR ({0}.status = 'queued' AND {0}.provider_ref <> ''))"
)
# A number that is none says nothing about us, until somebody has shown that it is theirs.
_NO_NUMBER = """
    AND NOT EXISTS (
        SELECT 1 FROM address a
        WHERE a.id = m.address_id AND a.proved_at = 0 AND a.state = 'broken'
    )
"""
# Nor does push: whoever subscribes names the server, and decides what it answers.
# An alarm that somebody goes to, or is with, has reached them. Nothing is wrong with us where the
# list holds nobody with a way, or only strangers from whom it was kept: that is the coordinator's
# from the start (``page-exhausted``). So is one in secret, of which no page may show anything; a
# try-out's is nobody's.
_UNREACHED = f"""
SELECT w.id FROM watch w
WHERE w.state = 'alarm' AND w.quarantined_at IS NULL AND w.profile <> %s AND w.alarm NOT LIKE %s
AND EXISTS (
    SELECT 1 FROM message m
    WHERE m.watch_id = w.id AND m.alarm = w.alarms AND m.created_at <= %s
    AND m.contact_id IS NOT NULL AND (m.status <> 'dropped' OR m.vain_at IS NOT NULL)
    AND m.channel <> %s {{but}}
)
AND NOT EXISTS (
    SELECT 1 FROM message m
    WHERE m.watch_id = w.id AND m.alarm = w.alarms AND m.contact_id IS NOT NULL
    AND {_HANDED_OVER.format("m")}
)
AND NOT EXISTS (
    SELECT 1 FROM journal j
    WHERE j.watch_id = w.id AND j.contact IS NOT NULL
    AND j.event NOT IN ('Undeliverable', 'Unheard', 'OptedOut')
    AND j.at >= (
        SELECT min(m.created_at) FROM message m
        WHERE m.watch_id = w.id AND m.alarm = w.alarms AND m.contact_id IS NOT NULL
    )
)
"""
_REACHED = f"""
SELECT DISTINCT m.watch_id, m.contact_id{{more}} FROM message m
JOIN watch w ON w.id = m.watch_id AND w.alarms = m.alarm
WHERE m.watch_id IN ({{marks}}) AND m.contact_id IS NOT NULL AND {_HANDED_OVER.format("m")}
"""
_KEPT = """
SELECT m.watch_id, m.contact_id, m.why, m.id FROM message m
JOIN watch w ON w.id = m.watch_id AND w.alarms = m.alarm
WHERE m.watch_id IN ({marks}) AND m.contact_id IS NOT NULL AND m.status = 'dropped'
AND m.word <> 'stand-down'
"""
_WHY = """
SELECT m.channel, m.carrier, m.why, count(*) FROM message m
JOIN watch w ON w.id = m.watch_id AND w.alarms = m.alarm
WHERE m.watch_id IN ({marks}) AND m.contact_id IS NOT NULL
AND m.status IN ('queued', 'failed') AND m.why <> ''
GROUP BY m.channel, m.carrier, m.why ORDER BY count(*) DESC, m.channel, m.carrier, m.why LIMIT %s
"""
# On its way just now, for the first time or once more after an engine died with it: it waits for
# nothing but its answer, however long nobody was there to send it.
_UNTRIED = """
SELECT min(
    CASE WHEN attempts = 0 THEN due_at
    WHEN attempts <= 2 AND lease_until_at > %s THEN lease_until_at
    ELSE due_at + %s END
) FROM message
WHERE status = 'queued' AND urgency IN (%s, %s, %s) AND vain_at IS NULL AND due_at <= %s
"""
_NOT_ASIDE = "AND (watch_id IS NULL OR watch_id NOT IN (SELECT watch FROM set_aside))"
# One way in vain is no trouble where another was taken, or where somebody goes: unless the way
# itself is closed to everybody.
_IN_VAIN = f"""
SELECT min(m.vain_at) FROM message m
WHERE m.status = 'queued' AND m.urgency IN (%s, %s, %s) AND m.vain_at <= %s
AND m.channel <> %s
AND NOT EXISTS (SELECT 1 FROM watch f WHERE f.id = m.watch_id AND f.alarm LIKE %s)
AND (m.lapses_at IS NULL OR m.lapses_at > %s)
AND (m.why LIKE %s OR m.why LIKE %s OR NOT EXISTS (
    SELECT 1 FROM message s
    WHERE s.watch_id = m.watch_id AND s.alarm = m.alarm AND s.created_at >= m.created_at
    AND (s.address_id IS NULL) = (m.address_id IS NULL)
    AND (s.contact_id IS NULL) = (m.contact_id IS NULL)
    AND {_HANDED_OVER.format("s")}
) AND NOT EXISTS (
    SELECT 1 FROM watch w
    WHERE w.id = m.watch_id AND m.contact_id IS NOT NULL AND w.state IN ('claimed', 'attended')
))
"""
# When each way last took something, and when something urgent was last given up in vain by it.
_WENT = """
SELECT max(CASE WHEN status = 'dropped' THEN done_at END),
    max(CASE WHEN status <> 'dropped' THEN lease_until_at END)
FROM message WHERE channel <> %s AND (
    (status IN ('sent', 'delivered') AND lease_until_at > %s)
    OR (status = 'dropped' AND vain_at IS NOT NULL AND done_at > %s AND urgency IN (%s, %s, %s)
        AND channel <> %s)
) GROUP BY channel
"""


def require_queue() -> None:
    """Raises `DatabaseError` where nothing can leave: the last page of the messages, which takes
    the next one, or the index of what waits cannot be read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM message")
        cursor.execute("SELECT DISTINCT channel FROM message WHERE status = 'queued'")


def untried_ms(now: int, flight_ms: int) -> int:
    """How long the oldest urgent message about which nothing is known has been waiting: never
    tried, or tried and not recorded although every send is over after ``flight_ms``. What is on its
    way just now does not wait, unless it was leased twice before and nothing was recorded. Of a
    watch that was set aside only its alarm counts, which belongs to no watch (``damage.py``)."""
    values = now, flight_ms, *URGENT, now
    return damage.around(
        lambda: _since(now, _UNTRIED + _NOT_ASIDE, *values), lambda: _since(now, _UNTRIED, *values)
    )


def in_vain_ms(now: int, refused: str, cut_off: str) -> int:
    """How long the oldest urgent message has been tried in vain, without push and those of an alarm
    in secret. ``refused`` and ``cut_off`` are how a ``why`` begins that is about the way itself."""
    secret = f"%{rows.UNDER_FORCE}%"
    return _since(now, _IN_VAIN, *URGENT, now, PUSH, secret, now, f"{refused}%", f"{cut_off}%")


def went_through(since_at: int, now: int) -> bool:
    """Whether something got through since ``since_at``, and did so on every way on which something
    urgent has been given up since then (within a day), after that failure. Reads all messages: only
    to be asked while something is wrong."""
    with connection.cursor() as cursor:
        given_up_at = max(since_at, now - DAY_MS)
        cursor.execute(_WENT, (COORDINATOR, since_at, given_up_at, *URGENT, PUSH))
        ways = cursor.fetchall()
    return bool(ways) and all(took and took > (vain or 0) for vain, took in ways)


def _since(now: int, sql: str, *params: int | str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        [(at,)] = cursor.fetchall()
    return 0 if at is None else now - at


def unreached(before_at: int) -> list[int]:
    """Open alarms of which something beside push was to be handed over by ``before_at``, and
    nothing was to anybody, and about which nobody did anything. Without those in secret."""
    return damage.around(lambda: _unreached(before_at, _NO_NUMBER), lambda: _unreached(before_at))


def _unreached(before_at: int, but: str = "") -> list[int]:
    with connection.cursor() as cursor:
        secret = f"%{rows.UNDER_FORCE}%"
        cursor.execute(_UNREACHED.format(but=but), (TRIAL, secret, before_at, PUSH))
        return [id for (id,) in cursor.fetchall()]


def handed_over(watches: Sequence[int]) -> set[tuple[int, int]]:
    """Pairs of watch and contact: something from the watch's newest alarm was handed over to that
    contact."""
    if not watches:
        return set()
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(watches))
        cursor.execute(_REACHED.format(more="", marks=marks), list(watches))
        return set(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class Told:
    """What left in the newest alarms of some watches, by watch and contact: to whom something was
    ``handed_over``, and why a ring was ``held_back`` from whoever has no proved number: the last
    reason, as ``held_back.py`` and ``strangers.py`` name them."""

    handed_over: Set[tuple[int, int]] = frozenset()
    held_back: Mapping[tuple[int, int], str] = field(default_factory=dict)


def told(watches: Sequence[int]) -> Told:
    """What left in the newest alarms of these watches, in one read."""
    if not watches:
        return Told()
    marks = ", ".join(["%s"] * len(watches))
    reached = _REACHED.format(more=", NULL, 0", marks=marks)
    kept = _KEPT.format(marks=marks)
    with connection.cursor() as cursor:
        cursor.execute(f"{reached} UNION ALL {kept} ORDER BY 4", [*watches, *watches])
        found = cursor.fetchall()
    return Told(
        frozenset((watch, contact) for watch, contact, why, _ in found if why is None),
        {(watch, contact): why for watch, contact, why, _ in found if why is not None},
    )


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why something did not reach anybody: on which channel, through whose carrier, in its
    words."""

    channel: str
    carrier: str
    why: str

    def __str__(self) -> str:
        return f"{self.channel}{f' by {self.carrier}' if self.carrier else ''}: {self.why}"


def obstacles(watches: list[int]) -> list[Obstacle]:
    """What kept these alarms from arriving, the most frequent first."""
    those = watches[:MOST_NAMED]
    if not those:
        return []
    with connection.cursor() as cursor:
        sql = _WHY.format(marks=", ".join(["%s"] * len(those)))
        cursor.execute(sql, [*those, MOST_REASONS])
        return [Obstacle(channel, carrier, why) for channel, carrier, why, _ in cursor.fetchall()]
