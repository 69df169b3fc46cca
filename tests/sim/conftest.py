"""The simulator, once a process: its own database in memory instead of this run's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from stillhere.sim.nights import Simulator, opened


@pytest.fixture(scope="session")
def simulator(django_db_blocker: DjangoDbBlocker) -> Iterator[Simulator]:
    """Migrated once; every night begins with a copy."""
    with django_db_blocker.unblock(), opened() as simulator:
        yield simulator
