"""The provider answers 401 to everything while alarms fall due, then works again. Green may last
half a minute, and everyone is reached afterwards."""

from __future__ import annotations

import asyncio
import time

from tests.chaos.scene import Fault, Scene

MOST_GREEN_S = 30.0
PATIENCE_S = 90.0  # for an alarm, and then for red
STAYS_S = 12.0  # red must last as long as the trouble does


async def _alarmed(scene: Scene) -> bool:
    rows = await asyncio.to_thread(scene.place.inside, "watches")
    return any(row["state"] == "alarm" for row in rows)


async def _status(scene: Scene) -> int:
    return (await asyncio.to_thread(scene.place.installation.get, "/healthz"))[0]


async def _until_red(scene: Scene) -> None:
    """Wait for an open alarm, and then for red; note how long it was green with nobody reached."""
    until = time.monotonic() + PATIENCE_S
    while not await _alarmed(scene) and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    alarmed_s = time.monotonic()
    until = alarmed_s + PATIENCE_S
    while await _status(scene) == 200 and time.monotonic() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    scene.green_in_vain_s = time.monotonic() - alarmed_s
    if scene.green_in_vain_s > MOST_GREEN_S:
        scene.undone.append(f"green for {scene.green_in_vain_s:.0f} s with nobody reached")
    until = time.monotonic() + STAYS_S
    while time.monotonic() < until:
        if await _status(scene) == 200:
            scene.undone.append("green again while nobody could be reached")
            return
        await asyncio.sleep(0.5)


async def refused(scene: Scene) -> None:
    """The account is closed, and opened again."""
    with scene.wrong("refuse with 401"):
        scene.place.carrier.refuses(True)
        await _until_red(scene)
        scene.place.carrier.refuses(False)


# People fall silent early, so that their alarms fall into the trouble.
FAULTS = [Fault("refused-carrier", refused, night_s=6.0)]
