"""Time that was lost: an outage of ours while somebody is being asked, and a clock set back.

After an outage people are asked first, and get their full time to answer. Owns what an outage gives
back to an open ask: either when the outage ends (``ServiceWasDown``) or, if nothing fell due during
it, when the time to answer is up (``owed_ms``). What an outage means for an open alarm is in
``alarm_handlers.py``.

The installation's time is set back when a clock was ahead and the right time has since been proved.
Owns how the instants of a watch move then: timers keep their distance from now, and a daily
check-in is recalculated from the time of day. Never skips anything: an ask about a deadline that
has passed by either time stays open, and when the two cannot be told apart the person is asked once
more rather than once less.

Arguments as in ``quiet_handlers.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from stillhere.core import events as ev
from stillhere.core import quiet_handlers, schedule
from stillhere.core.alarm import Alarm
from stillhere.core.circle import Circle
from stillhere.core.events import Effect, State, Withdraw
from stillhere.core.watch_state import Watch, replace

LATE_S = 15  # an ask later than this was late because we were away
SHORT_S = 30  # away no longer than a database takes to move to another machine
CATCH_UP_S = 5  # what a page needs to hand over what was pressed meanwhile


# --- outages --------------------------------------------------------------------------------------


def was_down(w: Watch, e: ev.ServiceWasDown, now: int, out: list[Effect]) -> Watch:
    """We could not have heard them. So ask first, with the full grace or, after a short outage,
    what was left of it, and never raise an alarm because of our own silence."""
    if w.state is State.ASKING:
        return _asked_again(w, e, now, out)
    if w.deadline_at is not None and now < w.deadline_at and not w.rechecks:
        return quiet_handlers.ask_is_due(w, ev.TimePassed(Circle()), now, out)
    return quiet_handlers.ask(w, now, now, out, after_outage=True)


def _asked_again(w: Watch, e: ev.ServiceWasDown, now: int, out: list[Effect]) -> Watch:
    """The open ask after an outage: the full grace once, and after that only what was left of it
    when the outage began, so that a service that crashes again and again still raises the alarm. An
    outage during a reminder before the deadline costs nothing."""
    assert w.grace_at is not None
    assert w.base_at is not None
    if min(e.to_at, now) <= w.base_at:
        return quiet_handlers.louder(w, now, out)
    again = _made_up(w)
    if e.to_at - e.from_at <= SHORT_S * 1000:
        return _put_off(w, e, now, out, again=again)
    full_ms = w.profile.grace_s * 1000
    grace_at = now + full_ms
    if again:
        left_ms = w.grace_at - e.from_at
        # A whole grace or longer, and yet the grace ends behind it: it was made up for already, and
        # we are told twice (two engines came back at once).
        twice = w.grace_at > e.to_at and e.to_at - e.from_at >= full_ms
        if left_ms <= 0 or twice:
            return quiet_handlers.louder(w, now, out)
        grace_at = e.to_at + min(left_ms, full_ms)
    w = replace(w, grace_at=max(w.grace_at, grace_at))
    return quiet_handlers.ring_now(w, now, out, after_outage=True)


def _made_up(w: Watch) -> bool:
    """Whether an outage has already been compensated during the open ask. An ask about a deadline
    may itself have gone out a little late."""
    assert w.grace_at is not None
    assert w.base_at is not None
    late_ms = LATE_S * 1000 if quiet_handlers.for_deadline(w) else 0
    return w.grace_at - w.base_at > _time_to_answer_ms(w) + late_ms


def _time_to_answer_ms(w: Watch) -> int:
    return w.profile.grace_s * 1000


def _put_off(w: Watch, e: ev.ServiceWasDown, now: int, out: list[Effect], *, again: bool) -> Watch:
    """After a short outage the grace continues where it was, so the alarm is late by the length of
    the outage and no more. Reported twice (two engines came back at once), it counts once: a grace
    already extended ends after the outage did."""
    assert w.grace_at is not None
    assert w.base_at is not None
    if min([w.grace_at, *(at for at, _ in quiet_handlers.stages(w)[w.stage :])]) > e.to_at:
        return quiet_handlers.louder(w, now, out)
    grace_at = w.grace_at + e.to_at - max(e.from_at, w.base_at)
    # Time to catch up once: a service that crashes every few seconds must not put it off for ever.
    least_at = e.to_at + 1 if again else now + CATCH_UP_S * 1000
    w = replace(w, grace_at=max(grace_at, least_at))
    return quiet_handlers.ring_now(w, now, out, after_outage=True)


def owed_ms(w: Watch, away: Sequence[tuple[int, int]], now: int) -> int:
    """How much of the time to answer they did not have because we were ``away`` while nothing fell
    due, so that the watch was never told. Time that was already given back counts as had."""
    assert w.grace_at is not None
    assert w.base_at is not None
    asked_at = w.base_at if _made_up(w) else w.grace_at - _time_to_answer_ms(w)
    lost_ms, until_at = 0, asked_at
    for from_at, to_at in sorted(away):
        lost_ms += max(min(to_at, now) - max(from_at, until_at), 0)
        until_at = max(until_at, min(to_at, now))
    return min(w.profile.grace_s * 1000 - (now - asked_at - lost_ms), lost_ms)


def wait_longer(w: Watch, owed_ms: int, now: int, out: list[Effect]) -> Watch:
    """Ask once more, and give back the time they are owed."""
    return quiet_handlers.ring_now(replace(w, grace_at=now + owed_ms), now, out, after_outage=True)


# --- a clock set back -----------------------------------------------------------------------------


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
    first_at = min(
        (*changes["rechecks"], quiet_handlers.first_reminder_at(w, changes["deadline_at"]))
    )
    changes |= quiet_handlers.UNASKED | {"state": State.OPEN, "next_ask_at": max(first_at, now)}
    return replace(w, **changes)


def _asked(w: Watch, moved: Watch, now: int, out: list[Effect]) -> Watch:
    """A routine's open ask. If its deadline is in the future again, the ask is withdrawn."""
    assert w.deadline_at is not None
    assert w.base_at is not None
    assert w.grace_at is not None
    assert moved.grace_at is not None
    about = quiet_handlers.for_deadline(
        w
    )  # or after an outage that went over one, or a look after an alarm
    due_at = quiet_handlers.first_reminder_at(w, w.deadline_at) if about else w.deadline_at
    if due_at > now and w.base_at >= w.deadline_at:
        out.append(Withdraw(asks_only=True))
        changes = {"rechecks": moved.rechecks, "deadline_at": moved.deadline_at}
        return _reopened(moved, now, changes)
    if not about:
        return moved
    # About the deadline on the wall: the reminders that are still to come by the right time come
    # (again), and the time to answer is counted from it, or from when the ask went out late.
    came = sum(at <= now for at, _ in quiet_handlers.stages(w))
    return replace(
        moved,
        deadline_at=w.deadline_at,
        base_at=w.base_at,
        stage=min(w.stage, came),
        grace_at=max(w.base_at + w.profile.grace_s * 1000, moved.grace_at),
    )
