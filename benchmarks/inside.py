"""Works on a benchmark's store from a process of its own: ``python -m benchmarks.inside``.

``WHAT FACTS`` are a function and its arguments as JSON; STILLHERE_DATA names the data folder. Each
function answers with one JSON line.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import signing

from stillhere.config import keys

_data = Path(os.environ["STILLHERE_DATA"])
keys.ensure_folder(_data)
keys.create_missing(_data / keys.FOLDER, demo=bool(os.environ.get("STILLHERE_DEMO")))
django.setup()

from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from stillhere.cli.actions import migrate  # noqa: E402
from stillhere.core.events import Marked  # noqa: E402
from stillhere.core.schedule import Routine  # noqa: E402
from stillhere.core.watch import start as begin  # noqa: E402
from stillhere.engine.tick import tick_once  # noqa: E402
from stillhere.sim import crowd  # noqa: E402
from stillhere.store.db import clock, encryption  # noqa: E402
from stillhere.store.installation import desk_key  # noqa: E402
from stillhere.store.models import (  # noqa: E402
    Address,
    Arrival,
    Browser,
    Installation,
    Message,
    WatchRow,
)
from stillhere.store.people import browsers, persons  # noqa: E402
from stillhere.store.program import shifts  # noqa: E402
from stillhere.store.watches import rows  # noqa: E402
from stillhere.store.watches.apply import Change, CheckIn, apply_batch, start  # noqa: E402
from tests.circle import open_links, put_on_list  # noqa: E402

FAR_MS = 3_600_000


def prepare() -> bool:
    """The tables."""
    migrate.migrate(settings.STILLHERE, [])
    return True


def fill(count: int) -> int:
    """Open watches of which none falls due within an hour; the keys of some in ``keys.txt``."""
    now = clock.now_ms()
    kept = crowd.open_watches(count, crowd.asked_at(now, lambda n: now + FAR_MS + n % 3_600_000))
    (settings.STILLHERE.data / "keys.txt").write_text("\n".join(kept))
    if connection.vendor == "postgresql":  # which would do so by itself; SQLite never does
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    return len(kept)


def daily(count: int, ahead_s: int) -> int:
    """Daily check-ins, due at every minute of the day, reckoned by a clock that runs ahead; the
    keys of some in ``keys.txt``."""
    now = clock.now_ms() + ahead_s * 1000
    profile = rows.profile_of("routine", "")
    every = [
        begin(0, profile, now, Routine(frozenset(range(7)), minute, "America/Denver"))
        for minute in range(24 * 60)
    ]
    kept = crowd.open_watches(count, lambda n: every[n * 7919 % len(every)])
    (settings.STILLHERE.data / "keys.txt").write_text("\n".join(kept))
    return len(kept)


def set_back(by_s: int) -> int:
    """The clock was set back; its row is all that says so yet."""
    by_ms = by_s * 1000
    Installation.objects.update_or_create(
        id=1, defaults={"clock_back_ms": by_ms, "clock_reckoned_ms": 0}
    )
    return by_ms


def followed(within_s: float) -> bool:
    """Wait until all watches are reckoned in the right time; whether they were before ``within_s``
    was over. One process that looks now and then: starting one for every look takes a core from
    what is measured."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        row = clock.read()
        if row.back_ms == row.reckoned_ms:
            return True
        time.sleep(0.1)
    return False


def silent(count: int, in_s: float, within_s: float, own: str = "", contacts: int = 1) -> Any:
    """People who will be asked from ``in_s`` seconds on, evenly within ``within_s``, and will not
    answer: [[watch, ask_at], ...]."""
    now = clock.now_ms()
    first, step_ms = now + round(in_s * 1000), within_s * 1000 / max(count, 1)
    made = crowd.silent_people(
        count, now - 60_000, lambda n: first + round(n * step_ms), contacts, own
    )
    return [[each.watch, each.ask_at] for each in made]


def alarmed(count: int, in_s: float, contacts: int = 1) -> int:
    """People whose alarms are all due in one instant; when that is (ms UTC)."""
    now = clock.now_ms()
    made = crowd.silent_people(count, now - 180_000, lambda n: now, contacts)
    alarm_at = clock.now_ms() + round(in_s * 1000)
    crowd.asked(made, alarm_at)
    return alarm_at


def texters(count: int, each: int) -> list[int]:
    """People on watch who have nothing but a phone, and ``each`` messages to every one of them that
    wait for their receipts: the ids of those."""
    now = clock.now_ms()
    waiting = []
    with transaction.atomic():
        for no in range(count):
            person = persons.new_caller(f"+1202555{no:04d}", "en")
            watch = start(person.id, "injected")
            address = Address.objects.get(person=person, channel="text")
            waiting += [
                Message(
                    key=f"b{no}.{nth}", watch_id=watch, person=person, address=address,
                    channel="text", word="ask", urgency=3, due_at=now, created_at=now,
                    status="sent", attempts=1, carrier="one",
                )
                for nth in range(each)
            ]  # fmt: skip
        made = Message.objects.bulk_create(waiting)
    return [message.id for message in made]


def desk(people: int, each: int, alarms: int) -> str:
    """People with a watch and ``each`` on their list, ``alarms`` of them with an open alarm, and
    volunteers, one of them on shift. The desk's address; the engine is taken to run."""
    now = clock.now_ms()
    made = crowd.silent_people(people, now - 180_000, lambda n: now + FAR_MS, each)
    if alarms:
        crowd.asked(made[:alarms], now)
    while tick_once(clock.now_ms()):
        pass
    for no in range(30):
        shifts.add(f"Ana {no}", f"+120255501{no:02d}", "en")
    shifts.begin(shifts.everyone()[-1], 4)
    Installation.objects.update_or_create(id=1, defaults={"beat_at": now, "proof_at": now})
    return f"/desk/{desk_key.key()}"


def desk_statements(path: str) -> int:
    """How many statements opening the desk is, once it is open in this browser."""
    ruth = Client(SERVER_NAME="localhost")
    ruth.get(path)
    with CaptureQueriesContext(connection) as said:
        assert ruth.get("/desk").status_code == 200
    return len(said)


def links(people: int, each: int) -> list[dict[str, Any]]:
    """The links of as many people with an open alarm."""
    return open_links(people, each)


def on_watch(people: int, each: int) -> list[str]:
    """The sessions of people on watch, with as many on their lists who said yes."""
    found = []
    for no in range(people):
        person, _key = persons.new_person("en", "America/New_York")
        persons.set_plan(person, name=f"Sam {no}", place="12 Elm Street", town="Denver")
        put_on_list(person, each, no)
        start(person.id, "injected")
        found.append(browsers.open_pages(person, tell=False)[1])
    return found


def waiters(count: int) -> list[tuple[int, str]]:
    """People with nobody on their lists and a watch of which nothing falls due soon: who they are,
    and the session of their phone."""
    now = clock.now_ms()
    made = crowd.silent_people(count, now - 60_000, lambda n: now + FAR_MS + n % FAR_MS, 0)
    people = list(WatchRow.objects.filter(id__in=[each.watch for each in made]))
    tokens = [(row.person_id, secrets.token_urlsafe(20)) for row in people]
    today = datetime.now(UTC).date()
    Browser.objects.bulk_create(
        Browser(person_id=person, token_hash=encryption.key_hash(token), since=today)
        for person, token in tokens
    )
    return tokens


def changes(persons: list[int], per_s: int, seconds: float) -> list[tuple[int, int]]:
    """Something that their pages show happens to as many of these people a second, in groups of a
    tenth of them: who, and when it was committed, ms UTC."""
    watches = dict(WatchRow.objects.filter(person__in=persons).values_list("person", "id"))
    chance, done = random.Random(3), list[tuple[int, int]]()
    began, group = time.monotonic(), max(per_s // 10, 1)
    while (passed_s := time.monotonic() - began) < seconds:
        time.sleep(max(0.0, len(done) / per_s - passed_s))
        those = chance.sample(persons, group)
        apply_batch([Change(Marked(), watch=watches[person]) for person in those])
        done += [(person, round(time.time() * 1000)) for person in those]
    return done


def visitors(count: int) -> dict[str, Any]:
    """Sessions of people, half of whom have a PIN, and what opens the certificate."""
    made, hashed = [persons.new_person("en")[0] for _ in range(count)], make_password("2580")
    for person in made[::2]:
        persons.set_pin(person, hashed)
    sessions = [browsers.open_pages(person, tell=False)[1] for person in made]
    return {
        "sessions": sessions[1::2],
        "with_pin": sessions[::2],
        "passed": signing.dumps("all six", salt="learnt"),
    }


def taken() -> dict[str, int]:
    """What came in, and what it did."""
    return {
        "arrivals": Arrival.objects.count(),
        "delivered": Message.objects.filter(status="delivered").count(),
    }


def store_limit(seconds: float) -> dict[str, float]:
    """Check-ins a second straight into ``apply_batch``: one in a transaction, and 256."""
    kept = (settings.STILLHERE.data / "keys.txt").read_text().split()
    return {
        "unbatched_per_s": _per_second(kept, 1, seconds),
        "batched_per_s": _per_second(kept, 256, seconds),
    }


def _per_second(kept: list[str], at_once: int, seconds: float) -> float:
    chance = random.Random(1)
    hashes = [encryption.key_hash(key) for key in kept]
    began, done = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        apply_batch([Change(CheckIn(), key_hash=h) for h in chance.sample(hashes, at_once)])
        done += at_once
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
