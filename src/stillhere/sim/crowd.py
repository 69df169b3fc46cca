"""A crowd of made-up people in an empty store: what benchmarks and ``stillhere bench`` measure on.

Owns filling the tables with as many rows as are wanted, in bulk and without an event. Refuses a
store in which anybody is. The people are like everybody else: sealed names and addresses, hashed
keys, watches that the core would have made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.db import connection, transaction

from stillhere.core import events as ev
from stillhere.core.circle import Circle
from stillhere.core.quiet_handlers import stages
from stillhere.core.watch import Watch, start, step
from stillhere.store.db import encryption
from stillhere.store.models import Address, Contact, Person, WatchRow
from stillhere.store.people import persons
from stillhere.store.watches import rows

CHUNK = 5_000
FIRST = 10_000_000  # ids of people with a plan of their own; everybody else has the database's
PROFILE = "swallowed"
# ``unclear`` is the release before's and has no default in the database.
WATCH = (
    "person_id", "nonce", "key_hash", "version", "unclear", "profile", "own", *rows.MUTABLE,
)  # fmt: skip
Ask = Callable[[int], int]


class NotEmptyError(RuntimeError):
    """Somebody is in this store already."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Somebody who answers nothing: ``ask_at`` is when they are asked next."""

    watch: int
    ask_at: int


def refuse_company() -> None:
    """Raises ``NotEmptyError`` where the store knows anybody."""
    if Person.objects.exists() or WatchRow.objects.exists():
        raise NotEmptyError("there are people in this store already")


def asked_at(now: int, ask_at: Ask) -> Callable[[int], Watch]:
    """Watches of a day whose next ask is at ``ask_at(number)`` (ms UTC)."""
    fresh = replace(start(0, rows.profile_of(PROFILE, ""), now), ends_at=now + 24 * 3600 * 1000)
    return lambda number: replace(fresh, next_ask_at=ask_at(number))


def open_watches(count: int, watch_of: Callable[[int], Watch], keep: int = 20_000) -> list[str]:
    """So many open watches; the keys of about ``keep`` of them, spread evenly. One person has them
    all: nobody there is ever called."""
    person, _key = persons.new_person("en")
    every, kept = max(count // keep, 1), []

    def lines() -> Iterator[tuple[Any, ...]]:
        for number in range(count):
            nonce = (number + 1).to_bytes(16, "big")
            key = encryption.key_for("watch", nonce)
            if number % every == 0:
                kept.append(key)
            yield _row(watch_of(number), person.id, nonce, key)

    with transaction.atomic():
        _insert(WatchRow, WATCH, lines())
    return kept


def silent_people(
    count: int, now: int, ask_at: Ask, contacts: int = 1, own: str = ""
) -> list[Silent]:
    """People with a marked watch each, who will not answer, and ``contacts`` who said yes on one
    rung. Everyone has a text and a call address of their own."""
    people, circle, ways, watches, made = [], [], [], [], []
    profile = rows.profile_of("injected", own)
    for number in range(count):
        id, at = FIRST + number, ask_at(number)
        nonce = id.to_bytes(16, "big")
        key = encryption.key_for("person", nonce)
        name = encryption.seal("Sam", "person.name", nonce)
        notes = (b"", b"", b"")
        mine = (id, nonce, encryption.key_hash(key), name, "en", "UTC", "phone-first", now)
        people.append((*mine, *notes))
        ways += _ways(id, "person_id", number * (contacts + 1))
        for place in range(contacts):
            contact = id * 10 + place
            hidden = contact.to_bytes(16, "big")
            mark = encryption.key_hash(encryption.key_for("contact", hidden))
            said = encryption.seal("Leo", "contact.name", hidden)
            circle.append((contact, id, hidden, mark, said, "en", 0, "confirmed", True, now))
            ways += _ways(contact, "contact_id", number * (contacts + 1) + place + 1)
        watch = replace(step(start(0, profile, now), ev.Marked(), now).watch, next_ask_at=at)
        secret = (id * 1_000).to_bytes(16, "big")
        watches.append((id, *_row(watch, id, secret, encryption.key_for("watch", secret), own)))
        made.append(Silent(id, at))
    with transaction.atomic():
        _insert(Person, _PERSON, people)
        _insert(Contact, _CONTACT, circle)
        _insert(Address, _ADDRESS, ways)
        _insert(WatchRow, ("id", *WATCH), watches)
    return made


def asked(silent: Sequence[Silent], alarm_at: int, own: str = "") -> None:
    """Let all of them have been asked already, so that every alarm is due at ``alarm_at``."""
    profile = rows.profile_of("injected", own)
    began = alarm_at - profile.grace_s * 1000
    marked = step(start(0, profile, began - 60_000), ev.Marked(), began - 60_000).watch
    watch = step(replace(marked, next_ask_at=began), ev.TimePassed(Circle()), began).watch
    watch = replace(watch, stage=len(stages(watch)))  # all of them went out
    after = dict(zip(rows.MUTABLE, rows.freeze(watch), strict=True))
    ids = [each.watch for each in silent]
    WatchRow.objects.filter(id__gte=min(ids), id__lte=max(ids)).update(
        **after, profile="injected", own=own
    )


_PERSON = (
    "id", "nonce", "key_hash", "name", "lang", "tz", "wish", "created_at", "place", "entry",
    "dispatch",
)  # fmt: skip
_CONTACT = (
    "id", "person_id", "nonce", "key_hash", "name", "lang", "rung", "status", "door", "created_at",
)  # fmt: skip
_ADDRESS = (
    "person_id", "contact_id", "nonce", "channel", "value", "lookup", "rings", "state", "since_at",
    "why", "proved_at",
)  # fmt: skip


def _ways(owner: int, whose: str, number: int) -> list[tuple[Any, ...]]:
    """A text and a call address of one fictional phone."""
    value = f"+1202{number:07}"
    found = []
    for channel, rings in (("text", False), ("call", True)):
        nonce = encryption.new_nonce()
        hidden = encryption.seal(value, "address.value", nonce)
        mine = (owner, None) if whose == "person_id" else (None, owner)
        mark = encryption.lookup(channel, value)
        found.append((*mine, nonce, channel, hidden, mark, rings, "ok", 0, "", 1))
    return found


def _row(watch: Watch, person: int, nonce: bytes, key: str, own: str = "") -> tuple[Any, ...]:
    fixed = (person, nonce, encryption.key_hash(key), 0, False, watch.profile.key, own)
    return (*fixed, *rows.freeze(watch))


def _insert(model: type, names: Sequence[str], lines: Iterable[tuple[Any, ...]]) -> None:
    """Many rows at once, in the way this database likes best."""
    table, columns = model._meta.db_table, ", ".join(names)  # type: ignore[attr-defined]
    waiting = iter(lines)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for line in waiting:
                    copy.write_row(line)
            return
        marks = ", ".join(["%s"] * len(names))
        sql = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608  our own names
        while chunk := list(islice(waiting, CHUNK)):
            cursor.executemany(sql, chunk)
