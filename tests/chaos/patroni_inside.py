"""Looks into the cluster's database: ``python -m tests.chaos.patroni_inside seed|look|secret``.

For seeding before the faults and for counting after them; in between everything goes over HTTP.
Prints one JSON line.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from stillhere.config.wiring import derived_secret  # noqa: E402
from stillhere.core import events as ev  # noqa: E402
from stillhere.core.schedule import Routine  # noqa: E402
from stillhere.core.watch import start  # noqa: E402
from stillhere.store.db import clock, encryption  # noqa: E402
from stillhere.store.models import Message, WatchRow  # noqa: E402
from stillhere.store.people import address_book, invitations, persons  # noqa: E402
from stillhere.store.people.numbers import address_proof  # noqa: E402
from stillhere.store.problems import Reached  # noqa: E402
from stillhere.store.watches import apply, rows  # noqa: E402

OWN = {"first_ask_s": 30, "early_every_s": 60, "later_every_s": 120, "grace_s": 30}


def secret() -> str:
    """What the demo's phones sign with."""
    return derived_secret(settings.STILLHERE, "demo-phones").hex()


def seed(ledger: int, people: int) -> dict[str, Any]:
    """``ledger`` keys of daily watches, one for each single check-in, and ``people`` with a marked
    watch and two contacts."""
    with transaction.atomic():
        return {"ledger": _ledger(ledger), "people": [_person(n) for n in range(people)]}


def _ledger(count: int) -> list[str]:
    person, _ = persons.new_person("en")
    now = clock.now_ms()
    routine = Routine(frozenset(range(7)), (now // 60_000 + 12 * 60) % 1440, "UTC")
    frozen = rows.freeze(start(0, rows.profile_of("routine", ""), now, routine))
    fixed = ("person_id", "nonce", "key_hash", "version", "profile", "own", "started_at")
    names = (*fixed, *rows.MUTABLE)
    keys, lines = [], []
    for number in range(count):
        nonce = (number + 1).to_bytes(16, "big")
        keys.append(encryption.key_for("watch", nonce))
        hashed = encryption.key_hash(keys[-1])
        lines.append((person.id, nonce, hashed, 0, "routine", "", now, *frozen))
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(names))
        cursor.executemany(f"INSERT INTO watch ({', '.join(names)}) VALUES ({marks})", lines)
    return keys


def _person(number: int) -> dict[str, Any]:
    person, _ = persons.new_person("en", "America/New_York")
    persons.set_plan(person, name="Sam")
    numbers = [f"+1202555{1000 + number * 3 + k}" for k in range(3)]
    address_book.set_own_addresses(person, _phone(numbers[0]))
    address_proof.vouch(person)
    for name, phone in (("Leo", numbers[1]), ("Maya", numbers[2])):
        contact = invitations.add_contact(person, name, _phone(phone), rung=0)
        invitations.join(contact)
        address_proof.vouch(contact)
    Message.objects.filter(word="invite").delete()
    watch = apply.start(person.id, "injected", json.dumps(OWN))
    apply.apply(apply.Change(ev.Marked(), watch=watch))
    key = encryption.key_for("watch", WatchRow.objects.get(id=watch).nonce)
    return {"watch": watch, "key": key, "contacts": numbers[1:], "grace_s": OWN["grace_s"]}


def _phone(number: str) -> list[Reached]:
    return [Reached("text", number, rings=False), Reached("call", number, rings=True)]


def look() -> dict[str, Any]:
    """What is in the store: sequence number by key, and every person's watch."""
    found = {}
    for nonce, seq, seen_at, alarms, quarantined in WatchRow.objects.values_list(
        "nonce", "seq", "seen_at", "alarms", "quarantined_at"
    ):
        key = encryption.key_for("watch", bytes(nonce))
        found[key] = {"seq": seq, "seen_at": seen_at, "alarms": alarms, "aside": bool(quarantined)}
    return found


if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    print(json.dumps(globals()[what](*map(int, numbers))))
