"""Rules about weeks: no day of a routine is forgotten, put off, or asked about after an answer."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.core import events as ev
from stillhere.core.events import Cause
from stillhere.sim.invariants.asking import AGAIN_MS, SLACK_MS
from stillhere.sim.whole.evidence import Attempt, DailyEvidence, Evidence, Story
from stillhere.store.watches.apply import CallForHelp

HOUR_MS = 3_600_000
ASK_WORDS = ("ask", "ask-ring")


def every_day_is_answered_or_alarmed_in_time(night: Evidence) -> Iterator[str]:
    """By the clock on the wall. While we were away nobody could answer: then the full time begins
    when we are back."""
    for watch, daily in night.dailies.items():
        for due_t in _judged(night, watch, daily):
            until_t = _until(night, daily, due_t)
            answered = any(
                _t(night, a.made_at) >= due_t - daily.opens_ms - SLACK_MS
                and _t(night, a.now) <= until_t
                for a in _lives(night, watch)
            )
            alarmed = any(
                s.raised_t <= until_t and (s.ended_t is None or s.ended_t >= due_t)
                for s in _stories(night, watch)
            )
            if until_t < night.t and not answered and not alarmed:
                yield f"watch {watch} was due at {due_t}, and by {until_t} nothing had come of it"


def every_reminder_of_a_day_goes_out(night: Evidence) -> Iterator[str]:
    for watch, daily in night.dailies.items():
        asked, begun_t = _asked(night, watch), _t(night, night.watches[watch].watch.started_at)
        for due_t in _judged(night, watch, daily):
            from_t = due_t - daily.reminders_ms[0]
            early = any(
                _t(night, a.now) >= due_t - daily.opens_ms - SLACK_MS
                and _t(night, a.made_at) <= due_t + SLACK_MS
                for a in _lives(night, watch)
            )
            if not _has_a_way(night, daily) or early or _troubled(night, watch, from_t, due_t):
                continue
            for before_ms in daily.reminders_ms:
                at = due_t - before_ms
                if begun_t <= at < night.t and not any(abs(t - at) <= 2 * SLACK_MS for t in asked):
                    yield f"watch {watch} was due at {due_t}, and nothing was asked at {at}"


def whoever_answered_early_is_not_asked_that_day(night: Evidence) -> Iterator[str]:
    for watch, daily in night.dailies.items():
        asked = _asked(night, watch)
        for due_t in _judged(night, watch, daily):
            from_t = due_t - daily.reminders_ms[0]
            early = any(
                a.answered and not a.old_news and not a.in_alarm
                and due_t - daily.opens_ms < _t(night, a.made_at)
                and _t(night, a.now) < from_t - SLACK_MS
                for a in _lives(night, watch)
            )  # fmt: skip
            again = [t for t in asked if from_t - SLACK_MS <= t <= due_t + daily.grace_ms]
            if early and again and not _troubled(night, watch, due_t - daily.opens_ms, due_t):
                yield f"watch {watch} was answered before {due_t}, and asked at {again}"


def nobody_is_alarmed_without_having_been_asked(night: Evidence) -> Iterator[str]:
    """Where there was a way to ask them."""
    for story in night.stories.values():
        daily = night.dailies.get(story.watch)
        if story.cause is not Cause.SILENCE or daily is None or not _has_a_way(night, daily):
            continue
        from_t = story.raised_t - daily.reminders_ms[0] - daily.grace_ms - HOUR_MS
        from_t -= sum(to - at for at, to in night.gaps() if to >= from_t and at <= story.raised_t)
        if not any(from_t <= t <= story.raised_t for t in _asked(night, story.watch)):
            yield f"watch {story.watch} was alarmed about at {story.raised_t}, and never asked"


# --- what happened to a day -----------------------------------------------------------------------


def _t(night: Evidence, at: int) -> int:
    return at - night.begins_at


def _lives(night: Evidence, watch: int) -> list[Attempt]:
    """Its check-ins. A rest and a call for help are none."""
    mine = (a for a in night.attempts if a.watch == watch and a.is_life)
    return [a for a in mine if not isinstance(a.what, CallForHelp | ev.Paused)]


def _has_a_way(night: Evidence, daily: DailyEvidence) -> bool:
    """Whether there is still a phone of theirs to ask on: some die meanwhile."""
    sql = "SELECT 1 FROM address WHERE person_id = ? AND state = 'ok'"
    return bool(night.storage.look(sql, daily.person))


def _stories(night: Evidence, watch: int) -> list[Story]:
    return [s for s in night.stories.values() if s.watch == watch]


def _asked(night: Evidence, watch: int) -> list[int]:
    mine = (m for m in night.mails.values() if m.watch == watch and m.word in ASK_WORDS)
    return [_t(night, m.created_at) for m in mine]


def _judged(night: Evidence, watch: int, daily: DailyEvidence) -> list[int]:
    """The deadlines while it was open, without those of a rest."""
    rests = [
        (_t(night, a.now) - HOUR_MS, max(_t(night, a.what.until_at), _t(night, a.now) + HOUR_MS))
        for a in night.attempts
        if a.watch == watch and isinstance(a.what, ev.Paused)
    ]
    closed_at = night.watches[watch].watch.closed_at
    over_t = night.t if closed_at is None else min(_t(night, closed_at), night.t)
    last_t = over_t - 2 * daily.grace_ms
    open_t = [t for t in daily.due if t < last_t]
    if not rests:
        return open_t
    from_t, to_t = min(at for at, _ in rests), max(to for _, to in rests)
    return [t for t in open_t if not from_t - daily.grace_ms <= t <= to_t]


def _until(night: Evidence, daily: DailyEvidence, due_t: int) -> int:
    """When at the latest an alarm has to be raised about a day nobody answered."""
    until_t = due_t + daily.grace_ms + AGAIN_MS + 2 * SLACK_MS
    for from_t, to_t in night.gaps():
        if from_t <= until_t and to_t >= due_t - daily.reminders_ms[0]:
            back_t = to_t + daily.grace_ms + 2 * SLACK_MS
            until_t = max(until_t + max(to_t - max(from_t, due_t), 0), back_t)
    return until_t + night.troubles.put_off_ms(due_t - daily.reminders_ms[0], until_t)


def _troubled(night: Evidence, watch: int, from_t: int, due_t: int) -> bool:
    """Whether anything but the day's own course came to it: our absence, or an alarm from before
    and what is asked after it."""
    since_t, until_t = from_t - HOUR_MS, due_t + HOUR_MS
    away = any(at <= until_t and to >= since_t for at, to in night.gaps())
    return away or any(
        s.raised_t <= due_t and (s.ended_t is None or s.ended_t >= since_t)
        for s in _stories(night, watch)
    )
