"""What a watch does when the installation's time is set back: its timers keep their distance from
now, and a daily check-in is recalculated from the time of day.

Time is set back when a clock was ahead and the right time has since been proved. Owns how the
instants of a watch move. Never skips anything: an ask about a deadline that has passed by either
time stays open, and when the two cannot be told apart the person is asked once more rather than
once less.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from stillhere.core import events as ev
from stillhere.core import schedule
from stillhere.core.alarm import Alarm
from stillhere.core.events import Effect, State, Withdraw
from stillhere.core.quiet_handlers import UNASKED, first_reminder_at, for_deadline, stages
from stillhere.core.watch_state import Watch


def set_back(w: Watch, e: ev.ClockSetBack, now: int, out: list[Effect]) -> Watch:
    """``now`` is already the right time; the watch was calculated with a clock ``by_ms`` ahead of
    it. A million watches may follow one after the other, so nothing is copied that need not be."""
    changes = _earlier(w, e.by_ms)
    changes["rechecks"] = tuple(at - e.by_ms for at in w.rechecks)
    if w.alarm is not None:
        changes["alarm"] = _alarm(w.alarm, e.by_ms)
    if w.routine is not None:
        changes["deadline_at"] = _deadline_at(w, changes["seen_at"], e.by_ms, now)
        if w.state is State.OPEN:
            return _reopened(w, now, changes)
    moved = replace(w, **changes)
    asked = w.routine is not None and w.state is State.ASKING
    return _asked(w, moved, now, out) if asked else moved


def _instants(kind: type[Watch | Alarm]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name.endswith("_at"))


_INSTANTS: dict[type, tuple[str, ...]] = {kind: _instants(kind) for kind in (Watch, Alarm)}


def _earlier(value: Watch | Alarm, by_ms: int) -> dict[str, Any]:
    """Every instant of ``value`` moved back by that much; 0 means unset, as None does."""
    return {name: at - by_ms for name in _INSTANTS[type(value)] if (at := getattr(value, name))}


def _alarm(alarm: Alarm, by_ms: int) -> Alarm:
    claims = (
        replace(
            claim,
            at=claim.at - by_ms,
            hold_until_at=None if claim.hold_until_at is None else claim.hold_until_at - by_ms,
        )
        for claim in alarm.claims
    )
    return replace(alarm, **_earlier(alarm, by_ms), claims=tuple(claims))


def _deadline_at(w: Watch, seen_at: int, by_ms: int, now: int) -> int:
    """A routine's deadline by the right time. One that has passed by either time is not over until
    it is answered; one that was answered in advance is not asked for again."""
    assert w.routine is not None
    assert w.deadline_at is not None
    if w.deadline_at <= now:
        return w.deadline_at
    natural_at = schedule.next_deadline(w.routine, now)
    if w.routine.once:  # in half an hour, or at noon: whichever of the two comes first
        return min(natural_at, w.deadline_at - by_ms)
    if not schedule.counts_for(w.routine, natural_at, seen_at):
        return natural_at
    answered = w.deadline_at > schedule.next_deadline(w.routine, now + by_ms)
    return schedule.next_deadline(w.routine, natural_at) if answered else natural_at


def _reopened(w: Watch, now: int, changes: dict[str, Any]) -> Watch:
    """Close the open ask; the next look is at the first thing that is due."""
    first_at = min((*changes["rechecks"], first_reminder_at(w, changes["deadline_at"])))
    changes |= UNASKED | {"state": State.OPEN, "next_ask_at": max(first_at, now)}
    return replace(w, **changes)


def _asked(w: Watch, moved: Watch, now: int, out: list[Effect]) -> Watch:
    """A routine's open ask. If its deadline is in the future again, the ask is withdrawn."""
    assert w.deadline_at is not None
    assert w.base_at is not None
    assert w.grace_at is not None
    assert moved.grace_at is not None
    about = for_deadline(w)  # or after an outage that went over one, or a look after an alarm
    due_at = first_reminder_at(w, w.deadline_at) if about else w.deadline_at
    if due_at > now and w.base_at >= w.deadline_at:
        out.append(Withdraw(asks_only=True))
        changes = {"rechecks": moved.rechecks, "deadline_at": moved.deadline_at}
        return _reopened(moved, now, changes)
    if not about:
        return moved
    # About the deadline on the wall: the reminders that are still to come by the right time come
    # (again), and the time to answer is counted from it, or from when the ask went out late.
    came = sum(at <= now for at, _ in stages(w))
    return replace(
        moved,
        deadline_at=w.deadline_at,
        base_at=w.base_at,
        stage=min(w.stage, came),
        grace_at=max(w.base_at + w.profile.grace_s * 1000, moved.grace_at),
    )
