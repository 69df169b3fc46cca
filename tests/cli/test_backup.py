"""`stillhere backup` and `restore`, as a person runs them, on both databases."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, cast

import pytest

from stillhere.cli.actions.backup import WORK
from stillhere.cli.backup_file import bundle
from stillhere.cli.backup_file.encryption import NotOpened, Sealer
from tests.cli.test_up import LATER
from tests.installation import Installation

Make = Callable[..., Installation]
WORDS = {"STILLHERE_BACKUP_PASSPHRASE": "five small words for Ruth"}

pytestmark = [pytest.mark.storage, pytest.mark.slow]


@pytest.fixture
def file(home: Installation) -> Path:
    """Its backup."""
    path = home.folder / "ruth.backup"
    told = home.run("backup", str(path), **WORDS)
    assert told.returncode == 0, told.stderr
    return path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def refuses(other: Installation, file: Path, words: str, **settings: str) -> None:
    """It says this in one kind line, and nothing is in place afterwards."""
    before = files(other.data) if other.data.exists() else set()
    told = other.run("restore", str(file), **(WORDS | settings))
    assert told.returncode != 0
    assert words in told.stderr, told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
    assert files(other.data) - {"lock"} == before - {"lock"} if other.data.exists() else True


def test_a_backup_says_what_is_in_it_and_what_to_do_with_it(home: Installation) -> None:
    file = home.folder / "ruth.backup"
    told = home.run("backup", str(file), **WORDS)
    assert "another machine" in told.stdout
    assert "passphrase elsewhere" in told.stdout
    assert file.stat().st_mode & 0o077 == 0
    looked = home.run("backup", "--check", str(file), **WORDS)
    assert looked.returncode == 0, looked.stderr
    assert "0 open watches" in looked.stdout
    assert "keys/master.json" in looked.stdout


def test_nothing_is_left_in_clear_and_no_key_lies_open(home: Installation, file: Path) -> None:
    assert not list(home.data.glob(f"{WORK}/*"))
    sealed = file.read_bytes()
    secret = (home.data / "keys/secret").read_bytes()
    assert secret[:16] not in sealed
    assert b"django_migrations" not in sealed
    assert [path.name for path in file.parent.glob(".*")] == []


def test_what_was_restored_is_the_same(installation: Make, home: Installation, file: Path) -> None:
    other = installation()
    told = other.run("restore", str(file), **WORDS)
    assert told.returncode == 0, told.stderr
    assert "asked first" in told.stdout
    for name in ("keys/secret", "keys/master.json"):
        assert (other.data / name).read_bytes() == (home.data / name).read_bytes()
    assert other.run("migrate").stdout == "The database is up to date.\n"
    assert all(path.stat().st_mode & 0o077 == 0 for path in other.data.rglob("*"))


def test_who_restores_is_told_what_is_not_in_it(installation: Make, file: Path) -> None:
    told = installation().run("restore", str(file), **WORDS).stdout
    for words in ("began a watch since then must begin again", "said STOP", "replaced"):
        assert words in told


def test_nothing_is_ever_overwritten(installation: Make, home: Installation, file: Path) -> None:
    refuses(home, file, "is not empty")
    told = home.run("backup", str(file), **WORDS)
    assert "no backup is overwritten" in told.stderr


@pytest.mark.postgres
def test_a_postgresql_database_that_holds_something_is_refused(
    installation: Make, home: Installation, file: Path
) -> None:
    url = home.environment["STILLHERE_DATABASE_URL"]
    other = installation(STILLHERE_DATABASE_URL=url)
    refuses(other, file, "is not empty")


def test_a_wrong_passphrase_opens_nothing(installation: Make, file: Path) -> None:
    other = installation()
    words = {"STILLHERE_BACKUP_PASSPHRASE": "five small words for Mallory"}
    refuses(other, file, "passphrase does not open", **words)
    assert not other.data.exists()


def test_a_damaged_or_cut_off_file_changes_nothing(installation: Make, file: Path) -> None:
    whole = file.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for broken in (flipped, whole[:-1], whole[: len(whole) * 2 // 3], whole + b"more"):
        file.write_bytes(broken)
        refuses(installation(), file, "damaged or cut off")
    file.write_bytes(b"hello")
    refuses(installation(), file, "not a backup")
    refuses(installation(), file.with_name("nowhere"), f"No such file: {file.with_name('nowhere')}")
    told = installation().run("backup", "--check", str(file.with_name("nowhere")), **WORDS)
    assert "nowhere" in told.stderr


def test_a_newer_ones_backup_is_refused(installation: Make, home: Installation) -> None:
    home.run("migrate", **LATER)
    file = home.folder / "later.backup"
    told = home.run("backup", str(file), **WORDS, **LATER)
    assert told.returncode == 0, told.stderr
    refuses(installation(), file, "newer Stillhere")


@pytest.mark.postgres
def test_a_backup_of_the_other_database_is_refused(installation: Make, file: Path) -> None:
    refuses(installation(STILLHERE_DATABASE_URL=""), file, "of a PostgreSQL database")
    refuses(installation(), forged(file.parent, {}), "of a SQLite database")


def forged(folder: Path, members: dict[str, bytes], **facts: object) -> Path:
    """A well sealed file with other contents than we would write."""
    manifest = {
        "format": 1, "version": "9", "database": "sqlite", "migrations": [], "taken_at": 0,
        "demo": False, "open_watches": 0, "open_alarms": 0,
    } | facts  # fmt: skip
    master = json.dumps({"1": "ab" * 32}).encode()
    usual = {"keys/secret": b"1", "keys/master.json": master, "database": b""}
    target = io.BytesIO()
    sealer = Sealer(target, WORDS["STILLHERE_BACKUP_PASSPHRASE"], log_n=4)
    with tarfile.open(fileobj=cast("IO[bytes]", sealer), mode="w|") as tar:
        for name, content in (
            {"manifest.json": json.dumps(manifest).encode()} | usual | members
        ).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    sealer.finish()
    path = folder / "forged.backup"
    path.write_bytes(target.getvalue())
    return path


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "keys/../../escaped", "lock"])
def test_a_file_that_wants_to_lie_elsewhere_is_refused(installation: Make, name: str) -> None:
    other = installation()
    refuses(other, forged(other.folder, {name: b"x"}), "not what Stillhere writes")
    assert not (other.folder / "escaped").exists()


@pytest.mark.sqlite
def test_a_later_format_says_which_version_to_use(installation: Make) -> None:
    other = installation()
    refuses(other, forged(other.folder, {}, format=2), "newer Stillhere (9)")


@pytest.mark.sqlite
def test_a_manifest_that_is_nonsense_is_refused() -> None:
    for text in (b"", b"[]", b'{"format": 1}', b"\xff"):
        with pytest.raises(NotOpened):
            bundle.parse(text)


@pytest.mark.sqlite
def test_a_demos_backup_is_marked_and_never_becomes_a_real_one(installation: Make) -> None:
    demo = {"STILLHERE_DEMO": "http://127.0.0.1:1"}
    home = installation(**demo)
    home.run("migrate")
    file = home.folder / "demo.backup"
    told = home.run("backup", str(file), **WORDS)
    assert "It is a demo's" in told.stdout, told.stderr
    refuses(installation(), file, "backup of a demo")
    again = installation(**demo)
    assert again.run("restore", str(file), **WORDS).returncode == 0
    assert (again.data / "keys/demo").exists()


@pytest.mark.sqlite
def test_a_short_passphrase_is_refused_kindly(home: Installation) -> None:
    told = home.run("backup", "x.backup", STILLHERE_BACKUP_PASSPHRASE="short")
    assert told.returncode != 0
    assert "12 characters or more" in told.stderr
    assert not (home.folder / "x.backup").exists()


@pytest.mark.sqlite
def test_the_passphrase_may_stand_in_a_file(home: Installation, file: Path) -> None:
    words = home.folder / "words"
    words.write_text(WORDS["STILLHERE_BACKUP_PASSPHRASE"] + "\n")
    looked = home.run("backup", "--check", str(file), STILLHERE_BACKUP_PASSPHRASE_FILE=str(words))
    assert looked.returncode == 0, looked.stderr
    assert "chmod 600" in looked.stderr
    words.chmod(0o600)
    looked = home.run("backup", "--check", str(file), STILLHERE_BACKUP_PASSPHRASE_FILE=str(words))
    assert "chmod" not in looked.stderr
    told = home.run("backup", "--check", str(file), STILLHERE_BACKUP_PASSPHRASE_FILE="/nowhere")
    assert "cannot read the passphrase" in told.stderr
    told = home.run("backup", "--check", str(file))
    assert "STILLHERE_BACKUP_PASSPHRASE_FILE" in told.stderr  # nobody sits at this terminal


@pytest.mark.sqlite
def test_on_a_terminal_it_is_asked_twice(home: Installation) -> None:
    file = home.folder / "typed.backup"
    ours, theirs = pty.openpty()
    asking = subprocess.Popen(
        [*home.program, "backup", str(file)],
        cwd=home.folder, env=home.environment, stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    for _ in range(2):
        while not said.rstrip().endswith(b":"):
            said += os.read(ours, 1000)
        os.write(ours, b"five small words for Ruth\n")
        said = b""
    drained = b""
    while asking.poll() is None:
        try:
            drained += os.read(ours, 1000)
        except OSError:
            break
    os.close(ours)
    assert asking.wait(30) == 0, drained
    assert home.run("backup", "--check", str(file), **WORDS).returncode == 0


@pytest.mark.sqlite
def test_a_backup_that_is_stopped_leaves_nothing_in_clear(home: Installation) -> None:
    """It is stopped when the copy lies there and the packing is about to begin."""
    aside = home.folder / ".slow.backup.part"
    stuck = home.folder / "slow.py"
    stuck.write_text(
        "import sys, time\n"
        "from stillhere.cli import main\n"
        "from stillhere.cli.backup_file import bundle\n"
        "def wait(*_): print('packing', flush=True); time.sleep(60)\n"
        "bundle.write = wait\n"
        "sys.argv = ['stillhere', 'backup', 'slow.backup']\n"
        "main.main()\n"
    )
    running = subprocess.Popen(
        [home.program[0], str(stuck)],
        cwd=home.folder, env=home.environment | WORDS, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline() == b"packing\n"
    assert (home.data / WORK / "database").exists()
    told = home.run("backup", "other.backup", **WORDS)
    assert "Another backup is just being made" in told.stderr
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) != 0
    running.stdout.close()
    assert not (home.data / WORK).exists()
    assert not aside.exists()
    (home.data / WORK).mkdir()
    (home.data / WORK / "database").write_text("left by one that was killed")
    assert home.run("backup", "next.backup", **WORDS).returncode == 0
    assert not (home.data / WORK).exists()


@pytest.mark.sqlite
def test_a_disk_that_is_full_leaves_no_half_a_backup(home: Installation) -> None:
    """A limit on the size of files stands in for the disk: the sealed one reaches it."""
    with closing(sqlite3.connect(home.data / "stillhere.sqlite3")) as found:
        ((size,),) = found.execute(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        ).fetchall()
    limited = home.folder / "limited.py"
    limited.write_text(
        "import resource, sys\n"
        "from stillhere.cli import main\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
        "sys.argv = ['stillhere', 'backup', 'full.backup']\n"
        "main.main()\n"
    )
    told = subprocess.run(
        [home.program[0], str(limited)],
        cwd=home.folder, env=home.environment | WORDS, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode != 0
    assert "No backup was written. There is no room for full.backup" in told.stderr
    assert [path.name for path in home.folder.glob("*.backup*")] == []
    assert [path.name for path in home.folder.glob(".*")] == []
    assert not (home.data / WORK).exists()
