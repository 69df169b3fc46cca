"""Deletes what carriers still store about messages that are done, once their price is known.

Bodies, numbers and call logs stay with a company until somebody deletes them. Nothing here is
urgent: a few at a time, after everything else, and a failure is tried again in the next round.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stillhere.channels.base import Channel
from stillhere.channels.carriers.failover import Relay
from stillhere.store.db import clock
from stillhere.store.messages import receipts
from stillhere.store.messages.receipts import Trace

log = logging.getLogger("stillhere.traces")

AT_ONCE = 20
EVERY_S = 30.0

Safely = Callable[..., Awaitable[Any]]


async def clear_once(channels: Mapping[str, Channel], safely: Safely) -> int:
    """One round; ``safely`` runs database work in its own thread. Returns how many were deleted."""
    gone = 0
    for trace in await safely(_left) or []:
        relay = channels.get(trace.channel)
        if not isinstance(relay, Relay) or not await _priced(relay, trace, safely):
            continue
        if await relay.erase(trace.provider_ref):
            await safely(_cleared, trace.message)
            gone += 1
    if gone:
        log.info("cleared messages=%d", gone)
    return gone


async def _priced(relay: Relay, trace: Trace, safely: Safely) -> bool:
    """Whether its price is known, or never will be."""
    if trace.priced:
        return True
    cost = await relay.price(trace.provider_ref)
    if cost is not None:
        await safely(receipts.priced, trace.message, cost.micros, cost.currency)
    return cost is not None


def _left() -> list[Trace]:
    return receipts.traces(clock.now_ms(), AT_ONCE)


def _cleared(message: int) -> None:
    receipts.cleared(message, clock.now_ms())
