"""Fetches strangers' recordings from the carrier, so that they stay there no longer than necessary.

One round: fetch what is not here yet, delete at the carrier what is, and delete here what is over.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stillhere.channels.base import Channel
from stillhere.channels.carriers.failover import Relay
from stillhere.channels.carriers.voice import VoiceCarrier
from stillhere.store.watches import recordings

log = logging.getLogger("stillhere.recordings")

AT_ONCE = 20
EVERY_S = 1.0

Safely = Callable[..., Awaitable[Any]]


async def fetch_once(channels: Mapping[str, Channel], safely: Safely) -> None:
    """One round; ``safely`` runs database work in its own thread."""
    calls = channels.get("call")
    for each in await safely(recordings.waiting, AT_ONCE) or []:
        carrier = calls.carriers.get(each.carrier) if isinstance(calls, Relay) else None
        if not isinstance(carrier, VoiceCarrier):
            await safely(recordings.gone_there, each.id)  # nobody left to ask
        elif each.wanted:
            await safely(recordings.fetched, each.id, await carrier.sound(each.ref))
        elif await carrier.forget_sound(each.ref):
            await safely(recordings.gone_there, each.id)
    await safely(recordings.destroy_well_ended)
