"""Many contacts who open their links in one second, and do what the page tells them.

A page that asks for patience (503 with Retry-After) is loaded again when it says so. Some of them
press "I'm going" meanwhile. Owns what each was answered, and when.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PATIENCE_S = 60.0  # a browser's, before it gives up a page
PRESS_AFTER_S = 1.0


@dataclass
class Storm:
    """What the three hundred were answered: seconds until each had its page, and how often one was
    asked for patience."""

    pages_s: list[float] = field(default_factory=list)
    presses_s: list[float] = field(default_factory=list)
    put_off: int = 0
    lost: int = 0


async def _opened(http: aiohttp.ClientSession, url: str, who: dict[str, Any], storm: Storm) -> None:
    """One link, opened and loaded again until the page is there."""
    began = time.perf_counter()
    try:
        while True:
            async with http.get(f"{url}/c/{who['key']}", cookies=who["cookies"]) as answer:
                await answer.read()
                if answer.status == 200:
                    storm.pages_s.append(time.perf_counter() - began)
                    return
                if answer.status != 503 or "Retry-After" not in answer.headers:
                    break
                storm.put_off += 1
                await asyncio.sleep(int(answer.headers["Retry-After"]))
    except (aiohttp.ClientError, TimeoutError):
        pass
    storm.lost += 1


async def _pressed(
    http: aiohttp.ClientSession, url: str, who: dict[str, Any], storm: Storm
) -> None:
    began = time.perf_counter()
    try:
        async with http.post(
            f"{url}/c/{who['key']}/answer",
            data={"do": "claim", "soon": "3"},
            cookies=who["cookies"],
            allow_redirects=False,
        ) as answer:
            await answer.read()
            if answer.status == 303:
                storm.presses_s.append(time.perf_counter() - began)
                return
    except (aiohttp.ClientError, TimeoutError):
        pass
    storm.lost += 1


async def break_out(url: str, people: Sequence[dict[str, Any]], presses: int) -> Storm:
    """All of ``people`` at once; a second later so many of them press."""
    storm = Storm()
    limit = aiohttp.ClientTimeout(total=PATIENCE_S)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(timeout=limit, connector=connector) as http:
        opening = [asyncio.create_task(_opened(http, url, who, storm)) for who in people]
        await asyncio.sleep(PRESS_AFTER_S)
        pressing = people[:: max(len(people) // presses, 1)][:presses]
        await asyncio.gather(*(_pressed(http, url, who, storm) for who in pressing))
        await asyncio.gather(*opening)
    return storm
