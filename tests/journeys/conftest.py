"""What journeys share: an empty database for each installation, on whichever kind this run is
about."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql


@pytest.fixture
def database_url() -> Iterator[str]:
    """A PostgreSQL database of the test's own, or nothing: SQLite in the data folder."""
    with own_database() as url:
        yield url


@pytest.fixture
def another_database_url() -> Iterator[str]:
    """A second one, empty: where a backup is restored into."""
    with own_database() as url:
        yield url


@contextmanager
def own_database() -> Iterator[str]:
    """An empty database for the length of a test."""
    cluster = os.environ.get("STILLHERE_DATABASE_URL", "")
    if not cluster:
        yield ""
        return
    name = f"journey_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(cluster, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield cluster.rsplit("/", 1)[0] + "/" + name
    with psycopg.connect(cluster, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
