"""What journeys share: an empty database for each installation, on whichever kind this run is
about."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.installation import Installation
from tests.journeys.carrier import Company, Here


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


@pytest.fixture
def here(tmp_path: Path, database_url: str) -> Iterator[Here]:
    """An installation with two carriers and empty lists."""
    one, two = Company("one"), Company("two")
    two.phones = one.phones  # whoever carries it: one whose receipts are late is asked last
    settings = {"STILLHERE_CARRIERS": f"{one.setting} {two.setting}", "STILLHERE_COUNTRY": "US"}
    if database_url:
        settings["STILLHERE_DATABASE_URL"] = database_url
    ours = Installation(tmp_path, settings)
    for company in (one, two):
        company.connect(ours.url, f"127.0.0.1:{ours.port}")
    ours.prepare()
    ours.up()
    yield ours, one, two
    ours.stop()
    one.close()
    two.close()
