"""Whether the installation's time is right, and setting it once that is proved.

A clock that jumped is not followed (``heartbeat.py``): the difference is kept aside. It is settled
once the right time is proved: by the kernel, if a time service keeps it right; by the dates on
which two named hosts agree; or by a person who says so (`stillhere clock --right`). Time set
forward is treated like any other outage: people are asked first. Time set back is one row, and
after it the watches follow in small batches, those with the earliest timers first: an instant can
be right in only one of the two times, so they cannot be moved before it.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import pairwise

import aiohttp
from django.conf import settings
from django.db import connection, transaction

from stillhere.engine.heartbeat import AWAY_MS
from stillhere.store.db import clock, halving
from stillhere.store.installation import time_change
from stillhere.store.models import Installation, Outage
from stillhere.store.watches.apply import follow

log = logging.getLogger("stillhere.clock")

MOST = 500  # watches in one batch
READ_AHEAD = 20_000
AGREE_MS = 5_000  # dates of two servers, a second coarse and a way apart
ASK_S = 5
ASK_EVERY_MS = 3_600_000
ASK_IN_DOUBT_MS = 30_000
SETTLE_EVERY_MS = 60_000  # that the time was proved is written down this often
_NO_CHECK_TIME = 0x20_0000  # X509_V_FLAG_NO_CHECK_TIME: our own clock is what is in doubt


class Timekeeper:
    """Checks again and again whether the right time is proved, and settles it."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._asked_ms = self._settled_ms = -ASK_EVERY_MS

    def round(self, row: clock.ClockRow) -> None:
        """One look, of a few seconds at most."""
        boot_ms = settings.BOOT_MS()
        right = settings.PROVED_MS() or self._ask(boot_ms, in_doubt=bool(row.held_ms))
        known = right is not None and boot_ms - self._settled_ms >= SETTLE_EVERY_MS
        apart = right is not None and abs(clock.now_of(row) - row.plain(right)) > clock.FORWARD_MS
        if row.held_ms or known or apart:
            settle(right)
            self._settled_ms = boot_ms

    def _ask(self, boot_ms: int, *, in_doubt: bool) -> int | None:
        """The dates of two servers: now and then, and more often while the time is in doubt."""
        if len(self._urls) < 2:
            return None
        if boot_ms - self._asked_ms < (ASK_IN_DOUBT_MS if in_doubt else ASK_EVERY_MS):
            return None
        self._asked_ms = boot_ms
        return asyncio.run(agreed(self._urls))


def trust() -> ssl.SSLContext:
    """Which servers we believe about the time: those with a certificate that vouches for their
    name, whatever its dates, because our own clock is what is in doubt."""
    found = ssl.create_default_context()
    found.verify_flags |= _NO_CHECK_TIME
    return found


async def agreed(urls: Sequence[str], secure: ssl.SSLContext | None = None) -> int | None:
    """The time on which two servers agree, ms UTC; None if no two do. Takes ``ASK_S`` at most."""
    return agreement(await dates(urls, secure))


def agreement(told: Sequence[int | None]) -> int | None:
    """The time, ms UTC, that two of these dates agree on."""
    known = sorted(date for date in told if date is not None)
    for earlier, later in pairwise(known):
        if later - earlier <= AGREE_MS:
            return (earlier + later) // 2
    return None


async def dates(urls: Sequence[str], secure: ssl.SSLContext | None = None) -> list[int | None]:
    """What each server says the time is, ms UTC; None if it says nothing readable, which does not
    spoil another's answer."""
    limit = aiohttp.ClientTimeout(total=ASK_S)
    async with aiohttp.ClientSession(
        timeout=limit, connector=aiohttp.TCPConnector(ssl=secure or trust())
    ) as http:
        asked = (_date(http, url) for url in urls)
        answers = await asyncio.gather(*asked, return_exceptions=True)
    for failure in (each for each in answers if isinstance(each, BaseException)):
        log.warning("no date: %s", type(failure).__name__)
    return [each if isinstance(each, int) else None for each in answers]


async def _date(http: aiohttp.ClientSession, url: str) -> int:
    """What a server says the time is. Its answer is not trusted: parsing it may raise anything."""
    async with http.head(url, allow_redirects=False) as answer:
        date = parsedate_to_datetime(answer.headers["Date"])
        return int(date.timestamp() * 1000) + 500  # a second coarse


def settle(right: int | None) -> int:
    """Set the installation's time to ``right`` (None: nobody can say), or to the machine's clock if
    that is close enough to make no difference. Returns by how many ms it was set; negative means
    back."""
    with transaction.atomic():
        here = Installation.objects.select_for_update().get_or_create(id=1)[0]
        row = clock.row_of(here)
        plain = row.plain(settings.RAW_NOW_MS(connection))
        now = clock.now_of(row)
        if right is not None and row.rate == 1.0:
            right = row.plain(right)
            here.clock_proved_at = now if abs(now - right) <= clock.FORWARD_MS else right
            target = plain if abs(plain - right) <= clock.CLOSE_MS else right
        elif -clock.BACK_MS <= plain - now <= clock.FORWARD_MS:
            target = plain
        else:
            return 0
        if not row.held_ms and abs(target - now) <= clock.FORWARD_MS:
            here.save(update_fields=["clock_proved_at"])
            return 0
        here.clock_held_ms = target - plain
        _move(here, now, target)
        here.save()
    log.warning("clock settled by_ms=%d held_ms=%d", target - now, here.clock_held_ms)
    return target - now


def _move(here: Installation, now: int, target: int) -> None:
    """Time was ``now`` and becomes ``target``."""
    if target < now - clock.BACK_MS:
        time_change.set_back(here, now - target, target)
        here.beat_at = target
    elif here.beat_at and target - here.beat_at > AWAY_MS:
        Outage.objects.create(from_at=here.beat_at, to_at=target, why="clock set forward")
    here.beat_at = max(target, here.beat_at)
    here.beat_boot, here.beat_boot_ms = settings.BOOT_ID(), settings.BOOT_MS()


@dataclass
class Reckoning:
    """The watches that follow a time that was set back. Remembers how far it got; another engine
    may do the same at the same time."""

    back_ms: int = 0
    after: tuple[int, int] = (0, 0)
    waiting: Sequence[tuple[int, int]] = ()
    left: bool = False

    def step(self, row: clock.ClockRow) -> bool:
        """One batch, if there is anything to do; returns whether there may be more."""
        if row.back_ms == row.reckoned_ms:
            return False
        if row.back_ms != self.back_ms:
            self.back_ms, self.after, self.waiting = row.back_ms, (0, 0), ()
        if not self.waiting:
            self.waiting = time_change.behind(self.after, self.back_ms, READ_AHEAD)
        if not self.waiting:
            self._finish()
            return False
        batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        self.after = batch[-1]
        answers = halving.each(follow, [id for _, id in batch])
        failures = [each for each in answers if isinstance(each, Exception)]
        self.left |= bool(failures)
        for failure in filter(halving.broke, failures):
            raise failure
        return True

    def _finish(self) -> None:
        self.after = (0, 0)
        if self.left:  # held by somebody else, or the database was gone: again, from the first
            self.left = False
            return
        time_change.reckoned(self.back_ms)
        log.warning("all watches follow the clock back_ms=%d", self.back_ms)
