"""A page that is open in a browser: the friend's phone of a try-out.

Sends nothing, because the page looks by itself every few seconds and rings on its own. What it is
given counts as accepted, never as delivered: nobody knows whether the page is still open.
"""

from __future__ import annotations

from stillhere.channels.base import AddressError, Capability, Outgoing, gettext_noop
from stillhere.core.messages import Fate, Receipt

HERE = "here"  # the one address: whoever has the page open


class PageChannel:
    """The way to somebody who has our page open."""

    name = "page"
    capabilities: frozenset[Capability] = frozenset()
    deadline_s = 1.0
    concurrency = 50

    def normalise(self, typed: str) -> str:
        """Nobody types this address."""
        raise AddressError(gettext_noop("We cannot send to this kind of address."))

    async def send(self, message: Outgoing) -> Receipt:
        """The page has it as soon as it looks."""
        return Receipt(Fate.ACCEPTED)

    async def close(self) -> None:
        """Nothing is held open."""
