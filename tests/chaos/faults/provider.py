"""The provider is cut off: nobody answers at its port, then it hangs, hangs after it has taken a
message, fails, speaks garbage, and is back."""

from __future__ import annotations

import asyncio

from tests.chaos.carrier import FOR_EVER
from tests.chaos.scene import Fault, Scene

CUT_S = 4.0
FAULTY: dict[str, dict[str, float]] = {
    "hang before it takes": {"latency_s": 60.0},
    "hang after it took": {"hang": FOR_EVER},
    "503": {"unavailable": FOR_EVER},
    "garbage": {"garbage": FOR_EVER},
}


async def cut(scene: Scene) -> None:
    """One after the other, with a second in which all is well between them."""
    carrier = scene.place.carrier
    with scene.wrong("refuse"):
        await asyncio.to_thread(carrier.reachable, False)
        await asyncio.sleep(CUT_S)
        await asyncio.to_thread(carrier.reachable, True)
    for what, faults in FAULTY.items():
        await asyncio.sleep(1)
        with scene.wrong(what):
            carrier.faults(**faults)
            await asyncio.sleep(CUT_S)
            carrier.faults()


# People fall silent early, so that their asks and alarms fall into the trouble.
FAULTS = [Fault("cut-provider", cut, night_s=12.0)]
