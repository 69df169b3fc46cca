"""Works on a benchmark's store from a process of its own: ``python -m benchmarks.inside COUNT
SECONDS``.

STILLHERE_DATA names an empty data folder. Fills it with open watches, measures what the store alone
can do, leaves the keys of some of them in ``keys.txt``, and prints one JSON line.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import django
from django.conf import settings

from stillhere.config import environment, keys

_data = environment.read({"STILLHERE_DATA": sys.argv[1]}).data
keys.ensure_folder(_data)
keys.create_missing(_data)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from stillhere.core.watch import start  # noqa: E402
from stillhere.store import clock, rows, sealed, services  # noqa: E402
from stillhere.store.apply import Change, CheckIn, apply_batch  # noqa: E402

KEYS_KEPT = 20_000
GROUP = 256


def open_watches(count: int) -> list[str]:
    """Insert ``count`` open acute watches and return the keys of some, spread evenly."""
    person, _ = services.new_person("en")
    now = clock.now_ms()
    frozen = rows.freeze(start(0, rows.profile_of("swallowed", ""), now))
    fixed = ("person_id", "nonce", "key_hash", "version", "profile", "own", "started_at")
    names = (*fixed, *rows.MUTABLE)
    every = max(count // KEYS_KEPT, 1)
    kept: list[str] = []

    def lines() -> Iterator[tuple[Any, ...]]:
        for number in range(count):
            nonce = (number + 1).to_bytes(16, "big")
            key = sealed.key_for("watch", nonce)
            if number % every == 0:
                kept.append(key)
            yield (person.id, nonce, sealed.key_hash(key), 0, "swallowed", "", now, *frozen)

    sql = f"INSERT INTO watch ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
    waiting = lines()
    with transaction.atomic(), connection.cursor() as cursor:
        while chunk := list(islice(waiting, 10_000)):
            cursor.executemany(sql, chunk)
    return kept


def per_second(kept: list[str], at_once: int, seconds: float) -> float:
    """Check-ins a second straight into ``apply_batch``, ``at_once`` in a transaction."""
    chance = random.Random(1)
    hashes = [sealed.key_hash(key) for key in kept]
    began, done = time.perf_counter(), 0
    while time.perf_counter() < began + seconds:
        apply_batch([Change(CheckIn(), key_hash=h) for h in chance.sample(hashes, at_once)])
        done += at_once
    return done / (time.perf_counter() - began)


def main() -> None:
    count, seconds = int(sys.argv[2]), float(sys.argv[3])
    call_command("migrate", verbosity=0)
    kept = open_watches(count)
    (settings.STILLHERE.data / "keys.txt").write_text("\n".join(kept))
    unbatched, batched = per_second(kept, 1, seconds), per_second(kept, GROUP, seconds)
    print(json.dumps({"unbatched_per_s": unbatched, "batched_per_s": batched}))


if __name__ == "__main__":
    main()
