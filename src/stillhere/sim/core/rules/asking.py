"""Rules about asking: nobody is forgotten, nobody is alarmed unheard, silence raises the alarm."""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core.events import Ask, State, Way
from stillhere.sim.core.observer import Onlooker
from stillhere.sim.core.plan import OPENS_MS
from stillhere.sim.core.story import Moment

SHORT_MS = 30_000  # so long an absence only puts the time to answer off
SLACK_MS = 1_100  # two transactions may have read the clock so far apart
LATE_MS = 15_000  # an ask at a deadline that goes out this late is on time
UNCLEAR_APART_MS = 120_000
FURTHEST_ASK_MS = 600_000
LONGEST_REST_MS = 3_600_000  # the capped rate at which an exhausted ladder begins again
A_ROUTINE_MS = 9 * 86_400_000
TICKS_MOST = 4
KEPT_MS = 5_000


def what_is_over_stays_over(night: Onlooker, m: Moment) -> str | None:
    if m.was is State.CLOSED and (m.after != m.before or (m.effects and not m.refused)):
        return f"{m.event} moved a watch that was over"
    return None


def what_is_refused_changes_nothing(night: Onlooker, m: Moment) -> str | None:
    if m.refused and (len(m.effects) > 1 or m.after != m.before):
        return f"{m.event} was refused, and did something"
    return None


def there_is_always_a_next_look(night: Onlooker, m: Moment) -> str | None:
    state, wake_at = m.after.state, m.wake_at
    if wake_at is None:
        return None if state is State.CLOSED else f"a watch that is {state} has no timer"
    if state is State.CLOSED:
        return f"a watch that is over will be looked at {wake_at}"
    if night.acute or state in (State.ALARM, State.CLAIMED, State.ATTENDED):
        quiet = state in (State.OPEN, State.ASKING)
        most_ms = FURTHEST_ASK_MS if quiet else LONGEST_REST_MS
    else:
        most_ms = 400 * A_ROUTINE_MS if night.paused else A_ROUTINE_MS
    if wake_at > m.now + most_ms + SLACK_MS:
        return f"a watch that is {state} will not be looked at for {wake_at - m.now} ms"
    return None


def a_tick_before_its_time_changes_nothing(night: Onlooker, m: Moment) -> str | None:
    if not isinstance(m.event, ev.TimePassed) or m.due_at is None or m.due_at <= m.now:
        return None
    if m.effects or m.after != m.before:
        return f"the timer was {m.due_at}, the tick came at {m.now}"
    return None


def a_tick_in_time_moves_on(night: Onlooker, m: Moment) -> str | None:
    if night.ticks_here > TICKS_MOST:
        return f"{night.ticks_here} ticks at {m.now}, and the timer is still {m.wake_at}"
    return None


def no_sign_of_life_is_taken_back(night: Onlooker, m: Moment) -> str | None:
    if m.after.seen_at < m.before.seen_at or m.after.seq < m.before.seq:
        return f"seen at {m.before.seen_at}, and then at {m.after.seen_at}"
    return None


def no_acknowledged_check_in_is_forgotten(night: Onlooker, m: Moment) -> str | None:
    if m.after.seen_at < night.alive_at:
        return f"alive at {night.alive_at}, seen at {m.after.seen_at}"
    return None


def a_watch_closes_only_by_a_word(night: Onlooker, m: Moment) -> str | None:
    if m.after.state is not State.CLOSED or m.was is State.CLOSED:
        return None
    if m.before.alarm is not None:
        fits = isinstance(m.event, ev.Resolved) and m.after.outcome == m.event.outcome
        return None if fits else f"{m.event} closed a watch in an alarm as {m.after.outcome}"
    if m.taken and m.after.outcome is ev.Outcome.ENDED:
        return None
    return f"{m.event} closed the watch as {m.after.outcome}"


# --- an open ask ----------------------------------------------------------------------------------


def an_ask_ends_only_by_a_sign_of_life(night: Onlooker, m: Moment) -> str | None:
    if m.was is State.ASKING and m.after.state is not State.ASKING and not m.taken:
        return f"{m.event} ended an ask"
    return None


def an_answer_ends_the_ask(night: Onlooker, m: Moment) -> str | None:
    if m.was is State.ASKING and m.after.state is State.ASKING and m.taken:
        fresh = not isinstance(m.event, ev.StillHere) or m.event.made_at >= m.now
        if fresh and m.now >= night.checked_at:
            return f"{m.event} came in time, and the ask is still open"
    return None


def a_kept_check_in_answers_only_what_it_could_have_prevented(
    night: Onlooker, m: Moment
) -> str | None:
    """A drawer full of old taps must not put the alarm off."""
    if m.was is not State.ASKING or m.after.state is State.ASKING or not night.acute:
        return None
    if not isinstance(m.event, ev.StillHere) or m.made_at >= m.now or m.asked_at is None:
        return None
    if m.made_at + night.pace_ms(m.made_at) <= m.asked_at:
        return f"asked at {m.asked_at}, a tap of {m.made_at} was taken for the answer"
    return None


def what_is_unclear_is_never_a_check_in(night: Onlooker, m: Moment) -> str | None:
    if not isinstance(m.event, ev.Unclear | ev.Shown):
        return None
    if m.after.seen_at != m.before.seen_at or m.after.state is not State.ASKING:
        return f"{m.event} was taken for a sign of life"
    return None


def what_is_unclear_rings_at_once_and_buys_no_time(night: Onlooker, m: Moment) -> str | None:
    """While an acute watch runs, and while a routine asks; twice within two minutes it rings
    once."""
    if not isinstance(m.event, ev.Unclear) or m.before.alarm is not None:
        return None
    if m.was is State.ASKING and m.after.grace_at != m.before.grace_at:
        return f"it bought {m.after.grace_at} instead of {m.before.grace_at}"
    heard = m.was is State.ASKING or (m.was is State.OPEN and night.acute)
    anew = m.unclear_at is None or m.now >= m.unclear_at + UNCLEAR_APART_MS
    rang = any(isinstance(e, Ask) and e.way is Way.RING for e in m.effects)
    if rang != (heard and anew):
        return f"it rang: {rang}, and the last was at {m.unclear_at}"
    return None


def silence_raises_the_alarm_as_soon_as_the_time_to_answer_is_over(
    night: Onlooker, m: Moment
) -> str | None:
    """While an ask is open the next look may not lie beyond the end of the time to answer."""
    if m.after.state is not State.ASKING or night.asked_at is None or m.wake_at is None:
        return None
    from_at = night.asked_at
    if not night.acute and night.plan.deadline_at is not None:
        if night.story is not None or night.paused or night.deadline_seen_at:
            return None
        from_at = max(from_at, night.plan.deadline_at)
    ends_at = from_at + night.grace_ms
    for away_at, back_at, heard_at in night.outages:
        ends_at = max(ends_at + max(back_at - max(away_at, from_at), 0), heard_at + night.grace_ms)
    if m.wake_at > ends_at + SLACK_MS:
        return f"the time to answer ends at {ends_at}, the next look is at {m.wake_at}"
    return None


# --- between asks ---------------------------------------------------------------------------------


def asks_are_never_further_apart_than_the_profile_says(night: Onlooker, m: Moment) -> str | None:
    if m.after.state is not State.OPEN or night.next_by is None or m.wake_at is None:
        return None
    if m.wake_at > night.next_by + SLACK_MS:
        return f"asked again at {m.wake_at} instead of {night.next_by}"
    return None


def a_deadline_is_never_let_pass(night: Onlooker, m: Moment) -> str | None:
    """The first evening of a routine: nobody heard of Sam, and it is past the time."""
    at = night.plan.deadline_at
    if m.after.state is not State.OPEN or at is None or m.wake_at is None:
        return None
    if night.paused or night.story is not None or night.deadline_seen_at or m.wake_at <= at:
        return None
    return f"due at {at}, and the next look is at {m.wake_at}"


def after_an_outage_people_are_asked_first(night: Onlooker, m: Moment) -> str | None:
    if not isinstance(m.event, ev.ServiceWasDown) or not night.acute:
        return None
    asks = [e for e in m.effects if isinstance(e, Ask)]
    if m.was is State.OPEN and not any(e.after_outage for e in asks):
        return f"nobody was asked after {m.event}"
    return None


# --- raising --------------------------------------------------------------------------------------


def nobody_is_alarmed_over_a_check_in_we_had(night: Onlooker, m: Moment) -> str | None:
    if isinstance(m.event, ev.NeedHelp) or m.asked_at is None:
        return None
    if night.acute:
        if night.checked_at >= max(m.asked_at, night.known_at + 1):
            return f"asked at {m.asked_at}, alive at {night.checked_at}"
        return None
    at, alarms = night.plan.deadline_at, m.after.alarms
    once = night.plan.routine is not None and night.plan.routine.once
    if at is None or once or night.paused or alarms > 1 or night.deadline_seen_at < at - OPENS_MS:
        return None
    return f"due at {at}, alive at {night.deadline_seen_at}"


def nobody_is_alarmed_without_the_full_time_to_answer(night: Onlooker, m: Moment) -> str | None:
    """Nor for our own silence: after an outage the full time begins again, once; after a short
    one it goes on, without the time in which we could not hear."""
    if isinstance(m.event, ev.NeedHelp) or m.asked_at is None:
        return None
    from_at, at = m.asked_at, night.plan.deadline_at
    if at is not None and m.after.alarms == 1 and from_at < at and not night.paused:
        from_at = at
    return had_the_full_time(night, m, from_at, at)


def had_the_full_time(
    night: Onlooker, m: Moment, from_at: int, due_at: int | None = None
) -> str | None:
    """Whether somebody who is alarmed about had the time to answer, counted from then. An ask about
    ``due_at`` that went out up to a quarter minute late counts from there once an outage was made
    up for: the watch remembers no other instant."""
    outages = _outages(night, m, from_at)
    if due_at is not None and len(outages) > 1 and 0 < from_at - due_at <= LATE_MS:
        from_at = due_at
    had_ms = m.now - from_at
    had_ms -= sum(max(to_at - max(away_at, from_at), 0) for away_at, to_at in night.away)
    if len(outages) == 1 and outages[0][1] - outages[0][0] > SHORT_MS:
        had_ms = min(had_ms, m.now - outages[0][2])
    if had_ms < night.grace_ms - SLACK_MS:
        return f"asked at {from_at}, {had_ms} ms to answer instead of {night.grace_ms}"
    return None


def _outages(night: Onlooker, m: Moment, from_at: int) -> list[tuple[int, int, int]]:
    """Those that took something of the time to answer."""
    return [o for o in m.outages if o[1] > from_at]


def the_phone_rings_before_the_alarm(night: Onlooker, m: Moment) -> str | None:
    """Or together with it, where a tick came too late for the ring alone."""
    p = night.plan.profile
    together = any(isinstance(e, Ask) and e.way is Way.RING for e in m.effects)
    if isinstance(m.event, ev.NeedHelp) or night.rang or together:
        return None
    if p.ring_s * 1000 + night.late_ms < night.grace_ms:
        return f"asked at {m.asked_at}, and the phone never rang"
    return None
