"""Warnings about the supply from other programs' feeds (Atom or RSS), read once an hour.

Owns fetching them, bounded in size and time, and turning an entry into a warning. A feed that
cannot be read is logged and never gets in the way of anything else.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from html import unescape
from time import strftime
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from django.conf import settings

from stillhere.store.kits import supply_warnings
from stillhere.store.kits.supply_warnings import ReportedWarning

log = logging.getLogger("stillhere.feeds")

EVERY_MS = 3_600_000
DEADLINE_S = 10
LARGEST = 512 * 1024
MOST_TAGS = 20_000  # of the largest honest feed many times over; a parser takes its time for each
MOST_ENTRIES = 50
MOST_MOVES = 4
MOST_LINES = 5  # in the log, of one kind
_MOVED = (301, 302, 303, 307, 308)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ALIKE = re.compile(r"(?P<area>.+), (?P<day>\d{4}-\d\d-\d\d)")
_TAG = re.compile(r"<[^>]{0,500}>")


def read_once(urls: Sequence[str]) -> int:
    """Fetch every feed and keep what is new; returns how many warnings that was."""
    fresh = 0
    for url in urls:
        try:
            taken = supply_warnings.take_in(entries(asyncio.run(_get(url)), url))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as failure:
            log.warning("feed %s: %s", _host(url), type(failure).__name__)
            continue
        fresh += taken.new
        for kind in ("ahead", "unsaid"):
            for number in taken.left.get(kind, ())[:MOST_LINES]:
                log.warning("feed %s: entry %d left out: %s", _host(url), number, kind)
    return fresh


def entries(body: bytes, url: str) -> list[ReportedWarning]:
    """The warnings in a feed, except those that came from here. Raises ValueError if it is not a
    feed."""
    import feedparser  # noqa: PLC0415  a quarter of a second, which a start after a crash has not

    if body.count(b"<") > MOST_TAGS:
        raise ValueError("too many tags")
    told = feedparser.parse(body)
    if not told.get("version"):
        raise ValueError("not a feed")
    title = _plain(told.feed.get("title", "")) or _host(url)
    ours = f"{settings.STILLHERE.base_url}/before#"
    found = (
        _found(number, entry, title, _host(url))
        for number, entry in enumerate(told.entries[:MOST_ENTRIES], 1)
    )
    return [each for each in found if each.text and not each.ref.startswith(ours)]


def _found(number: int, entry: Mapping[str, Any], title: str, host: str) -> ReportedWarning:
    """One entry. A warning from a program like this one comes back in its original words, however
    many feeds carried it: place and day are its title, and its author is whoever reported it."""
    tags = (tag.get("term") or "" for tag in entry.get("tags", ()))
    area = next(filter(None, tags), title)
    head, says = _plain(entry.get("title", "")), _plain(entry.get("summary", ""))
    at = entry.get("published_parsed") or entry.get("updated_parsed")
    day = strftime("%Y-%m-%d", at) if at else "unsaid"  # never today: it may be years old
    ref = str(entry.get("id") or entry.get("link") or "")
    if ref and not _SCHEME.match(ref):
        ref = f"https://{host}/#{ref}"
    alike = _ALIKE.fullmatch(head)
    if alike and says and alike["area"] == area:
        return ReportedWarning(
            ref, area, says, _plain(entry.get("author", "")), alike["day"], row=number
        )
    text = f"{head}: {says}" if head and says and head not in says else says or head
    return ReportedWarning(ref, area, text, title, day, row=number)


def _host(url: str) -> str:
    """The part of a feed's address that may be logged: the rest could be a secret."""
    try:
        return urlsplit(url).hostname or "feed"
    except ValueError:
        return "feed"


def _plain(text: Any) -> str:
    return " ".join(unescape(_TAG.sub(" ", str(text))).split())


async def _get(url: str) -> bytes:
    """The feed's text. It may move within its own host; another one must be named by whoever runs
    this program, because it could lie inside our own network."""
    limit = aiohttp.ClientTimeout(total=DEADLINE_S)
    async with aiohttp.ClientSession(timeout=limit) as http:
        for _ in range(MOST_MOVES):
            async with http.get(url, allow_redirects=False) as answer:
                if answer.status not in _MOVED:
                    answer.raise_for_status()
                    return await _body(answer)
                moved_to = urljoin(url, answer.headers.get("Location", ""))
            if urlsplit(moved_to).scheme not in ("http", "https") or _host(moved_to) != _host(url):
                raise ValueError("moved to another host")
            url = moved_to
        raise ValueError("moved too often")


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = await answer.content.read(LARGEST + 1)
    while len(body) <= LARGEST and (more := await answer.content.read(LARGEST + 1)):
        body += more
    if len(body) > LARGEST:
        raise ValueError("too large")
    return body
