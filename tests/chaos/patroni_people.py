"""People who check in over HTTP on two web servers while the database dies under them.

Owns what they were told, and when: the only thing that counts as acknowledged is a 200 they read.
Whoever gets anything else tries again at the other server, as a page behind a proxy would.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

TRY_AGAIN_S = 1.0  # what "Retry-After" says


@dataclass
class Book:
    """Everything that was acknowledged: (when it was read, key, sequence number)."""

    urls: Sequence[str]
    acked: list[tuple[float, str, int]] = field(default_factory=list)
    refused: int = 0
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    async def check_in(self, http: aiohttp.ClientSession, key: str, seq: int) -> dict[str, Any]:
        """Check in until it is acknowledged; what the server said then."""
        while True:
            url = self.urls[next(self._turn) % len(self.urls)]
            try:
                async with http.post(f"{url}/k/{key}", json={"seq": seq}) as answer:
                    if answer.status == 200:
                        told: dict[str, Any] = await answer.json()
                        self.acked.append((time.monotonic(), key, seq))
                        return told
                    assert answer.status in (429, 503), f"{answer.status}: {await answer.text()}"
            except (aiohttp.ClientError, TimeoutError):
                pass
            self.refused += 1
            await asyncio.sleep(TRY_AGAIN_S)

    def longest_gap_s(self, from_s: float, to_s: float) -> float:
        """The longest time without any acknowledgement between two instants."""
        times = [from_s, *(at for at, _, _ in self.acked if from_s <= at <= to_s), to_s]
        return max(b - a for a, b in itertools.pairwise(times))


@dataclass
class Sam:
    """Checks in every few seconds until ``silent_s`` into the story, then never again.
    ``alarm_at`` is when the alarm is due by what the last "Got it" said (ms UTC)."""

    seeded: dict[str, Any]
    silent_s: float
    alarm_at: int = 0
    seen_at: int = 0

    async def live(self, http: aiohttp.ClientSession, book: Book, chance: random.Random) -> None:
        began = time.monotonic()
        for seq in itertools.count(1):
            told = await book.check_in(http, self.seeded["key"], seq)
            assert told["state"] == "open", f"asked or alarmed though they answer: {told}"
            self.seen_at = told["now"]
            self.alarm_at = told["next_ask_at"] + self.seeded["grace_s"] * 1000
            if time.monotonic() - began >= self.silent_s:
                return
            await asyncio.sleep(chance.uniform(2.0, 5.0))


async def keep_the_ledger(
    http: aiohttp.ClientSession, book: Book, keys: Sequence[str], per_s: float, over: asyncio.Event
) -> None:
    """``per_s`` check-ins a second, each of a watch of its own, so that each can be counted."""
    waiting: set[asyncio.Task[Any]] = set()
    for key in keys:
        if over.is_set():
            break
        task = asyncio.create_task(book.check_in(http, key, 1))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
        await asyncio.sleep(1 / per_s)
    await asyncio.gather(*waiting)
