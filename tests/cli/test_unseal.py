"""A machine whose keys wait for a passphrase: it watches nobody, says so, and starts when it is
handed over."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import stat
import subprocess
import termios
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from stillhere.cli import unlock
from stillhere.cli.actions import check
from stillhere.config import key_lock, keys
from stillhere.web.access.readiness import practice_reasons
from tests.installation import Installation, wait_for

pytestmark = pytest.mark.slow

SOURCE = Path(key_lock.__file__).resolve().parents[2]
WORDS = "five small words in a row"
Make = Callable[..., Installation]


def say(home: Installation, words: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Type a command, with ``words`` as its standard input."""
    return subprocess.run(
        [*home.program, *command],
        input=f"{words}\n",
        env=home.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def home(installation: Make) -> Iterator[Installation]:
    """An installation whose keys have a passphrase; it does not run."""
    made = installation(PYTHONPATH=str(SOURCE))
    made.prepare()
    told = say(made, WORDS, "keys", "passphrase")
    assert told.returncode == 0, told.stderr
    assert WORDS not in told.stdout + told.stderr
    yield made
    made.stop()


def waits(home: Installation) -> bool:
    return (home.data / unlock.SOCKET).exists() and home.get("/healthz")[0] == 503


@pytest.mark.storage
def test_it_waits_says_so_starts_when_the_passphrase_comes_and_hands_it_to_nobody(
    home: Installation,
) -> None:
    home.start()
    wait_for(lambda: waits(home), "waiting")
    status, said = home.get("/healthz")
    assert (status, json.loads(said)["reasons"]) == (503, ["waiting for the passphrase"])
    for method, path in (("GET", "/"), ("POST", "/k/some-key"), ("GET", "/c/a-link")):
        status, said = home.ask(method, path, body="x=1" if method == "POST" else "")
        assert status == 503
        assert "Nobody is watching now." in said
        assert "llama a tu número de emergencias" in said
    assert stat.S_IMODE((home.data / unlock.SOCKET).stat().st_mode) == 0o600
    told = say(home, "five small words in a rov", "unseal")
    assert told.returncode == 1
    assert "does not open the keys" in told.stderr
    assert home.get("/healthz")[0] == 503
    told = home.run("desk")
    assert told.returncode == 1
    assert "stillhere unseal" in told.stderr
    told = say(home, WORDS, "unseal")
    assert told.returncode == 0, told.stderr
    home.wait_healthy()
    assert "are open already" in home.run("unseal").stdout
    assert "/desk/" in home.run("desk").stdout, "the one that runs opens them for a command"
    home.kill_child("web")
    wait_for(lambda: home.get("/healthz")[0] == 0, "web is away")
    home.wait_healthy()
    hold_no_secret_in_the_open(home)


def hold_no_secret_in_the_open(home: Installation) -> None:
    """Neither what others can read of our processes, nor the log, shows what opens the keys."""
    key_lock.HELD.key = key_lock.unwrap(home.data / "keys", WORDS)
    try:
        known = [key_lock.HELD.key, *keys.read_master(home.data / "keys").values()]
    finally:
        key_lock.HELD.key = b""
    secrets = [WORDS.encode(), *known, *(key.hex().encode() for key in known)]
    assert home.process is not None
    pids = [home.process.pid, home.child("web"), home.child("engine")]
    for pid in pids:
        shown = (
            Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        assert not any(secret in shown for secret in secrets)
    for file in [home.log, *home.data.rglob("*")]:
        if file.is_file():
            raw = file.read_bytes()
            assert not any(secret in raw for secret in secrets), file


def test_a_passphrase_is_set_and_taken_off_only_while_it_does_not_run(home: Installation) -> None:
    told = say(home, WORDS, "unseal")
    assert told.returncode == 1
    assert "Nothing waits for the passphrase" in told.stderr
    home.start()
    wait_for(lambda: waits(home), "waiting")
    before = (home.data / "keys" / key_lock.FILE).read_bytes()
    assert say(home, "another five small words", "keys", "passphrase").returncode == 1
    assert (home.data / "keys" / key_lock.FILE).read_bytes() == before
    home.stop()
    told = home.run("check")
    assert told.returncode == 1
    assert "wait for their passphrase" in told.stderr


def test_keys_that_need_a_person_leave_it_practice_and_check_says_so(tmp_path: Path) -> None:
    here = replace(settings.STILLHERE, keys_locked=True)
    [(well, said)] = check._locked(here)
    assert not well
    assert "at three in the morning" in said
    assert any("passphrase" in each for each in practice_reasons(here, {}, []))
    plain = replace(here, keys_locked=False)
    assert not any("passphrase" in each for each in practice_reasons(plain, {}, []))
    assert list(check._locked(plain)) == []
    [(well, said)] = check._locked(replace(plain, keys_elsewhere=tmp_path))
    assert well
    assert "after a power cut" in said


def test_a_command_that_only_looked_and_one_that_hangs_keep_nobody_out(home: Installation) -> None:
    home.start()
    wait_for(lambda: waits(home), "waiting")
    for _ in range(3):
        with unlock.reach(home.data) as line:
            assert unlock.receive(line) == unlock.WAITING
    with unlock.reach(home.data) as line:
        line.sendall(os.urandom(unlock.LONGEST).replace(b"\n", b"x") * 2)
    told = say(home, WORDS, "unseal")
    assert told.returncode == 0, told.stderr
    home.wait_healthy()


@pytest.mark.storage
def test_a_backup_keeps_the_passphrase_over_its_keys_and_comes_back_under_it(
    installation: Make, home: Installation
) -> None:
    sealing = {"STILLHERE_BACKUP_PASSPHRASE": "five small words for Ruth"}
    file = home.folder / "one.backup"
    told = home.run("backup", str(file), **sealing)
    assert told.returncode == 1
    assert "stillhere unseal" in told.stderr
    home.start()
    wait_for(lambda: waits(home), "waiting")
    assert say(home, WORDS, "unseal").returncode == 0
    home.wait_healthy()
    told = home.run("backup", str(file), **sealing)
    assert told.returncode == 0, told.stderr
    told = home.run("backup", "--check", str(file), **sealing)
    assert told.returncode == 0, told.stderr
    other = installation(PYTHONPATH=str(SOURCE), **sealing)
    told = say(other, "five small words in a rov", "restore", str(file))
    assert told.returncode == 1
    assert "does not open the keys" in told.stderr
    assert not other.data.exists()
    told = say(other, WORDS, "restore", str(file))
    assert told.returncode == 0, told.stderr
    assert key_lock.is_locked(other.data / "keys")
    assert (other.data / "keys/secret").read_text().startswith(key_lock.MARK)
    assert "stillhere unseal" in other.run("desk").stderr


def test_up_asks_at_the_terminal_and_shows_nothing_of_what_is_typed(home: Installation) -> None:
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [*home.program, "up"],
        env=home.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  one thread
    )
    os.close(theirs)
    try:
        asks, refuses = "Passphrase of the keys", "does not open the keys"
        shown = read_until(ours, asks)
        assert home.get("/healthz")[0] == 503
        os.write(ours, b"five small words in a rov\n")
        shown = read_until(ours, refuses, asks)
        os.write(ours, f"{WORDS}\n".encode())
        shown += read_until(ours, "Stillhere is running")
        assert home.get("/healthz")[0] == 200
        assert "five small" not in shown
    finally:
        running.terminate()
        running.wait(timeout=30)
        os.close(ours)


def read_until(terminal: int, *words: str) -> str:
    """What the terminal shows, up to all of these words: two lines may come in one piece."""
    shown = ""
    while not all(each in shown for each in words):
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, shown
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown
