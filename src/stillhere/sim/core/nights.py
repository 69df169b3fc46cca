"""Lives one night of the core alone, and says which rule broke, if one did.

Owns time (true time, the clock that may stand still, ticks that come late or twice, outages) and
the order of deeds. The core is driven through ``watch.start``, ``step`` and ``wake_at`` only, as
``store/watches/apply.py`` and ``engine/tick.py`` do it. Judges nothing: ``rules`` do, on what the
``Onlooker`` saw.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from importlib import resources

from stillhere.core import events as ev
from stillhere.core import profiles, watch
from stillhere.core.circle import Circle
from stillhere.core.events import Event, Outcome, PageCoordinator, State, Tell
from stillhere.core.profiles import Profile
from stillhere.core.watch import Watch
from stillhere.sim import verdict
from stillhere.sim.core import rules, weeks
from stillhere.sim.core.deeds import BEGIN, Away, Cue, Help, OtherTick, PlannedDeed, Still, Tap
from stillhere.sim.core.observer import Onlooker
from stillhere.sim.core.plan import Plan, drawn
from stillhere.sim.core.story import Moment
from stillhere.sim.verdict import Lived, Verdict
from stillhere.sim.whole.world import Violation

SHRINK_TRIES = 600
LINES_KEPT = 60
PATIENCE_MS = 3_000  # how soon after an outage what was pressed meanwhile comes again
LOST_ONE_IN = 4
Say = Callable[[str], None]


@cache
def _profiles() -> dict[str, Profile]:
    text = resources.files("stillhere.content").joinpath("profiles.toml").read_text("utf-8")
    return profiles.load(text)


def planned(seed: int, *, long: bool = False) -> Plan:
    """What the seed draws: a night, or ``long``, weeks of a routine."""
    return weeks.drawn(seed, _profiles()) if long else drawn(seed, _profiles())


def run(
    seed: int, off: frozenset[str] = frozenset(), *, trace: bool = False, long: bool = False
) -> Verdict:
    """Live through the night of this seed, without what is named in ``off``. A night in which a
    rule breaks is lived a second time to write down its trace."""
    plan = planned(seed, long=long)
    if off:
        plan = plan.without(off)
    lines: list[str] = []
    night = CoreNight(plan, lines.append if trace else None)
    try:
        night.live()
        night.seen.counts["steps"] = night.seen.steps
    except Violation as violation:
        if not trace:
            return run(seed, off, trace=True, long=long)
        lines.append(f"{night.t / 1000:10.3f} VIOLATION {violation}")
        return Verdict(
            seed, night.seen.counts, violation, tuple(lines[-LINES_KEPT:]), plan.switches
        )
    return Verdict(seed, night.seen.counts)


class CoreNight:
    """One night of one watch."""

    def __init__(self, plan: Plan, say: Say | None = None) -> None:
        self.plan, self._say = plan, say
        self.t = 0
        self._behind_ms = 0  # how far the clock is behind true time
        self._still_until = 0
        self._back_t = 0  # until then the service is away
        self._ticks = 0
        self._circle: Circle = plan.circle
        self.watch: Watch = watch.start(1, plan.profile, plan.begins_at, plan.routine)
        self._wake_at = watch.wake_at(self.watch)
        self._set_t = 0  # since when that is so: nothing else that comes makes the tick later
        self.seen = Onlooker(plan)
        self._coming: list[tuple[int, int, PlannedDeed]] = []
        self._number = 0
        self._waiting: dict[Cue, list[PlannedDeed]] = {}
        for deed in plan.deeds:
            self._waiting.setdefault(deed.cue, []).append(deed)
        self._cue(BEGIN)

    # --- time -----------------------------------------------------------------------------------

    def now(self) -> int:
        """What the clock shows."""
        return self.plan.begins_at - self._behind_ms + max(self._still_until, self.t)

    def _tick_t(self) -> int | None:
        """When the next tick comes: after its time, never before, and not while we are away."""
        if self._wake_at is None:
            return None
        due_t = self._wake_at - self.plan.begins_at + self._behind_ms
        due_t = max(due_t, self._set_t, self._back_t)
        return max(due_t + self.plan.lates[self._ticks % len(self.plan.lates)], self.t)

    def _stand_still(self, ms: int) -> None:
        if self.t >= max(self._still_until, self._back_t):
            self._note(f"the clock stands still for {ms / 1000:.1f} s")
            self._still_until, self._behind_ms = self.t + ms, self._behind_ms + ms

    # --- what comes -----------------------------------------------------------------------------

    def _cue(self, cue: Cue) -> None:
        for deed in self._waiting.pop(cue, ()):
            self._add(self.t + deed.delay_ms, deed)

    def _add(self, t: int, deed: PlannedDeed) -> None:
        self._number += 1
        heapq.heappush(self._coming, (t, self._number, deed))

    def live(self) -> None:
        """The whole night, and then its end. Raises Violation."""
        ends_t, coming = self.plan.ends_t, self._coming
        while self._wake_at is not None and self.seen.steps < self.plan.steps_most:
            tick_t = self._tick_t()
            assert tick_t is not None
            deed_t = coming[0][0] if coming else ends_t + 1
            if min(tick_t, deed_t) > ends_t:
                break
            if tick_t <= deed_t:
                self.t = tick_t
                self._tick()
            else:
                self.t, _, deed = heapq.heappop(coming)
                self._happens(deed)
        self._mend()

    def _mend(self) -> None:
        """The night is over: whatever is open is ended by hand, and everyone hears it."""
        self.t = max(self.t, self.plan.ends_t, self._back_t, self._still_until)
        if self.watch.alarm is not None:
            self._step(ev.Resolved(None, Outcome.FALSE_ALARM), self.now())
        if self.watch.state is not State.CLOSED:
            self._step(ev.Ended(), self.now())
        rules.over(self.seen, self.watch)

    # --- deeds ----------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = self.now()
        self._ticks += 1
        self._step(self._look(now), now)
        if self.plan.twice:
            self._step(self._look(now), now)

    def _look(self, now: int) -> Event:
        """What an engine that looks now tells the watch, as ``engine/tick.py``."""
        due_at = self._wake_at
        if due_at is not None and due_at <= now:
            away = [gap for gap in self.seen.away if gap[1] >= due_at]
            if away:
                return ev.ServiceWasDown(min(a for a, _ in away), away[-1][1])
        return ev.TimePassed(self._circle, tuple(self.seen.away))

    def _happens(self, deed: PlannedDeed) -> None:
        what = deed.what
        if isinstance(what, Away):
            self._goes_away(what.ms)
        elif isinstance(what, Still):
            self._stand_still(what.ms)
        elif self.t < self._back_t:
            self._is_kept(deed)
        else:
            self._step(self._event(deed), self.now() - deed.back_ms, deed.name)

    def _event(self, deed: PlannedDeed) -> Event:
        """Give what came in the instant and the plan it needs, as the store does."""
        match deed.what:
            case Tap(age_ms, seq):
                now = self.now() - deed.back_ms
                made_at = now - age_ms
                return ev.StillHere(made_at if made_at >= self.watch.started_at else now, seq)
            case Help():
                return ev.NeedHelp(self._circle, wants_to_die=self._ticks % 3 == 0)
            case OtherTick():
                return self._look(self.now() - deed.back_ms)
            case Away() | Still():
                raise AssertionError("a fault is no event")
            case event:
                return event

    def _goes_away(self, ms: int) -> None:
        """The service stops, and is back after a while."""
        if self.t < self._back_t or self.t < self._still_until:
            return
        self._note(f"the service is away for {ms / 1000:.1f} s")
        from_at = self.now()
        self._back_t = self.t + ms
        self.seen.away.append((from_at, from_at + ms))
        self._still_until = min(self._still_until, self.t)

    def _is_kept(self, deed: PlannedDeed) -> None:
        """Pressed while we were away: it comes when we are back, older, or not at all."""
        dice = (deed.delay_ms * 7 + self._number) % 97
        again_t = self._back_t + dice * PATIENCE_MS // 97
        if isinstance(deed.what, Tap):
            if dice % LOST_ONE_IN == 0:
                return
            deed = replace(deed, what=Tap(deed.what.age_ms + again_t - self.t, deed.what.seq))
        self._add(again_t, deed)

    # --- steps ----------------------------------------------------------------------------------

    def _step(self, event: Event, now: int, name: str = "") -> None:
        """One event reaches the core; whatever came of it is judged at once."""
        before, due_at = self.watch, self._wake_at
        try:
            done = watch.step(before, event, now)
        except AssertionError as error:
            raise Violation("no_event_breaks_the_core", f"{event}: {error}") from error
        self.watch = done.watch
        self._wake_at = watch.wake_at(done.watch)
        if self._wake_at != due_at:
            self._set_t = self.t
        moment = Moment(before, event, done.watch, done.effects, now, due_at, self._wake_at)
        if self._say is not None:
            self._trace(moment, name)
        self.seen.take(moment)
        rules.judge(self.seen, moment)
        self._react(moment)

    def _react(self, moment: Moment) -> None:
        """People hear what left, and carry on."""
        if isinstance(moment.event, ev.OptedOut):
            self._circle = _without(self._circle, moment.event.contact)
        if moment.raised:
            self._cue(("alarm", moment.after.alarms))
        for effect in moment.effects:
            if isinstance(effect, Tell):
                first = ("told", effect.contact)
                if first in self._waiting:
                    self._cue(first)
                elif effect.word in (ev.Word.ALARM, ev.Word.AGAIN):
                    self._cue(("told again", effect.contact))
            elif isinstance(effect, ev.Ask):
                self._cue(("ask", effect.no))
            elif isinstance(effect, PageCoordinator):
                self._cue(("page", 1))

    # --- memory ---------------------------------------------------------------------------------

    def _note(self, what: str) -> None:
        if self._say is not None:
            self._say(f"{self.t / 1000:10.3f} {what}")

    def _trace(self, moment: Moment, name: str) -> None:
        after = moment.after
        self._note(f"{name + ': ' if name else ''}{_said(moment.event, self.plan.circle)}")
        wake = (
            "never"
            if self._wake_at is None
            else f"{(self._wake_at - self.plan.begins_at) / 1000:.3f}"
        )
        self._note(f"  {after.state}, ask {after.asks}, alarm {after.alarms}, next look {wake}")
        for effect in moment.effects:
            self._note(f"  -> {effect}")


def _said(event: Event, circle: Circle) -> str:
    return str(event).replace(str(circle), "...")


def _without(circle: Circle, contact: int) -> Circle:
    rungs = (tuple(r for r in rung if r.contact != contact) for rung in circle.rungs)
    return Circle(tuple(rung for rung in rungs if rung))


def lived(seeds: range, *, long: bool = False) -> Lived:
    """Live through many nights."""
    return verdict.lived(partial(run, long=long), seeds)


def shrunk(broken: Verdict, *, long: bool = False) -> Verdict:
    """The smallest night found in which the same rule breaks."""
    return verdict.shrunk(partial(run, long=long), broken, SHRINK_TRIES)
