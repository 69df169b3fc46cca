"""A week on a machine whose clock cannot be trusted, such as a Raspberry Pi without a clock chip:
daily check-ins and acute watches, while the clock leaps in the middle, starts in 1970, a day behind
or days ahead, and is corrected sooner or later. Meanwhile somebody else holds the database, and the
carriers refuse us for minutes or days.

Owns the machine, its people and the three promises, which are judged in true time: nobody who falls
silent waits longer than the time to ask and to answer and our own absence; no day passes on which
somebody was neither asked, heard nor called for; and an open alarm reaches somebody as soon as any
carrier takes messages. Drives the real beat, tick, reckoning, timekeeping and delivery; decides
nothing about watches.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TypeVar

from django.db import OperationalError

from stillhere.core import events as ev
from stillhere.core.events import Outcome, State
from stillhere.core.messages import Fate, Receipt
from stillhere.core.schedule import Routine
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.tick import Waker
from stillhere.engine.timekeeping import Reckoning, Timekeeper, settle
from stillhere.sim.core import calendar
from stillhere.sim.core.calendar import DAY_MS
from stillhere.sim.whole.storage import Storage
from stillhere.sim.whole.world import Violation, World
from stillhere.store.db import clock
from stillhere.store.messages import delivery
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change, CheckIn
from stillhere.store.watches.rows import known_profiles

MINUTE_MS, HOUR_MS, YEAR_MS = 60_000, 3_600_000, 365 * DAY_MS
LONGEST_LOOK_MS = 6 * HOUR_MS
ERRORS_MS = (-40 * YEAR_MS, -DAY_MS, -HOUR_MS, HOUR_MS, 3 * DAY_MS, 40 * YEAR_MS)
SLACK_MS = 2 * MINUTE_MS
REFUSED_MS = (10 * MINUTE_MS, 5 * HOUR_MS, 2 * DAY_MS)
AGAIN_MS = delivery.BACK_OFF_S[-1] * 1000  # what was refused is tried again after so long at most
LEASE_S, MOST = 60, 50
SILENCE_MS = 8 * MINUTE_MS  # the longest pace, an ask with its time to answer, and some more
T = TypeVar("T")
ALARMED = (State.ALARM, State.CLAIMED, State.ATTENDED)


@dataclass
class WatchHistory:
    """What happened to one watch, by true time."""

    routine: Routine | None
    began_t: int
    heard: list[int] = field(default_factory=list)
    alarms: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # of the alarms
    reached: list[int] = field(default_factory=list)  # a contact, about an alarm
    asks: int = 0
    state: str = State.OPEN
    silent_t: int | None = None
    closed_t: int | None = None


@dataclass
class WeekReport:
    """What a night tells of itself, for the verdict."""

    counts: Counter[str] = field(default_factory=Counter)


class ClockWeek:
    """One week, from its first event to the verdict."""

    def __init__(self, world: World, storage: Storage, persons: list[int]) -> None:
        storage.fresh()
        self.world, self._storage, self.evidence = world, storage, WeekReport()
        self._dice: Random = world.dice("clock week")
        self._ends_t = self._dice.randrange(5 * DAY_MS, 9 * DAY_MS)
        self._waker, self._reckoning, self._keeper = Waker(), Reckoning(), Timekeeper(())
        self._down_until = 0
        self._away: list[tuple[int, int]] = []  # nobody was there, or the database was not
        self._wrong: list[tuple[int, int]] = []  # booted wrong, and nobody could tell
        self._refused: list[tuple[int, int]] = []  # no carrier took anything
        self._seen: dict[int, WatchHistory] = {}
        self._plan(persons[: self._dice.randrange(1, 4)])

    # --- who lives here, and what goes wrong ----------------------------------------------------

    def _plan(self, persons: list[int]) -> None:
        dice, at, has = self._dice, self.world.at, self.world.has
        for person in persons:
            minutes = dice.choice((dice.randrange(1440), 22 * 60))
            routine = Routine(frozenset(range(7)), minutes, dice.choice(calendar.ZONES))
            if has(f"person {person}"):
                at(dice.randrange(HOUR_MS), partial(self._begins, person, routine))
            for no in range(dice.choice((0, 1, 3))):
                t = dice.randrange(HOUR_MS, self._ends_t - HOUR_MS)
                if has(f"person {person} uses {no}"):
                    at(t, partial(self._begins, person, None))
        for no in range(dice.choice((0, 1, 2, 4))):
            t = dice.randrange(HOUR_MS, self._ends_t - 6 * HOUR_MS)
            fault = dice.choice((self._leaps, self._leaps, self._restarts, self._is_held))
            if has(f"fault {no}"):
                at(t, fault)
        carriers = self.world.dice("carriers of a clock week")
        for no in range(carriers.choice((0, 1, 2))):
            t, for_ms = carriers.randrange(self._ends_t), carriers.choice(REFUSED_MS)
            if has(f"refusal {no}"):
                self._refused.append((t, t + carriers.randrange(MINUTE_MS, for_ms)))

    def _leaps(self) -> None:
        """The clock is set while we run, and set back after a while."""
        if self.world.skew_ms or not self._up:
            return
        self.world.move_clock(self._dice.choice(ERRORS_MS))
        for_ms = self._dice.choice((20_000, 10 * MINUTE_MS, 5 * HOUR_MS))
        self.world.after(self._dice.randrange(1_000, for_ms), self._is_right)
        self.evidence.counts["leaps"] += 1

    def _restarts(self) -> None:
        """The machine is off for a while, and starts with a wrong clock."""
        if self.world.skew_ms or not self._up:
            return
        off_ms = self._dice.choice((30_000, 10 * MINUTE_MS, 5 * HOUR_MS))
        self._down_until = self.world.t + self._dice.randrange(5_000, off_ms)
        self._away.append((self.world.t, self._down_until))
        error_ms = self._dice.choice(ERRORS_MS)
        self.world.at(self._down_until, partial(self.world.restart, error_ms))
        right_ms = self._dice.randrange(5_000, self._dice.choice((MINUTE_MS, 3 * HOUR_MS)))
        right_t = self._down_until + right_ms
        self.world.at(right_t, self._is_right)
        self._wrong.append((self.world.t, right_t + 2 * MINUTE_MS))
        self.evidence.counts["starts"] += 1

    def _is_right(self) -> None:
        """The clock is corrected, and a time service or a person says that it is right."""
        self.world.move_clock(-self.world.skew_ms)
        if self._dice.random() < 0.5:
            self.world.proved = True
        else:
            self.world.after(1_000, lambda: self._try(self._said))

    def _said(self) -> int:
        return settle(self.world.raw_now_ms())

    def _is_held(self) -> None:
        """Somebody else keeps the database to themselves for a while."""
        for_ms = self._dice.randrange(2_000, 2 * MINUTE_MS)
        self._storage.held = True
        self._away.append((self.world.t, self.world.t + for_ms))
        self.world.after(for_ms, self._is_let_go)
        self.evidence.counts["held"] += 1

    def _is_let_go(self) -> None:
        self._storage.held = False

    def _refuses(self, t: int) -> int:
        """Until when every carrier refuses us; 0 where they take what we send."""
        return max(
            (until_t for from_t, until_t in self._refused if from_t <= t < until_t), default=0
        )

    # --- people ---------------------------------------------------------------------------------

    @property
    def _up(self) -> bool:
        return self.world.t >= self._down_until

    def _begins(self, person: int, routine: Routine | None) -> None:
        profile = "injected" if routine is None else "routine"
        watch = self._try(partial(apply.start, person, profile, "", routine))
        if watch is None:
            self.world.after(MINUTE_MS, partial(self._begins, person, routine))
        elif watch not in self._seen:
            self._seen[watch] = seen = WatchHistory(routine, self.world.t)
            if routine is None:
                self._presses(watch, ev.Marked())
                if self._dice.random() < 0.5:
                    seen.silent_t = self.world.t + self._dice.randrange(10 * MINUTE_MS)
            self.evidence.counts["watches"] += 1

    def _presses(self, watch: int, what: apply.Asked) -> None:
        """Until it gets through: the page tries again."""
        seen = self._seen[watch]
        if seen.silent_t is not None and self.world.t >= seen.silent_t:
            return
        answer = self._try(partial(apply.apply, Change(what, watch=watch)))
        if answer is None:
            self.world.after(8_000, partial(self._presses, watch, what))
        else:
            seen.heard.append(self.world.t)
            self.evidence.counts["check-ins"] += 1

    def _ends(self, watch: int) -> None:
        """Ruth knows how it ended; a daily check-in goes on."""
        over = Change(ev.Resolved(None, Outcome.FALSE_ALARM), watch=watch)
        if self._try(partial(apply.apply, over)) is None:
            self.world.after(MINUTE_MS, partial(self._ends, watch))

    def _react(self) -> None:
        """Whoever is asked answers, mostly; alarms are ended after a while."""
        for watch, state, asks in self._storage.look("SELECT id, state, asks FROM watch"):
            seen = self._seen.get(watch)
            if seen is None:
                continue
            if state in ALARMED and seen.state not in ALARMED:
                seen.alarms.append(self.world.t)
                self.evidence.counts["alarms"] += 1
                ends = partial(self._ends, watch)
                self.world.after(self._dice.randrange(MINUTE_MS, HOUR_MS), ends)
            if state not in ALARMED and seen.state in ALARMED:
                seen.ends.append(self.world.t)
            if state == State.ASKING and asks != seen.asks:
                slow_ms = 50_000 if seen.routine is None else 20 * MINUTE_MS
                if seen.routine is None or self._dice.random() < 0.8:
                    delay_ms = self._dice.randrange(2_000, slow_ms)
                    self.world.after(delay_ms, partial(self._presses, watch, CheckIn()))
            if state == State.CLOSED and seen.closed_t is None:
                seen.closed_t = self.world.t
            seen.state, seen.asks = state, asks

    # --- the machine ----------------------------------------------------------------------------

    def _try(self, deed: Callable[[], T]) -> T | None:
        """What a process does, where there is one; None where nothing came of it."""
        if not self._up:
            return None
        self._storage.acting = "web"
        try:
            return deed()
        except OperationalError:
            return None
        finally:
            self._storage.acting = None

    def _look(self) -> None:
        """One round of the engine, as ``engine/loop.py`` has it."""

        def rounds() -> int:
            pulse_once()
            self._keeper.round(clock.read())
            while self._reckoning.step(clock.read()):
                pass
            while self._waker.wake(clock.now_ms()):
                pass
            for channel in delivery.channels_waiting():
                self._deliver(channel)
            return 1

        self._try(rounds)

    def _deliver(self, channel: str) -> None:
        """Whatever waits for a carrier is handed over, and taken or refused."""
        refused = bool(self._refuses(self.world.t))
        fate, why = (Fate.BUSY, "401") if refused else (Fate.DELIVERED, "")
        leased = delivery.lease(channel, clock.now_ms(), MOST, LEASE_S)
        delivery.record(
            [message.result(Receipt(fate, why=why)) for message in leased], clock.now_ms()
        )
        self.evidence.counts["refused" if refused else "taken"] += len(leased)
        for message in leased if not refused else ():
            if message.watch in self._seen and message.contact is not None:
                self._seen[message.watch].reached.append(self.world.t)

    def _next_look_t(self) -> int:
        [(wake_at, due_at)] = self._storage.look(
            "SELECT (SELECT min(wake_at) FROM watch), "
            "(SELECT min(max(due_at, lease_until_at)) FROM message WHERE status = 'queued')"
        )
        rest_ms = LONGEST_LOOK_MS
        if wake_at is not None or due_at is not None:
            row = self._storage.clock_row()
            now = row.now(self.world.raw_now_ms(), self._steady(0))
            first_at = min(at for at in (wake_at, due_at) if at is not None)
            rest_ms = min(max(first_at - now, 500), LONGEST_LOOK_MS)
        return max(self.world.t + rest_ms, self._down_until)

    def _steady(self, after_ms: int) -> int | None:
        return self._storage.clock_row().steady(self.world.boot, self.world.boot_ms() + after_ms)

    def _pass(self, to_t: int) -> None:
        """Time passes, in which the engine beats, if it is there, and finds nothing to do. Where it
        would find that its clock was set, no more than a few seconds pass."""
        after_ms = to_t - self.world.t
        row, steady = self._storage.clock_row(), self._steady(after_ms)
        beating = self._up and not self._storage.held and steady is not None
        if beating and steady is not None and after_ms > 1_000:
            if row.leaps(row.told(self.world.raw_now_ms() + after_ms), steady):
                to_t = self.world.t + min(after_ms, 10_000)
            else:
                now = row.now(self.world.raw_now_ms() + after_ms, steady)
                self._storage.beat(now, self.world.boot_ms() + after_ms)
        self.world.t = to_t

    def live(self) -> None:
        """The week, then the judgement. Raises Violation."""
        self._look()
        while self.world.t < self._ends_t:
            comes, looks = self.world.next_t(), self._next_look_t()
            if comes is not None and comes <= looks:
                self._pass(max(comes, self.world.t))
                if self.world.t >= comes:
                    self.world.happen()
            else:
                self._pass(looks)
            self._look()
            self._react()
        self._judge()

    # --- the promises ---------------------------------------------------------------------------

    def _judge(self) -> None:
        for watch, seen in self._seen.items():
            if seen.silent_t is not None and seen.silent_t + HOUR_MS < self._ends_t:
                self._silence_is_noticed(watch, seen, seen.silent_t)
            if seen.routine is not None:
                for due_t in self._days(seen):
                    self._day_is_kept(watch, seen, due_t)
            for no, raised_t in enumerate(seen.alarms):
                end_t = seen.ends[no] if no < len(seen.ends) else self._ends_t
                self._alarm_reaches_somebody(watch, seen, raised_t, end_t)

    def _alarm_reaches_somebody(
        self, watch: int, seen: WatchHistory, raised_t: int, end_t: int
    ) -> None:
        """As soon as a carrier takes messages, if it is still open then."""
        until_t = raised_t
        while (refused_t := self._refuses(until_t)) > until_t:
            until_t = refused_t
        until_t += AGAIN_MS + SLACK_MS
        until_t += 2 * self._gone_ms(raised_t - HOUR_MS, until_t + HOUR_MS)
        if until_t < end_t and not any(raised_t <= t <= until_t for t in seen.reached):
            raise Violation(
                "an_open_alarm_reaches_somebody", f"watch {watch}, raised at {raised_t}"
            )
        self.evidence.counts["alarms judged"] += int(until_t < end_t)

    def _silence_is_noticed(self, watch: int, seen: WatchHistory, silent_t: int) -> None:
        if seen.closed_t is not None and not seen.alarms:
            return  # answered to its end, and silent after that
        least_t = max([silent_t, *(t for t in seen.heard if t <= silent_t)])
        until_t = silent_t + SILENCE_MS
        until_t += 2 * self._gone_ms(least_t - HOUR_MS, until_t + HOUR_MS)
        if not any(least_t <= t <= until_t for t in seen.alarms):
            raise Violation(
                "whoever_falls_silent_is_missed", f"watch {watch}, silent since {silent_t}"
            )

    def _days(self, seen: WatchHistory) -> list[int]:
        """The deadlines of a routine, as the wall shows them, but for those about a wrong start."""
        assert seen.routine is not None
        r, begins_at = seen.routine, self.world.begins_at
        to_at = begins_at + self._ends_t - 3 * HOUR_MS
        found = calendar.deadlines(r.days, r.at, r.tz, begins_at + seen.began_t, to_at)
        due = (at - begins_at for at in found)
        return [
            t for t in due if not any(a - HOUR_MS <= t + HOUR_MS and t <= b for a, b in self._wrong)
        ]

    def _day_is_kept(self, watch: int, seen: WatchHistory, due_t: int) -> None:
        assert seen.routine is not None
        profile = known_profiles()["routine"]
        from_t = due_t - seen.routine.opens_s * 1000
        until_t = due_t + profile.grace_s * 1000 + SLACK_MS
        gone_ms = self._gone_ms(due_t - 2 * HOUR_MS, until_t + HOUR_MS)
        until_t += 2 * gone_ms + (profile.grace_s * 1000 if gone_ms else 0)
        if until_t >= self._ends_t:
            return
        kept = any(from_t <= t <= until_t for t in seen.heard)
        alarmed = any(due_t - 2 * HOUR_MS <= t <= until_t for t in seen.alarms)
        if not kept and not alarmed:
            raise Violation("no_day_is_forgotten", f"watch {watch}, due at {due_t}")
        self.evidence.counts["days"] += 1

    def _gone_ms(self, from_t: int, to_t: int) -> int:
        """For how long nobody was there in all, between these two."""
        return sum(b - a for a, b in self._away if b >= from_t and a <= to_t)
