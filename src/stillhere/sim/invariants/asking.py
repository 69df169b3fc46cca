"""Rules about asking: nobody is forgotten, nobody is alarmed unheard, silence raises the alarm."""

from __future__ import annotations

from collections.abc import Iterator

from stillhere.core.events import Cause, State
from stillhere.sim.whole.evidence import OUTAGE_MS, Evidence, ObservedChange

SLACK_MS = 1_500  # what a tick, a lease and a restart of a round may take together
LONGEST_REST_MS = 3_600_000  # the capped rate at which an exhausted ladder begins again
AGAIN_MS = 60_000


def no_sign_of_life_is_taken_back(night: Evidence, change: ObservedChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is not None and (after.seen_at < before.seen_at or after.seq < before.seq):
        yield f"watch {after.id} was seen at {before.seen_at}, and then at {after.seen_at}"


def what_is_over_stays_over(night: Evidence, change: ObservedChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is not None and before.state is State.CLOSED and before.outcome != after.outcome:
        yield f"watch {after.id} ended as {before.outcome}, and then as {after.outcome}"


def no_watch_is_quarantined(night: Evidence, change: ObservedChange) -> Iterator[str]:
    if night.quarantined:
        yield f"our own code could not step watch {min(night.quarantined)}"


def an_ask_ends_only_by_a_sign_of_life(night: Evidence, change: ObservedChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or before.state is not State.ASKING or after.state is State.ASKING:
        return
    if after.alarm is None and not any(a.is_life for a in change.attempts):
        yield f"watch {after.id} went from asking to {after.state} though nobody had answered"


def nobody_is_alarmed_over_a_check_in_we_had(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    before, after = change.before, change.after
    if not _raised_by_silence(change) or before is None or before.base_at is None:
        return
    asked_at = before.base_at
    if before.routine is not None and before.base_at == before.deadline_at:
        asked_at -= before.routine.opens_s * 1000
    if change.checked_at >= max(asked_at, change.known_at + 1):
        yield f"watch {after.id}: asked at {before.base_at}, alive at {change.checked_at}"


def nobody_is_alarmed_without_the_full_time_to_answer(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    """Nor for our own silence: if we were away when the time was up, only time in which we could
    have heard them counts."""
    before, asked_t = change.before, change.asked_t
    if not _raised_by_silence(change) or before is None or asked_t is None:
        return
    grace_ms = before.profile.grace_s * 1000
    forward_ms = sum(by for t, by in night.moves if t >= asked_t and by > 0)
    if before.routine is not None and before.base_at is not None:
        asked_t += max(before.base_at - change.asked_at, 0)  # a reminder is not yet the question
    had_ms = night.t - asked_t + forward_ms
    if night.out_at(asked_t + grace_ms):
        had_ms = night.up_ms(asked_t, night.t, OUTAGE_MS) + forward_ms
    if had_ms < grace_ms - SLACK_MS:
        yield f"watch {before.id} had {had_ms} ms to answer instead of {grace_ms}"


def nobody_is_alarmed_while_the_web_is_silent(
    night: Evidence, change: ObservedChange
) -> Iterator[str]:
    """Whoever pressed in vain has time to press again. Not judged where we were away, or the clock
    was set, since they were asked: then more than the silence was made up for."""
    asked_t = change.asked_t
    if not _raised_by_silence(change) or asked_t is None:
        return
    for silence in night.troubles.silences:
        since_t = min(asked_t, silence.from_t)
        if silence.told_t is None or night.restarts_since(since_t) or night.moved_since(since_t):
            continue
        if silence.told_t + SLACK_MS <= night.t < silence.until_t - SLACK_MS:
            yield f"watch {change.after.id}: nobody is heard since {silence.from_t}"


def _raised_by_silence(change: ObservedChange) -> bool:
    was = change.before.alarm if change.before is not None else None
    now = change.after.alarm
    return was is None and now is not None and now.cause is Cause.SILENCE


def no_acknowledged_check_in_is_forgotten(night: Evidence) -> Iterator[str]:
    for kept in night.watches.values():
        if kept.watch.seen_at < kept.alive_at - SLACK_MS:  # the same tap twice may look younger
            yield f"watch {kept.id} was seen at {kept.watch.seen_at}, not at {kept.alive_at}"


def every_open_watch_is_looked_at_in_time(night: Evidence) -> Iterator[str]:
    for id, wake_at in night.storage.look("SELECT id, wake_at FROM watch WHERE state <> 'closed'"):
        if id in night.troubles.damaged:
            continue
        kept = night.watches[id]
        if wake_at is None or max(wake_at, kept.changed_at) < night.now - SLACK_MS:
            yield f"watch {id} was to be looked at {wake_at} and it is {night.now}"
        elif wake_at > night.now + LONGEST_REST_MS and kept.watch.routine is None:
            yield f"watch {id} will not be looked at before {wake_at}"


def silence_raises_the_alarm_as_soon_as_the_time_to_answer_is_over(
    night: Evidence,
) -> Iterator[str]:
    for kept in night.watches.values():
        w = kept.watch
        if w.state is not State.ASKING or kept.asked_t is None:
            continue
        assert w.base_at is not None
        grace_ms = w.profile.grace_s * 1000 + max(w.base_at - kept.asked_at, 0)
        if night.restarts_since(kept.asked_t) or night.moved_since(kept.asked_t):
            grace_ms += AGAIN_MS + w.profile.grace_s * 1000
        grace_ms += night.troubles.put_off_ms(kept.asked_t, night.t)
        waited_ms = night.up_ms(kept.asked_t, night.t)
        if waited_ms > grace_ms + 2 * SLACK_MS:
            yield f"watch {w.id} was asked {waited_ms} ms ago, and no alarm was raised"
