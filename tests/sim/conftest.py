"""The simulator: its own database in memory instead of this run's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from stillhere.sim.nights import Simulator, opened


@pytest.fixture(scope="module")
def simulator(django_db_blocker: DjangoDbBlocker) -> Iterator[Simulator]:
    """Migrated once a file; every night begins with a copy. It stands in for this thread's
    database, so it must be gone before tests of others come."""
    with django_db_blocker.unblock(), opened() as simulator:
        yield simulator
