"""Who looks after the installation, paged by the first of several ways that takes it.

Owns how addresses are written in one setting (with commas between: mail, chat, a phone number),
which channels an address is reached by, and the step to the next one. A page is never given up:
where nobody took it, it is tried again. A phone number is texted and called at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stillhere.channels.base import AddressError, Capability, Channel, Outgoing
from stillhere.core.messages import Fate, Receipt

MARGIN_S = 1.0
_TAKEN = (Fate.ACCEPTED, Fate.DELIVERED, Fate.ANSWERED)


def addresses(typed: str) -> tuple[str, ...]:
    """The addresses of a setting, the first to be tried first."""
    return tuple(part.strip() for part in typed.split(",") if part.strip())


def channels_for(address: str) -> tuple[str, ...]:
    """The channels that an address is reached by; a phone number by two."""
    if "://" in address:
        return ("chat",)
    return ("email",) if "@" in address else ("text", "call")


@dataclass(frozen=True, slots=True)
class _Way:
    address: str
    channels: tuple[Channel, ...]


class Pager:
    """The channel of pages. ``to`` is the setting, ``channels`` what there is here by name; they
    stay their owner's, and are not closed with this one."""

    name = "coordinator"
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, to: str, channels: Mapping[str, Channel]) -> None:
        found = (
            _Way(each, tuple(channels[n] for n in channels_for(each) if n in channels))
            for each in addresses(to)
        )
        self._ways = [way for way in found if way.channels]
        limits = [max(c.deadline_s for c in way.channels) + MARGIN_S for way in self._ways]
        self.deadline_s = sum(limits) + MARGIN_S
        self.concurrency = 8

    def normalise(self, typed: str) -> str:
        """Nobody types this address on a page."""
        raise AddressError("We cannot send to this kind of address.")

    async def send(self, message: Outgoing) -> Receipt:
        """To the first way; to the next where that one does not take it, whatever the reason."""
        whys = []
        for way in self._ways:
            receipts = await asyncio.gather(*(_try(c, way.address, message) for c in way.channels))
            taken = [receipt for receipt in receipts if receipt.fate in _TAKEN]
            if taken:
                return taken[0]
            whys += _said(way.channels, receipts)
        return Receipt(Fate.BUSY, why="; ".join(whys) or "no way to the coordinator is set up")

    async def close(self) -> None:
        """Nothing is held open."""


async def _try(channel: Channel, to: str, message: Outgoing) -> Receipt:
    try:
        async with asyncio.timeout(channel.deadline_s + MARGIN_S):
            return await channel.send(replace(message, to=to))
    except TimeoutError:
        return Receipt(Fate.UNKNOWN, why="no answer in time")


def _said(channels: Sequence[Channel], receipts: Sequence[Receipt]) -> list[str]:
    return [f"{c.name}: {r.why}" for c, r in zip(channels, receipts, strict=True)]
