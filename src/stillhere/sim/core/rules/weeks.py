"""Rules that hold over weeks: no day of a routine is forgotten, put off or asked about twice."""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core.events import Ask, State
from stillhere.sim.core.days import TROUBLE_MS
from stillhere.sim.core.observer import SLIP_MS, Onlooker
from stillhere.sim.core.rules.asking import SLACK_MS, had_the_full_time
from stillhere.sim.core.story import Moment


def no_deadline_is_let_pass(night: Onlooker, m: Moment) -> str | None:
    """Neither is the next look put off behind the first reminder of the day, nor does a day end
    that nobody answered and nobody was alarmed about."""
    days = night.days
    if days is None or m.after.state is not State.OPEN or m.looks_now or m.wake_at is None:
        return None
    due_at = days.open()
    if due_at is None:
        return None
    first_at = max(due_at - days.reminders_ms[0], m.now)
    if m.wake_at > first_at + SLACK_MS:
        return f"due at {due_at}, and the next look is at {m.wake_at}, not at {first_at}"
    return None


def a_day_is_asked_about_once(night: Onlooker, m: Moment) -> str | None:
    """Whoever answered in time, rests, or was alarmed about hears nothing more of that day."""
    days = night.days
    if days is None or m.was is not State.OPEN or m.after.state is not State.ASKING:
        return None
    due_at = days.about
    if due_at is not None and m.now >= due_at - days.reminders_ms[0] - SLIP_MS:
        return None
    owed = any(at <= m.now + SLIP_MS for at in days.owed)
    if owed or isinstance(m.event, ev.ServiceWasDown):
        return None
    return f"asked at {m.now}, and the next is due at {due_at}"


def every_reminder_of_a_day_goes_out(night: Onlooker, m: Moment) -> str | None:
    """At each of its times, and then the ring, until an answer or the alarm. It rings at once where
    something unclear was said: that is the ring."""
    days = night.days
    if days is None:
        return None
    for due_at in days.settled:
        if _troubled(night, due_at, m):
            continue
        for before_ms in days.stages_ms:
            at = due_at - before_ms
            if at < days.begins_at or at + night.late_ms >= m.now:
                continue
            last_at = at + night.late_ms
            rung = before_ms < 0 and days.rang(due_at, last_at)
            if not rung and not days.was_asked(at - SLACK_MS, last_at):
                return f"due at {due_at}, and nothing was asked at {at}"
    return None


def _troubled(night: Onlooker, due_at: int, m: Moment) -> bool:
    """Whether anything but the day's own course came to this deadline: an alarm from before, a
    rest, our own absence."""
    days = night.days
    assert days is not None
    from_at = due_at - days.reminders_ms[0] - TROUBLE_MS
    before = days.troubles[:-1] if m.raised else days.troubles
    return bool(before and before[-1] >= from_at) or any(to >= from_at for _, to in night.away)


def silence_on_a_day_raises_the_alarm_in_time(night: Onlooker, m: Moment) -> str | None:
    """While an ask is open the next look may not lie beyond the end of the time to answer, by the
    clock on the wall."""
    days = night.days
    if days is None or m.after.state is not State.ASKING or m.wake_at is None:
        return None
    from_at = _asked_from(night, days.open(), night.asked_at)
    ends_at = from_at + night.grace_ms
    for away_at, back_at, heard_at in night.outages:
        ends_at = max(ends_at + max(back_at - max(away_at, from_at), 0), heard_at + night.grace_ms)
    if m.wake_at > ends_at + SLACK_MS:
        return f"the time to answer ends at {ends_at}, the next look is at {m.wake_at}"
    return None


def nobody_is_alarmed_before_their_day_is_over(night: Onlooker, m: Moment) -> str | None:
    """Nor without having been asked, nor without the full time to answer after the time they
    chose."""
    days = night.days
    if days is None or isinstance(m.event, ev.NeedHelp):
        return None
    if m.asked_at is None:
        return "alarmed, and nobody was asked"
    if not days.was_asked(m.asked_at, m.now - 1) and not any(isinstance(e, Ask) for e in m.effects):
        return "alarmed, and no ask had left"
    return had_the_full_time(night, m, _asked_from(night, days.about, m.asked_at), days.about)


def _asked_from(night: Onlooker, due_at: int | None, asked_at: int | None) -> int:
    """When the time to answer begins: with the ask, or with the time that was chosen."""
    days = night.days
    assert days is not None
    assert asked_at is not None
    mine = due_at is not None and asked_at >= due_at - days.reminders_ms[0] - SLIP_MS
    return max(asked_at, due_at) if mine and due_at is not None else asked_at
