"""One installation under chaos: `stillhere up` on SQLite, or two web and two engine processes on a
PostgreSQL of its own that keeps its word (fsync on).

Owns starting everything, naming each process, and starting again what nobody inside can: the
supervisor and the database server, which systemd looks after elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.carrier import Carrier
from tests.installation import PATIENCE_S, Installation, free_port, wait_for
from tests.journeys.town import Inside
from tests.postgres import Cluster

KEEPER = Path(__file__).with_name("keeper.py")
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass
class Ground:
    """Where an installation stands: its folder, the server's folder, and what both processes find
    in their environment besides. A fault may prepare it (a small disk, a clock to move)."""

    folder: Path
    server: Path
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def plain_ground() -> Iterator[Ground]:
    """Two fresh folders, gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="stillhere-chaos-"))
    try:
        folder.chmod(0o755)  # the database server runs as a user of its own
        ground = Ground(folder / "ours", folder / "server")
        ground.folder.mkdir()
        ground.server.mkdir()
        yield ground
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Place:
    """The installation with its provider. ``names`` are its processes, as the supervisor calls
    them; ``urls`` is where people reach it."""

    def __init__(self, kind: str, ground: Ground) -> None:
        self.kind = kind
        self.carrier = Carrier()
        self.cluster: Cluster | None = None
        settings = {"STILLHERE_DEMO": self.carrier.url}
        if kind == POSTGRESQL:
            self.cluster = Cluster(ground.server, fsync=True, environment=ground.environment)
            self.cluster.create()
            self.cluster.start()
            settings["STILLHERE_DATABASE_URL"] = self.cluster.url
        self.installation = Installation(ground.folder, settings)
        self.inside = Inside(self.installation.environment)
        self._migrate()
        self.ports = [self.installation.port]
        self.names = ["web", "pages", "engine"]
        if kind == POSTGRESQL:
            self.ports.append(free_port())
            self.names = ["web-1", "engine-1", "web-2", "engine-2"]
            keeper = [sys.executable, str(KEEPER), *map(str, self.ports)]
            self.installation.supervisor = keeper
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self.installation.environment |= ground.environment
        self.closing = False

    def _migrate(self) -> None:
        if self.cluster is None:
            self.installation.prepare()
            return
        told = self.installation.run("migrate")
        assert told.returncode == 0, told.stderr

    def open(self) -> None:
        """Start everything and wait until every web process says that all is well."""
        self.carrier.start(self.inside("phones_secret"), f"{self.urls[0]}/hooks/phones")
        self.inside.close()
        self.installation.start()
        self.wait_healthy()
        for name in self.names:
            self.installation.wait_started(name)

    def wait_healthy(self, seconds: float = PATIENCE_S) -> None:
        """Wait for 200 from every /healthz; starts again whatever nobody else would."""
        wait_for(self._healthy, lambda: f"healthy\n{self.tail()}", seconds)

    def _healthy(self) -> bool:
        self.look_after()
        healthy = True
        for port in self.ports:
            self.installation.port = port
            healthy = healthy and self.installation.get("/healthz")[0] == 200
        self.installation.port = self.ports[0]
        return healthy

    def tail(self) -> str:
        log = self.installation.log
        return log.read_text()[-3000:] if log.exists() else ""

    def look_after(self) -> None:
        """What systemd does: start the supervisor and the database server again when they have
        ended."""
        ours = self.installation
        if ours.process is not None and ours.process.poll() is not None:
            ours.collect()
            ours.start()
        server = self.cluster
        if server is not None and server.process is not None and server.process.poll() is not None:
            server.process = None
            with contextlib.suppress(RuntimeError):  # it cannot start yet: tried again next time
                server.start()

    async def looked_after(self) -> None:
        """``look_after`` until the end."""
        while not self.closing:
            await asyncio.to_thread(self.look_after)
            await asyncio.sleep(0.1)

    def pid(self, name: str) -> int:
        """The process now called ``name``; raises LookupError when it has not started yet."""
        if name == "supervisor":
            process = self.installation.process
            if process is None:
                raise LookupError(name)
            return process.pid
        return self.installation.child(name)

    def signal(self, name: str, number: signal.Signals) -> bool:
        """Send a signal; False when that process is just away."""
        try:
            os.kill(self.pid(name), number)
        except (LookupError, ProcessLookupError):
            return False
        return True

    def close(self) -> None:
        self.closing = True
        self.inside.close()
        with contextlib.suppress(Exception):
            self.installation.stop(signal.SIGKILL)
        self.carrier.stop()
        if self.cluster is not None:
            self.cluster.stop(signal.SIGKILL)


@contextmanager
def opened(
    kind: str, ground: Ground, *, people: int, rate: float, own: Mapping[str, int]
) -> Iterator[tuple[Place, list[dict[str, Any]]]]:
    """A running installation with ``people`` marked watches, its clock ``rate`` times as fast."""
    place = Place(kind, ground)
    try:
        place.inside("set_rate", rate=rate)
        seeded = place.inside("crowd", count=people, first=200, **own)
        place.open()
        yield place, seeded
    finally:
        place.close()
