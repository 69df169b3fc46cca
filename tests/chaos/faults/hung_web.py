"""A process that hangs for ever: it holds its port and its connections, and does nothing. Nobody
lets it go on; it must be replaced. Whoever presses meanwhile is asked, and not alarmed for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time

from tests.chaos.scene import Fault, Scene

PATIENCE_S = 45.0  # fifteen until it is noticed, and a start on a busy machine
AFTERWARDS_S = 6.0  # those who press come back


async def hang(scene: Scene, kind: str) -> None:
    """Stop every process of a kind for good, and wait for others in their place."""
    await asyncio.sleep(3)
    names = [name for name in scene.place.names if name.startswith(kind)]
    stopped = {name: scene.place.pid(name) for name in names}
    with scene.wrong(f"hang every {kind}"):
        for pid in stopped.values():
            os.kill(pid, signal.SIGSTOP)
        until = time.monotonic() + PATIENCE_S
        while _left(scene, stopped) and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
        for name in _left(scene, stopped):
            scene.undone.append(f"{name} hung for {PATIENCE_S:.0f} s and nobody replaced it")
            with contextlib.suppress(ProcessLookupError):
                os.kill(stopped[name], signal.SIGCONT)
        await asyncio.to_thread(scene.place.wait_healthy)
    await asyncio.sleep(AFTERWARDS_S)


def _left(scene: Scene, stopped: dict[str, int]) -> list[str]:
    return [name for name, pid in stopped.items() if scene.place.pid(name) == pid]


async def hang_web(scene: Scene) -> None:
    await hang(scene, "web")


async def hang_engine(scene: Scene) -> None:
    await hang(scene, "engine")


FAULTS = [
    Fault("hung-web", hang_web, night_s=24.0, none_in_vain=True),
    Fault("hung-engine", hang_engine, night_s=24.0, none_in_vain=True),
]
