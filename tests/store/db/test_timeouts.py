"""A database that falls silent is given up on, and whoever waited hears that nothing is certain."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from stillhere.store.db.postgresql.base import HOSTS, Hosts, Impatient, reordered
from stillhere.store.db.timeouts import PATIENCE, be_impatient
from stillhere.store.watches.apply import Change, ChangeResult, CheckIn, apply_batch
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from tests.circle import sams_night
from tests.conftest import Clock
from tests.installation import wait_for
from tests.postgres import running_cluster


@pytest.fixture
def impatient() -> Iterator[None]:
    """Long enough for every statement of a test, short enough to wait for."""
    be_impatient(2.0)
    yield
    PATIENCE.limit_s = None
    HOSTS.silent = None


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """The server's process stands still: its kernel takes what we send, nobody reads it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.postgres
@pytest.mark.usefixtures("database", "impatient")
def test_nobody_waits_for_a_frozen_database_for_ever() -> None:
    with frozen(backend()):
        with pytest.raises(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.close()
        with connection.cursor() as cursor:  # another process of the server serves us
            cursor.execute("SELECT 2")
            assert cursor.fetchone() == (2,)


@pytest.mark.postgres
@pytest.mark.usefixtures("database", "impatient")
def test_a_check_in_that_meets_a_frozen_database_is_tried_on_a_new_line(clock: Clock) -> None:
    """The writer thread is freed, forgets the dead line and keeps the check-in on another."""
    night = sams_night(("Leo",))
    night.start()
    clock.advance(10)
    pids: list[int] = []

    def apply(changes: Sequence[Change]) -> list[ChangeResult]:
        pids.append(backend())
        if len(pids) > 1:
            return apply_batch(changes)
        with frozen(pids[0]):
            return apply_batch(changes)

    writes = GroupCommit(apply)
    try:
        answer = writes.commit(Change(CheckIn(), watch=night.watch), timeout_s=30)
    finally:
        writes.stop()
    assert answer.watch is not None
    assert len(set(pids)) == 2
    assert night.row().seen_at == clock.now


def waiting_backends() -> int:
    """How many of the server's processes work for us or wait, beside the one that counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def lost(*statements: str) -> Iterator[None]:
    """A process of ours that says this in a transaction, and is stopped before it reads the answer
    to the last one."""
    connection.ensure_connection()  # with the product's own limits
    ours = connection.connection
    line = ours.pgconn
    for sql in ("BEGIN", *statements):
        line.send_query(sql.encode())
        if sql is not statements[-1]:
            while line.get_result() is not None:
                pass
    connection.connection = None  # another line for whoever looks on
    try:
        yield
    finally:
        ours.close()


def let_go(seconds: float = 10.0) -> None:
    wait_for(lambda: waiting_backends() == 0, "a backend still waits", seconds)


@pytest.mark.postgres
@pytest.mark.usefixtures("database", "impatient")
def test_what_we_gave_up_on_ends_by_itself_on_the_server(clock: Clock) -> None:
    """One holds a row and is stopped; the other waits for that row and is gone. Nobody tells the
    server, and no time-out of its own is set."""
    night = sams_night(("Leo",))
    night.start()
    connection.close()
    lock = f"SELECT id FROM watch WHERE id = {night.watch} FOR UPDATE"
    with lost(lock), lost(lock):
        assert waiting_backends() == 2
        let_go()
    assert night.does(CheckIn()).watch is not None


@pytest.mark.postgres
@pytest.mark.usefixtures("database", "impatient")
def test_the_server_ends_a_statement_before_we_give_up_on_the_line() -> None:
    pid = backend()
    with pytest.raises(OperationalError), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")
    assert backend() == pid, "the line lives"


@pytest.mark.postgres
@pytest.mark.usefixtures("database")
def test_a_migration_or_a_backup_has_no_limits() -> None:
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.postgres
@pytest.mark.usefixtures("database", "impatient")
def test_the_limits_of_web_and_engine(clock: Clock) -> None:
    be_impatient()
    connection.close()
    told = {}
    for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
        with connection.cursor() as cursor:
            cursor.execute(f"SHOW {name}")
            told[name] = cursor.fetchone()[0]
    assert list(told.values()) == ["1s", "5s", "5s"]


@pytest.mark.postgres
@pytest.mark.slow
def test_a_commit_that_waits_for_a_standby_is_never_told_as_kept() -> None:
    """No limit of the server cuts that wait short: it would answer as if two machines had it."""
    with running_cluster(fsync=True) as cluster:
        with psycopg.connect(cluster.url, autocommit=True) as admin:
            admin.execute("CREATE TABLE kept (id int)")
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            admin.execute("SELECT pg_reload_conf()")
        be_impatient(1.0)
        try:
            with Impatient.connect(cluster.url, autocommit=True) as line:
                line.execute("SET statement_timeout = '500ms'")
                line.execute("SET lock_timeout = '500ms'")
                wait_for(lambda: _waits_for(line, "nobody"), "the standby's name is read")
                with pytest.raises(psycopg.OperationalError):
                    line.execute("INSERT INTO kept VALUES (1)")
        finally:
            PATIENCE.limit_s = None
            HOSTS.silent = None


def _waits_for(line: psycopg.Connection[Any], name: str) -> bool:
    return line.execute("SHOW synchronous_standby_names").fetchone() == (name,)


@pytest.mark.usefixtures("database")
def test_a_database_that_is_gone_is_not_asked_once_for_each_who_waits(clock: Clock) -> None:
    sizes: list[int] = []

    def gone(changes: Sequence[Change]) -> list[ChangeResult]:
        sizes.append(len(changes))
        raise OperationalError("server closed the connection unexpectedly")

    async def crowd(
        writes: GroupCommit[Change, ChangeResult],
    ) -> list[ChangeResult | BaseException]:
        waiting = [writes.soon(Change(CheckIn(), watch=1)) for _ in range(300)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    writes = GroupCommit(gone)
    try:
        answers = asyncio.run(crowd(writes))
    finally:
        writes.stop()
    assert {type(answer) for answer in answers} == {NotStored}
    groups = sum(1 for size in sizes if size > 1) + 1
    assert len(sizes) <= groups * 4, "tried one by one against a database that is not there"


@pytest.mark.usefixtures("database")
def test_what_was_answered_not_kept_is_not_kept_later(clock: Clock) -> None:
    """A check-in whose sender gave up on us and tried again must not count from when we came to
    it."""
    night = sams_night(("Leo",))
    night.start()
    sizes: list[int] = []
    entered, let_go = threading.Event(), threading.Event()

    def apply(changes: Sequence[Change]) -> list[ChangeResult]:
        sizes.append(len(changes))
        entered.set()
        assert let_go.wait(10)
        return apply_batch(changes)

    async def senders(writes: GroupCommit[Change, ChangeResult]) -> None:
        first = writes.soon(Change(CheckIn(), watch=night.watch))
        await asyncio.to_thread(entered.wait, 10)
        too_late = writes.soon(Change(CheckIn(), watch=night.watch))
        gone = writes.soon(Change(CheckIn(), watch=night.watch))
        gone.cancel()  # the line broke before we could answer: this sign of life counts
        too_late.set_exception(TimeoutError())
        let_go.set()
        assert (await first).watch is not None
        with pytest.raises(TimeoutError):
            await too_late

    writes = GroupCommit(apply)
    asyncio.run(senders(writes))
    writes.stop()
    assert sizes == [1, 1]


def test_the_host_that_answered_last_is_asked_first_and_a_silent_one_last() -> None:
    params = {"host": "db1,db2,db3", "port": "5432,5433,5434", "dbname": "stillhere"}
    one, three = ("db1", "5432"), ("db3", "5434")
    assert reordered(params, Hosts()) == params
    assert reordered(params, Hosts(answered=("db4", "5432"))) == params
    assert reordered(params, Hosts(answered=three))["host"] == "db3,db1,db2"
    assert reordered(params, Hosts(answered=three))["port"] == "5434,5432,5433"
    assert reordered(params, Hosts(answered=one, silent=one))["host"] == "db2,db3,db1"
    alone = {"host": "db1", "port": "5432"}
    assert reordered(alone, Hosts(answered=one, silent=one)) == alone
