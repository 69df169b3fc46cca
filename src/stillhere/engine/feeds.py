"""Warnings about the supply from other programmes' feeds (Atom or RSS), read once an hour.

Owns fetching them, bounded in size and time, and the step from an entry to a warning. A feed that
cannot be read is a line in the log, and never in the way of anything.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from html import unescape
from time import strftime
from typing import Any

import aiohttp

from stillhere.store import supply
from stillhere.store.services import Problem
from stillhere.store.supply import Found

log = logging.getLogger("stillhere.feeds")

EVERY_MS = 3_600_000
DEADLINE_S = 10
LARGEST = 512 * 1024
MOST_ENTRIES = 50
_TAG = re.compile(r"<[^>]{0,500}>")


def read_once(urls: Sequence[str]) -> int:
    """Fetch every feed and keep what is new; how many warnings were."""
    fresh = 0
    for url in urls:
        try:
            fresh += supply.post(entries(asyncio.run(_get(url)), url))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, Problem) as failure:
            log.warning("feed: %s", type(failure).__name__)
    return fresh


def entries(body: bytes, url: str) -> list[Found]:
    """The warnings in a feed. Raises ValueError for what is none."""
    import feedparser  # noqa: PLC0415  a quarter of a second, which a start after a crash has not

    told = feedparser.parse(body)
    if not told.get("version"):
        raise ValueError("not a feed")
    title = _plain(told.feed.get("title", "")) or url
    found = []
    for entry in told.entries[:MOST_ENTRIES]:
        tags = [tag.get("term") or "" for tag in entry.get("tags", ())]
        head, says = _plain(entry.get("title", "")), _plain(entry.get("summary", ""))
        at = entry.get("published_parsed") or entry.get("updated_parsed")
        text = f"{head}: {says}" if head and says and head not in says else says or head
        if not text:
            continue
        ref = entry.get("id") or entry.get("link") or ""
        day = strftime("%Y-%m-%d", at) if at else ""
        found.append(Found(ref, next(filter(None, tags), title), text, title, day))
    return found


def _plain(text: Any) -> str:
    return " ".join(unescape(_TAG.sub(" ", str(text))).split())


async def _get(url: str) -> bytes:
    limit = aiohttp.ClientTimeout(total=DEADLINE_S)
    async with aiohttp.ClientSession(timeout=limit) as http, http.get(url) as answer:
        answer.raise_for_status()
        body = await answer.content.read(LARGEST + 1)
        while len(body) <= LARGEST and (more := await answer.content.read(LARGEST + 1)):
            body += more
        if len(body) > LARGEST:
            raise ValueError("too large")
        return body
