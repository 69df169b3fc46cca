"""What the hot path says to the database: few statements, each about rows it names.

docs/scale.md builds on this: how many are open does not matter, one statement never looks at two
people's rows together, and no table is named with a schema, so that a programme can have its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection

from stillhere.engine.tick import tick_once
from stillhere.store.db import clock as time
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Message
from stillhere.store.watches.apply import Change, CheckIn, apply_batch
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.installation import Installation

TABLES = re.compile(r'\b(?:FROM|JOIN|INTO|(?<!FOR )UPDATE)\s+"?([a-z_]+)"?')
BOOKKEEPING = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")


def said_by(work: Callable[[], object]) -> list[str]:
    """The statements that ``work`` made, without their values."""
    heard: list[str] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(BOOKKEEPING):
            heard.append(" ".join(sql.split()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        work()
    return heard


def tables(statements: list[str]) -> set[str]:
    return {t for sql in statements for t in TABLES.findall(sql)} - {"v", "clock_timestamp"}


def nights(count: int) -> list[SamsNight]:
    made = [sams_night(("Leo",), ("Maya",)) for _ in range(count)]
    for night in made:
        night.start()
    return made


def check_in(those: list[SamsNight]) -> list[str]:
    keys = [encryption.key_hash(encryption.key_for("watch", night.row().nonce)) for night in those]
    return said_by(lambda: apply_batch([Change(CheckIn(), key_hash=key) for key in keys]))


@pytest.mark.usefixtures("database")
def test_a_check_in_reads_and_writes_its_own_row_and_nothing_else(clock: Clock) -> None:
    one, *others = nights(5)
    clock.advance(10)
    said = check_in([one])
    read, write = said[-2:]
    assert tables(said) == {"installation", "watch"}
    assert " FROM watch WHERE key_hash IN (" in read
    assert write.endswith(" AS v WHERE watch.id = v.column1 AND watch.version = v.column2")
    assert not any(" JOIN " in sql for sql in said)
    assert len(said) <= 4, "the time (two on PostgreSQL), one read, one write"
    clock.advance(10)
    assert len(check_in(others)) == len(said), "as many for four as for one"


@pytest.mark.usefixtures("database")
def test_a_round_of_the_engine_names_the_rows_it_is_about(clock: Clock) -> None:
    nights(3)
    clock.advance(180)
    asked = said_by(lambda: tick_once(time.now_ms()))
    assert tables(asked) <= {"installation", "watch", "outage", "address", "message", "page_change"}
    clock.advance(60)
    tick_all()
    clock.advance(60)
    raised = said_by(lambda: tick_once(time.now_ms()))
    alarm = {"contact", "address", "message", "journal", "tally"}
    assert tables(raised) <= {"installation", "watch", "outage", "page_change"} | alarm
    looked_for = [sql for sql in raised if sql.startswith("SELECT") and " FROM contact" in sql]
    assert all("person_id IN (" in sql for sql in looked_for), "whose plan is named"


@pytest.mark.usefixtures("database")
def test_a_queue_in_which_nothing_is_due_takes_no_lock(clock: Clock) -> None:
    nights(1)
    assert delivery.lease("text", clock.now, 50, 20.0), "the invitations"
    [look] = said_by(lambda: delivery.lease("text", clock.now, 10, 20.0))
    assert look.startswith("SELECT 1 FROM message WHERE")


@pytest.mark.usefixtures("database")
def test_a_lease_takes_from_the_outbox_alone_and_reads_by_id(clock: Clock) -> None:
    nights(1)
    clock.advance(180)
    for wait_s in (60, 30):  # asked, then alarmed; and nothing has lapsed yet
        tick_all()
        clock.advance(wait_s)
    assert Message.objects.filter(status="queued", channel="text").exists()
    look, lease, read, silenced, told, listed, *names = said_by(
        lambda: delivery.lease("text", clock.now, 10, 20.0)
    )
    assert look.startswith("SELECT 1 FROM message WHERE")
    assert tables([lease]) == {"message"}
    assert ("SKIP LOCKED" in lease) == (connection.vendor == "postgresql")
    assert "WHERE m.id IN (" in read
    assert re.findall(r"JOIN \w+ (\w) ON \1\.(\w+)", read) == [
        ("p", "id"), ("c", "id"), ("a", "id"), ("w", "id"),
    ]  # fmt: skip
    assert tables([silenced]) == {"suppression"}
    assert "lookup IN (" in silenced.replace('"', "")
    assert "lookup IN (" in told.replace('"', ""), "who is on several alarms, by their numbers"
    assert tables([listed]) == {"alarm_list"}
    assert "lookup IN (" in listed.replace('"', "")
    assert tables(names) <= {"contact"}


@pytest.mark.usefixtures("database")
def test_no_statement_names_a_schema_or_asks_the_database_the_time(clock: Clock) -> None:
    def evening() -> None:
        nights(1)
        clock.advance(180)
        for _ in range(3):
            tick_all()
            delivery.lease("text", clock.now, 10, 20.0)
            clock.advance(60)

    for sql in said_by(evening):
        assert not re.search(r'\b"?public"?\.', sql), sql
        assert "now()" not in sql.lower(), sql


@pytest.mark.postgres
def test_two_programmes_keep_house_in_one_database(
    installation: Callable[..., Installation],
) -> None:
    """A schema each, chosen by the connection alone: nothing of one is seen by the other."""
    url = installation().environment["STILLHERE_DATABASE_URL"]
    for name in ("denver", "boulder"):
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute(f"CREATE SCHEMA {name}".encode())
        own = installation(STILLHERE_DATABASE_URL=f"{url}?options=-csearch_path%3D{name}")
        told = own.run("migrate")
        assert told.returncode == 0, told.stderr
        assert "0001_first" in told.stdout, "the other one's tables are not ours"
    with psycopg.connect(url) as look:
        found = look.execute(
            "SELECT table_schema FROM information_schema.tables "
            "WHERE table_name = 'watch' ORDER BY 1"
        ).fetchall()
    assert found == [("boulder",), ("denver",)]
