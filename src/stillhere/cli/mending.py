"""Indexes that are damaged are made anew where they are read, beside whatever reads them."""

from __future__ import annotations

import asyncio
import logging

from stillhere.store.db.sqlite.mender import Mender

EVERY_S = 5.0
log = logging.getLogger("stillhere.damage")


async def rounds() -> None:
    """Until cancelled. Presses and pages read indexes that the engine does not."""
    mender = Mender()
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await asyncio.to_thread(mender.round)
        except Exception:
            log.exception("indexes: not mended, tried again")
