"""A storm of links: three hundred contacts open theirs in one second, while people press.

Every one of them must have the page in the end, at once or after the patience a 503 asks for; and
no press may be lost or slow, neither "I'm going" on one of those pages nor the check-ins of the
night.
"""

from __future__ import annotations

import asyncio

from tests.chaos.scene import Fault, Scene
from tests.chaos.storm import Storm, break_out

PEOPLE, EACH, PRESSES = 15, 20, 20
MOST_PRESS_S = 5.0  # also on a machine with other work


def _judge(scene: Scene, storm: Storm, watches: set[int]) -> None:
    """What must not be, as lines."""
    opened, pressed = len(storm.pages_s), len(storm.presses_s)
    claims = sum(
        line["event"] == "Claimed"
        for watch in watches
        for line in scene.place.inside("journal", watch=watch)
    )
    slowest_s = max(storm.presses_s, default=0.0)
    if opened < PEOPLE * EACH:
        scene.undone.append(f"{PEOPLE * EACH - opened} of {PEOPLE * EACH} links never opened")
    if pressed < PRESSES or claims < PRESSES:
        scene.undone.append(f"of {PRESSES} presses {pressed} were answered and {claims} kept")
    if slowest_s > MOST_PRESS_S:
        scene.undone.append(f"a press took {slowest_s:.1f} s")
    scene.done[f"pages up to {max(storm.pages_s, default=0):.0f} s"] = opened
    scene.done[f"presses up to {slowest_s * 1000:.0f} ms"] = pressed
    scene.done["put off"] = storm.put_off


async def storm_of_links(scene: Scene) -> None:
    """One second, and until everyone has the page."""
    people = await asyncio.to_thread(scene.place.inside, "links", people=PEOPLE, each=EACH)
    await asyncio.sleep(1)
    with scene.wrong("links opened at once"):
        storm = await break_out(scene.place.urls[0], people, PRESSES)
    watches = {who["watch"] for who in people}
    await asyncio.to_thread(_judge, scene, storm, watches)


FAULTS = [Fault("storm-of-links", storm_of_links, rate=2.0)]
