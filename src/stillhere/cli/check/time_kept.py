"""Whether the time is right, in sentences for `stillhere check` and `stillhere clock`.

Asks the kernel, and the installation's row; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from stillhere.config.environment import Stillhere
from stillhere.store.db import clock

Finding = tuple[bool, str]


def look(stillhere: Stillhere, proved: Callable[[], int | None] | None = None) -> Iterator[Finding]:
    """Asks and alarms go by the clock, and so does what people read."""
    right = (proved or settings.PROVED_MS)()
    yield kept(right, stillhere.time_urls)
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


def kept(right: int | None, urls: tuple[str, ...]) -> Finding:
    """Whether anybody keeps the clock right, by what the kernel says."""
    if right:
        return True, "A time service keeps this machine's clock right."
    asked = f" {len(urls)} named hosts are asked instead." if urls else ""
    if right == 0:
        advice = "" if urls else " `sudo timedatectl set-ntp true`."
        return bool(urls), f"No time service keeps this clock right.{asked}{advice}"
    advice = "" if urls else " Name two hosts to ask in STILLHERE_TIME_URLS."
    return (
        True,
        f"Whether a time service keeps this clock right is unknown here.{asked}{advice}",
    )


def _wall(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
