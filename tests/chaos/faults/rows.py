"""A row that nobody can use: another client holds a watch's, or an engine is stopped in the middle
of its beat. Everybody else must notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.place import POSTGRESQL, Place
from tests.chaos.scene import Fault, Scene

HELD_S = 60.0
LOOK_S = 1.0
# While the gate is open, whoever beats stands half a second in the middle of it.
GATE = """
CREATE TABLE gate (open int);
INSERT INTO gate VALUES (1);
CREATE FUNCTION stand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM gate) THEN PERFORM pg_sleep(0.5); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stand BEFORE UPDATE OF beat_at ON installation
    FOR EACH ROW EXECUTE FUNCTION stand();
"""
STANDS = "SELECT client_port FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@contextmanager
def other_client(place: Place) -> Iterator[psycopg.Connection[Any]]:
    assert place.cluster is not None
    with psycopg.connect(place.cluster.url, autocommit=True) as other:
        yield other


async def look_on(scene: Scene, admin: psycopg.Connection[Any]) -> None:
    """Let the time pass, and count what waits on the server meanwhile."""
    most, until = 0, asyncio.get_running_loop().time() + HELD_S
    while asyncio.get_running_loop().time() < until:
        row = await asyncio.to_thread(lambda: admin.execute(WAITS).fetchone())
        most = max(most, row[0] if row else 0)
        await asyncio.sleep(LOOK_S)
    scene.done["backends waiting at most"] = most


async def hold(scene: Scene) -> None:
    """Somebody's row is held for a minute, by a client that is not ours."""
    watch = scene.place.inside("watches")[1]["id"]
    scene.harmed = {watch}
    with other_client(scene.place) as other, other_client(scene.place) as admin:
        await asyncio.sleep(2)
        with scene.wrong("hold one row"), other.transaction():
            other.execute("SELECT id FROM watch WHERE id = %s FOR UPDATE", [watch])
            await look_on(scene, admin)


async def freeze(scene: Scene) -> None:
    """One engine stands still for a minute where it holds the installation's row."""
    scene.harmed = set()
    with other_client(scene.place) as admin:
        admin.execute(GATE)
        await asyncio.sleep(2)
        pid = await in_its_beat(scene.place, admin)
        with scene.wrong("stop an engine in its beat"):
            try:
                admin.execute("DELETE FROM gate")
                await look_on(scene, admin)
            finally:
                with contextlib.suppress(ProcessLookupError):  # what hangs is replaced
                    os.kill(pid, signal.SIGCONT)


async def in_its_beat(place: Place, admin: psycopg.Connection[Any]) -> int:
    """The engine that was stopped inside its transaction."""
    while True:
        found = [port for (port,) in admin.execute(STANDS).fetchall()]
        for name in place.names:
            pid = place.pid(name) if name.startswith("engine") else 0
            if pid and any(speaks(pid, port) for port in found):
                os.kill(pid, signal.SIGSTOP)
                return pid
        await asyncio.sleep(0.02)


def speaks(pid: int, port: int) -> bool:
    """Whether this process has the local end of that connection."""
    lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    sockets = {f"socket:[{line[9]}]" for line in lines if int(line[1].split(":")[1], 16) == port}
    return any(str(file.readlink()) in sockets for file in Path(f"/proc/{pid}/fd").iterdir())


FAULTS = [
    Fault("locked-row", hold, on=(POSTGRESQL,), night_s=18.0, rate=3.0),
    Fault("frozen-pulse", freeze, on=(POSTGRESQL,), night_s=18.0, rate=3.0),
]
