"""An index that cannot be read is made anew from its table, whatever of it is torn."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from stillhere.store.db.sqlite import indexes
from tests.torn import leaves, root, tear

pytestmark = pytest.mark.sqlite
OWN, UNIQUE = "watch_due", "sqlite_autoindex_watch_1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "some.sqlite3"
    with closing(sqlite3.connect(made)) as found, found:
        found.execute("PRAGMA journal_mode = WAL")
        found.execute("CREATE TABLE watch (id INTEGER PRIMARY KEY, hash BLOB UNIQUE, wake_at INT)")
        found.execute("CREATE INDEX watch_due ON watch (wake_at) WHERE wake_at IS NOT NULL")
        rows = [(os.urandom(32), at) for at in range(2_000)]
        found.executemany("INSERT INTO watch (hash, wake_at) VALUES (?, ?)", rows)
    return made


def asked(file: Path, sql: str) -> object:
    with closing(sqlite3.connect(file)) as found:
        return found.execute(sql).fetchone()[0]


@pytest.mark.parametrize("index", [OWN, UNIQUE])
def test_it_finds_every_row_again_and_the_file_is_whole(file: Path, index: str) -> None:
    tear(file, root(file, index))
    with pytest.raises(sqlite3.DatabaseError):
        asked(file, f"SELECT count(*) FROM watch INDEXED BY {index} WHERE wake_at > 9")
    assert indexes.mend(file) == ["watch"]
    assert asked(file, f"SELECT count(*) FROM watch INDEXED BY {OWN} WHERE wake_at > 9") == 1_990
    assert asked(file, "PRAGMA integrity_check") == "ok"
    with closing(sqlite3.connect(file)) as found, pytest.raises(sqlite3.IntegrityError):
        found.execute("INSERT INTO watch (hash) SELECT hash FROM watch LIMIT 1")


def test_whoever_has_the_file_open_goes_on_with_the_new_one(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        due = "SELECT count(*) FROM watch WHERE wake_at > 9"
        other.execute(due).fetchone()
        tear(file, root(file, OWN))
        indexes.mend(file)
        assert other.execute(due).fetchone() == (1_990,)


def test_a_table_that_is_torn_itself_is_left_as_it_is(file: Path) -> None:
    tear(file, leaves(file, "watch")[3])
    before = file.read_bytes()
    assert indexes.mend(file) == []
    assert file.read_bytes() == before


def test_a_whole_file_is_left_as_it_is(file: Path) -> None:
    before = file.read_bytes()
    assert indexes.mend(file) == []
    assert file.read_bytes() == before
