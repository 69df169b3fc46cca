"""Whose turn it is: a limited number at once, the others in order, each for a limited time.

Owns the order and the slots. Knows neither requests nor pages.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Slot = ThreadPoolExecutor  # of one thread, which keeps what it opened for the next one


class Turns:
    """``most`` at once. Whoever waits has a rank: the lowest goes first, within a rank whoever came
    first. If there are several slots, the last free one is kept from ranks above ``hurried``."""

    def __init__(self, most: int, places: int, hurried: int) -> None:
        self._free: list[Slot] = []
        self._unmade = most
        self._spare = 1 if most > 1 else 0
        self._places = places
        self._hurried = hurried
        self._queues: dict[int, OrderedDict[asyncio.Future[Slot], None]] = {}

    @property
    def waiting(self) -> int:
        """How many are waiting for their turn."""
        return sum(map(len, self._queues.values()))

    @property
    def free(self) -> int:
        """How many could start at once."""
        return len(self._free) + self._unmade

    async def wait(self, rank: int, wait_s: float, gone: asyncio.Future[Any] | None) -> Slot | None:
        """A slot, to be returned with ``done``. None if every place is taken, if the turn does not
        come within ``wait_s``, or if ``gone`` is done first."""
        if self.waiting >= self._places and not self._is_free_for(rank):
            return None
        turn: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        queue = self._queues.setdefault(rank, OrderedDict())
        queue[turn] = None
        self._go_on()
        both: list[asyncio.Future[Any]] = [turn] if gone is None else [turn, gone]
        try:
            await asyncio.wait(both, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if turn.done():
                self.done(turn.result())
            queue.pop(turn, None)
            raise
        queue.pop(turn, None)
        return turn.result() if turn.done() else None

    def done(self, slot: Slot) -> None:
        """It is free again."""
        self._free.append(slot)
        self._go_on()

    def _go_on(self) -> None:
        for rank in sorted(self._queues):
            queue = self._queues[rank]
            while queue and self._is_free_for(rank):
                turn, _ = queue.popitem(last=False)
                turn.set_result(self._slot())

    def _is_free_for(self, rank: int) -> bool:
        return self.free > (self._spare if rank > self._hurried else 0)

    def _slot(self) -> Slot:
        if self._free:
            return self._free.pop()
        self._unmade -= 1
        return ThreadPoolExecutor(1, "page")
