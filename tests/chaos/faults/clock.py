"""The machine's clock is set: an hour forward, an hour back, twenty seconds forward; three days
forward; forty years back, as at the start of a machine without a clock chip. By libfaketime, in our
processes and in the database's; the clock that counts on since the machine started (the only one a
jump can be told by) stays real."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.place import Ground, plain_ground
from tests.chaos.scene import Fault, Scene

# Where the clock stands, one after the other, against the real one.
JUMPS_S = (3600, 0, 20)
FAR_S = (3 * 86_400, 0, -40 * 365 * 86_400, 0)
BETWEEN_S = 5.0


def library() -> Path:
    """Debian's libfaketime."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise SystemExit("The clock cannot be moved: apt-get install libfaketime")
    return found[0]


@contextmanager
def movable_clock() -> Iterator[Ground]:
    """Everything that runs here reads its time off a file."""
    with plain_ground() as ground:
        hand = ground.folder.parent / "clock"
        hand.write_text("+0")
        ground.environment |= {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(hand),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        yield ground


async def jump(scene: Scene, jumps_s: tuple[int, ...] = JUMPS_S) -> None:
    hand = scene.ground.folder.parent / "clock"
    for to_s in jumps_s:
        await asyncio.sleep(BETWEEN_S)
        with scene.wrong(f"clock to {to_s:+d} s"):
            new = hand.with_suffix(".new")
            new.write_text(f"{to_s:+d}")
            new.rename(hand)
            await asyncio.sleep(1.5)  # the engine looks at the clock once a second


async def jump_far(scene: Scene) -> None:
    """Days and years: whoever presses goes on being heard, and nobody's ask comes late or early."""
    await jump(scene, FAR_S)


# Slow enough that an hour does not outlast a watch of three.
FAULTS = [
    Fault("clock", jump, ground=movable_clock, night_s=24.0, rate=2.0),
    Fault("clock-far", jump_far, ground=movable_clock, night_s=30.0, rate=2.0),
]
