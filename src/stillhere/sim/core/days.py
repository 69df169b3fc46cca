"""The days of a routine as they look from outside: which deadlines are still to be settled, which
were answered, slept through or rested, and when Sam was asked about them.

Owns the records the rules of weeks (``rules/weeks.py``) are judged on. Deadlines are its own
reckoning (``calendar.py``). Judges nothing. All ``_at`` are what the clock showed, in ms.
"""

from __future__ import annotations

from bisect import bisect_left

from stillhere.core import events as ev
from stillhere.core.events import Ask, Way
from stillhere.sim.core import calendar
from stillhere.sim.core.plan import Plan
from stillhere.sim.core.story import Moment

RECHECKS_MS = (60_000, 180_000)
BEYOND_MS = 20 * calendar.DAY_MS
TROUBLE_MS = 3_600_000  # what is open from before may still be open so long


class Days:
    """Every deadline of one routine. ``about`` is the first that was open before the newest step,
    ``settled`` those that were settled in it."""

    def __init__(self, plan: Plan) -> None:
        routine = plan.routine
        assert routine is not None
        self.opens_ms = routine.opens_s * 1000
        self.reminders_ms = [s * 1000 for s in plan.profile.reminders_s]
        self.stages_ms = [*self.reminders_ms, -plan.profile.ring_s * 1000]
        to_at = plan.begins_at + plan.ends_t + BEYOND_MS
        self.all = tuple(
            calendar.deadlines(routine.days, routine.at, routine.tz, plan.begins_at, to_at)
        )
        self.begins_at = plan.begins_at
        self._first = 0  # everything before is settled
        self._done: set[int] = set()
        self._rests_until = 0
        self.about: int | None = None
        self.settled: list[int] = []
        self.asks: list[int] = []
        self.rings: list[int] = []
        self.owed: list[int] = []
        self.troubles: list[int] = []

    def open(self) -> int | None:
        """The first deadline that nothing has settled yet."""
        while self._first < len(self.all) and self.all[self._first] in self._done:
            self._first += 1
        later = (at for at in self.all[self._first :] if at not in self._done)
        return next((at for at in later if at >= self._rests_until), None)

    def take(self, m: Moment) -> None:
        """Remember one moment."""
        self.about, self.settled = self.open(), []
        alarmed = m.before.alarm is not None
        ways = {e.way for e in m.effects if isinstance(e, Ask)}
        if ways:
            self.asks.append(m.now)
        if Way.RING in ways:
            self.rings.append(m.now)
        if isinstance(m.event, ev.Paused) and m.taken:
            self._rests(m.event.until_at, m.now)
        elif m.taken and not alarmed and m.made_at >= min(m.before.seen_at, m.now):
            self._answered(m)
        if m.raised or m.ended:
            self._settle(m.now)
        if m.ended:
            self.owed = [m.now + ms for ms in RECHECKS_MS]
        if alarmed or m.raised or isinstance(m.event, ev.ServiceWasDown | ev.Paused):
            self.troubles.append(m.now)

    def _answered(self, m: Moment) -> None:
        """A sign of life. It does for the deadline in whose window it was made."""
        self.owed = [at for at in self.owed if at > m.made_at]
        if isinstance(m.event, ev.NeedHelp) or self.about is None:
            return
        if m.made_at >= self.about - self.opens_ms:
            self._settle(max(m.now, self.about))

    def _settle(self, until_at: int) -> None:
        """Everything up to then is settled, and rests no more."""
        for at in self.all[self._first :]:
            if at > until_at:
                break
            if at not in self._done:
                self._done.add(at)
                if at >= self._rests_until:
                    self.settled.append(at)

    def _rests(self, until_at: int, now: int) -> None:
        """Nothing is due before ``until_at``. Whoever changes a rest that runs asks anew for
        everything after it."""
        if self._rests_until > now:
            self._done = {at for at in self._done if at <= now}
            self._first = 0
        self._settle(now)
        self.settled = []
        self._rests_until = until_at

    def was_asked(self, from_at: int, to_at: int) -> bool:
        """Whether an ask left between two instants."""
        return _one_between(self.asks, from_at, to_at)

    def rang(self, from_at: int, to_at: int) -> bool:
        """Whether the phone rang between two instants."""
        return _one_between(self.rings, from_at, to_at)


def _one_between(times: list[int], from_at: int, to_at: int) -> bool:
    found = bisect_left(times, from_at)
    return found < len(times) and times[found] <= to_at
