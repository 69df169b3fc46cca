"""A channel that is loaded when it is first used.

Owns the delay and nothing else. Chat's library takes half a second to load; the web server only
asks what a channel can do, so a start need not wait for it. The engine loads it in its first round.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from stillhere.channels.base import Capability, Channel, Outgoing
from stillhere.core.messages import Receipt


class Later:
    """Stands for the channel that ``build`` makes; knows its name and what it can do already."""

    deadline_s: float
    concurrency: int

    def __init__(
        self, name: str, capabilities: frozenset[Capability], build: Callable[[], Channel]
    ) -> None:
        """Nothing is loaded yet."""
        self.name = name
        self.capabilities = capabilities
        self._build = build

    @cached_property
    def _channel(self) -> Channel:
        return self._build()

    def __getattr__(self, name: str) -> float | int:
        """The two numbers that only the channel itself knows; called while they are not set."""
        if name not in ("deadline_s", "concurrency"):
            raise AttributeError(name)
        self.deadline_s, self.concurrency = self._channel.deadline_s, self._channel.concurrency
        return self.deadline_s if name == "deadline_s" else self.concurrency

    def normalise(self, typed: str) -> str:
        """As the channel does."""
        return self._channel.normalise(typed)

    async def send(self, message: Outgoing) -> Receipt:
        """As the channel does."""
        return await self._channel.send(message)

    async def close(self) -> None:
        """As the channel does."""
        await self._channel.close()
