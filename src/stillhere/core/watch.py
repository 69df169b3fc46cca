"""A watch is a value: ``step(watch, event, now)`` returns the next watch and the effects it asks
for.

Theory of operation
-------------------
A watch is always in one of six states. While it is ``OPEN`` a single instant, ``next_ask_at``, says
when the person is asked next. An ask puts it in ``ASKING``: the ask grows louder in stages (on the
screen; the next channel if the screen did not confirm it; the phone rings) until ``grace_at``. A
check-in brings it back to ``OPEN`` (``quiet_handlers.py``); silence raises an ``Alarm``
(``alarm_handlers.py``) and the ladder (``ladder.py``) is climbed until somebody is going
(``CLAIMED``, bounded), somebody is there (``ATTENDED``, looked in on), or it is over (``CLOSED``).

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

from stillhere.core import alarm, alarm_handlers, ladder, lost_time, quiet_handlers, schedule
from stillhere.core import events as ev
from stillhere.core.events import Effect, Event, Refused, State
from stillhere.core.profiles import Profile
from stillhere.core.refusals import Refusal
from stillhere.core.schedule import Routine
from stillhere.core.watch_state import Watch

__all__ = ["TABLE", "Step", "Watch", "check", "start", "step", "wake_at", "worth_a_line"]

Handler = Callable[[Watch, Any, int, list[Effect]], Watch]

# By name: Python 3.11 takes ten times as long to find a member of an enum, and every step checks.
_CLOSED, _ASKING = State.CLOSED, State.ASKING
_IN_ALARM = (State.ALARM, State.CLAIMED, State.ATTENDED)


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did. ``effects`` are in the order they should be carried out."""

    watch: Watch
    effects: tuple[Effect, ...]

    @property
    def refused(self) -> Refusal | None:
        return next((e.why for e in self.effects if isinstance(e, Refused)), None)


def start(id: int, profile: Profile, now: int, routine: Routine | None = None) -> Watch:
    """A new watch, open, with its first ask set. ``routine`` makes it a routine one."""
    if routine is not None:
        fresh = Watch(id, profile, State.OPEN, now, now, None, None, routine=routine)
        return quiet_handlers.due(fresh, schedule.next_deadline(routine, now))
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
        times = [w.grace_at, *(at for at, _ in quiet_handlers.stages(w)[w.stage :])]
    else:
        a = w.alarm
        times = [a.recheck_at, a.check_at, ladder.untold_at(a)]
        if not a.arrivals:
            holds = [c.hold_until_at for c in a.claims if c.hold_until_at is not None]
            times += [a.ambulance_at, *(holds or [a.next_rung_at])]
    return min((t for t in times if t is not None), default=None)


QUIET: dict[type, Handler] = {
    ev.Started: quiet_handlers.ignore,
    ev.Marked: quiet_handlers.mark,
    ev.StillHere: quiet_handlers.still_here,
    ev.Shown: quiet_handlers.ignore,
    ev.Unclear: quiet_handlers.unclear,
    ev.NeedHelp: alarm_handlers.need_help,
    ev.Extended: quiet_handlers.more,
    ev.Paused: quiet_handlers.pause,
    ev.Ended: quiet_handlers.end,
    ev.TimePassed: quiet_handlers.ask_is_due,
    ev.ServiceWasDown: lost_time.was_down,
    ev.ClockSetBack: lost_time.set_back,
    ev.Claimed: quiet_handlers.no_alarm,
    ev.Declined: quiet_handlers.no_alarm,
    ev.CannotGetIn: quiet_handlers.no_alarm,
    ev.Arrived: quiet_handlers.no_alarm,
    ev.Resolved: quiet_handlers.no_alarm,
    ev.Undeliverable: quiet_handlers.ignore,
    ev.Unheard: quiet_handlers.ignore,
    ev.Dropped: quiet_handlers.dropped,
    ev.OptedOut: quiet_handlers.ignore,
}
ALARMED: dict[type, Handler] = {
    ev.Started: quiet_handlers.ignore,
    ev.Marked: alarm_handlers.answered_now,
    ev.StillHere: alarm_handlers.answered,
    ev.Shown: quiet_handlers.ignore,
    ev.Unclear: alarm_handlers.unclear_in_alarm,
    ev.NeedHelp: alarm_handlers.need_help,
    ev.Extended: alarm_handlers.answered_now,
    ev.Paused: alarm_handlers.answered_now,
    ev.Ended: alarm_handlers.answered_now,
    ev.TimePassed: alarm_handlers.time_in_alarm,
    ev.ServiceWasDown: alarm_handlers.was_down_in_alarm,
    ev.ClockSetBack: lost_time.set_back,
    ev.Claimed: alarm_handlers.contact_acts,
    ev.Declined: alarm_handlers.contact_acts,
    ev.CannotGetIn: alarm_handlers.contact_acts,
    ev.Arrived: alarm_handlers.contact_acts,
    ev.Resolved: alarm_handlers.resolved,
    ev.Undeliverable: alarm_handlers.contact_acts,
    ev.Unheard: alarm_handlers.contact_acts,
    ev.Dropped: quiet_handlers.ignore,
    ev.OptedOut: alarm_handlers.contact_acts,
}
ASKED: dict[type, Handler] = {
    **QUIET,
    ev.Shown: quiet_handlers.shown,
    ev.Unclear: quiet_handlers.unclear_while_asked,
    ev.TimePassed: alarm_handlers.grace_runs,
    ev.Undeliverable: quiet_handlers.own_phone_silent,
    ev.Unheard: quiet_handlers.own_phone_silent,
    ev.Dropped: quiet_handlers.dropped_while_asked,
}
ENDED: dict[type, Handler] = {
    **dict.fromkeys(QUIET, quiet_handlers.over),
    ev.Started: quiet_handlers.ignore,
    ev.Shown: quiet_handlers.ignore,
    ev.Unclear: quiet_handlers.ignore,
    ev.TimePassed: quiet_handlers.ignore,
    ev.ServiceWasDown: quiet_handlers.ignore,
    ev.ClockSetBack: quiet_handlers.ignore,
    ev.Undeliverable: quiet_handlers.ignore,
    ev.Unheard: quiet_handlers.ignore,
    ev.Dropped: quiet_handlers.ignore,
    ev.OptedOut: quiet_handlers.ignore,
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
    """Whether the journal keeps this event: everything about an alarm, and every change the person
    made; not the asks and answers of a quiet night."""
    if before.alarm is not None or after.alarm is not None:
        if before == after:
            return False  # the same form twice is said once
        passing = ev.TimePassed | ev.Shown | ev.Unheard | ev.ClockSetBack
        return not isinstance(event, passing) or before.state is not after.state
    turn = isinstance(event, ev.Started | ev.Marked | ev.Ended | ev.Paused | ev.ServiceWasDown)
    return turn or (after.state is State.CLOSED and before.state is not State.CLOSED)


def check(w: Watch, now: int) -> None:
    """The invariants of every watch. Raises AssertionError."""
    assert type(now) is int, "now is whole milliseconds"
    closed, asked, alarmed = w.state is _CLOSED, w.state is _ASKING, w.state in _IN_ALARM
    timed = w.closed_at is not None
    assert (w.outcome is not None) == closed == timed, "closed has an outcome and a time"
    assert (w.alarm is not None) == alarmed, "an alarm exactly in the alarm states"
    assert (w.grace_at is not None) == asked == (w.base_at is not None), "a grace when asking"
    assert (w.next_ask_at is not None) == (w.state is State.OPEN), "an ask ahead when open"
    assert w.state is State.OPEN or (wake_at(w) is None) == closed, "every open watch has a timer"
    assert not w.held or closed, "held only once closed"
    assert (w.routine is None) == (w.deadline_at is None), "a routine has a deadline, no other"
    assert w.routine is not None or w.ends_at is not None, "an acute watch ends"
    if w.alarm is not None:
        alarm.check(w.alarm)
        there = bool(w.alarm.arrivals)
        for contact in w.ended_by:
            assert not w.alarm.covered_by(contact), (
                "the word of one who ended an alarm rests another"
            )
        assert (w.state is State.ATTENDED) == there, "attended exactly when somebody is there"
