"""A database that is gone is missed by every command, and replaced by none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from stillhere.cli.backup_file import record
from stillhere.cli.check import damage
from stillhere.config import environment
from stillhere.config.environment import SettingError
from tests.cli.test_backup import WORDS
from tests.cli.test_damage import database, refused
from tests.installation import Installation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("trace", [*damage.TRACES, record.FILE])
@pytest.mark.parametrize("left", ["nothing", "an empty file", "one without tables"])
def test_a_database_that_is_gone_is_never_replaced_by_a_new_one(
    tmp_path: Path, trace: str, left: str
) -> None:
    ours = environment.read({"STILLHERE_DATA": str(tmp_path)})
    (tmp_path / "keys").mkdir()
    if left == "an empty file":
        (tmp_path / "stillhere.sqlite3").touch()
    elif left != "nothing":
        with closing(sqlite3.connect(tmp_path / "stillhere.sqlite3")) as made:
            made.execute("PRAGMA user_version = 1")
    damage.require_there(ours)  # a first start that was killed goes on
    (tmp_path / "backups").mkdir()
    record.failed(tmp_path, "there is nothing yet", 1)
    damage.require_there(ours)  # nor is this a trace of one
    if trace == record.FILE:
        record.succeeded(tmp_path, tmp_path / "good.backup", 1)
    else:
        (tmp_path / trace.replace("*", "20261129")).touch()
    with pytest.raises(SettingError, match=r"is gone, and .*stillhere restore FILE.* begin anew"):
        damage.look(ours, damage.START_MS)


def test_no_command_makes_a_new_database_where_one_is_gone(home: Installation) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    database(home).unlink()
    for command in (
        "up", "migrate", "web", "engine", "clock", "desk", "drill 555-0101", "peer list",
        f"backup {home.folder / 'next.backup'}",
    ):  # fmt: skip
        told = home.run(*command.split(), **WORDS)
        refused(told, "is gone", str(file), "stillhere restore")
        assert not database(home).exists(), command
    for _again in range(2):
        told = home.run("check")
        assert told.stdout.count("is gone") == 1
        assert "not ready" not in told.stdout
        assert not database(home).exists()


def test_a_database_without_tables_is_not_filled_where_there_was_one(home: Installation) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    database(home).unlink()
    with closing(sqlite3.connect(database(home))) as made:
        made.execute("PRAGMA journal_mode=WAL")
    for command in ("up", "migrate", "clock", f"backup {home.folder / 'next.backup'}"):
        refused(home.run(*command.split(), **WORDS), "is gone", str(file), "stillhere restore")
