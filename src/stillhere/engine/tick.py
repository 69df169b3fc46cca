"""Due ``wake_at`` -> ``apply``. Decides nothing: a watch that fell due while we were away hears of
that first, as from whatever else reaches it (``store/apply.py``).

Nobody waits for anybody else's row. One that somebody else holds is left for the next round; one
that spoils its group is found by halving it, and from then on tried apart from the others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings

from stillhere.store import halves, queries
from stillhere.store.apply import Change, Tick, apply_free
from stillhere.store.held import Held

log = logging.getLogger("stillhere.tick")

MOST = 200  # one transaction: the first alarms leave before the last due watch is looked at
ROUND_MS = 2_000  # real time after which a round looks at nothing more
APART_EVERY_MS = 1_000  # how often those are tried that spoiled their group

Due = Sequence[tuple[int, int]]


class Waker:
    """Wakes due watches, and remembers those that must not be woken together with others."""

    def __init__(self) -> None:
        self._apart: dict[int, int] = {}  # watch -> when it was tried last, by the boot clock

    def wake(self, now: int, most: int = MOST) -> int:
        """Wake whoever is due, ``most`` in one transaction, longest due first; returns how many.
        Goes on to the next ones only where some had to be left behind. Late, twice or from two
        engines at once is harmless: the step compares every timer with the clock."""
        woken, began = 0, settings.BOOT_MS()
        due = queries.due(now, most)
        while due:
            apart = [one for one in due if one[0] in self._apart]
            left = self._wake([one for one in due if one not in apart])
            left += self._wake_apart(apart, began)
            woken += len(due) - left
            if not left or len(due) < most or settings.BOOT_MS() - began >= ROUND_MS:
                break
            due = queries.due_after(now, most, due[-1])
        return woken

    def _wake(self, due: Due) -> int:
        """All of them at once; returns how many were left as they are."""
        if not due:
            return 0
        answers = halves.each(apply_free, [_wakes(watch) for watch, _ in due])
        failures = [
            (watch, answer)
            for (watch, _), answer in zip(due, answers, strict=True)
            if isinstance(answer, Exception)
        ]
        for watch, failure in failures:
            if halves.broke(failure):
                raise failure  # no database: the loop says so and tries again
            if not isinstance(failure, Held | halves.Untried):
                log.error("apart watch=%d: %s", watch, type(failure).__name__)
                self._apart[watch] = settings.BOOT_MS()
        return len(failures)

    def _wake_apart(self, due: Due, began: int) -> int:
        """Each on its own, as long as this round has time; returns how many were left."""
        left = 0
        for watch, _ in due:
            boot = settings.BOOT_MS()
            waits = boot - self._apart[watch] < APART_EVERY_MS or boot - began >= ROUND_MS
            if waits or not self._alone(watch):
                left += 1
        return left

    def _alone(self, watch: int) -> bool:
        self._apart[watch] = settings.BOOT_MS()
        try:
            [answer] = apply_free([_wakes(watch)])
        except Exception as failure:
            log.exception("still apart watch=%d", watch)
            halves.forget_broken_connection(failure)
            return False
        if not isinstance(answer, Held):
            del self._apart[watch]
        return not isinstance(answer, Held)


def tick_once(now: int, most: int = MOST) -> int:
    """One round of a waker that remembers nothing."""
    return Waker().wake(now, most)


def _wakes(watch: int) -> Change:
    return Change(Tick(), watch=watch)
