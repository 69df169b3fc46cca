"""What was erased is gone from PostgreSQL's files too."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from stillhere.engine import loop
from stillhere.store.models import Address
from stillhere.store.privacy import erasure, vacuum
from stillhere.store.privacy.vacuum import EVERY_MS, Vacuum
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock

pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.postgres]


def counted() -> None:
    """What this connection changed is counted for all: now, not when the server gets to it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")


def raw_files() -> bytes:
    """Every byte of every table, index and overflow of this database."""
    counted()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SHOW data_directory")
        ((folder,),) = cursor.fetchall()
        cursor.execute(
            "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relfilenode <> 0"
            " AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)"
        )
        files = [Path(folder, path) for (path,) in cursor.fetchall()]
    return b"".join(file.read_bytes() for file in files)


def marks(night: SamsNight) -> list[bytes]:
    """What would tell that Sam and their people were here."""
    contact = night.contacts["Leo"]
    ways = Address.objects.filter(contact=contact).values_list("nonce", flat=True)
    return [bytes(night.person.nonce), bytes(contact.key_hash), *map(bytes, ways)]


def test_whoever_was_erased_is_in_no_file_any_more(clock: Clock) -> None:
    before, gone, after = (sams_night(("Leo",)) for _ in range(3))
    theirs, others = marks(gone), marks(before) + marks(after)
    erasure.erase_person(gone.person)
    files = raw_files()
    assert all(mark in files for mark in theirs), "erasing the rows is not enough"
    assert {"person", "contact", "address"} <= set(Vacuum().rewrite())
    files = raw_files()
    assert [mark for mark in theirs if mark in files] == []
    assert [mark for mark in others if mark not in files] == []


def test_it_is_done_once_an_hour_by_the_engine_and_only_where_something_changed(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = sams_night(("Leo",))
    erasure.erase_person(night.person)
    counted()
    done: list[list[str]] = []
    rewrite = Vacuum.rewrite

    def noted(self: Vacuum) -> list[str]:
        done.append(rewrite(self))
        return done[-1]

    monkeypatch.setattr(Vacuum, "rewrite", noted)
    audit = loop._auditing()
    audit()
    assert done == [], "a start has other things to do"
    for _ in range(2):
        clock.advance(EVERY_MS // 1000)
        audit()
        counted()
        audit()
    assert len(done) == 2
    assert "person" in done[0]
    assert "person" not in done[1]


def test_a_table_that_somebody_uses_is_left_for_the_next_time(clock: Clock) -> None:
    night = sams_night(("Leo",))
    erasure.erase_person(night.person)
    counted()
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE person IN ROW SHARE MODE")
            held.set()
            let_go.wait(20)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(20)
        work = Vacuum()
        done = work.rewrite()
    finally:
        let_go.set()
        holder.join()
    assert "person" not in done
    assert "contact" in done
    assert "person" in work.rewrite()


def test_a_large_table_is_not_closed_to_everybody_for_long(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = sams_night(("Leo",))
    erasure.erase_person(night.person)
    counted()
    monkeypatch.setattr(vacuum, "MOST_BYTES", -1)  # an empty table has none
    said: list[str] = []

    def heard(execute: Callable[..., object], sql: str, *rest: object) -> object:
        said.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(heard):
        assert "person" in Vacuum().rewrite()
    assert 'VACUUM "person"' in said
    assert not [sql for sql in said if "FULL" in sql]


def test_on_a_slow_disk_it_is_given_up_before_anybody_waits_long(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = sams_night(("Leo",))
    erasure.erase_person(night.person)
    counted()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supply_warning (ref, area, text, source, found_on, created_at, ends_at)"
            " SELECT i::text, 'x', repeat('x', 400), 'x', 'x', 0, 0 FROM generate_series(1, 9000) i"
        )
        cursor.execute("DELETE FROM supply_warning WHERE ref::int > 8000")
    counted()
    monkeypatch.setattr(vacuum, "LONGEST_MS", 1)
    work = Vacuum()
    assert "supply_warning" not in work.rewrite()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() != ("1ms",)
        cursor.execute("SELECT count(*) FROM supply_warning")
        assert cursor.fetchone() == (8000,)
    monkeypatch.setattr(vacuum, "LONGEST_MS", 5_000)
    assert "supply_warning" in work.rewrite()
