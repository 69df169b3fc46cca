"""A process that hangs for ever: it holds its port and its connections, and does nothing. Nobody
lets it go on; it must be replaced. Whoever presses meanwhile is asked, and not alarmed for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from pathlib import Path

from stillhere.config.databases import SQLITE_FILE
from tests.chaos.place import SQLITE
from tests.chaos.scene import Fault, Scene

PATIENCE_S = 45.0  # fifteen until it is noticed, and a start on a busy machine
SOON_S = 21.0  # fifteen and a start; then nine are left of the half minute to press again
AFTERWARDS_S = 6.0  # those who press come back


async def hang(scene: Scene, kind: str) -> None:
    """Stop every process of a kind for good, and wait for others in their place."""
    await asyncio.sleep(3)
    names = [name for name in scene.place.names if name.startswith(kind)]
    stopped = {name: scene.place.pid(name) for name in names}
    with scene.wrong(f"hang every {kind}"):
        await asyncio.to_thread(_stop, scene, list(stopped.values()))
        until = time.monotonic() + PATIENCE_S
        while _left(scene, stopped) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        for name in _left(scene, stopped):
            scene.undone.append(f"{name} hung for {PATIENCE_S:.0f} s and nobody replaced it")
            with contextlib.suppress(ProcessLookupError):
                os.kill(stopped[name], signal.SIGCONT)
        await asyncio.to_thread(scene.place.wait_healthy)
    began, ended = scene.windows[-1]
    scene.done[f"well again after {ended - began:.0f} s"] += 1  # the promise is for half a minute
    await asyncio.sleep(AFTERWARDS_S)


def _stop(scene: Scene, pids: list[int]) -> None:
    """Between two writes: one that hangs in the middle of one holds SQLite's lock, so that nobody
    can be alarmed for either, in vain or not."""
    for _ in range(100):
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        if scene.place.kind != SQLITE or _free(scene.place.installation.data / SQLITE_FILE):
            return
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    scene.undone.append("the web never stood between two writes")


def _free(database: Path) -> bool:
    """Whether somebody else gets to write within a second."""
    with contextlib.closing(sqlite3.connect(database, timeout=1, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return False
        return True


def _left(scene: Scene, stopped: dict[str, int]) -> list[str]:
    return [name for name, pid in stopped.items() if scene.place.pid(name) == pid]


async def hang_web(scene: Scene) -> None:
    await hang(scene, "web")


async def hang_engine(scene: Scene) -> None:
    await hang(scene, "engine")


# Slow enough that a busy machine does not take from the people what the fault leaves them.
RATE = 3.0
FAULTS = [
    Fault("hung-web", hang_web, night_s=36.0, rate=RATE, none_in_vain_s=SOON_S),
    Fault("hung-engine", hang_engine, night_s=36.0, rate=RATE, none_in_vain_s=SOON_S),
]
