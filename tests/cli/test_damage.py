"""A database that is damaged never becomes a backup, and no backup is lost to it."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stillhere.cli.backup_file import bundle, integrity, postgresql_programs, rotation
from stillhere.cli.backup_file.bundle import Manifest
from stillhere.cli.backup_file.integrity import DamagedDatabase
from stillhere.cli.backup_file.unpack import LOOK
from tests.cli.test_backup import WORDS, forged
from tests.cli.test_up import LATER
from tests.installation import Installation

Make = Callable[..., Installation]
PAGE = 4096
MARK = b"a gap that nobody remembers"
GAPS = f"""
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
INSERT INTO outage (from_at, to_at, why) SELECT i, i, '{MARK.decode()}' FROM n
"""

pytestmark = [pytest.mark.storage, pytest.mark.slow]


def database(home: Installation) -> Path:
    return home.data / "stillhere.sqlite3"


def fill(home: Installation) -> None:
    """Two thousand rows that nobody misses, over many pages."""
    with closing(sqlite3.connect(database(home))) as found, found:
        found.execute(GAPS)
    with closing(sqlite3.connect(database(home))) as found:
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def zero_a_page(file: Path) -> None:
    """What a disk does to a file: one page of the many is nothing but zeros."""
    with file.open("r+b") as opened:
        pages = opened.read()
        (page, *_) = (
            at for at in range(PAGE, len(pages), PAGE)
            if pages[at] == 0x0D and pages[at : at + PAGE].count(MARK) > 20
        )  # fmt: skip
        opened.seek(page)
        opened.write(bytes(PAGE))


def refused(told: subprocess.CompletedProcess[str], *words: str) -> None:
    """It says all of this in one line, without a traceback, and ends with 1."""
    assert told.returncode == 1, told.stdout + told.stderr
    assert len(told.stderr.strip().splitlines()) == 1, told.stderr
    for word in words:
        assert word in told.stderr, told.stderr


def backed_up(home: Installation, name: str) -> Path:
    file = home.folder / name
    told = home.run("backup", str(file), **WORDS)
    assert told.returncode == 0, told.stderr
    return file


@pytest.mark.sqlite
def test_a_damaged_database_is_not_called_a_backup(home: Installation, installation: Make) -> None:
    fill(home)
    good = backed_up(home, "good.backup")
    zero_a_page(database(home))
    told = home.run("backup", "bad.backup", **WORDS)
    refused(told, "damaged", "outage", str(good), "every older backup is kept", "restore FILE")
    assert not (home.folder / "bad.backup").exists()
    assert good.exists()
    kept = home.folder / "bad.backup.damaged"
    refused(home.run("backup", "--check", str(kept), **WORDS), "was damaged already", "outage")
    other = installation()
    refused(other.run("restore", str(kept), **WORDS), "damaged")
    assert not (other.data / "keys/secret").exists()
    assert other.run("restore", str(good), **WORDS).returncode == 0
    assert MARK.decode() not in told.stderr, "nothing of what people wrote is told"


@pytest.mark.sqlite
def test_a_database_whose_beginning_is_gone_is_said_in_one_line(home: Installation) -> None:
    with database(home).open("r+b") as opened:
        opened.write(bytes(PAGE))
    refused(home.run("backup", "bad.backup", **WORDS), "damaged", "We know of no whole backup")
    assert [path.name for path in home.folder.glob("*.backup*")] == []


@pytest.mark.sqlite
def test_a_row_that_points_nowhere_is_damage(home: Installation) -> None:
    with closing(sqlite3.connect(database(home))) as found, found:
        found.execute(
            "CREATE TABLE more (id INTEGER PRIMARY KEY, sam BIGINT REFERENCES person(id))"
        )
        found.execute("INSERT INTO more (sam) VALUES (77)")
    refused(home.run("backup", "bad.backup", **WORDS), "a row of more names one of person")


@pytest.mark.sqlite
def test_damage_under_a_running_one_is_found_by_its_backup(home: Installation) -> None:
    fill(home)
    home.up()
    folder = home.folder / "backups"
    folder.mkdir()
    assert home.run("backup", str(folder), "--keep", "1", **WORDS).returncode == 0
    (good,) = folder.iterdir()
    zero_a_page(database(home))
    refused(home.run("backup", str(folder), "--keep", "1", **WORDS), "damaged", str(good))
    assert good.exists()
    assert home.get("/")[0] == 200


def keep(home: Installation, folder: Path, number: int) -> subprocess.CompletedProcess[str]:
    """One night's backup, as the timer makes it."""
    return home.run("backup", str(folder), "--keep", str(number), **WORDS)


def nights(folder: Path) -> list[Path]:
    """Four whole backups of older nights, and things of other people's."""
    folder.mkdir()
    made = [folder / f"2026010{night}T030000Z.backup" for night in (1, 2, 3, 4)]
    others = [folder / "ruths.backup", folder / "20260101T030000Z.txt"]
    for path in (*made, *others):
        path.write_bytes(b"sealed")
    return made


@pytest.mark.sqlite
def test_an_older_backup_goes_only_after_a_newer_one_was_proved(home: Installation) -> None:
    fill(home)
    folder = home.folder / "backups"
    older = nights(folder)
    (folder / ".20260101T030000Z.backup.part").write_bytes(b"of a run that was killed")
    assert keep(home, folder, 3).returncode == 0
    assert not list(folder.glob(".*"))
    left = sorted(folder.glob("*Z.backup"))
    assert left[:2] == older[2:]
    assert len(left) == 3
    zero_a_page(database(home))
    for _ in range(2):
        refused(keep(home, folder, 1), "damaged", left[-1].name)
    assert sorted(folder.glob("*Z.backup")) == left, "what failed removes nothing"
    assert len(list(folder.glob("*.damaged"))) == 1, "the disk is not filled with what is damaged"
    assert (folder / "ruths.backup").exists()
    assert (folder / "20260101T030000Z.txt").exists()


@pytest.mark.sqlite
def test_the_clock_that_is_wrong_removes_no_backup_that_is_newer(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    older = nights(folder)
    wrong = rotation.name(folder, 0)
    wrong.write_bytes(b"sealed")
    assert rotation.let_go(folder, wrong, 1) == []
    assert all(path.exists() for path in (wrong, *older))


@pytest.mark.sqlite
def test_a_clock_that_comes_back_to_where_it_was_overwrites_no_backup(tmp_path: Path) -> None:
    first = rotation.name(tmp_path, 0)
    first.write_bytes(b"sealed")
    assert rotation.name(tmp_path, 0).name == "19700101T000001Z.backup"


@pytest.mark.sqlite
def test_a_folder_and_a_number_belong_together(home: Installation) -> None:
    folder = home.folder / "backups"
    refused(keep(home, folder, 3), "is no folder")
    folder.mkdir()
    refused(home.run("backup", str(folder), **WORDS), "is a folder", "--keep")
    assert home.run("backup", str(folder), "--keep", "0", **WORDS).returncode == 2


def test_a_look_says_whether_a_restore_would_work_and_leaves_nothing(
    home: Installation, installation: Make
) -> None:
    file = backed_up(home, "ruth.backup")
    other = installation()
    for here in (home, other):
        before = {path.name for path in here.data.glob("*")}
        told = here.run("backup", "--check", str(file), **WORDS)
        assert told.returncode == 0, told.stderr
        assert "rows of its database can be read, as many as were put in" in told.stdout
        assert "`stillhere restore` would work here" in told.stdout
        assert {path.name for path in here.data.glob("*")} <= before | {f"{LOOK}.lock"}
    assert not other.data.exists()
    assert "STILLHERE_DEMO" in other.run(
        "backup", "--check", str(file), **WORDS, STILLHERE_DEMO="http://127.0.0.1:1"
    ).stderr  # fmt: skip


def test_a_sealed_file_that_was_changed_or_cut_off_is_not_called_whole(home: Installation) -> None:
    file = backed_up(home, "ruth.backup")
    whole = file.read_bytes()
    middle = len(whole) // 2
    for broken in (
        whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], whole[:middle],
    ):  # fmt: skip
        file.write_bytes(broken)
        refused(home.run("backup", "--check", str(file), **WORDS), "damaged or cut off")


def sqlite_file(folder: Path) -> Path:
    path = folder / "inside.sqlite3"
    with closing(sqlite3.connect(path)) as made, made:
        made.execute("CREATE TABLE django_migrations (app TEXT, name TEXT)")
        made.execute("CREATE TABLE outage (from_at BIGINT, to_at BIGINT, why TEXT)")
        made.execute(GAPS)
    return path


@pytest.mark.sqlite
def test_a_backup_of_an_older_release_is_looked_into_all_the_same(installation: Make) -> None:
    other = installation()
    inside = sqlite_file(other.folder)
    older = forged(other.folder, {"database": inside.read_bytes()})
    told = other.run("backup", "--check", str(older), **WORDS)
    assert told.returncode == 0, told.stderr
    assert "older release" in told.stdout
    zero_a_page(inside)
    older = forged(other.folder, {"database": inside.read_bytes()})
    for command in (("backup", "--check"), ("restore",)):
        refused(other.run(*command, str(older), **WORDS), "outage", "Take an older one")
    assert not (other.data / "keys/secret").exists()


@pytest.mark.sqlite
def test_rows_and_bytes_that_are_not_those_that_were_sealed_are_noticed(
    installation: Make,
) -> None:
    other = installation()
    inside = sqlite_file(other.folder).read_bytes()
    facts = {"digest": hashlib.sha256(inside).hexdigest(), "rows": {"outage": 2000}}
    whole = forged(other.folder, {"database": inside}, **facts)
    assert other.run("backup", "--check", str(whole), **WORDS).returncode == 0
    for wrong, words in (
        ({"rows": {"outage": 2001}}, "outage holds 2000 rows, and 2001 were there"),
        ({"rows": {"outage": 2000, "watch": 0}}, "watch is not in it"),
        ({"digest": "0" * 64}, "not the one that was put in"),
        ({"damage": "a page is gone", "rows": {}}, "was damaged already: a page is gone"),
    ):
        file = forged(other.folder, {"database": inside}, **(facts | wrong))
        for command in (("backup", "--check"), ("restore",)):
            refused(other.run(*command, str(file), **WORDS), words)


@pytest.mark.sqlite
def test_the_manifest_of_the_release_before_is_still_read() -> None:
    text = (
        b'{"format": 1, "version": "0.1.0", "database": "sqlite", "migrations": [], '
        b'"taken_at": 0, "demo": false, "open_watches": 1, "open_alarms": 0}'
    )
    assert bundle.parse(text) == Manifest(1, "0.1.0", "sqlite", (), 0, False, 1, 0)


@pytest.mark.sqlite
def test_a_damaged_database_is_not_migrated_and_older_copies_are_kept(home: Installation) -> None:
    fill(home)
    copies = home.data / "backups"
    copies.mkdir()
    older = [copies / f"stillhere-2026010{day}T030000000000Z.sqlite3" for day in range(1, 8)]
    for path in older:
        path.write_bytes(b"")
    zero_a_page(database(home))
    before = database(home).read_bytes()
    refused(home.run("migrate", **LATER), "damaged", "outage", "nothing was changed")
    assert database(home).read_bytes() == before
    assert sorted(copies.iterdir()) == older


@pytest.mark.postgres
def test_a_dump_that_was_cut_short_is_not_called_a_backup(home: Installation) -> None:
    """Where PostgreSQL's own program says that all is well, and its file is not all there."""
    backed_up(home, "good.backup")
    short = home.folder / "short.py"
    short.write_text(
        "import os, sys\n"
        "from stillhere.cli import main\n"
        "from stillhere.cli.backup_file import dump\n"
        "whole = dump._run\n"
        "def cut(stillhere, program, *arguments):\n"
        "    whole(stillhere, program, *arguments)\n"
        "    file = arguments[-1].removeprefix('--file=')\n"
        "    os.truncate(file, os.path.getsize(file) - 300)\n"
        "dump._run = cut\n"
        "sys.argv = ['stillhere', 'backup', 'bad.backup']\n"
        "main.main()\n"
    )
    told = subprocess.run(
        [home.program[0], str(short)],
        cwd=home.folder, env=home.environment | WORDS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    refused(told, "cannot be read to its end", "good.backup")
    assert not (home.folder / "bad.backup").exists()


@pytest.mark.postgres
def test_every_row_of_a_dump_is_counted_and_every_byte_is_read(home: Installation) -> None:
    url = home.environment["STILLHERE_DATABASE_URL"]
    psql = [postgresql_programs.find("psql"), url, "--quiet", "--command", GAPS]
    subprocess.run(psql, check=True)
    dump = home.folder / "dump"
    subprocess.run(
        [
            postgresql_programs.find("pg_dump"),
            f"--dbname={url}",
            "--format=custom",
            f"--file={dump}",
        ],
        check=True,
    )
    rows = integrity.prove_dump(dump)
    assert rows["public.outage"] == 2000
    assert rows["public.watch"] == 0
    whole = dump.read_bytes()
    for length in range(len(whole) // 3, len(whole), len(whole) // 6):
        dump.write_bytes(whole[:length])
        with pytest.raises(DamagedDatabase):
            integrity.compare(integrity.prove_dump(dump), rows)


@pytest.mark.sqlite
def test_a_backup_that_failed_is_told_until_one_is_whole(home: Installation) -> None:
    fill(home)
    folder = home.folder / "backups"
    folder.mkdir()
    before = database(home).read_bytes()
    zero_a_page(database(home))
    refused(keep(home, folder, 3), "damaged")
    assert "LOOK  The last try at a backup failed" in home.run("check").stdout
    database(home).write_bytes(before)
    assert keep(home, folder, 3).returncode == 0
    assert "try at a backup failed" not in home.run("check").stdout
