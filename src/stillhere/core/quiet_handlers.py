"""Asking: everything that happens to a watch while no alarm is open.

Owns when and how loudly a person is asked, and what a sign of life is worth. What an alarm does
stands in ``alarm_handlers.py``; which of these functions meets which event in which state stands in
the table of ``watch.py``, and nowhere else.

Handlers take the watch, the event and ``now`` (ms UTC), append effects to ``out`` and return the
next watch. A refused event returns the watch it was given.
"""

from __future__ import annotations

from typing import Any

from stillhere.core import events as ev
from stillhere.core import schedule
from stillhere.core.events import (
    AllWell,
    Ask,
    Effect,
    Event,
    Outcome,
    Refused,
    State,
    Way,
    Withdraw,
)
from stillhere.core.refusals import Refusal
from stillhere.core.watch_state import Watch, replace

LAST_ASK_S = 30  # an answer this close to the end is the last one
UNCLEAR_APART_S = 120  # unclear answers closer than this ring once
RING_AGAIN_S = 20  # a second call soon after the first: that one gets through "do not disturb"
KEPT_S = 5  # a check-in older than this was kept by the page while we could not be reached
LONGEST_S = 24 * 3600  # from the start or the last mark, however often more time is asked for
MORE_S = (60, 3600)  # bounds of one extension
LONGEST_PAUSE_S = 366 * 24 * 3600


# --- asking ---------------------------------------------------------------------------------------


def stages(w: Watch) -> tuple[tuple[int, Way], ...]:
    """The instants at which the open ask is sent, louder each time: counted from the ask, or to the
    deadline and a while after it."""
    assert w.base_at is not None
    ring = (w.base_at + w.profile.ring_s * 1000, Way.RING)
    if for_deadline(w):
        return (*((w.base_at - s * 1000, Way.NEXT) for s in w.profile.reminders_s), ring)
    shown = ((w.base_at, Way.SHOW), (w.base_at + w.profile.show_s * 1000, Way.NEXT), ring)
    again_s = w.profile.ring_s + RING_AGAIN_S
    if w.routine is None and again_s + RING_AGAIN_S <= w.profile.grace_s:
        return (*shown, (w.base_at + again_s * 1000, Way.RING))
    return shown


def for_deadline(w: Watch) -> bool:
    """Whether the open ask is the one about a routine's deadline."""
    return w.base_at == w.deadline_at  # neither is ever None where this is asked of an acute watch


def ask(
    w: Watch, base_at: int, now: int, out: list[Effect], *, after_outage: bool = False
) -> Watch:
    """Start a new ask. Its grace runs from now, however late the tick came."""
    w = replace(
        w,
        state=State.ASKING,
        asks=w.asks + 1,
        base_at=base_at,
        grace_at=max(base_at, now) + w.profile.grace_s * 1000,
        next_ask_at=None,
        rechecks=tuple(t for t in w.rechecks if t > now),
    )
    return louder(w, now, out, after_outage=after_outage)


def louder(w: Watch, now: int, out: list[Effect], *, after_outage: bool = False) -> Watch:
    """Send the stage of the open ask that is due; if several are due, only the loudest."""
    assert w.grace_at is not None
    due = [way for at, way in stages(w)[w.stage :] if at <= now]
    if not due:
        return w
    # A screen that showed a reminder an hour ago says nothing about the next one.
    if due[-1] is not Way.NEXT or not w.shown or for_deadline(w):
        out.append(Ask(w.asks, due[-1], w.grace_at, after_outage))
    return replace(w, stage=w.stage + len(due))


def ring_now(w: Watch, now: int, out: list[Effect], *, after_outage: bool = False) -> Watch:
    """Ring without waiting, once per ask; before a deadline the later reminders still follow."""
    assert w.grace_at is not None
    assert w.base_at is not None
    last = len(stages(w))
    if w.stage < last or after_outage:
        out.append(Ask(w.asks, Way.RING, w.grace_at, after_outage))
    return w if now < w.base_at else replace(w, stage=last)


def due(w: Watch, deadline_at: int) -> Watch:
    """Set a routine's next deadline, and the reminder that comes first."""
    return replace(w, deadline_at=deadline_at, next_ask_at=first_reminder_at(w, deadline_at))


def first_reminder_at(w: Watch, deadline_at: int) -> int:
    return deadline_at - w.profile.reminders_s[0] * 1000  # the earliest comes first


def _pace_ms(w: Watch, at: int) -> int:
    """The interval at which an acute watch asks at this moment."""
    if w.marked_at is None:
        return w.profile.unmarked_ask_s * 1000
    return w.profile.every_s((at - w.marked_at) // 1000) * 1000


# The fields of an open ask, as they are without one.
UNASKED: dict[str, Any] = {
    "base_at": None,
    "stage": 0,
    "shown": False,
    "grace_at": None,
}


def go_on(w: Watch, at: int, **changes: Any) -> Watch:
    """Back to ``OPEN`` after a sign of life made at ``at``, with the next ask set; closed if no ask
    is left. Rechecks that fell due meanwhile count as answered. ``changes`` to other fields are
    made in the same copy: every check-in takes this path, and copies are what it costs."""
    rechecks = tuple(t for t in w.rechecks if t > at)
    times = list(rechecks)
    if w.routine is not None:
        deadline_at = changes.get("deadline_at") or w.deadline_at
        assert deadline_at is not None
        if not (w.routine.once and deadline_at <= at):
            times.append(first_reminder_at(w, deadline_at))
    else:
        assert w.ends_at is not None
        if at < w.ends_at - LAST_ASK_S * 1000:
            times.append(min(at + _pace_ms(w, at), w.ends_at))
    if not times:
        return close(replace(w, **changes), Outcome.ENDED, at)
    next_ask_at = max(min(times), at)
    changes |= {"state": State.OPEN, "rechecks": rechecks, "next_ask_at": next_ask_at}
    return replace(w, **UNASKED, **changes)


def quiet(w: Watch) -> Watch:
    """No open ask, and none to come."""
    return replace(w, **UNASKED, next_ask_at=None, rechecks=())


def close(w: Watch, outcome: Outcome, now: int) -> Watch:
    """The watch is over: nothing is asked and nobody is called."""
    return replace(
        quiet(w),
        state=State.CLOSED,
        outcome=outcome,
        closed_at=now,
        alarm=None,
        ended_by=(),
        held=outcome in ev.GRAVE,
    )


# --- signs of life --------------------------------------------------------------------------------


def alive(w: Watch, at: int, now: int, out: list[Effect], **changes: Any) -> Watch:
    """A sign of life made at ``at`` while no alarm is open."""
    changes["seen_at"] = max(w.seen_at, at)
    if w.state is State.ASKING:
        if at < now and not _answers(w, at):
            return replace(w, **changes)
        out.append(Withdraw(asks_only=True))
    if w.ended_by:
        changes["ended_by"] = ()
    if w.routine is None:
        return go_on(w, at, **changes)
    if _does_for_deadline(w, at):
        changes["deadline_at"] = now if w.routine.once else _next_deadline(w, now)
        if w.routine.well:
            out.append(AllWell(at))
    return go_on(w, now, **changes)


def _answers(w: Watch, at: int) -> bool:
    """Whether a sign of life that the page kept since ``at`` answers the open ask. It does not if
    it would not have prevented the ask by arriving at once."""
    assert w.base_at is not None
    if w.routine is not None:
        return at >= w.base_at or _does_for_deadline(w, at)
    return at + _pace_ms(w, at) > w.base_at


def _does_for_deadline(w: Watch, at: int) -> bool:
    """Whether a sign of life made at ``at`` satisfies a routine's next deadline: within its window,
    or as an answer to a reminder. A check-in that is asked for only once is satisfied only by an
    answer."""
    assert w.routine is not None
    assert w.deadline_at is not None
    if w.routine.once:
        return at >= first_reminder_at(w, w.deadline_at)
    if schedule.counts_for(w.routine, w.deadline_at, at):
        return True
    return for_deadline(w) and at >= first_reminder_at(w, w.deadline_at)


def _next_deadline(w: Watch, now: int) -> int:
    assert w.routine is not None
    assert w.deadline_at is not None
    return schedule.next_deadline(w.routine, max(w.deadline_at, now))


def missed(w: Watch, now: int) -> Watch:
    """A routine's deadline that has passed is done with; the next one counts, if there is one."""
    if w.routine is None or w.routine.once:
        return w
    assert w.deadline_at is not None
    return w if w.deadline_at > now else replace(w, deadline_at=_next_deadline(w, now))


def still_here(w: Watch, e: ev.StillHere, now: int, out: list[Effect]) -> Watch:
    """A check-in counts from when it was made. One that was kept while a later one got through is
    out of date; one made now never is, even if the clock was set back."""
    made_at, seq = min(e.made_at, now), w.seq
    if e.seq is not None:
        if e.seq <= w.seq and made_at < now - KEPT_S * 1000:
            return w
        seq = max(w.seq, e.seq)
    if made_at < min(w.seen_at, now):
        return replace(w, seq=seq)
    return alive(w, made_at, now, out, seq=seq)


def longer(w: Watch, by_s: int, now: int) -> Watch:
    """Move the end of an acute watch, within bounds, and never closer."""
    if w.ends_at is None:
        return w
    by_s = min(max(by_s, MORE_S[0]), MORE_S[1])
    latest_at = max(w.marked_at or w.started_at, w.started_at) + LONGEST_S * 1000
    ends_at = min(max(w.ends_at, now) + by_s * 1000, latest_at)
    return replace(w, ends_at=max(ends_at, w.ends_at))


def more(w: Watch, e: ev.Extended, now: int, out: list[Effect]) -> Watch:
    return alive(longer(w, e.by_s, now), now, now, out)


def marked(w: Watch, now: int) -> Watch:
    """The profile's asks count from here. A routine has no mark."""
    if w.routine is not None:
        return w
    return replace(w, marked_at=now, ends_at=now + w.profile.ends_s * 1000)


def mark(w: Watch, e: ev.Marked, now: int, out: list[Effect]) -> Watch:
    """ "I've used", for the first time or again."""
    w = alive(marked(w, now), now, now, out)
    if w.routine is not None:
        return w
    first = now + w.profile.first_ask_s * 1000
    return replace(w, next_ask_at=min(first, *w.rechecks) if w.rechecks else first)


def rest(w: Watch, until_at: int, now: int) -> Watch | Refusal:
    """Pause a routine until then, or say why not."""
    if w.routine is None:
        return Refusal.NO_PAUSE
    if until_at > now + LONGEST_PAUSE_S * 1000:
        return Refusal.LONG_PAUSE
    routine = replace(w.routine, pause_until_at=max(until_at, 0))
    deadline_at = schedule.next_deadline(routine, now)
    assert w.deadline_at is not None
    if (w.routine.pause_until_at or 0) <= now:
        # Whoever answered for tonight and pauses only until later tonight is not asked again.
        deadline_at = max(deadline_at, w.deadline_at)
    return replace(w, routine=routine, deadline_at=deadline_at)


def pause(w: Watch, e: ev.Paused, now: int, out: list[Effect]) -> Watch:
    rested = rest(w, e.until_at, now)
    if isinstance(rested, Refusal):
        return refuse(w, out, rested)
    if w.state is State.ASKING:
        out.append(Withdraw(asks_only=True))
    return go_on(replace(rested, seen_at=max(w.seen_at, now), ended_by=()), now)


def end(w: Watch, e: ev.Ended, now: int, out: list[Effect]) -> Watch:
    out.append(Withdraw(asks_only=True))
    return close(replace(w, seen_at=max(w.seen_at, now)), Outcome.ENDED, now)


def shown(w: Watch, e: ev.Shown, now: int, out: list[Effect]) -> Watch:
    return replace(w, shown=True) if e.ask == w.asks else w


def unclear(w: Watch, e: ev.Unclear, now: int, out: list[Effect]) -> Watch:
    """Somebody touched the phone and we cannot tell what they mean: ask at once, by whatever rings.
    A routine is rung only while it asks anyway."""
    if w.routine is not None or not heeds_unclear(w, now):
        return w
    return _rung_for(ask(w, now, now, out), now, out)


def unclear_while_asked(w: Watch, e: ev.Unclear, now: int, out: list[Effect]) -> Watch:
    """Ring at once. It is no answer, and buys no time."""
    return _rung_for(w, now, out) if heeds_unclear(w, now) else w


def heeds_unclear(w: Watch, now: int) -> bool:
    """Whether something unclear is new: nothing was done about one just before."""
    return w.unclear_at is None or now >= w.unclear_at + UNCLEAR_APART_S * 1000


def _rung_for(w: Watch, now: int, out: list[Effect]) -> Watch:
    """Also where the open ask has rung before: somebody has the phone in their hand now."""
    assert w.grace_at is not None
    assert w.base_at is not None
    out.append(Ask(w.asks, Way.RING, w.grace_at))
    stage = w.stage if now < w.base_at else len(stages(w))
    return replace(w, stage=stage, unclear_at=now)


def own_phone_silent(
    w: Watch, e: ev.Undeliverable | ev.Unheard, now: int, out: list[Effect]
) -> Watch:
    """The quiet way to the person's own phone is dead or brought no answer: do not wait, ring. A
    reminder can wait."""
    assert w.base_at is not None
    return w if e.contact is not None or now < w.base_at else ring_now(w, now, out)


def dropped(w: Watch, e: ev.Dropped, now: int, out: list[Effect]) -> Watch:
    """Nobody says anything on the line any more: ask at once, by whatever rings. A routine has no
    line to stay on."""
    if w.routine is not None:
        return w
    return dropped_while_asked(ask(w, now, now, out), e, now, out)


def dropped_while_asked(w: Watch, e: ev.Dropped, now: int, out: list[Effect]) -> Watch:
    return w if w.routine is not None else ring_now(w, now, out)


# --- time -----------------------------------------------------------------------------------------


def ask_is_due(w: Watch, e: Event, now: int, out: list[Effect]) -> Watch:
    assert w.next_ask_at is not None
    if now < w.next_ask_at:
        return w
    owed = bool(w.rechecks) and min(w.rechecks) <= now
    if w.deadline_at is not None and not owed:
        return ask(w, w.deadline_at, now, out)
    return ask(w, now, now, out)


# --- what changes nothing -------------------------------------------------------------------------


def refuse(w: Watch, out: list[Effect], why: Refusal) -> Watch:
    out.append(Refused(why))
    return w


def ignore(w: Watch, e: Event, now: int, out: list[Effect]) -> Watch:
    """Listed in the table so that nothing is ignored by accident."""
    return w


def over(w: Watch, e: Event, now: int, out: list[Effect]) -> Watch:
    return refuse(w, out, Refusal.OVER)


def no_alarm(w: Watch, e: Event, now: int, out: list[Effect]) -> Watch:
    return refuse(w, out, Refusal.NO_ALARM)
