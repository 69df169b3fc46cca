"""The database goes away under load: its server is restarted at once, killed, one of its processes
is killed; on SQLite somebody else holds the file."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3

from tests.chaos.place import POSTGRESQL, SQLITE
from tests.chaos.scene import Fault, Scene


async def restart(scene: Scene) -> None:
    """Immediate shutdowns and one pulled plug; each time it is away for one to three seconds."""
    cluster = scene.place.cluster
    assert cluster is not None
    for how in (signal.SIGQUIT, signal.SIGKILL, signal.SIGQUIT):
        await asyncio.sleep(3)
        with scene.wrong(f"restart by {how.name}"):
            await asyncio.to_thread(cluster.stop, how)
            await asyncio.sleep(scene.chance.uniform(1, 3))
            await asyncio.to_thread(cluster.start)
    await asyncio.sleep(3)
    with scene.wrong("kill a backend"):  # then the server ends all others and recovers
        os.kill((await asyncio.to_thread(cluster.pids))[-1], signal.SIGKILL)
        await asyncio.sleep(1)


async def hold(scene: Scene) -> None:
    """Another program holds the database for seven seconds, longer than our patience with it."""
    for _ in range(2):
        await asyncio.sleep(2)
        file = scene.ground.folder / "data" / "stillhere.sqlite3"
        holder = sqlite3.connect(file, isolation_level=None, timeout=10)
        holder.execute("BEGIN EXCLUSIVE")
        with scene.wrong("hold the database"):
            await asyncio.sleep(7)
            holder.execute("ROLLBACK")
        holder.close()


FAULTS = [
    Fault("restart-database", restart, on=(POSTGRESQL,), night_s=24.0),
    Fault("hold-database", hold, on=(SQLITE,), night_s=20.0),
]
