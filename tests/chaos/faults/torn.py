"""A page of the watches becomes zeros under a running installation, as on a card that dies. Whoever
lies on it is told of by being set aside; all others are asked and alarmed as ever."""

from __future__ import annotations

import asyncio

from tests.chaos.place import SQLITE
from tests.chaos.scene import Fault, Scene
from tests.torn import leaves, tear

REST_S = 20.0


async def torn(scene: Scene) -> None:
    """The leaf in the middle, once everybody has pressed: rows have changed, pages have room."""
    await asyncio.sleep(6)
    file = scene.ground.folder / "data" / "stillhere.sqlite3"
    pages = await asyncio.to_thread(leaves, file, "watch")
    page = pages[len(pages) // 2]
    scene.harmed = set(page.ids)
    with scene.wrong(f"tear a page with {len(page.ids)} of their rows"):
        tear(file, page)
        await asyncio.sleep(REST_S)


FAULTS = [Fault("torn-page", torn, on=(SQLITE,), night_s=18.0, rate=3.0)]
