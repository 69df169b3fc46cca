"""What can be read next to what cannot: a damaged page of the database file.

A query that meets one damaged row fails as a whole. So every loop and page that asks for many rows
asks here once that has happened: indexes list the rows, and then each is read separately. Owns the
watches that were set aside because of it, and that their contacts are told, once. Repairs nothing:
that takes a backup.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, connection, transaction

from stillhere.core.circle import Circle, Reach
from stillhere.core.events import Paging, Urgency, Word
from stillhere.store.db import halving
from stillhere.store.db.optional_tables import is_damage
from stillhere.store.models import Address, Contact, Message, SetAside, WatchRow
from stillhere.store.watches.circle import circles_of
from stillhere.store.watches.outbox import COORDINATOR, PAGE_WORDS

log = logging.getLogger("stillhere.damage")

MOST = 500  # read in one statement
TOLD: dict[str, object] = {"round": 0}  # what a page about a watch set aside keeps

T = TypeVar("T")


def around(read: Callable[[], T], beside: Callable[[], T]) -> T:
    """What ``read`` finds; if it meets damage, what ``beside`` does."""
    try:
        return read()
    except DatabaseError as failure:
        if not is_damage(failure):
            raise
        log.warning("read around damage: %s", failure)
        return beside()


def outages_whole() -> bool:
    """Whether all of that table can be read now. It holds a row for each time we were down."""
    return around(lambda: bool(_rows("SELECT count(*), sum(from_at) FROM outage")), bool)


def readable(ids: Sequence[int], read: Callable[[Sequence[int]], dict[int, T]]) -> dict[int, T]:
    """What ``read`` finds for these ids, without those whose rows cannot be read."""
    return each(ids, read)[0]


def each(
    ids: Sequence[int], read: Callable[[Sequence[int]], dict[int, T]]
) -> tuple[dict[int, T], list[int]]:
    """The same, and the ids of those that cannot."""
    found: dict[int, T] = {}

    def some(part: Sequence[int]) -> list[bool]:
        found.update(read(part))
        return [True] * len(part)

    lost = []
    for start in range(0, len(ids), MOST):
        part = ids[start : start + MOST]
        answers = halving.each(some, part)
        lost += [id for id, told in zip(part, answers, strict=True) if told is not True]
    return found, lost


# --- watches --------------------------------------------------------------------------------------


def due(now: int, most: int, last: tuple[int, int]) -> tuple[list[tuple[int, int]], list[int]]:
    """As ``queries.due_after``, without those set aside: only the index is asked. Includes those
    that cannot be read."""
    sql = (
        "SELECT id, wake_at FROM watch WHERE wake_at <= %s AND (wake_at, id) > (%s, %s) "
        "ORDER BY wake_at, id LIMIT %s"
    )
    found: list[tuple[int, int]] = []
    lost: list[int] = []
    aside = set(around(lambda: list(SetAside.objects.values_list("watch", flat=True)), list[int]))
    while len(found) < most:
        named = _rows(sql, now, last[1], last[0], most)
        mine, broken = each([id for id, _ in named if id not in aside], _unless_quarantined)
        found += [(id, wake_at) for id, wake_at in named if id in mine]
        lost += broken
        if len(named) < most:
            break
        last = (named[-1][0], named[-1][1])
    return found[:most], lost


def _unless_quarantined(ids: Sequence[int]) -> dict[int, bool]:
    marks = ", ".join(["%s"] * len(ids))
    sql = f"SELECT id FROM watch WHERE id IN ({marks}) AND quarantined_at IS NULL"
    return {id: True for (id,) in _rows(sql, *ids)}


def set_aside(watch: int, now: int) -> bool:
    """From now on people look after this watch: its first contacts and the coordinator are told,
    once.

    Whatever else is damaged, this is recorded and the coordinator is paged; of the contacts, those
    who can be read are told. Returns whether it was news. Reads first: SQLite keeps nothing of a
    transaction that has met damage.
    """
    if SetAside.objects.filter(watch=watch).exists():
        return False
    person = _whose(watch)
    told = _told(watch, person, now)
    for together in (told, told[:1], []):
        if together is not told:
            _untold(together)
        made = around(partial(_write, watch, person, now, together), lambda: None)
        if made is not None:
            break
    else:
        raise DatabaseError(f"watch {watch} cannot even be set aside")
    if made:
        left = told[len(together) :]
        kept = [around(partial(Message.objects.bulk_create, [each]), list) for each in left]
        if together and any(kept):
            page = Message.objects.filter(key=told[0].key)
            around(partial(page.update, facts=json.dumps(TOLD)), int)
        log.critical("set aside watch=%d: its row cannot be read or written", watch)
    return made


def _write(watch: int, person: int | None, now: int, messages: Sequence[Message]) -> bool | None:
    """In one transaction; returns whether it was news."""
    with transaction.atomic():
        made = SetAside.objects.get_or_create(watch=watch, defaults={"person": person, "at": now})
        if made[1]:
            Message.objects.bulk_create(messages)
        return made[1]


def _whose(watch: int) -> int | None:
    """Whose watch this is, according to an index or a message about it."""
    for sql in (
        "SELECT person_id FROM watch WHERE id + 0 = %s",
        "SELECT person_id FROM message WHERE watch_id = %s AND person_id IS NOT NULL LIMIT 1",
    ):
        found = around(partial(_rows, sql, watch), list[tuple[int, ...]])
        if found:
            return int(found[0][0])
    return None


def _told(watch: int, person: int | None, now: int) -> list[Message]:
    """As ``outbox.quarantine_alert``, but belonging to no watch: there is no row that a message
    could point at. The page comes first. SQLite looks at whomever a message points at, so it points
    at nobody who cannot be read."""
    whose = person if person is not None and _there("person", person) else None
    about = {"person_id": whose, "due_at": now, "created_at": now}
    key = f"a{watch}.{now:x}"
    facts = {"at": now, "who": None, "eta_s": None, "round": 0, "outcome": None}
    page = Message(
        **about, key=key, channel=COORDINATOR, word=PAGE_WORDS[Paging.QUARANTINED],
        facts=json.dumps(TOLD), urgency=Urgency.RING,
    )  # fmt: skip
    alarms = [
        Message(
            **about, key=f"{key}.{way}", contact_id=reach.contact, address_id=way,
            channel=channel, word=Word.ALARM.value, facts=json.dumps(facts),
            urgency=Urgency.ALARM, place=place,
        )
        for place, reach in enumerate(_first(person, now) if person is not None else ())
        for way in reach.ways
        if (channel := around(partial(_channel_of, way), str))
    ]  # fmt: skip
    return [page, *alarms] if alarms else _untold([page])


def _untold(pages: list[Message]) -> list[Message]:
    """Pages that say that nobody on the list was told."""
    for page in pages:
        page.facts = json.dumps(TOLD | {"untold": True})
    return pages


def _there(table: str, id: int) -> bool:
    return around(lambda: bool(_rows(f"SELECT length(nonce) FROM {table} WHERE id = %s", id)), bool)


def _first(person: int, now: int) -> Sequence[Reach]:
    """Whom to tell: the first rung; if some of the list cannot be read, everybody who can."""
    circle = around(lambda: circles_of({person}, now).get(person, Circle()), lambda: None)
    if circle is not None:
        return circle.rungs[0] if circle.rungs else ()
    named = partial(_rows, "SELECT id FROM contact WHERE person_id = %s", person)
    listed = around(named, list[tuple[int, ...]])
    found = [around(partial(_reach, contact), lambda: None) for (contact,) in listed]
    return [reach for reach in found if reach is not None]


def _reach(contact: int) -> Reach | None:
    """One contact of a list, if they may be told. One who cannot be read may have said no."""
    mine = Contact.objects.filter(id=contact, status__in=["invited", "confirmed"])
    status = mine.values_list("status", flat=True).first()
    ways = _rows("SELECT id FROM address WHERE contact_id = %s ORDER BY id", contact)
    return Reach(contact, tuple(way for (way,) in ways), status == "confirmed") if status else None


def _channel_of(way: int) -> str:
    """The channel of an address, or nothing if it no longer works."""
    mine = Address.objects.filter(id=way, state=Address.State.OK)
    return mine.values_list("channel", flat=True).first() or ""


def aside() -> list[SetAside]:
    """Those that were set aside, oldest first."""
    return list(SetAside.objects.order_by("at", "watch"))


def unwatched(aside: Sequence[SetAside], now: int) -> tuple[int, int]:
    """How many that were set ``aside`` are watched by nobody, and how many of those a person has
    looked at: until the row can be read again and is not overdue, or is gone."""
    looked = [each.watch for each in aside if each.looked_at is not None]

    def read(part: Sequence[int]) -> dict[int, WatchRow]:
        return {row.id: row for row in WatchRow.objects.filter(id__in=part)}

    found = readable(looked, read)
    still = {id for id in looked if id not in found}
    named: set[int] = set()
    for start in range(0, len(looked), MOST):
        part = looked[start : start + MOST]
        marks = ", ".join(["%s"] * len(part))
        named |= {id for (id,) in _rows(f"SELECT id FROM watch WHERE id + 0 IN ({marks})", *part)}
    overdue = {id for id, row in found.items() if row.wake_at is not None and row.wake_at <= now}
    nobodys = len(still & named) + len(overdue)
    return len(aside) - len(looked) + nobodys, nobodys


def is_aside(person: int) -> bool:
    """Whether one of this person's watches was set aside and nobody has looked yet, as far as that
    can be read."""
    sql = "SELECT 1 FROM set_aside WHERE person = %s AND looked_at IS NULL LIMIT 1"
    return around(lambda: bool(_rows(sql, person)), bool)


def is_aside_by_key(key_hash: bytes) -> bool:
    """Whether the watch with this key was set aside: an index knows which one it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM watch WHERE key_hash = %s", [key_hash])
        named = [id for (id,) in cursor.fetchall()]
    return SetAside.objects.filter(watch__in=named).exists()


def any_aside() -> bool:
    """Whether any watch was set aside, looked at or not, as far as that can be read."""
    return around(SetAside.objects.exists, bool)


def looked(watch: int, now: int) -> bool:
    """A person has looked at one that was set aside; returns whether there was one."""
    mine = SetAside.objects.filter(watch=watch, looked_at__isnull=True)
    return bool(mine.update(looked_at=now))


def _rows(sql: str, *params: int) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
