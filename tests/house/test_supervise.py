"""The supervisor never lets a child stay away, and never leaves one behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.installation import alive, wait_for

# A supervisor whose one child starts a grandchild and notes both process ids, a line each start.
SUPERVISOR = """
import sys
from stillhere.cli import supervise
supervise.HEALTHY_MS, supervise.GRACE_MS = int(sys.argv[3]), 500
child = supervise.Child("child", [sys.executable, "-c", sys.argv[1], sys.argv[2]])
supervise.run([child], lambda: True)
"""
CHILD = """
import os, subprocess, sys, time
grandchild = subprocess.Popen(["sleep", "60"])
with open(sys.argv[1], "a") as notes:
    notes.write(f"{os.getpid()} {grandchild.pid}\\n")
time.sleep(60)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD
CRASHING = "import sys; open(sys.argv[1], 'a').write('0 0\\n')"


class Family:
    """A running supervisor and what its child noted."""

    def __init__(self, notes: Path, child: str, healthy_ms: int) -> None:
        self.notes = notes
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, child, str(notes), str(healthy_ms)]
        )

    def generations(self) -> list[list[int]]:
        """One ``[child, grandchild]`` for each start so far."""
        if not self.notes.exists():
            return []
        return [[int(pid) for pid in line.split()] for line in self.notes.read_text().splitlines()]

    def nth(self, number: int) -> list[int]:
        wait_for(lambda: len(self.generations()) >= number, "another start", 10)
        return self.generations()[number - 1]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Callable[..., Family]]:
    started: list[Family] = []

    def start(child: str = CHILD, healthy_ms: int = 30_000) -> Family:
        started.append(Family(tmp_path / "notes", child, healthy_ms))
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
