"""A disk that takes nothing is noticed by the first statement that meets it, and said as such."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import Error, OperationalError, connection, transaction
from django.test import RequestFactory

from stillhere.engine.audit import audit_once
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.db.disk import BROKEN, DISK, FULL, READ_ONLY, full, meaning
from stillhere.store.models import Outage
from stillhere.store.watches.group_commit import WRITER, GroupCommit, NotStored
from stillhere.web.site import health
from stillhere.web.site.errors import not_kept
from tests.conftest import Clock


@pytest.fixture(autouse=True)
def _no_trouble_before(clock: Clock) -> Iterator[None]:
    DISK.said, WRITER.wrote_ms = "", clock.boot
    yield
    DISK.said = ""


def fill() -> None:
    """Write until the database says that its disk is full."""
    if connection.vendor == "postgresql":
        _sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$")
    _sql("VACUUM")  # no free page that an earlier test has left
    _sql("PRAGMA max_page_count = 1")  # no more than there are
    try:
        with transaction.atomic():
            for n in range(10_000):
                Outage.objects.create(from_at=n, to_at=n, why="x" * 40)
    finally:
        _sql("PRAGMA max_page_count = 1073741823")


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.usefixtures("database")
def test_the_first_write_that_meets_a_full_disk_says_so(clock: Clock) -> None:
    with pytest.raises(OperationalError):
        fill()
    assert DISK.says() == FULL
    assert health.reasons() == [FULL], "and not what follows from it"
    assert health.behind()
    clock.advance(4.9)
    assert DISK.says() == FULL
    clock.advance(0.1)
    assert DISK.says() == ""


@pytest.mark.usefixtures("database")
def test_the_writer_notices_it_and_the_page_says_it() -> None:
    press = RequestFactory().post("/people")
    assert "no room left" not in not_kept(press).content.decode()

    def apply(_changes: object) -> list[object]:
        fill()
        return []

    writer: GroupCommit[object, object] = GroupCommit(apply, proves=False)
    with pytest.raises(NotStored):
        writer.commit("press")
    writer.stop()
    assert "no room left" in not_kept(press).content.decode()


@pytest.mark.usefixtures("database")
def test_what_only_the_engine_meets_is_in_its_proof(clock: Clock) -> None:
    """PostgreSQL may still change a row where it has no room for a new one."""
    pulse_once()
    with pytest.raises(Error):
        fill()
    assert audit_once(clock.now) == [FULL]
    clock.advance(5)
    assert audit_once(clock.now) == []


class _Sqlite(sqlite3.OperationalError):
    sqlite_errorcode = 0


class _Server(Exception):
    sqlstate = ""


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (sqlite3.SQLITE_FULL, FULL),
        (sqlite3.SQLITE_READONLY, READ_ONLY),
        (sqlite3.SQLITE_READONLY_DBMOVED, READ_ONLY),
        (sqlite3.SQLITE_IOERR_FSYNC, BROKEN),
        (sqlite3.SQLITE_IOERR_SHMSIZE, BROKEN),
        (sqlite3.SQLITE_CANTOPEN, BROKEN),
        (sqlite3.SQLITE_BUSY, ""),
        (sqlite3.SQLITE_CORRUPT, ""),
    ],
)
def test_what_sqlite_says_of_the_disk(code: int, said: str) -> None:
    failure = _Sqlite()
    failure.sqlite_errorcode = code
    assert meaning(failure) == said


@pytest.mark.parametrize(
    ("bytes_free", "said"), [(0, FULL), (60 * 1024, FULL), (64 * 1024, BROKEN)]
)
@pytest.mark.parametrize("code", [sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_CANTOPEN])
def test_a_write_that_fails_without_a_reason_on_a_full_disk_is_called_full(
    monkeypatch: pytest.MonkeyPatch, code: int, bytes_free: int, said: str
) -> None:
    there = SimpleNamespace(f_bavail=bytes_free // 1024, f_frsize=1024, f_files=0, f_favail=0)
    monkeypatch.setattr("os.statvfs", lambda _folder: there)
    failure = _Sqlite()
    failure.sqlite_errorcode = code
    assert meaning(failure) == said


@pytest.mark.parametrize(
    ("state", "said"), [("53100", FULL), ("58030", BROKEN), ("40001", ""), ("55P03", "")]
)
def test_what_postgresql_says_of_its_disk(state: str, said: str) -> None:
    failure = _Server()
    failure.sqlstate = state
    assert meaning(failure) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, FULL),
        (errno.EDQUOT, FULL),
        (errno.EROFS, READ_ONLY),
        (errno.EIO, BROKEN),
        (errno.EACCES, ""),
    ],
)
def test_what_the_system_says_of_the_disk(number: int, said: str) -> None:
    assert meaning(OSError(number, "")) == said


@pytest.mark.parametrize(
    ("blocks", "files", "free_files", "is_full"),
    [(0, 9, 9, True), (9, 9, 0, True), (9, 9, 1, False), (9, 0, 0, False)],
)
def test_a_disk_without_blocks_or_inodes_is_full_before_a_write_says_so(
    monkeypatch: pytest.MonkeyPatch, blocks: int, files: int, free_files: int, is_full: bool
) -> None:
    """Some file systems count no inodes at all."""
    there = SimpleNamespace(f_bavail=blocks, f_frsize=4096, f_files=files, f_favail=free_files)
    monkeypatch.setattr("os.statvfs", lambda _folder: there)
    assert full(Path("/")) is is_full


def test_a_folder_that_is_not_there_is_not_full(tmp_path: Path) -> None:
    assert not full(tmp_path / "none")
