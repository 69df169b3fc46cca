"""Outages of our own while somebody is being asked: they are asked first, and they get their full
time to answer.

Owns what an outage gives back to an open ask: either when the outage ends (``ServiceWasDown``) or,
if nothing fell due during it, when the time to answer is up (``owed_ms``). What an outage means for
an open alarm is in ``alarm_handlers.py``. Arguments as in ``quiet_handlers.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stillhere.core import events as ev
from stillhere.core import quiet_handlers
from stillhere.core.circle import Circle
from stillhere.core.events import Effect, State
from stillhere.core.watch_state import Watch

LATE_S = 15  # an ask later than this was late because we were away
SHORT_S = 30  # away no longer than a database takes to move to another machine
CATCH_UP_S = 5  # what a page needs to hand over what was pressed meanwhile


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
    w = replace(w, grace_at=max(w.grace_at, grace_at), unclear=False)
    return quiet_handlers.ring_now(w, now, out, after_outage=True)


def _made_up(w: Watch) -> bool:
    """Whether an outage has already been compensated during the open ask. An ask about a deadline
    may itself have gone out a little late."""
    assert w.grace_at is not None
    assert w.base_at is not None
    late_ms = LATE_S * 1000 if quiet_handlers.for_deadline(w) else 0
    return w.grace_at - w.base_at > _time_to_answer_ms(w) + late_ms


def _time_to_answer_ms(w: Watch) -> int:
    return (w.profile.grace_s + (quiet_handlers.UNCLEAR_S if w.unclear else 0)) * 1000


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
