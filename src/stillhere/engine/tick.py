"""Due ``wake_at`` -> ``apply``. Decides nothing. A watch that fell due while we were away hears
about that first, as it does before any other event (``store/watches/apply.py``).

Nobody waits for anybody else's row. A row that somebody else holds is left for the next round; one
that makes its group fail is found by halving the group, and from then on tried apart from the
others. One that cannot be woken at all is set aside, and its contacts are told.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from functools import partial

from django.conf import settings

from stillhere.store.db import halving
from stillhere.store.db.row_locks import Held, in_the_way
from stillhere.store.watches import damage, queries
from stillhere.store.watches.apply import Change, Tick, apply_free

log = logging.getLogger("stillhere.tick")

MOST = 200  # one transaction: the first alarms leave before the last due watch is looked at
ROUND_MS = 2_000  # real time after which a round looks at nothing more
APART_EVERY_MS = 1_000  # how often those are tried that spoiled their group
MOST_STRIKES = 3  # tries in vain, after which a watch is set aside

Due = Sequence[tuple[int, int]]


class Waker:
    """Wakes due watches, and remembers those that must not be woken together with others."""

    def __init__(self) -> None:
        self._apart: dict[int, int] = {}  # watch -> when it was tried last, by the boot clock
        self._strikes: Counter[int] = Counter()
        self._aside: set[int] = set()

    def wake(self, now: int, most: int = MOST) -> int:
        """Wake whatever is due, ``most`` in one transaction, longest due first; returns how many.
        Goes on to the next ones only if some had to be left behind. Late, twice or from two engines
        at once is harmless: the step compares every timer with the clock."""
        woken, began = 0, settings.BOOT_MS()
        due = self._due(now, most, None)
        while due:
            there = [one for one in due if one[0] not in self._aside]
            apart = [one for one in there if one[0] in self._apart]
            left = len(due) - len(there)
            left += self._wake([one for one in there if one not in apart])
            left += self._wake_apart(apart, now, began)
            woken += len(due) - left
            if not left or len(due) < most or settings.BOOT_MS() - began >= ROUND_MS:
                break
            due = self._due(now, most, due[-1])
        return woken

    def _due(self, now: int, most: int, last: tuple[int, int] | None) -> Due:
        """Which watches are due, even if one of their rows cannot be read."""
        if last is None:
            read = partial(queries.due, now, most)
        else:
            read = partial(queries.due_after, now, most, last)
        return damage.around(read, lambda: self._due_around(now, most, last or (0, 0)))

    def _due_around(self, now: int, most: int, last: tuple[int, int]) -> list[tuple[int, int]]:
        due, lost = damage.due(now, most, last)
        self._strike(lost, now)
        return due

    def _wake(self, due: Due) -> int:
        """All of them at once; returns how many were left as they are."""
        if not due:
            return 0
        answers = halving.each(apply_free, [_wakes(watch) for watch, _ in due])
        failures = [
            (watch, answer)
            for (watch, _), answer in zip(due, answers, strict=True)
            if isinstance(answer, Exception)
        ]
        for watch, failure in failures:
            if halving.broke(failure):
                raise failure  # no database: the loop says so and tries again
            if not isinstance(failure, Held | halving.Untried):
                log.error("apart watch=%d: %s", watch, type(failure).__name__)
                self._apart[watch] = settings.BOOT_MS()
        return len(failures)

    def _wake_apart(self, due: Due, now: int, began: int) -> int:
        """Each on its own, as long as this round has time; returns how many were left."""
        left = 0
        for watch, _ in due:
            boot = settings.BOOT_MS()
            waits = boot - self._apart[watch] < APART_EVERY_MS or boot - began >= ROUND_MS
            if waits or not self._alone(watch, now):
                left += 1
        return left

    def _alone(self, watch: int, now: int) -> bool:
        self._apart[watch] = settings.BOOT_MS()
        try:
            [answer] = apply_free([_wakes(watch)])
        except Exception as failure:
            log.exception("still apart watch=%d", watch)
            halving.forget_broken_connection(failure)
            if not in_the_way(failure) and not halving.broke(failure):
                self._strike([watch], now)
            return False
        if not isinstance(answer, Held):
            del self._apart[watch]
            del self._strikes[watch]
        return not isinstance(answer, Held)

    def _strike(self, watches: Collection[int], now: int) -> None:
        """These failed to wake once more. After the last try, people are told."""
        for watch in watches:
            if watch in self._aside:
                continue
            self._strikes[watch] += 1
            if self._strikes[watch] >= MOST_STRIKES and _set_aside(watch, now):
                self._aside.add(watch)


def _set_aside(watch: int, now: int) -> bool:
    """Whether it could be set aside. If not, the others go on, and its next failure tries again."""
    try:
        damage.set_aside(watch, now)
    except Exception as failure:
        log.exception("not set aside watch=%d", watch)
        halving.forget_broken_connection(failure)
        return False
    return True


def tick_once(now: int, most: int = MOST) -> int:
    """One round of a waker without any memory."""
    return Waker().wake(now, most)


def _wakes(watch: int) -> Change:
    return Change(Tick(), watch=watch)
