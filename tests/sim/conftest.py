"""The simulator: its own database in memory instead of this run's."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from stillhere.sim.whole.nights import Simulator, opened
from tests.conftest import FRESH_SEED


@pytest.fixture(scope="module")
def simulator(django_db_blocker: DjangoDbBlocker) -> Iterator[Simulator]:
    """Migrated once a file; every night begins with a copy. It stands in for this thread's
    database, so it must be gone before tests of others come."""
    with django_db_blocker.unblock(), opened() as simulator:
        yield simulator


@pytest.fixture(scope="session")
def fresh_seed() -> int:
    """A seed drawn for this run, printed at its head; the same in every worker."""
    return int(os.environ[FRESH_SEED])
