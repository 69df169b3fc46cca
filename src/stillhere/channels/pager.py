"""Who looks after the installation: paged by all ways of the one who is meant, or, where nobody is
named, by the first of several ways that takes it.

Owns how addresses are written in one setting (with commas between: mail, chat, a phone number),
which channels an address is reached by, and the step to the next one. A page is never given up:
where nobody took it, it is tried again. A phone number is texted and called at once; ``quiet`` ones
are texted only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stillhere.channels.base import AddressError, Capability, Channel, Outgoing
from stillhere.core.messages import Fate, Receipt

MARGIN_S = 1.0
QUIET = "text:"  # before a phone number: no call
_TAKEN = (Fate.ACCEPTED, Fate.DELIVERED, Fate.ANSWERED)


def addresses(typed: str) -> tuple[str, ...]:
    """The addresses of a setting, the first to be tried first."""
    return tuple(part.strip() for part in typed.split(",") if part.strip())


def channels_for(address: str) -> tuple[str, ...]:
    """The channels that an address is reached by; a phone number by two, a quiet one by one."""
    if "://" in address:
        return ("chat",)
    if address.startswith(QUIET):
        return ("text",)
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
        self._channels = channels
        self._ways = self._ways_of(to)
        limits = [max(c.deadline_s for c in way.channels) + MARGIN_S for way in self._ways]
        self.deadline_s = sum(limits) + MARGIN_S
        self.concurrency = 8

    def normalise(self, typed: str) -> str:
        """Nobody types this address on a page."""
        raise AddressError("We cannot send to this kind of address.")

    def _ways_of(self, to: str) -> list[_Way]:
        """By the channels that there are here; an address without any is left out."""
        here = self._channels
        found = (
            _Way(each, tuple(here[name] for name in channels_for(each) if name in here))
            for each in addresses(to)
        )
        return [way for way in found if way.channels]

    async def send(self, message: Outgoing) -> Receipt:
        """To all ways of ``message.to`` at once; without one, to the first of the setting, and to
        the next where that one does not take it, whatever the reason."""
        if message.to:
            tries = [(c, way.address) for way in self._ways_of(message.to) for c in way.channels]
            receipts = await asyncio.gather(*(_try(c, to, message) for c, to in tries))
            first = next((receipt for receipt in receipts if receipt.fate in _TAKEN), None)
            said = "; ".join(_said([c for c, _ in tries], receipts))
            return first or Receipt(Fate.BUSY, why=said or "no way to them is set up")
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
            return await channel.send(replace(message, to=to.removeprefix(QUIET)))
    except TimeoutError:
        return Receipt(Fate.UNKNOWN, why="no answer in time")


def _said(channels: Sequence[Channel], receipts: Sequence[Receipt]) -> list[str]:
    return [f"{c.name}: {r.why}" for c, r in zip(channels, receipts, strict=True)]
