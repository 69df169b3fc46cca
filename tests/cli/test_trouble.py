"""A folder, a key or a file that cannot be used is one sentence that says what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from stillhere.cli import trouble
from stillhere.cli.backup_file import record
from stillhere.cli.check import damage, key_fit
from stillhere.config import environment, keys
from stillhere.config.environment import SettingError
from stillhere.store.db import encryption
from tests.cli.test_backup import WORDS
from tests.cli.test_damage import database, fill, keep, refused, zero_a_page
from tests.installation import Installation, wait_for
from tests.torn import leaves, tear

pytestmark = pytest.mark.slow

Make = Callable[..., Installation]
ROOT = os.geteuid() == 0
RUTH = 65_534  # a user that every machine has, and who is not root
only_root = pytest.mark.skipif(not ROOT, reason="only root can mount a disk or give files away")

SAM = """
import django
django.setup()
from stillhere.store.people import persons
persons.set_plan(persons.new_person("en", "UTC")[0], name="Sam", place="", entry="")
"""


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The disk of this folder takes nothing any more."""
    for command in (
        ("--bind", str(folder), str(folder)), ("-o", "remount,ro,bind", str(folder)),
    ):  # fmt: skip
        subprocess.run(["mount", *command], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@only_root
@pytest.mark.parametrize("command", ["up", "desk", "migrate", "steps", "backup", "check", "clock"])
def test_a_read_only_folder_is_one_sentence(home: Installation, command: str) -> None:
    more = {
        "steps": ["--sign", "Dr. Ana Example"], "backup": [str(home.folder / "x.backup")],
    }.get(command, [])  # fmt: skip
    with read_only(home.data):
        told = home.run(command, *more, **WORDS)
    assert told.returncode == 1, told.stdout + told.stderr
    said = told.stdout + told.stderr
    assert "read-only" in said
    assert "Traceback" not in said
    assert not (home.folder / "x.backup").exists()
    if command != "check":
        assert len(told.stderr.strip().splitlines()) == 1, told.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", '{"1": "ab"}', '{"1": 7}', "\x00" * 80])
def test_damaged_master_keys_stop_it_and_say_how_to_bring_them_back(
    home: Installation, content: str
) -> None:
    (home.data / "keys/master.json").write_text(content)
    for command in ("up", "migrate", "check", "desk"):
        refused(home.run(command), "master.json is damaged", "stillhere restore")
    assert (home.data / "keys/master.json").read_text() == content, "nothing is made anew"


def other_keys(home: Installation) -> None:
    """The keys are of the right shape, and others."""
    file = home.data / "keys/master.json"
    text = file.read_text()
    file.write_text(text[:-3] + ("1" if text[-3] != "1" else "2") + text[-2:])


def hold_sam(home: Installation) -> None:
    """Somebody's name is sealed in the database."""
    told = subprocess.run(
        [*home.program[:1], "-c", SAM],
        env=home.environment | {"DJANGO_SETTINGS_MODULE": "stillhere.config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("command", ["up", "web", "engine", "check"])
def test_keys_that_open_nothing_stop_it_before_anybody_relies_on_it(
    home: Installation, command: str
) -> None:
    hold_sam(home)
    other_keys(home)
    told = home.run(command)
    assert told.returncode == 1
    said = told.stdout + told.stderr
    assert "do not open this database" in said
    assert "stillhere restore" in said
    assert "Traceback" not in said


@pytest.mark.storage
def test_other_keys_are_found_on_either_database_and_an_empty_one_proves_nothing(
    home: Installation,
) -> None:
    other_keys(home)
    assert "do not open" not in home.run("check").stdout
    hold_sam(home)
    assert "do not open" not in home.run("check").stdout
    other_keys(home)
    assert "do not open this database" in home.run("check").stdout


def test_one_row_that_is_damaged_does_not_keep_it_from_starting() -> None:
    masters = {1: bytes(32)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encryption, "_masters", lambda: masters)
        whole = encryption.seal("Sam", "person.name", b"n" * 16)
    good, bad = ("person.name", b"n" * 16, whole), ("person.name", b"n" * 16, whole[:-1] + b"x")
    assert key_fit.opens([bad, good], masters)
    assert not key_fit.opens([bad], masters)
    assert key_fit.opens([], masters)


@pytest.mark.parametrize("content", ["y", "", "z" * 64, "a" * 63, "\xff\xfe"])
def test_a_secret_that_we_did_not_make_is_refused(home: Installation, content: str) -> None:
    (home.data / "keys/secret").write_text(content)
    for command in ("up", "desk"):
        refused(home.run(command), "keys/secret is damaged", "stillhere restore")


@pytest.mark.storage
def test_a_key_that_is_there_is_never_taken_away_with_the_one_that_is_lost(
    home: Installation,
) -> None:
    secret = (home.data / "keys/secret").read_text()
    (home.data / "keys/master.json").unlink()
    refused(home.run("migrate"), "Put them back from your backup")
    assert (home.data / "keys/secret").read_text() == secret
    assert not (home.data / "keys/master.json").exists()


@only_root
def test_what_root_makes_belongs_to_whom_the_folder_belongs(home: Installation) -> None:
    folder = home.folder / "backups"
    folder.mkdir()
    for path in (folder, home.data, *home.data.rglob("*")):
        os.chown(path, RUTH, RUTH)
    for told in (
        home.run("steps", "--sign", "Dr. Ana Example"), keep(home, folder, 2), home.run("migrate"),
        home.run("backup", "--check", str(next(folder.iterdir())), **WORDS),
    ):  # fmt: skip
        assert told.returncode == 0, told.stderr
    home.up()
    home.stop()
    made = [*folder.iterdir(), *home.data.rglob("*")]
    assert {"engine.lock", "static", "stillhere.sqlite3-next"} <= {path.name for path in made}
    assert (home.data / "walk.signed") in made
    assert [path.name for path in made if path.stat().st_uid != RUTH] == []


def test_a_record_that_finds_no_room_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(keys, "own", full)
    record.failed(tmp_path, "the disk is full", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_disk_is_named_by_its_folder_and_not_by_a_file_of_ours(tmp_path: Path) -> None:
    error = OSError(errno.EROFS, "Read-only", str(tmp_path / "stillhere.sqlite3-next"))
    said = trouble.sentence(error, tmp_path) or ""
    assert said.startswith(f"{tmp_path} cannot be written: its disk is read-only")


def test_a_folder_of_ones_own_is_not_sent_to_its_own_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    said = trouble.forbidden(tmp_path / "lock")
    assert f"chmod u+rwX {tmp_path}" in said
    assert "run this as" not in said


@only_root
def test_a_file_of_another_user_in_ones_own_folder_is_to_be_given_back(tmp_path: Path) -> None:
    (tmp_path / "engine.lock").touch()
    os.chown(tmp_path / "engine.lock", RUTH, RUTH)
    said = trouble.forbidden(tmp_path / "engine.lock")
    assert f"chown -R root {tmp_path}" in said
    assert "run this as" not in said


@only_root
def test_what_belongs_to_another_user_is_named_before_it_hurts(home: Installation) -> None:
    (home.data / "walk.signed").write_text("x")
    os.chown(home.data / "walk.signed", RUTH, RUTH)
    said = home.run("check").stdout
    assert "walk.signed belongs to " in said
    assert "chown -R root" in said


def test_a_damaged_one_starts_and_says_so_and_where_the_way_back_lies(home: Installation) -> None:
    fill(home)
    file = home.folder / "good.backup"
    assert home.run("backup", str(file), **WORDS).returncode == 0
    zero_a_page(database(home))
    home.start()
    wait_for(lambda: home.get("/")[0] == 200, "it serves all the same")
    said = home.log.read_text()
    for words in (
        "THE DATABASE IS DAMAGED: not all of outage",
        str(file),
        "stillhere restore FILE",
    ):
        assert words in said, said
    told = home.run("check")
    assert "LOOK  THE DATABASE IS DAMAGED: not all of outage" in told.stdout
    assert told.returncode == 1
    home.stop()


def test_what_is_said_of_damage_depends_on_what_is_damaged(tmp_path: Path) -> None:
    some = damage.sentence(damage.DamageReport(("person",)), tmp_path)
    assert "Whoever can be read is asked" in some
    everybody = damage.sentence(
        damage.DamageReport(("installation", "person"), blind=True), tmp_path
    )
    assert "NOBODY IS WATCHED NOW" in everybody
    assert "Whoever can be read is asked" not in everybody
    assert "stillhere restore" in everybody


def test_migrations_that_cannot_be_read_do_not_keep_it_from_starting(home: Installation) -> None:
    with closing(sqlite3.connect(database(home))) as found:
        found.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((root, size),) = found.execute(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size) FROM sqlite_schema "
            "WHERE name = 'django_migrations'"
        ).fetchall()
    with database(home).open("r+b") as opened:
        opened.seek((root - 1) * size)
        opened.write(bytes(size))
    home.start()
    wait_for(lambda: home.get("/")[0] == 200, "it serves all the same")
    assert "not all of django_migrations" in home.log.read_text()
    home.stop(signal.SIGKILL)


def test_a_torn_table_of_outages_does_not_keep_the_engine_from_watching(
    home: Installation,
) -> None:
    tear(database(home), leaves(database(home), "outage")[-1])
    home.start()

    def well() -> bool:
        said = home.get("/healthz")[1]
        return "outage" in said and not any(
            words in said for words in ("engine", "proved", "nothing could be written")
        )

    wait_for(well, "the engine beats and proves")
    home.stop(signal.SIGKILL)


@pytest.mark.parametrize("command", ["up", "migrate", "desk"])
def test_a_file_that_is_no_database_any_more_stops_it(home: Installation, command: str) -> None:
    with database(home).open("r+b") as opened:
        opened.write(bytes(4096))
    refused(home.run(command), "is damaged", "We know of no whole backup", "restore FILE")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "its disk is read-only"),
        (errno.EACCES, "though it is yours: chmod u+rwX"),
        (errno.EPERM, "though it is yours: chmod u+rwX"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk is full"),
        (errno.EIO, "Look at it at once"),
        (errno.EISDIR, "is a folder, and a file is needed here"),
    ],
)
def test_what_the_system_says_is_said_in_words(tmp_path: Path, number: int, words: str) -> None:
    path = tmp_path / "keys"
    path.touch()
    said = trouble.sentence(OSError(number, "in short", str(path)), tmp_path)
    assert said is not None
    assert words in said
    assert str(path) in said


def a_folder(place: Path) -> None:
    place.mkdir()


def a_dangling_link(place: Path) -> None:
    place.symlink_to("/nowhere/stillhere.sqlite3")


@pytest.mark.parametrize(
    ("put", "words"),
    [
        (a_folder, "stillhere.sqlite3 is a folder, and the database is a file of this name."),
        (a_dangling_link, "is a link to /nowhere/stillhere.sqlite3, which is not there."),
    ],
)
def test_what_lies_in_the_place_of_the_database_is_named(
    tmp_path: Path, put: Callable[[Path], None], words: str
) -> None:
    ours = environment.read({"STILLHERE_DATA": str(tmp_path)})
    put(tmp_path / "stillhere.sqlite3")
    with pytest.raises(sqlite3.OperationalError) as failed:
        sqlite3.connect(tmp_path / "stillhere.sqlite3").execute("SELECT 1 FROM sqlite_schema")
    with pytest.raises(SettingError) as found:
        damage.look(ours, damage.START_MS)
    for said in (
        trouble.unwritable(tmp_path), trouble.sentence(failed.value, tmp_path), str(found.value)
    ):  # fmt: skip
        assert words in (said or "")
        assert "We know of no whole backup. If you have one: stop" in (said or "")


def test_the_way_back_names_the_backup_where_there_is_one(tmp_path: Path) -> None:
    record.succeeded(tmp_path, tmp_path / "good.backup", 1)
    assert "To go back to it: stop this one" in record.way_back(tmp_path)


def test_a_data_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingError, match="Name another one in STILLHERE_DATA"):
        keys.ensure_folder(tmp_path / "file" / "data")


@only_root
def test_a_folder_of_somebody_else_names_them(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    for folder in (tmp_path, theirs):
        folder.mkdir(exist_ok=True)
        shutil.chown(folder, "nobody")
    said = trouble.sentence(OSError(errno.EACCES, "in short", str(theirs / "keys")), theirs)
    assert said is not None
    assert "belongs to the user nobody: run this as nobody" in said


def test_what_is_no_trouble_of_a_folder_stays_what_it_is(tmp_path: Path) -> None:
    """A closed pipe, a fault of our own, what somebody was busy with when it came."""
    for error in (BrokenPipeError(errno.EPIPE, "x"), ValueError(), sqlite3.OperationalError("x")):
        assert trouble.sentence(error, tmp_path) is None
    ours = ValueError()
    ours.__context__ = OSError(errno.ENOSPC, "x")
    assert trouble.sentence(ours, tmp_path) is None
    ours.__cause__ = OSError(errno.ENOSPC, "x")
    assert "full" in (trouble.sentence(ours, tmp_path) or "")


@only_root
def test_a_full_disk_is_called_full(installation: Make, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], check=True)
    try:
        home = installation(STILLHERE_DATA=str(disk / "data"))
        assert home.run("migrate").returncode == 0
        with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as ballast:
            while ballast.write(bytes(1000)):
                pass
        told = home.run("backup", str(home.folder / "x.backup"), **WORDS)
        refused(told, "disk is full", "Make room")
        assert not (home.folder / "x.backup").exists()
        assert not list((disk / "data").glob("backup-in-the-making"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
