"""One night: an installation, its people, one fault, and the verdict."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from tests.chaos.people import Sam, through_the_night
from tests.chaos.place import SQLITE, Place, opened
from tests.chaos.scene import Fault, Scene
from tests.chaos.verdict import Verdict, judge, unheard

EARLIEST_S = 2.0  # nobody falls silent before
TOLD_WITHIN_S = 600.0  # of the installation's; a minute more by the wall; then a silence is lost
OWN = {"first_ask_s": 60, "early_every_s": 60, "later_every_s": 120, "grace_s": 60}


async def _happen(scene: Scene, fault: Fault, people: list[Sam]) -> None:
    """The fault, and every fourth person awake until it is over, however long that takes here."""
    for sam in people[::4]:
        sam.stays = True
    await fault.happen(scene)
    for sam in people:
        sam.stays = False


async def _live(scene: Scene, fault: Fault, people: list[Sam]) -> None:
    looking_after = asyncio.create_task(scene.place.looked_after())
    scene.kept = lambda: sum(sam.acked for sam in people)
    living = through_the_night(people, scene.place.urls, scene.chance)
    try:
        await asyncio.gather(_happen(scene, fault, people), living)
    finally:
        scene.place.closing = True
        await looking_after
        scene.place.closing = False


def _words(place: Place) -> dict[int, str]:
    return {message["id"]: message["word"] for message in place.inside("messages")}


def _wait_until_told(place: Place, people: list[Sam], rate: float) -> None:
    """Until every silence has reached both contacts, or long enough."""
    until = time.monotonic() + 60.0 + TOLD_WITHIN_S / rate
    while unheard(people, place.carrier.handed(), _words(place)) and time.monotonic() < until:
        place.look_after()
        time.sleep(0.5)


def night(fault: Fault, kind: str, *, people: int, seed: int) -> tuple[Verdict, Scene]:
    """Live through one fault on one kind of database."""
    chance = random.Random(f"{seed} {fault.name} {kind}")
    with (
        fault.ground() as ground,
        opened(kind, ground, people=people, rate=fault.rate, own=OWN) as (place, seeded),
    ):
        scene = Scene(place, chance, ground)
        sams = [Sam(s, chance.uniform(EARLIEST_S, fault.night_s)) for s in seeded]
        asyncio.run(_live(scene, fault, sams))
        if not scene.harmed or kind != SQLITE:
            place.wait_healthy(60)  # a torn page stays torn, and /healthz goes on saying so
        _wait_until_told(place, sams, fault.rate)
        rows: dict[int, Any] = {row["id"]: row for row in place.inside("watches")}
        scene.aside = set(place.inside("aside"))
        return judge(scene, sams, rows, _words(place), fault.rate), scene
