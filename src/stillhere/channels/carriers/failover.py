"""Several carriers behind one channel: each message goes by the healthiest that may take it.

Owns the choice, the next try and the pace of each carrier. What was refused for good by one is
final, because it is about the number; anything else is tried by the next at once. Health is a
score that errors and receipts that never came raise, and that fades; a sick carrier is asked last,
never left out. Knows nothing of what a carrier speaks.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from stillhere.channels.base import Capability, Outgoing
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.numbers import E164
from stillhere.core.messages import Cost, Fate, Receipt

TEXTS = frozenset({Capability.TWO_WAY, Capability.CONFIRMS, Capability.LINKS})
CHATS = frozenset({Capability.TWO_WAY, Capability.LINKS})
CALLS = frozenset({Capability.RINGS, Capability.TWO_WAY, Capability.CONFIRMS})
FADES_S = 60.0  # half of a carrier's bad news is forgotten after this
SILENT = 0.5  # what a receipt that never came weighs, beside an error's 1
WAITS_S = 2.0  # for a paced carrier's next place
MARGIN_S = 1.0


T = TypeVar("T")


class Carries(Protocol):
    """What a carrier's adapter offers: a ``Channel`` without the choosing."""

    name: str
    deadline_s: float
    concurrency: int

    @property
    def carrier(self) -> Carrier: ...

    async def send(self, message: Outgoing) -> Receipt: ...

    async def price(self, ref: str) -> Cost | None: ...

    async def erase(self, ref: str) -> bool: ...

    async def balance(self) -> Cost | None: ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class _Health:
    """One carrier's bad news, and when its pace lets it send again. Seconds of the loop's clock."""

    score: float = 0.0
    at_s: float = 0.0
    free_at_s: float = 0.0

    def sick(self, now_s: float) -> float:
        return self.score * float(0.5 ** ((now_s - self.at_s) / FADES_S))

    def worse(self, by: float, now_s: float) -> None:
        self.score, self.at_s = self.sick(now_s) + by, now_s


class Relay:
    """The channel ``name`` (``text``, ``call`` and the like) over ``carriers``, the preferred one
    first. ``address`` is the form of what they send to."""

    def __init__(
        self,
        name: str,
        carriers: Sequence[Carries],
        normalise: Callable[[str], str],
        capabilities: frozenset[Capability],
        address: re.Pattern[str] = E164,
    ) -> None:
        self.name = name
        self.capabilities = capabilities
        self.normalise = normalise
        self._address = address
        self.carriers = {carrier.name: carrier for carrier in carriers}
        self._health = {name: _Health() for name in self.carriers}
        # Every carrier may be tried once within one send.
        self.deadline_s = sum(c.deadline_s for c in carriers) + WAITS_S + MARGIN_S
        self.concurrency = sum(c.concurrency for c in carriers)

    async def send(self, message: Outgoing) -> Receipt:
        """Hand the message to the healthiest carrier, and to the next at once if it cannot."""
        if not self._address.fullmatch(message.to):
            return Receipt(Fate.FAILED, why="not an address")
        receipt = Receipt(Fate.BUSY, why="no carrier has room", retry_after_s=1)
        for carrier in self._order(message):
            if not await self._room(carrier):
                continue
            receipt = await carrier.send(message)
            if receipt.fate not in (Fate.BUSY, Fate.UNKNOWN):
                return receipt
            self._health[carrier.name].worse(1.0, _now_s())
        return receipt

    def silent(self, name: str) -> None:
        """A receipt of this carrier's did not come in time."""
        if name in self._health:
            self._health[name].worse(SILENT, _now_s())

    async def price(self, provider_ref: str) -> Cost | None:
        """What a message took, by ``<carrier>:<id>``."""
        return await self._of(provider_ref, lambda carrier, ref: carrier.price(ref))

    async def erase(self, provider_ref: str) -> bool:
        """Delete a message's traces at its carrier; True once they are gone."""
        gone = await self._of(provider_ref, lambda carrier, ref: carrier.erase(ref))
        return True if gone is None else gone

    async def close(self) -> None:
        for carrier in self.carriers.values():
            await carrier.close()

    async def _of(self, provider_ref: str, ask: Callable[[Carries, str], Awaitable[T]]) -> T | None:
        name, _, ref = provider_ref.partition(":")
        carrier = self.carriers.get(name)
        return None if carrier is None or not ref else await ask(carrier, ref)

    def _order(self, message: Outgoing) -> list[Carries]:
        """By health, as it was set where that is the same; what it went by in vain comes last."""
        now_s = _now_s()
        return sorted(
            self.carriers.values(),
            key=lambda c: (c.name in message.avoid, round(self._health[c.name].sick(now_s))),
        )

    async def _room(self, carrier: Carries) -> bool:
        """Wait for a place in the carrier's own pace, not long: another may have one. Places are
        given in the order in which they are asked for, so the queue's order stays."""
        per_s = carrier.carrier.per_s
        if per_s is None:
            return True
        health, now_s = self._health[carrier.name], _now_s()
        wait_s = health.free_at_s - now_s
        if wait_s > WAITS_S:
            return False
        health.free_at_s = max(health.free_at_s, now_s) + 1 / per_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        return True


def _now_s() -> float:
    return asyncio.get_running_loop().time()
