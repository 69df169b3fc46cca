"""Fetches what people said from the carrier, so that it stays there no longer than necessary.

One round: fetch what is not here yet, delete at the carrier what is or what nobody wants any more,
and delete here what is over.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from django.db import transaction

from stillhere.channels.base import Channel
from stillhere.channels.carriers.failover import Relay
from stillhere.channels.carriers.voice import VoiceCarrier
from stillhere.store.db import clock
from stillhere.store.inbound import place
from stillhere.store.recordings import at_carriers, notes, strangers
from stillhere.store.recordings.at_carriers import CarrierRecording

log = logging.getLogger("stillhere.recordings")

AT_ONCE = 20
EVERY_S = 1.0

Safely = Callable[..., Awaitable[Any]]


async def fetch_once(channels: Mapping[str, Channel], safely: Safely) -> None:
    """One round; ``safely`` runs database work in its own thread."""
    calls = channels.get("call")
    for each in await safely(at_carriers.due, AT_ONCE) or []:
        carrier = calls.carriers.get(each.carrier) if isinstance(calls, Relay) else None
        if not isinstance(carrier, VoiceCarrier):
            await safely(partial(at_carriers.still_there, each.id, reachable=False))
        elif each.wanted:
            await safely(_fetched, each, await carrier.sound(each.ref))
        elif await carrier.forget_sound(each.ref):
            await safely(at_carriers.gone_there, each.id)
        else:
            await safely(at_carriers.still_there, each.id)
    await safely(strangers.destroy_well_ended)
    await safely(notes.erase_unkept)


def _fetched(each: CarrierRecording, sound: bytes | None) -> None:
    """Keep it, and tell who is on the way that it is here: both, or it is fetched again."""
    with transaction.atomic():
        at_carriers.fetched(each.id, sound)
        place.tell_of_sound(each.carrier, each.ref, clock.now_ms())
