"""The supervisor never lets a child stay away, and never leaves one behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from stillhere.config.wiring import boot_ms
from tests.installation import alive, wait_for

pytestmark = pytest.mark.slow

# A supervisor whose one child starts a grandchild and notes both process ids, a line each start.
SUPERVISOR = """
import sys
from stillhere.cli import supervise
supervise.HEALTHY_MS, supervise.GRACE_MS = int(sys.argv[3]), 500
supervise.SILENT_MS, supervise.START_MS = 1_500, int(sys.argv[4])
supervise.UNHEARD_MS, supervise.LISTEN_S, supervise.LATE_MS = 500, 0.1, 1_000
run = [sys.executable, "-c"]
child = supervise.Child("child", [*run, sys.argv[1], sys.argv[2]], hears=True)
other = supervise.Child("other", [*run, sys.argv[5], sys.argv[2] + ".told"], told=True)
supervise.run([child, other] if sys.argv[5] else [child], lambda: True)
"""
CHILD = """
import os, subprocess, sys, time
grandchild = subprocess.Popen(["sleep", "60"])
with open(sys.argv[1], "a") as notes:
    notes.write(f"{os.getpid()} {grandchild.pid}\\n")
time.sleep(60)
"""
# One that says that it lives until a file lies beside its notes.
SPEAKING = """
import os, sys, time
from stillhere.cli import life
beat = life.sign()
with open(sys.argv[1], "a") as notes:
    notes.write(f"{os.getpid()} 0\\n")
while True:
    if not os.path.exists(sys.argv[1] + ".hush"):
        beat()
    time.sleep(0.1)
"""
LISTENING = """
import os, sys, time
from stillhere.cli import life
beat, word = life.sign(), life.inherited(life.SILENCE)
while True:
    beat()
    try:
        with open(sys.argv[1], "ab") as told:
            told.write(os.read(word, 4096))
    except BlockingIOError:
        pass
    time.sleep(0.1)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD
CRASHING = "import sys; open(sys.argv[1], 'a').write('0 0\\n')"


class Family:
    """A running supervisor and what its child noted."""

    def __init__(self, notes: Path, child: str, healthy_ms: int, start_ms: int, other: str) -> None:
        self.notes = notes
        said = [child, str(notes), str(healthy_ms), str(start_ms), other]
        self.process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, *said])

    def generations(self) -> list[list[int]]:
        """One ``[child, grandchild]`` for each start so far."""
        if not self.notes.exists():
            return []
        return [[int(pid) for pid in line.split()] for line in self.notes.read_text().splitlines()]

    def told(self) -> list[int]:
        """What the other child was told so far."""
        path = self.notes.with_name(self.notes.name + ".told")
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def hush(self) -> Path:
        """Let the child live and say nothing; what to remove to let it speak again."""
        path = self.notes.with_name(self.notes.name + ".hush")
        path.touch()
        return path

    def nth(self, number: int) -> list[int]:
        wait_for(lambda: len(self.generations()) >= number, "another start", 10)
        return self.generations()[number - 1]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Callable[..., Family]]:
    started: list[Family] = []

    def start(
        child: str = CHILD, healthy_ms: int = 30_000, start_ms: int = 60_000, other: str = ""
    ) -> Family:
        started.append(Family(tmp_path / "notes", child, healthy_ms, start_ms, other))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.wait()
        for pid in [pid for pids in each.generations() for pid in pids if pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_killed_child_comes_back_and_its_group_is_ended_first(
    family: Callable[..., Family],
) -> None:
    home = family()
    child, grandchild = home.nth(1)
    os.kill(child, signal.SIGKILL)
    second, _ = home.nth(2)
    assert second != child
    assert not alive(grandchild)


def test_a_group_that_ignores_sigterm_is_ended_by_force(family: Callable[..., Family]) -> None:
    home = family(STUBBORN)
    child, grandchild = home.nth(1)
    home.process.terminate()
    assert home.process.wait(timeout=10) == 0
    assert not alive(child)
    assert not alive(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux's")
def test_children_die_with_a_killed_supervisor(family: Callable[..., Family]) -> None:
    home = family()
    child, _ = home.nth(1)
    home.process.kill()
    home.process.wait()
    wait_for(lambda: not alive(child), "the child ends", 5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_stop_ends_everything(
    family: Callable[..., Family], number: signal.Signals
) -> None:
    home = family()
    child, grandchild = home.nth(1)
    home.process.send_signal(number)
    assert home.process.wait(timeout=10) == 0
    assert not alive(child)
    assert not alive(grandchild)


def test_a_helper_starts_when_people_reach_us_and_ends_last(tmp_path: Path) -> None:
    note = """
import pathlib, signal, sys, time
from stillhere.cli import life
beat = life.sign()
def end(*_):
    time.sleep(float(sys.argv[2]))
    pathlib.Path(sys.argv[1] + ".ended").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
time.sleep(float(sys.argv[2]))
pathlib.Path(sys.argv[1] + ".up").touch()
beat()
time.sleep(60)
"""
    code = f"""
import sys
from stillhere.cli import supervise
run = [sys.executable, "-c", {note!r}]
supervise.HELP_AFTER_MS = 0
helper = supervise.Child("helper", [*run, sys.argv[1], "0"], helps=True)
first = supervise.Child("first", [*run, sys.argv[2], "0.5"], hears=True)
supervise.run([helper, first], lambda: True)
"""
    helper, first = tmp_path / "helper", tmp_path / "first"
    process = subprocess.Popen([sys.executable, "-c", code, str(helper), str(first)])
    wait_for(lambda: len(list(tmp_path.glob("*.up"))) == 2, "both run")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    at = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert at["helper.up"] > at["first.up"]
    assert at["helper.ended"] > at["first.ended"]


def test_a_child_that_always_fails_is_tried_for_ever_ever_more_slowly(
    family: Callable[..., Family],
) -> None:
    home = family(CRASHING)
    began = time.monotonic()
    home.nth(4)  # after 0.2, 0.4 and 0.8 seconds
    assert time.monotonic() - began >= 1.4
    assert home.process.poll() is None


def test_a_child_that_ran_well_comes_back_without_the_back_off(
    family: Callable[..., Family],
) -> None:
    home = family(CRASHING, healthy_ms=0)
    began = time.monotonic()
    home.nth(6)
    assert time.monotonic() - began < 5


# --- who falls silent -----------------------------------------------------------------------------


def test_a_stopped_child_is_replaced_without_waiting_for_it_to_end_by_itself(
    family: Callable[..., Family],
) -> None:
    home = family(SPEAKING)
    child, _ = home.nth(1)
    os.kill(child, signal.SIGSTOP)
    second, _ = home.nth(2)
    assert second != child
    assert not alive(child)


def test_a_child_that_lives_and_says_nothing_more_is_replaced_with_its_group(
    family: Callable[..., Family],
) -> None:
    home = family(SPEAKING)
    child, _ = home.nth(1)
    home.hush()
    assert home.nth(2)[0] != child
    assert not alive(child)


def test_until_its_first_word_a_child_has_a_time_of_its_own(family: Callable[..., Family]) -> None:
    home = family(CHILD, start_ms=4_000)  # this one never says a word
    home.nth(1)
    time.sleep(2.5)  # longer than a silence may last
    assert len(home.generations()) == 1
    home.nth(2)


def test_nobody_is_replaced_because_the_supervisor_stood_still(
    family: Callable[..., Family],
) -> None:
    """All of us stand still, as on a machine that sleeps or swaps, and go on one after the
    other."""
    home = family(SPEAKING)
    child, _ = home.nth(1)
    time.sleep(1)
    os.kill(child, signal.SIGSTOP)
    time.sleep(0.4)  # what it had said is heard, so that nothing waits in the pipe
    os.kill(home.process.pid, signal.SIGSTOP)
    time.sleep(2.5)
    os.kill(home.process.pid, signal.SIGCONT)
    time.sleep(0.7)
    os.kill(child, signal.SIGCONT)
    time.sleep(2)
    assert len(home.generations()) == 1
    assert alive(child)


def test_the_others_are_told_of_a_silence_and_of_its_end(family: Callable[..., Family]) -> None:
    home = family(SPEAKING, other=LISTENING)
    home.nth(1)
    time.sleep(1)
    wait_for(lambda: home.told()[-1:] in ([], [0]), "the start is over", 10)
    begun = len(home.told())
    before_ms = boot_ms()
    hush = home.hush()
    wait_for(lambda: len(home.told()) > begun, "told that nobody is heard", 10)
    assert len(home.generations()) == 1, "long before it is replaced"
    since_ms = home.told()[begun]
    assert before_ms - 2_000 <= since_ms <= boot_ms()
    home.nth(2)
    assert 0 not in home.told()[begun:], "a new process is not yet one that is heard"
    hush.unlink()
    wait_for(lambda: home.told()[-1] == 0, "told that they are heard again", 10)


def test_what_a_child_starts_has_none_of_its_pipes() -> None:
    reader, writer = os.pipe()
    found = "import os; from stillhere.cli import life; beat = life.sign(); "
    child = found + (
        "import subprocess, sys; "
        "subprocess.run([sys.executable, '-c', \"import os; print(os.listdir('/proc/self/fd'), "
        "'LIFE_FD' in os.environ)\"]); beat()"
    )
    told = subprocess.run(
        [sys.executable, "-c", child],
        env=os.environ | {"LIFE_FD": str(writer)},
        pass_fds=(writer,),
        capture_output=True,
        text=True,
        check=True,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as life:
        assert life.read() == b"."
    assert f"'{writer}'" not in told.stdout
    assert told.stdout.strip().endswith("False")


def test_a_full_pipe_or_none_at_all_never_holds_a_child_up() -> None:
    reader, writer = os.pipe()
    child = (
        "from stillhere.cli import life; beat = life.sign(); "
        "[beat() for _ in range(200_000)]; print(life.inherited('LIFE_FD'))"
    )
    for number in (str(writer), "", "nonsense", "4711"):
        told = subprocess.run(
            [sys.executable, "-c", child],
            env=os.environ | {"LIFE_FD": number},
            pass_fds=(writer,),
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        assert told.stdout.strip() == "None"
    os.close(writer)
    os.close(reader)


# A supervisor of our own commands that writes down what each of them was started with.
STARTER = """
import sys
from stillhere.cli import supervise
from stillhere.cli.commands.lasting import up
import logging
logging.basicConfig(level=logging.INFO)
children = up.children("web", "engine", "line")
for child in children:
    child.command = ["sleep", "60"]
supervise.run(children, lambda: True)
"""


def test_no_process_of_ours_holds_secrets_it_has_no_use_for() -> None:
    secrets = {
        "STILLHERE_BACKUP_PASSPHRASE": "five small words in a row",
        "STILLHERE_BACKUP_PASSPHRASE_FILE": "/run/words",
        "STILLHERE_SMTP_URL": "smtps://lamp:swordfish@mail.example.org",
        "STILLHERE_DATABASE_URL": "postgresql://lamp:tuna@localhost/lamp",
        "STILLHERE_CARRIERS": "sip://lamp:salmon@trunk.example.org?from=+12025550100",
    }
    starting = subprocess.Popen(
        [sys.executable, "-c", STARTER], env=os.environ | secrets, stderr=subprocess.PIPE
    )
    try:
        assert starting.stderr is not None
        found: dict[str, bytes] = {}
        while len(found) < 3:
            line = starting.stderr.readline().decode()
            if started := re.search(r"child started name=(\w+) pid=(\d+)", line):
                pid = int(started[2])
                wait_for(partial(_runs, pid, "sleep"), "started")
                found[started[1]] = Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        starting.terminate()
        starting.wait(timeout=20)
        assert starting.stderr is not None
        starting.stderr.close()
    for name, environ in found.items():
        assert b"five small words" not in environ, name
        assert b"/run/words" not in environ, name
        assert b"salmon" in environ, "each of them speaks to the carrier"
    assert b"swordfish" in found["engine"]
    assert b"tuna" in found["engine"]
    assert b"swordfish" not in found["line"]
    assert b"tuna" not in found["line"]


def _runs(pid: int, program: str) -> bool:
    return Path(f"/proc/{pid}/comm").read_text().strip() == program
