"""Whether the time is right, in sentences for `stillhere check` and `stillhere clock`.

Asks the kernel, the named hosts and the installation's row; changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from stillhere.config.environment import Stillhere
from stillhere.engine import timekeeping
from stillhere.store.db import clock

Finding = tuple[bool, str]


def shown() -> str:
    """What time it is: Stillhere's, and the machine's (or database's) if that differs."""
    now, raw = clock.now_ms(), settings.RAW_NOW_MS(connection)
    if abs(now - raw) < clock.DOUBT_MS:
        return f"It is {_wall(now)} here."
    return f"It is {_wall(now)} for Stillhere, and the clock of this machine says {_wall(raw)}."


def look(stillhere: Stillhere, proved: Callable[[], int | None] | None = None) -> Iterator[Finding]:
    """Asks and alarms depend on the clock, and so does what people read."""
    right = (proved or settings.PROVED_MS)()
    hosts: list[Finding] = []
    if stillhere.time_urls:
        told = asyncio.run(timekeeping.dates(stillhere.time_urls))
        hosts = [asked(stillhere.time_urls, told, settings.RAW_NOW_MS(connection))]
        agreed = timekeeping.agreement(told) is not None
        yield kept(right, stillhere.time_urls, agreed=agreed)
    else:
        yield kept(right, ())
    yield from hosts
    raw = settings.RAW_NOW_MS(connection)
    if right and abs(raw - right) > clock.CLOSE_MS:
        apart = clock.in_words(raw - right)
        yield False, f"The database's clock is {apart} off: set up a time service on its machine."
    row = clock.read()
    if abs(row.held_ms) >= clock.DOUBT_MS and not stillhere.demo:
        apart, shows = clock.in_words(row.held_ms), _wall(raw)
        yield (
            False,
            (
                f"The clock was set by {apart}, and Stillhere goes on as before until it is proved "
                f"which time is right. If it is {shows} now: `stillhere clock --right`."
            ),
        )
    if row.back_ms != row.reckoned_ms:
        yield False, "The clock was set back, and the watches are following it just now."


def kept(right: int | None, urls: tuple[str, ...], *, agreed: bool = True) -> Finding:
    """Whether something keeps the clock right, according to the kernel; where nothing does, whether
    the named hosts ``agreed`` and stand in for it."""
    if right:
        return True, "A time service keeps this machine's clock right."
    if right == 0:
        advice = "" if urls else " `sudo timedatectl set-ntp true`."
        return bool(urls) and agreed, f"No time service keeps this clock right.{advice}"
    advice = "" if urls else " Name two hosts to ask in STILLHERE_TIME_URLS."
    return True, f"Whether a time service keeps this clock right is unknown here.{advice}"


def asked(urls: Sequence[str], told: Sequence[int | None], raw: int) -> Finding:
    """What the named hosts said, in the order of ``urls``, while the clock here showed ``raw``."""
    names = [urlsplit(url).hostname or url for url in urls]
    mute = [name for name, date in zip(names, told, strict=True) if date is None]
    silent = f" No date came from {', '.join(mute)}." if mute else ""
    agreed = timekeeping.agreement(told)
    if agreed is not None and abs(agreed - raw) > timekeeping.AGREE_MS:
        apart = clock.in_words(raw - agreed)
        return (
            False,
            (
                f"The named hosts agree that it is {_wall(agreed)}: this machine's clock is "
                f"{apart} off.{silent}"
            ),
        )
    if agreed is not None:
        return not mute, f"The named hosts agree with this machine's clock.{silent}"
    if len(mute) < len(names) - 1:
        return False, f"The named hosts do not agree on the time.{silent} Name one more you trust."
    return (
        False,
        (
            f"The named hosts cannot say what time it is, for it takes two.{silent} Look at "
            "STILLHERE_TIME_URLS and at the network."
        ),
    )


def _wall(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
