"""Two or three weeks of the whole product, instead of one night: routines and acute watches side by
side, over changes of the clocks, with what goes wrong in between.

Owns the person with a routine, and what of a night is other where it lasts for weeks. The days are
the simulator's own reckoning (``core/calendar.py``). Decides nothing about watches.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from stillhere.core import events as ev
from stillhere.core.schedule import Routine
from stillhere.sim import invariants
from stillhere.sim.core import calendar
from stillhere.sim.core.calendar import DAY_MS
from stillhere.sim.invariants import require
from stillhere.sim.people import MINUTE_MS, Sam
from stillhere.sim.whole.evidence import DailyEvidence, Evidence, ObservedChange
from stillhere.sim.whole.nights import Night
from stillhere.sim.whole.service import Process
from stillhere.sim.whole.storage import Storage
from stillhere.sim.whole.web_side import WebSide
from stillhere.sim.whole.world import EVENING_AT, World
from stillhere.store.watches import apply
from stillhere.store.watches.rows import known_profiles

HOUR_MS = 60 * MINUTE_MS
NIGHT_MS = 80 * MINUTE_MS
# From these days on clocks change within two weeks: nowhere, in Denver, in Berlin, in Sydney.
FIRST_DAYS = (0, 30, 50, 58)


class Regular(Sam):
    """Somebody with a routine, who answers most days: early, at a reminder, late, or not at all."""

    def __init__(
        self, world: World, web: WebSide, evidence: Evidence, person: int, ends_t: int
    ) -> None:
        super().__init__(world, web, person, ends_t)
        self._evidence = evidence
        dice = self._dice
        leaves_t = dice.randrange(ends_t) if dice.random() < 0.15 else None
        self._nature = replace(self._nature, routine="routine", silent_t=leaves_t)
        some = frozenset(day for day in range(7) if dice.random() < 0.5)
        days = some if some and dice.random() < 0.4 else frozenset(range(7))
        at = dice.choice((dice.randrange(1440), dice.randrange(240), 22 * 60))
        opens_s = dice.choice((1, 6, 12, 12, 18)) * 3600
        self.routine = Routine(days, at, dice.choice(calendar.ZONES), opens_s)

    def due(self, from_t: int) -> tuple[int, ...]:
        """The deadlines from then on, as times of these weeks."""
        r, begins_at = self.routine, self._world.begins_at
        to_at = begins_at + self._ends_t
        found = calendar.deadlines(r.days, r.at, r.tz, begins_at + from_t, to_at)
        return tuple(at - begins_at for at in found)

    def begins(self) -> None:
        begin = partial(apply.start, self._person, "routine", "", self.routine)
        self._web.call(begin, self._began)

    def _began(self, watch: int) -> None:
        if self.watch:
            return
        self.watch = watch
        profile = known_profiles()["routine"]
        reminders_ms = tuple(s * 1000 for s in profile.reminders_s)
        opens_ms, grace_ms = self.routine.opens_s * 1000, profile.grace_s * 1000
        due = self.due(self._world.t)
        self._evidence.dailies[watch] = DailyEvidence(
            self._person, due, opens_ms, reminders_ms, grace_ms
        )
        dice = self._dice
        for no, due_t in enumerate(due):
            early_t = due_t - dice.randrange(opens_ms)
            early = dice.random() < 0.2
            if early and self._world.has(f"person {self._person} answers day {no} early"):
                self._world.at(early_t, self._taps)
        for no in range(dice.choice((0, 0, 1, 2))):
            t, for_ms = dice.randrange(self._ends_t), dice.choice((0, HOUR_MS, 4 * DAY_MS))
            rest = ev.Paused(self._world.begins_at + t + dice.randrange(for_ms + 1))
            if self._world.has(f"person {self._person} rests {no}"):
                self._world.at(t, partial(self._does, rest))

    def hears(self, ask: int) -> None:
        """Each ask finds them quick, slow, or not at all."""
        dice = self._dice
        if self.silent or ask <= self._heard:
            return
        self._heard = ask
        slow_ms = dice.choice((40_000, 40_000, 20 * MINUTE_MS, 80 * MINUTE_MS, 4 * HOUR_MS))
        if dice.random() < 0.85:
            self._world.after(dice.randrange(1_000, slow_ms), self._taps)


class Weeks(Night):
    """Two or three weeks, from their first event to the verdict."""

    busy_ms, seldom_ms = 60_000, 30 * MINUTE_MS
    p_closed, closed_ms = 0.5, (HOUR_MS, 12 * HOUR_MS, 4 * DAY_MS)

    def __init__(self, world: World, storage: Storage, persons: list[int]) -> None:
        first = world.dice("calendar").choice(FIRST_DAYS)
        world.begins_at = EVENING_AT + first * DAY_MS
        self._due: list[int] = []
        super().__init__(world, storage, persons)

    def _lasts(self) -> int:
        return self._dice.randrange(12 * DAY_MS, 21 * DAY_MS)

    def _keeps_a_watch(self, person: int) -> Sam:
        """Every other one has a routine; all of them may use on some evening."""
        self.evidence.begins_at = self.world.begins_at
        dice, has = self._dice, self.world.has
        if person % 2 or dice.random() < 0.3:
            regular = Regular(self.world, self._web, self.evidence, person, self._ends_t)
            self._sams[person] = regular
            self._due += regular.due(0)
            begins_t = dice.randrange(DAY_MS)
            if has(f"person {person}"):
                self.world.at(begins_t, regular.begins)
        begins_t = dice.randrange(self._ends_t - NIGHT_MS)
        acute = Sam(self.world, self._web, person, begins_t + NIGHT_MS, begins_t)
        self._sams[-person] = acute
        if has(f"person {person} uses"):
            self.world.at(begins_t, acute.begins)
        return acute

    def _shows(self, change: ObservedChange) -> None:
        """Sooner or later Ruth ends every alarm that nobody else ended."""
        super()._shows(change)
        before, after = change.before, change.after
        if after.alarm is not None and (before is None or before.alarms < after.alarms):
            long_ms = self._dice.choice((HOUR_MS, 3 * HOUR_MS, 30 * HOUR_MS))
            ends = partial(self._coordinator.ends, after.id)
            self.world.after(self._dice.randrange(10 * MINUTE_MS, long_ms), ends)

    def _away_ms(self, process: Process) -> int:
        if self.world.t < self._ends_t and self._dice.random() < 0.2:
            return self._dice.randrange(20_000, 9 * HOUR_MS)
        return super()._away_ms(process)

    def _plan_faults(self) -> None:
        """Processes die, mostly about the time of a deadline."""
        dice = self._dice
        for no in range(dice.choice((0, 2, 6, 12))):
            t = dice.randrange(self._ends_t)
            if self._due and dice.random() < 0.7:
                t = max(dice.choice(self._due) + dice.randrange(-2 * HOUR_MS, HOUR_MS), 0)
            dying = dice.choice((self._service.engine, self._service.web))
            dies = dice.random() < 0.5
            statements = dice.randrange(1, 40)
            if not self.world.has(f"fault {no}"):
                continue
            if dies:
                self.world.at(t, partial(self._service.kill, dying))
            else:
                fails = partial(self._service.will_fail, dying, statements, dies=True)
                self.world.at(t, fails)

    def live(self) -> None:
        super().live()
        self.evidence.t = self._ends_t
        require(invariants.WHEN_THE_WEEKS_ARE_OVER, self.evidence)
