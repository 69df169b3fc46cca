"""Fifty kills of engine and web during two hundred watches lose no check-in and no alarm.

Black box: a real installation on a clock that runs ten times as fast, people who check in over
HTTP, a killer, and the provider's own log. Compared are presence and order, never duration.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.town import Town, eventually, town

SEED = int(os.environ.get("KILL_SEED", "20261123"))
WATCHES, KILLS, RATE = 200, 50, 10
FIRST_NUMBER = 200

pytestmark = [pytest.mark.storage, pytest.mark.slow]


@dataclass
class Sam:
    """One person of the crowd: goes on until ``taps`` check-ins are acknowledged, as the page
    does, then falls silent for good. ``acked_at`` is the installation's time in the last "Got
    it"."""

    seeded: dict[str, Any]
    taps: int
    acked: int = 0
    acked_at: int = 0
    refused: int = 0

    async def live(self, http: aiohttp.ClientSession, url: str, chance: random.Random) -> None:
        while self.acked < self.taps:
            await asyncio.sleep(chance.uniform(0.3, 3.0))
            await self.check_in(http, f"{url}/k/{self.seeded['watch_key']}")

    async def check_in(self, http: aiohttp.ClientSession, url: str) -> None:
        try:
            async with http.post(url, json={}) as answer:
                if answer.status == 200:
                    self.acked += 1
                    self.acked_at = max(self.acked_at, int((await answer.json())["now"]))
                else:
                    assert answer.status == 503, f"{answer.status}: {await answer.text()}"
                    self.refused += 1
        except (aiohttp.ClientError, TimeoutError):
            self.refused += 1  # the web process just died; the page would keep trying


async def kill_at_random(place: Town, chance: random.Random, kills: Counter[str]) -> None:
    while kills.total() < KILLS:
        await asyncio.sleep(chance.uniform(0.2, 0.9))
        name = chance.choice(("web", "engine"))
        try:
            os.kill(place.installation.child(name), signal.SIGKILL)
        except ProcessLookupError:
            continue  # the supervisor is just starting it again
        kills[name] += 1


async def through_the_night(place: Town, people: list[Sam], chance: random.Random) -> Counter[str]:
    kills: Counter[str] = Counter()
    limit = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=limit) as http:
        killer = asyncio.create_task(kill_at_random(place, chance, kills))
        await asyncio.gather(*(sam.live(http, place.url, chance) for sam in people))
        await killer
    return kills


def test_fifty_kills_lose_no_check_in_and_no_alarm(tmp_path: Path, database_url: str) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    with town(tmp_path, {"STILLHERE_DATABASE_URL": database_url}) as place:
        place.inside("set_rate", rate=RATE)
        seeded = place.inside("crowd", count=WATCHES, first=FIRST_NUMBER)
        people = [Sam(s, chance.randint(0, 5)) for s in seeded]
        place.open()
        kills = asyncio.run(through_the_night(place, people, chance))
        place.installation.wait_healthy()
        everyone = {(s["numbers"][name]) for s in seeded for name in ("A", "B")}

        def everyone_was_told() -> bool:
            return everyone <= {line["to"] for line in place.phones.log()}

        eventually(everyone_was_told, "every silence reaches both contacts", 400)
        rows = {row["id"]: row for row in place.inside("watches")}
        log = place.phones.log()

    print(f"kills {dict(kills)}, acknowledged {sum(s.acked for s in people)}, ", end="")
    print(f"not acknowledged {sum(s.refused for s in people)}, sends {len(log)}")
    forgotten = [s for s in people if rows[s.seeded["watch"]]["seen_at"] < s.acked_at]
    assert forgotten == [], "an acknowledged check-in is not in the store"
    assert all(row["alarms"] >= 1 for row in rows.values()), "a silence without an alarm"
    assert not any(row["quarantined_at"] for row in rows.values())
    repeated = {key: n for key, n in Counter(line["key"] for line in log).items() if n > 1}
    assert not repeated, "the provider took one key twice"
    assert all(s.acked == s.taps for s in people), "everyone got through in the end"
