"""Fixtures everyone shares: the database with committed data, and a clock that a test moves.

`pytest` runs on SQLite; `python -m tests.postgres pytest` runs on PostgreSQL
what touches a database.
"""

from __future__ import annotations

import gc
import os
import secrets
import signal
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django.fixtures import Settings

from hatch_build import compile_catalogues
from stillhere.config import gc_tuning
from stillhere.store.db.optional_tables import OPTIONAL
from tests.installation import Installation
from tests.order import spread

DATABASE_FIXTURES = {"database", "db", "transactional_db"}
ON_POSTGRES = bool(os.environ.get("STILLHERE_DATABASE_URL"))
FRESH_SEED = "FRESH_SEED"
IN_CI = os.environ.get("CI") == "true"
# A Saturday evening, 22:00 UTC: nights here begin then.
EVENING_MS = 1_769_896_800_000


def pytest_configure() -> None:
    """Tests read Spanish too: bring the compiled catalogues up to date. Draw the seed of the
    nights nobody chose, before there are workers, so that all of them live through the same. And
    let every process keep what it compiled: whole installations start hundreds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    compile_catalogues(Path(__file__).resolve().parent.parent / "src")
    gc.disable()  # until all is collected: ten thousand tests, and none of it is garbage
    os.environ[FRESH_SEED] = os.environ.get(FRESH_SEED) or str(secrets.randbelow(10**9) + 10**6)


def pytest_collection_finish() -> None:
    """Nobody looks for garbage among the tests themselves, as in a long-running process of ours."""
    gc_tuning.seldom()
    gc.enable()


def pytest_report_header() -> str:
    """What to type to see this run's fresh nights again."""
    return (
        f"fresh nights: {FRESH_SEED}={os.environ[FRESH_SEED]} .venv/bin/pytest tests/sim -k fresh"
    )


def _runs_here(item: pytest.Item) -> bool:
    """Whether a test belongs to the database of this run. Not a skip: it runs in the other one."""
    if not ON_POSTGRES:
        return item.get_closest_marker("postgres") is None
    if item.get_closest_marker("sqlite"):
        return False
    if item.get_closest_marker("postgres") or item.get_closest_marker("storage"):
        return True
    stores = bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))
    return stores and item.get_closest_marker("browser") is None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of this run's database, the slow ones first."""
    others = [item for item in items if not _runs_here(item)]
    if others:
        items[:] = [item for item in items if _runs_here(item)]
        config.hook.pytest_deselected(items=others)
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = spread(
        items,
        workers,
        slow=lambda item: item.get_closest_marker("slow") is not None,
        file=lambda item: str(item.path),
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: green must mean that everything ran."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI that is a failure: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file may be skipped too."""
    report = yield
    if IN_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped, and in CI that is a failure: {report.longrepr}"
    return report


@dataclass
class Clock:
    """A clock that stands still until a test moves it. ``now`` is in milliseconds since 1970 UTC.

    ``boot`` is the clock that never jumps: `advance` moves both, setting ``now`` alone is a jump.
    ``proved`` is the right time where anybody can say it.
    """

    now: int = EVENING_MS
    boot: int = 1_000_000
    start: str = "the machine's first start"
    proved: int | None = None

    def advance(self, seconds: float) -> int:
        """Let ``seconds`` pass; return the new ``now``."""
        self.now += round(seconds * 1000)
        self.boot += round(seconds * 1000)
        return self.now

    def raw_now_ms(self, _connection: BaseDatabaseWrapper) -> int:
        """Stand in for `wiring.raw_now_ms`."""
        return self.now

    def boot_ms(self) -> int:
        """Stand in for `wiring.boot_ms`."""
        return self.boot

    def boot_id(self) -> str:
        """Stand in for `wiring.boot_id`."""
        return self.start

    def proved_ms(self) -> int | None:
        """Stand in for `wiring.proved_ms`."""
        return self.proved

    def restart(self, now: int) -> None:
        """The machine starts anew, with its clock at ``now``."""
        self.now, self.boot, self.start = now, 20_000, f"{self.start}, and again"


@pytest.fixture
def clock(settings: Settings) -> Clock:
    """The installation's clock, in the test's hands."""
    clock = Clock()
    settings.RAW_NOW_MS = clock.raw_now_ms
    settings.BOOT_MS = clock.boot_ms
    settings.BOOT_ID = clock.boot_id
    settings.PROVED_MS = clock.proved_ms
    return clock


@pytest.fixture
def database(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """A migrated, empty database in which commits are real, so several threads may use it. The
    connection that it was used by empties it, and is then closed; a broken one gives way here. What
    a test before it found damaged is whole again."""
    for each in OPTIONAL:
        each.lost = False
    yield connections["default"]
    connections["default"].close_if_unusable_or_obsolete()


def _own_database(name: str) -> str:
    """A new empty database on the tests' PostgreSQL; its URL."""
    url = os.environ["STILLHERE_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return f"{url.rpartition('/')[0]}/{name}"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make whole installations, each with its own folder, port and database; all end with the test.

    ``installation(STILLHERE_LOG="debug")`` returns one that does not run yet.
    """
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        folder = tmp_path / f"installation-{len(made)}"
        folder.mkdir()
        if ON_POSTGRES and "STILLHERE_DATABASE_URL" not in settings:
            settings["STILLHERE_DATABASE_URL"] = _own_database(f"own_{uuid.uuid4().hex}")
        made.append(Installation(folder, settings))
        return made[-1]

    yield make
    for each in made:
        each.stop(signal.SIGKILL)
