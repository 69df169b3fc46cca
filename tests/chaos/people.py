"""The people of a chaotic night: each checks in as a page does, and one day falls silent.

Owns what each was told: the last "Got it", when it came, and what the server said it would ask
next. That is all a person can know, and all the verdict holds against us.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PATIENCE_S = 10.0  # how long a page waits for one answer
PAUSE_S = (0.3, 3.0)


@dataclass
class Sam:
    """One person of the crowd: checks in until ``silent_after_s`` of the night have passed and at
    least once, keeps trying as the page does, then falls silent for good.

    ``acked_at`` and ``next_ask_at`` are the installation's times in the last "Got it";
    ``heard_s`` is when it came, ``tried_s`` when the last press was begun, on this machine's
    monotonic clock.
    """

    seeded: dict[str, Any]
    silent_after_s: float
    stays: bool = False  # awake all the same
    acked: int = 0
    acked_at: int = 0
    next_ask_at: int | None = None
    heard_s: float = 0.0
    tried_s: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)

    @property
    def watch(self) -> int:
        return int(self.seeded["watch"])

    @property
    def contacts(self) -> set[str]:
        return {self.seeded["numbers"]["A"], self.seeded["numbers"]["B"]}

    @property
    def number(self) -> str:
        return str(self.seeded["numbers"]["Sam"])

    async def live(
        self, http: aiohttp.ClientSession, urls: Sequence[str], chance: random.Random
    ) -> None:
        began, at = time.monotonic(), chance.randrange(len(urls))
        while time.monotonic() - began < self.silent_after_s or self.stays or not self.acked:
            await asyncio.sleep(chance.uniform(*PAUSE_S))
            if not await self.check_in(http, f"{urls[at]}/k/{self.seeded['watch_key']}"):
                at = (at + 1) % len(urls)  # a proxy would ask the other one next

    async def check_in(self, http: aiohttp.ClientSession, url: str) -> bool:
        """One press. True when it was acknowledged."""
        began = self.tried_s = time.monotonic()
        try:
            async with http.post(url, json={}) as answer:
                if answer.status == 200:
                    self._got_it(await answer.json(), time.monotonic() - began)
                    return True
                if answer.status != 503:
                    self.strange.append(f"{answer.status}: {(await answer.text())[:200]}")
                self.refused[str(answer.status)] += 1
        except (aiohttp.ClientError, TimeoutError) as failure:
            self.refused[type(failure).__name__] += 1  # nobody there; the page would keep trying
        return False

    def _got_it(self, said: dict[str, Any], waited_s: float) -> None:
        self.acked += 1
        self.waits_s.append(waited_s)
        if int(said["now"]) >= self.acked_at:
            self.acked_at, self.next_ask_at = int(said["now"]), said["next_ask_at"]
            self.heard_s = time.monotonic()


async def through_the_night(
    people: Sequence[Sam], urls: Sequence[str], chance: random.Random
) -> None:
    """Everyone lives until they fall silent."""
    limit = aiohttp.ClientTimeout(total=PATIENCE_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=limit, connector=connector) as http:
        await asyncio.gather(*(sam.live(http, urls, chance) for sam in people))
