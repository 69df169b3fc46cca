"""The disk is full, and later there is room again. A small tmpfs stands for it; only root can make
one."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.place import SQLITE, Ground, plain_ground
from tests.chaos.scene import Fault, Scene

ROOM_MB = 160  # an empty PostgreSQL takes a quarter of it
FULL_S = 9.0


@contextmanager
def small_disk() -> Iterator[Ground]:
    """Both folders on one small disk."""
    with plain_ground() as ground:
        disk = ground.folder.parent / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m,mode=755", "tmpfs", str(disk)]
        subprocess.run(mount, check=True)
        try:
            small = Ground(disk / "ours", disk / "server")
            small.folder.mkdir()
            small.server.mkdir()
            yield small
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(ballast: Path) -> None:
    """Take what is left, to the last block."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


async def full(scene: Scene) -> None:
    """Twice: full for nine seconds, then free again."""
    ballast = scene.ground.folder.parent / "ballast"
    for _ in range(2):
        await asyncio.sleep(2)
        with scene.wrong("fill the disk"):
            until = asyncio.get_running_loop().time() + FULL_S
            while asyncio.get_running_loop().time() < until:
                await asyncio.to_thread(fill, ballast)  # also what was given back meanwhile
                await asyncio.sleep(0.5)
            await asyncio.to_thread(_say, scene)
            ballast.unlink()


def _say(scene: Scene) -> None:
    """Note who is asked how it is and gives another reason. PostgreSQL may have had room in its own
    files: then there is nothing to say."""
    for port in scene.place.ports:
        scene.place.installation.port = port
        status, said = scene.place.installation.get("/healthz")
        if scene.place.kind == SQLITE and "the disk is full" not in said:
            scene.undone.append(f"the health page says {status}: {said[:200]}")
    scene.place.installation.port = scene.place.ports[0]


FAULTS = [Fault("full-disk", full, ground=small_disk, night_s=24.0)]
