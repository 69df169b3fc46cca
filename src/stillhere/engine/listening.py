"""Has a bot's company tell us what people write there: said at the start and again now and then.

Somebody else may have set another address meanwhile, or ours has changed. Owns no state.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from stillhere.channels.base import Channel
from stillhere.channels.carriers.failover import Relay
from stillhere.channels.carriers.telegram import TelegramCarrier

log = logging.getLogger("stillhere.listening")

EVERY_S = 300.0


async def listen_once(
    channels: Mapping[str, Channel], _safely: Callable[..., Awaitable[Any]]
) -> None:
    """Ask each bot's company once."""
    relays = [channel for channel in channels.values() if isinstance(channel, Relay)]
    for carrier in (each for relay in relays for each in relay.carriers.values()):
        if isinstance(carrier, TelegramCarrier) and not await carrier.listen():
            log.warning("what people write does not come here yet carrier=%s", carrier.name)
