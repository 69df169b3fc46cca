"""kill -9, any process at any moment: web, engine, and the supervisor over them."""

from __future__ import annotations

import asyncio
import signal
import time

from tests.chaos.faults.stop import stop_one
from tests.chaos.scene import Fault, Scene

KILLS = 40
PAUSE_S = (0.4, 1.4)
PATIENCE_S = 4.0


async def kill(scene: Scene, kills: int) -> None:
    """So many kills, most of them a second apart: each process once, the others by chance. The
    supervisor, with whom all others die, is meant half as often as each of them."""
    everybody = [*scene.place.names, "supervisor"]
    once = scene.chance.sample(everybody, k=len(everybody))
    often = [*scene.place.names * 2, "supervisor"]
    began, killed, kept = time.monotonic(), 0, scene.kept()
    while killed < kills:
        await asyncio.sleep(scene.chance.uniform(*PAUSE_S))
        name = once[killed] if killed < len(once) else scene.chance.choice(often)
        if not name.startswith("engine"):  # somebody is to get through, also on a slow machine
            until = time.monotonic() + PATIENCE_S
            while scene.kept() == kept and time.monotonic() < until:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            kept = scene.kept()
        if scene.place.signal(name, signal.SIGKILL):  # else it is just being started again
            scene.done[f"kill {name}"] += 1
            killed += 1
    # Nothing ran for long from the first kill to the last: that is one time of trouble.
    scene.windows.append((began, time.monotonic()))


def killing(kills: int, stops: int = 0) -> Fault:
    """A fault of so many kills, and of so many processes stopped and continued meanwhile."""

    async def stop_some(scene: Scene) -> None:
        for _ in range(stops):
            await asyncio.sleep(scene.chance.uniform(0.5, 2.0))
            await stop_one(scene, scene.chance.choice(scene.place.names), (0.5, 3.0))

    async def happen(scene: Scene) -> None:
        await asyncio.gather(kill(scene, kills), stop_some(scene))

    return Fault("kill", happen, night_s=kills * sum(PAUSE_S) / 2)


FAULTS = [killing(KILLS)]
