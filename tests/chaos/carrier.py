"""The loopback provider in a thread of ours, so that it can be cut without losing its log.

Owns its faults and two lists: what it accepted and when, and which keys were handed in again after
it had accepted them. A provider that knows no keys would have sent those twice.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import Any

from stillhere.sim.phones.exchange import Exchange
from stillhere.sim.phones.provider import Faults, Provider
from tests.installation import free_port

FOR_EVER = 10**9


@dataclass(frozen=True, slots=True)
class Handed:
    """One send the provider accepted. ``at_s`` is on this machine's monotonic clock."""

    at_s: float
    key: str
    to: str
    message: int


class _Noting(Exchange):
    """An exchange that notes when an accepted key comes again."""

    repeats: list[tuple[str, float]]

    def already_taken(self, key: str) -> str:
        found = super().already_taken(key)
        if found:
            self.repeats.append((key, time.monotonic()))
        return found


class _Provider(Provider):
    """Notes when it accepted what, on a clock that nobody moves."""

    def __init__(self, secret: str, webhook: str) -> None:
        super().__init__(
            secret=secret, webhook=webhook, clock=lambda: time.time_ns() // 1_000_000,
            any_number=True,
        )  # fmt: skip
        self.exchange = _Noting([], run="chaos", any_number=True)
        self.exchange.repeats = []
        self.handed: list[Handed] = []

    def _note(self, order: Any, key: str) -> None:
        super()._note(order, key)
        ref = order.reply_ref
        self.handed.append(
            Handed(time.monotonic(), key, order.number, int(ref) if ref.isdigit() else 0)
        )


class Carrier:
    """The provider's process, as far as anyone can tell."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._provider: _Provider | None = None
        self._serving: Any = None

    def start(self, secret: str, webhook: str) -> None:
        self._secret = secret
        self._thread.start()
        self._provider = self._do(self._make(secret, webhook))
        self.reachable(True)

    async def _make(self, secret: str, webhook: str) -> _Provider:
        return _Provider(secret, webhook)

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(15)

    def reachable(self, yes: bool) -> None:
        """Answer at the port, or refuse every connection."""
        assert self._provider is not None
        if yes and self._serving is None:
            self._serving = self._provider.serving(self.port)
            self._do(self._serving.__aenter__())
        elif not yes and self._serving is not None:
            self._do(self._serving.__aexit__(None, None, None))
            self._serving = None

    def refuses(self, yes: bool) -> None:
        """Answer 401 to everything, as for a closed account; or to nothing."""
        assert self._provider is not None
        self._provider.authorization = "closed" if yes else f"Bearer {self._secret}"

    def faults(self, **faults: float) -> None:
        """What goes wrong from now on; nothing, without arguments."""
        assert self._provider is not None
        self._provider.faults = Faults(**faults)  # type: ignore[arg-type]

    def handed(self) -> list[Handed]:
        return list(self._provider.handed) if self._provider else []

    def repeats(self) -> list[tuple[str, float]]:
        """Keys that came again after they had been accepted, and when."""
        if self._provider is None:
            return []
        assert isinstance(self._provider.exchange, _Noting)
        return list(self._provider.exchange.repeats)

    def stop(self) -> None:
        if self._provider is not None:
            self.reachable(False)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._loop.close()
