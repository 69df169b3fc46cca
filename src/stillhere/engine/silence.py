"""Nobody can reach us: the web server is silent while the engine lives. Its silence becomes an
outage.

Owns that outage's row. It is written as soon as we are told, before a replacement server is
running, and ends once people have had time to reach us again: so the tick asks them first and
delays no alarm twice. Never delays an alarm forever: one silence counts for ``MOST_MS`` at most,
and all of them within ``WINDOW_MS`` together for ``MOST_OF_ALL_MS``; an alarm is late by no more
than that.
"""

from __future__ import annotations

import logging
import os

from django.conf import settings
from django.db import transaction

from stillhere.core.lost_time import SHORT_S
from stillhere.store.db import clock
from stillhere.store.models import Installation, Outage

log = logging.getLogger("stillhere.silence")

WHY = "the web server was silent"
MOST_MS = SHORT_S * 1000  # a short outage: an alarm is late by it and no more
MOST_OF_ALL_MS = 2 * MOST_MS
WINDOW_MS = 300_000
SAME_MS = 2_000  # engines beside us, or one just started, are told of the same silence
AGAIN_MS = 10_000  # a page that was refused tries again within eight seconds


class Silence:
    """``word`` is where we are told since when nobody can be heard (boot clock, ms; 0: they can).
    An outage that began ``silent_ms`` of real time ago, and will end when it must. People can be
    heard again: whoever was turned away meanwhile gets a moment to come back."""

    def __init__(self, word: int | None) -> None:
        self._word = word
        self._since_ms = 0  # as we were told last
        self._noted_ms = 0  # as it is written down

    def listen(self) -> None:
        """Write down what changed. Raises whatever the database raises; then it is done next
        time."""
        self._read()
        if self._since_ms == self._noted_ms:
            return
        if self._since_ms:  # also where the end of the one before could not be written down
            begin(clock.now_ms(), settings.BOOT_MS() - self._since_ms)
        else:
            end(clock.now_ms())
        self._noted_ms = self._since_ms

    def _read(self) -> None:
        """The last whole line counts. Lines are short and written whole."""
        try:
            said = os.read(self._word, 65_536) if self._word is not None else b""
        except BlockingIOError:
            return
        words = said.split()
        if words:
            self._since_ms = int(words[-1])


def begin(now: int, silent_ms: int) -> None:
    """An outage that began ``silent_ms`` of real time ago, and will end when it must."""
    with transaction.atomic():
        here = Installation.objects.select_for_update().get_or_create(id=1)[0]
        rate = here.clock_rate
        from_at = now - round(max(silent_ms, 0) * rate)
        lately = list(
            Outage.objects.filter(why=WHY, to_at__gt=now - WINDOW_MS * rate)
            .values_list("from_at", "to_at")
        )  # fmt: skip
        if any(abs(at - from_at) < SAME_MS * rate for at, _ in lately):
            return
        left_ms = MOST_OF_ALL_MS * rate - sum(to_at - at for at, to_at in lately)
        to_at = from_at + round(min(MOST_MS * rate, left_ms))
        if to_at > now:
            Outage.objects.create(from_at=from_at, to_at=to_at, why=WHY)
    log.warning("nobody is heard since_ms=%d, asked first for_ms=%d", silent_ms, to_at - now)


def end(now: int) -> None:
    """People can be heard again: whoever was turned away meanwhile gets a moment to come back."""
    again = round(AGAIN_MS * Installation.objects.values_list("clock_rate", flat=True).get(id=1))
    Outage.objects.filter(why=WHY, to_at__gt=now + again).update(to_at=now + again)
    log.warning("people are heard again")
