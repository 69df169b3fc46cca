"""Keys that are missing, or others than the database's: nothing is made of it, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import pytest

from stillhere.cli import trouble
from stillhere.cli.backup_file import bundle
from stillhere.cli.backup_file.encryption import Opener, Sealer
from stillhere.config import keys
from tests.cli.test_backup import WORDS
from tests.cli.test_damage import keep, refused
from tests.cli.test_trouble import RUTH, hold_sam, only_root, other_keys
from tests.installation import Installation

Make = Callable[..., Installation]

pytestmark = [pytest.mark.storage, pytest.mark.slow]


@pytest.fixture
def home(home: Installation) -> Installation:
    """The same, holding Sam's name."""
    hold_sam(home)
    return home


def with_keys_of(other: Installation, file: Path) -> Path:
    """The backup in ``file``, sealed again with the keys of another installation."""
    words, work = WORDS["STILLHERE_BACKUP_PASSPHRASE"], file.with_name("work")
    work.mkdir()
    with file.open("rb") as source:
        manifest, sizes = bundle.read(cast("IO[bytes]", Opener(source, words)), work)
    files = {name: work / name for name in sizes}
    files["keys/master.json"] = other.data / "keys/master.json"
    made = file.with_name("mixed.backup")
    with made.open("wb") as target:
        sealer = Sealer(target, words, log_n=4)
        bundle.write(cast("IO[bytes]", sealer), manifest, files)
        sealer.finish()
    return made


def test_keys_of_another_installation_make_no_backup_and_push_out_none(home: Installation) -> None:
    folder = home.folder / "backups"
    folder.mkdir()
    for _night in range(2):
        assert keep(home, folder, 2).returncode == 0
    good = sorted(folder.iterdir())
    other_keys(home)
    for _night in range(2):
        refused(
            keep(home, folder, 2), "No backup was written, and every older one is kept",
            "do not open this database", str(good[-1]), "stillhere restore FILE",
        )  # fmt: skip
    assert sorted(folder.iterdir()) == good
    assert "LOOK  The last try at a backup failed" in home.run("check").stdout


def test_a_backup_whose_keys_open_nothing_is_called_so_and_never_put_in_place(
    installation: Make, home: Installation
) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    other = installation()
    assert home.run("backup", "--check", str(file), **WORDS).returncode == 0
    (other.data / "keys").mkdir(parents=True)
    (other.data / "keys/master.json").write_text('{"1": "' + "ab" * 32 + '"}')
    mixed = with_keys_of(other, file)
    told = home.run("backup", "--check", str(mixed), **WORDS)
    refused(told, "keys in this backup do not open", "Take an older one")
    assert "would work here" not in told.stdout
    new = installation()
    refused(new.run("restore", str(mixed), **WORDS), "do not open", "older one")
    assert not new.data.exists(), "a restore that failed leaves nothing"
    told = new.run("restore", str(file), **WORDS)
    assert told.returncode == 0, "nothing was put into its database either"


@pytest.mark.parametrize("lost", ["keys", "keys/secret", "keys/master.json"])
def test_keys_that_are_missing_are_called_missing_and_how_to_put_them_back(
    home: Installation, lost: str
) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    (home.data / lost).rename(home.folder / "lost")
    names = [lost.removeprefix("keys/")] if "/" in lost else ["secret", "master.json"]
    for command in (
        ["check"], ["backup", str(home.folder / "next.backup")], ["migrate"], ["desk"], ["clock"],
        ["drill", "555-0101"], ["peer", "list"], ["engine"], ["web"], ["steps"],
    ):  # fmt: skip
        refused(
            home.run(*command, **WORDS), " and ".join(names), "Put them back from your backup",
            str(file), "stillhere restore FILE",
        )  # fmt: skip
    assert not (home.folder / "next.backup").exists()


@pytest.mark.parametrize("content", ["", '{"1": "abc'])
def test_a_check_with_a_damaged_key_names_the_newest_backup_and_looks_at_the_rest(
    home: Installation, content: str
) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    (home.data / "keys/master.json").write_text(content)
    told = home.run("check")
    refused(told, "master.json is damaged", str(file), "stillhere restore FILE")
    assert "ok    The database is there" in told.stdout
    assert str(file) in told.stdout
    refused(home.run("up"), "master.json is damaged", str(file))


@pytest.mark.sqlite
@only_root
def test_a_key_of_another_user_names_the_owner_and_the_chown() -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / "keys").mkdir()
        keys.create_missing(data / keys.FOLDER)
        for path in (data, data / "keys"):
            os.chown(path, RUTH, RUTH)
        os.seteuid(RUTH)
        try:
            with pytest.raises(PermissionError) as caught:
                keys.read_secret(data / keys.FOLDER)
            said = trouble.sentence(caught.value, data) or ""
        finally:
            os.seteuid(0)
    assert f"{data}/keys/secret belongs to root" in said
    assert f"chown -R nobody {data}/keys" in said


def test_where_nothing_ever_was_a_check_says_how_to_begin(installation: Make) -> None:
    refused(installation().run("check"), "There is no installation", "stillhere up")


@pytest.mark.parametrize(
    "command",
    ["desk", "migrate", "peer add Maya", "steps --sign Dr.AnaExample", "clock", "drill 555-0101"],
)
def test_no_command_works_on_with_keys_of_another_installation(
    home: Installation, command: str
) -> None:
    other_keys(home)
    told = home.run(*command.split())
    refused(told, "do not open this database", "stillhere restore FILE")
    assert told.stdout == ""
    assert not (home.data / "walk.signed").exists()


@pytest.mark.postgres
def test_an_empty_postgresql_in_place_of_one_that_was_filled_is_refused(
    installation: Make, home: Installation
) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    other = installation()
    home.environment["STILLHERE_DATABASE_URL"] = other.environment["STILLHERE_DATABASE_URL"]
    for command in ("up", "migrate", "web", "engine", "desk"):
        refused(
            home.run(command), "STILLHERE_DATABASE_URL is empty", "Look at the name",
            str(file), "stillhere restore FILE", "begin anew",
        )  # fmt: skip
    told = home.run("check").stdout
    assert "STILLHERE_DATABASE_URL is empty" in told
    assert "stillhere migrate" not in told
    (home.data / "last-backup.json").unlink()
    assert home.run("migrate").returncode == 0, "keys alone are no sign that there was one"


@pytest.mark.sqlite
@pytest.mark.parametrize("by", ["migrate", "restore"])
def test_a_database_that_is_gone_before_the_first_start_is_missed(
    installation: Make, home: Installation, by: str
) -> None:
    if by == "restore":
        file = home.folder / "good.backup"
        assert home.run("backup", str(file), **WORDS).returncode == 0
        home = installation()
        assert home.run("restore", str(file), **WORDS).returncode == 0
    (home.data / "stillhere.sqlite3").unlink()
    for command in ("up", "migrate", "web", "engine", "desk"):
        refused(home.run(command), "is gone", "begin anew")
    assert not (home.data / "stillhere.sqlite3").exists()


@pytest.mark.sqlite
def test_a_mark_at_the_beginning_of_a_passphrase_file_is_no_part_of_it(home: Installation) -> None:
    file, words = home.folder / "good.backup", home.folder / "words"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    given = {"STILLHERE_BACKUP_PASSPHRASE_FILE": str(words)}
    words.write_bytes(b"\xef\xbb\xbf" + WORDS["STILLHERE_BACKUP_PASSPHRASE"].encode())
    told = home.run("backup", "--check", str(file), **given)
    assert told.returncode == 0, told.stderr
    words.write_text(WORDS["STILLHERE_BACKUP_PASSPHRASE"], "utf-16")
    refused(home.run("backup", "--check", str(file), **given), "not text in UTF-8", "Save it again")
    assert "not text in UTF-8" in home.run("check", **given).stdout
    home.environment["STILLHERE_BACKUP_PASSPHRASE"] = os.fsdecode(b"p\xe4ss of five small words")
    refused(home.run("backup", "--check", str(file)), "STILLHERE_BACKUP_PASSPHRASE", "UTF-8")
    assert "LOOK  STILLHERE_BACKUP_PASSPHRASE" in home.run("check").stdout


@pytest.mark.sqlite
@only_root
@pytest.mark.parametrize("there", ["new", "already there"])
def test_a_restore_onto_a_full_disk_names_that_disk_and_leaves_nothing(
    installation: Make, home: Installation, tmp_path: Path, there: str
) -> None:
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)], check=True)
    try:
        data = disk / "data" if there == "new" else disk
        other = installation(STILLHERE_DATA=str(data))
        told = other.run("restore", str(file), **WORDS)
        refused(told, f"no room for {data}", "disk is full", "Make room")
        assert str(file) not in told.stderr
        assert list(disk.iterdir()) == []
        for free_kb in (0, 4, 40) if there == "new" else ():
            (disk / "fill").write_bytes(bytes((128 - free_kb) * 1024))
            for command in (["restore", str(file)], ["migrate"]):
                told = other.run(*command, **WORDS)
                refused(told, str(data), "disk is full", "Make room")
                assert [path.name for path in disk.iterdir()] == ["fill"], command
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
