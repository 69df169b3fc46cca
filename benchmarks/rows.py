"""How large a row of each table is on PostgreSQL, with its indexes: docs/scale.md reckons with it.

``python -m tests.postgres python -m benchmarks.rows``. Prints name=value lines, bytes a row.
"""

from __future__ import annotations

import json
import os
import tempfile

import django

from stillhere.config import environment, keys

_folder = tempfile.TemporaryDirectory()
os.environ["STILLHERE_DATA"] = _folder.name
os.environ["DJANGO_SETTINGS_MODULE"] = "stillhere.config.settings"
_data = environment.read(os.environ).data
keys.ensure_folder(_data)
keys.create_missing(_data / keys.FOLDER)
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from stillhere.cli.actions import migrate  # noqa: E402
from stillhere.core.watch import start  # noqa: E402
from stillhere.store.db import clock, encryption  # noqa: E402
from stillhere.store.models import JournalLine, Message  # noqa: E402
from stillhere.store.watches import rows  # noqa: E402
from tests.circle import sams_night  # noqa: E402

PERSONS, WATCHES, LINES = 50, 20_000, 10_000


def fill() -> None:
    """People with three contacts each, watches that were checked in on, messages and journal."""
    nights = [sams_night(("Leo", "Ana"), ("Maya",)) for _ in range(PERSONS)]
    Message.objects.all().delete()
    now = clock.now_ms()
    frozen = rows.freeze(start(0, rows.profile_of("injected", ""), now))
    fixed = ("person_id", "nonce", "key_hash", "version", "profile", "own")
    names = (*fixed, *rows.MUTABLE)
    lines = []
    for number in range(WATCHES):
        nonce = (number + 1).to_bytes(16, "big")
        person = nights[number % PERSONS].person.id
        key_hash = encryption.key_hash(encryption.key_for("watch", nonce))
        lines.append((person, nonce, key_hash, 0, "injected", "", *frozen))
    marks = ", ".join(["%s"] * len(names))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO watch ({', '.join(names)}) VALUES ({marks})", lines)
        cursor.execute("SELECT min(id) FROM watch")
        first = cursor.fetchone()[0]
    facts = json.dumps({"at": now, "who": 1, "eta_s": 180, "round": 0, "outcome": None})
    some = nights[0]
    contact = next(iter(some.contacts.values()))
    same = {
        "person": some.person, "contact": contact, "channel": "text", "word": "alarm",
        "facts": facts, "urgency": 1, "due_at": now, "created_at": now, "status": "sent",
        "provider_ref": "SM" + "0" * 32,
    }  # fmt: skip
    Message.objects.bulk_create(
        Message(key=f"w{first + n}.v12.0.1.{n}", watch_id=first + n, **same) for n in range(LINES)
    )
    JournalLine.objects.bulk_create(
        JournalLine(watch_id=first + n, at=now, event="TimePassed", state="alarm", facts="{}")
        for n in range(LINES)
    )


def sizes() -> dict[str, float]:
    """Bytes a row: table and indexes together."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")
        for table in ("person", "contact", "address", "watch", "message", "journal"):
            cursor.execute(
                f"SELECT pg_total_relation_size('{table}')::float / count(*) FROM {table}"
            )
            found[table] = cursor.fetchone()[0]
    return found


def main() -> None:
    migrate.migrate(settings.STILLHERE, [])
    fill()
    for table, size in sizes().items():
        print(f"{table}_row_bytes={size:.0f}")


if __name__ == "__main__":
    main()
