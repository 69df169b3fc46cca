"""A watch is a value: ``step(watch, event, now)`` returns the next watch and the effects it asks
for.

Theory of operation
-------------------
A watch is always in one of six states. While it is ``OPEN`` a single instant, ``next_ask_at``, says
when the person is asked next. An ask puts it in ``ASKING``: the ask grows louder in stages (on the
screen; the next channel if the screen did not confirm it; the phone rings) until ``grace_at``. A
check-in brings it back to ``OPEN`` (``asking.py``); silence raises an ``Alarm`` (``calling.py``)
and the ladder (``ladder.py``) is climbed until somebody is going (``CLAIMED``, bounded), somebody
is there (``ATTENDED``, looked in on), or it is over (``CLOSED``).

Nothing here waits or remembers outside the value: ``wake_at(watch)`` is the one instant at which
``TimePassed`` should come, and coming late, twice, or from two engines at once is harmless, because
every timer is compared with ``now``. Each timer that fires moves its own deadline into the future,
so a step always makes progress.

This file owns the only way in. ``TABLE`` lists every state and event; what is ignored is listed
too. An illegal move changes nothing and says why (``Refused``). ``check`` is asserted on the way in
and out.

All ``_at`` are ms UTC. Timings and their sources: ``content/profiles.toml``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stillhere.core import alarm, asking, calling, clock_change, outages, schedule
from stillhere.core import events as ev
from stillhere.core.asking import Watch
from stillhere.core.events import Effect, Event, Refused, State
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine

__all__ = ["TABLE", "Step", "Watch", "check", "start", "step", "wake_at", "worth_a_line"]

Handler = Callable[[Watch, Any, int, list[Effect]], Watch]


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did. ``effects`` are in the order they should be carried out."""

    watch: Watch
    effects: tuple[Effect, ...]

    @property
    def refused(self) -> str | None:
        return next((e.why for e in self.effects if isinstance(e, Refused)), None)


def start(id: int, profile: Profile, now: int, routine: Routine | None = None) -> Watch:
    """A new watch, open, with its first ask set. ``routine`` makes it a routine one."""
    if routine is not None:
        fresh = Watch(id, profile, State.OPEN, now, now, None, None, routine=routine)
        return asking.due(fresh, schedule.next_deadline(routine, now))
    ends_at = now + profile.unmarked_end_s * 1000
    return Watch(id, profile, State.OPEN, now, now, ends_at, now + profile.unmarked_ask_s * 1000)


def step(watch: Watch, event: Event, now: int) -> Step:
    """Apply one event at ``now``. Raises AssertionError where an invariant does not hold, never
    otherwise."""
    check(watch, now)
    out: list[Effect] = []
    after = TABLE[watch.state, type(event)](watch, event, now, out)
    check(after, now)
    return Step(after, tuple(out))


def wake_at(w: Watch) -> int | None:
    """When ``TimePassed`` should come next; None once closed."""
    if w.state is State.CLOSED:
        return None
    if w.state is State.OPEN:
        return w.next_ask_at
    if w.alarm is None:
        times = [w.grace_at, *(at for at, _ in asking.stages(w)[w.stage :])]
    else:
        a = w.alarm
        times = [a.recheck_at, a.check_at]
        if not a.arrivals:
            holds = [c.hold_until_at for c in a.claims if c.hold_until_at is not None]
            times += [a.ambulance_at, *(holds or [a.next_rung_at])]
    return min((t for t in times if t is not None), default=None)


QUIET: dict[type, Handler] = {
    ev.Started: asking.ignore,
    ev.Marked: asking.mark,
    ev.StillHere: asking.still_here,
    ev.Shown: asking.ignore,
    ev.Unclear: asking.ignore,
    ev.NeedHelp: calling.need_help,
    ev.Extended: asking.more,
    ev.Paused: asking.pause,
    ev.Ended: asking.end,
    ev.TimePassed: asking.ask_is_due,
    ev.ServiceWasDown: outages.was_down,
    ev.ClockSetBack: clock_change.set_back,
    ev.Claimed: asking.no_alarm,
    ev.Declined: asking.no_alarm,
    ev.CannotGetIn: asking.no_alarm,
    ev.Arrived: asking.no_alarm,
    ev.Resolved: asking.no_alarm,
    ev.Undeliverable: asking.ignore,
    ev.Unheard: asking.ignore,
    ev.Dropped: asking.dropped,
    ev.OptedOut: asking.ignore,
}
ALARMED: dict[type, Handler] = {
    ev.Started: asking.ignore,
    ev.Marked: calling.answered_now,
    ev.StillHere: calling.answered,
    ev.Shown: asking.ignore,
    ev.Unclear: asking.ignore,
    ev.NeedHelp: calling.need_help,
    ev.Extended: calling.answered_now,
    ev.Paused: calling.answered_now,
    ev.Ended: calling.answered_now,
    ev.TimePassed: calling.time_in_alarm,
    ev.ServiceWasDown: calling.was_down_in_alarm,
    ev.ClockSetBack: clock_change.set_back,
    ev.Claimed: calling.contact_acts,
    ev.Declined: calling.contact_acts,
    ev.CannotGetIn: calling.contact_acts,
    ev.Arrived: calling.contact_acts,
    ev.Resolved: calling.resolved,
    ev.Undeliverable: calling.contact_acts,
    ev.Unheard: calling.contact_acts,
    ev.Dropped: asking.ignore,
    ev.OptedOut: calling.contact_acts,
}
ASKED: dict[type, Handler] = {
    **QUIET,
    ev.Shown: asking.shown,
    ev.Unclear: asking.unclear,
    ev.TimePassed: calling.grace_runs,
    ev.Undeliverable: asking.own_phone_silent,
    ev.Unheard: asking.own_phone_silent,
    ev.Dropped: asking.dropped_while_asked,
}
ENDED: dict[type, Handler] = {
    **dict.fromkeys(QUIET, asking.over),
    ev.Started: asking.ignore,
    ev.Shown: asking.ignore,
    ev.Unclear: asking.ignore,
    ev.TimePassed: asking.ignore,
    ev.ServiceWasDown: asking.ignore,
    ev.ClockSetBack: asking.ignore,
    ev.Undeliverable: asking.ignore,
    ev.Unheard: asking.ignore,
    ev.Dropped: asking.ignore,
    ev.OptedOut: asking.ignore,
}
ROWS = {
    State.OPEN: QUIET,
    State.ASKING: ASKED,
    State.ALARM: ALARMED,
    State.CLAIMED: ALARMED,
    State.ATTENDED: ALARMED,
    State.CLOSED: ENDED,
}
TABLE: dict[tuple[State, type], Handler] = {
    (state, event): handler for state, row in ROWS.items() for event, handler in row.items()
}


def worth_a_line(before: Watch, event: Event, after: Watch) -> bool:
    """Whether the journal keeps this: everything about an alarm, and every turn the person made;
    not the asks and answers of a quiet night."""
    if before.alarm is not None or after.alarm is not None:
        if before == after:
            return False  # the same form twice is said once
        passing = ev.TimePassed | ev.Shown | ev.Unheard | ev.ClockSetBack
        return not isinstance(event, passing) or before.state is not after.state
    turn = isinstance(event, ev.Started | ev.Marked | ev.Ended | ev.Paused | ev.ServiceWasDown)
    return turn or (after.state is State.CLOSED and before.state is not State.CLOSED)


def check(w: Watch, now: int) -> None:
    """The invariants: what must hold of every watch, and what must not. Raises AssertionError."""
    assert type(now) is int, "now is whole milliseconds"
    closed, asked = w.state is State.CLOSED, w.state is State.ASKING
    alarmed = w.state in (State.ALARM, State.CLAIMED, State.ATTENDED)
    timed = w.closed_at is not None
    assert (w.outcome is not None) == closed == timed, "closed has an outcome and a time"
    assert (w.alarm is not None) == alarmed, "an alarm exactly in the alarm states"
    assert (w.grace_at is not None) == asked == (w.base_at is not None), "a grace when asking"
    assert (w.next_ask_at is not None) == (w.state is State.OPEN), "an ask ahead when open"
    assert (wake_at(w) is None) == closed, "every open watch has a timer"
    assert not w.held or closed, "held only once closed"
    assert (w.routine is None) == (w.deadline_at is None), "a routine has a deadline, no other"
    assert w.routine is not None or w.ends_at is not None, "an acute watch ends"
    if w.alarm is not None:
        alarm.check(w.alarm)
        there = bool(w.alarm.arrivals)
        assert (w.state is State.ATTENDED) == there, "attended exactly when somebody is there"
