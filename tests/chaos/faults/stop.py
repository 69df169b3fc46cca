"""SIGSTOP and later SIGCONT: a process that is neither dead nor alive, as on a machine that swaps
or sleeps."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

from tests.chaos.place import POSTGRESQL
from tests.chaos.scene import Fault, Scene

LONG_S = 17.0  # longer than what counts as an outage (15 s)


async def stop_one(scene: Scene, name: str, for_s: tuple[float, float]) -> None:
    """Stop one of our processes for a time between the two."""
    with contextlib.suppress(LookupError, ProcessLookupError):
        await stopped(scene, f"stop {name}", [scene.place.pid(name)], scene.chance.uniform(*for_s))


async def stopped(scene: Scene, what: str, pids: list[int], for_s: float) -> None:
    """Stop these processes, all of them, and let them go on."""
    with scene.wrong(what):
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(for_s)
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


async def stop_ours(scene: Scene) -> None:
    """Every kind of our processes for some seconds, all webs at once, and all engines for so long
    that it is an outage."""
    for name in scene.place.names:
        await asyncio.sleep(0.5)
        await stop_one(scene, name, (2.0, 5.0))
    for kind, for_s in (("web", 9.0), ("engine", LONG_S)):
        pids = [scene.place.pid(n) for n in scene.place.names if n.startswith(kind)]
        await asyncio.sleep(1)
        await stopped(scene, f"stop every {kind}", pids, for_s)


async def stop_the_server(scene: Scene) -> None:
    """The database's own processes: those that serve us, then its parent, then all of them."""
    cluster = scene.place.cluster
    assert cluster is not None
    for what, for_s in (("backends", 5.0), ("parent", 5.0), ("server", 12.0)):
        await asyncio.sleep(2)
        pids = await asyncio.to_thread(cluster.pids)
        parent, backends = pids[:1], pids[1:]
        chosen = {"backends": backends, "parent": parent, "server": parent + backends}[what]
        await stopped(scene, f"stop the database's {what}", chosen, for_s)


FAULTS = [
    Fault("stop", stop_ours, night_s=30.0),
    Fault("stop-database", stop_the_server, on=(POSTGRESQL,), night_s=28.0),
]
