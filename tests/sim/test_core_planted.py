"""Bugs planted in the core, and the rule of the core nights that has to find each.

A simulator that finds nothing proves nothing. Every one of these has been made by somebody, or
nearly: a comparison turned round, a timer set from the wrong instant, somebody left out of a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stillhere.core import alarm, alarm_handlers, ladder, lost_time, quiet_handlers, schedule
from stillhere.core import events as ev
from stillhere.core.events import Effect, State, Tell, Urgency, Word
from stillhere.core.watch import TABLE
from stillhere.core.watch_state import Watch
from stillhere.sim.core import nights
from stillhere.sim.verdict import Verdict

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]
MOST_NIGHTS = 3_000


def a_check_in_is_acknowledged_and_not_counted(patch: pytest.MonkeyPatch) -> None:
    def still_here(w: Watch, e: ev.StillHere, now: int, out: list[Effect]) -> Watch:
        return quiet_handlers.still_here(w, e, now, out) if now % 5 else w

    patch.setitem(TABLE, (State.OPEN, ev.StillHere), still_here)


def an_unclear_answer_is_taken_for_a_check_in(patch: pytest.MonkeyPatch) -> None:
    def unclear(w: Watch, e: ev.Unclear, now: int, out: list[Effect]) -> Watch:
        return quiet_handlers.alive(w, now, now, out)

    patch.setitem(TABLE, (State.ASKING, ev.Unclear), unclear)


def something_unclear_between_asks_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(TABLE, (State.OPEN, ev.Unclear), quiet_handlers.ignore)


def an_unclear_answer_buys_a_minute(patch: pytest.MonkeyPatch) -> None:
    def unclear(w: Watch, e: ev.Unclear, now: int, out: list[Effect]) -> Watch:
        assert w.grace_at is not None
        w = replace(w, grace_at=w.grace_at + 60_000)
        return quiet_handlers.unclear_while_asked(w, e, now, out)

    patch.setitem(TABLE, (State.ASKING, ev.Unclear), unclear)


def a_screen_that_lights_up_answers_the_ask(patch: pytest.MonkeyPatch) -> None:
    def shown(w: Watch, e: ev.Shown, now: int, out: list[Effect]) -> Watch:
        return quiet_handlers.go_on(w, now)

    patch.setitem(TABLE, (State.ASKING, ev.Shown), shown)


def kept_check_ins_answer_every_ask(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(quiet_handlers, "_answers", lambda w, at: True)


def asks_go_on_at_the_last_pace(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(quiet_handlers, "_pace_ms", lambda w, at: 600_000)


def a_second_mark_does_not_count(patch: pytest.MonkeyPatch) -> None:
    def mark(w: Watch, e: ev.Marked, now: int, out: list[Effect]) -> Watch:
        return replace(quiet_handlers.mark(w, e, now, out), next_ask_at=now + 600_000)

    for state in (State.OPEN, State.ASKING):
        patch.setitem(TABLE, (state, ev.Marked), mark)


def an_outage_takes_the_time_to_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(
        TABLE,
        (State.ASKING, ev.ServiceWasDown),
        lambda w, e, now, out: quiet_handlers.louder(w, now, out),
    )


def what_went_out_late_has_less_time_after_an_outage(patch: pytest.MonkeyPatch) -> None:
    """As the core once did, for what is asked only once."""
    patch.setattr(lost_time, "LATE_S", 0)


def every_outage_begins_the_time_to_answer_again(patch: pytest.MonkeyPatch) -> None:
    """The alarm is put off for ever."""

    def again(w: Watch, e: ev.ServiceWasDown, now: int, out: list[Effect]) -> Watch:
        return replace(w, grace_at=now + 10 * w.profile.grace_s * 1000)

    patch.setattr(lost_time, "_asked_again", again)


def an_alarm_loses_its_timer_when_somebody_says_no(patch: pytest.MonkeyPatch) -> None:
    real = ladder.drop

    def drop(a: alarm.Alarm, contact: int, now: int, out: list[Effect]) -> alarm.Alarm:
        after = real(a, contact, now, out)
        return replace(after, next_rung_at=a.next_rung_at)

    patch.setattr(ladder, "drop", drop)


def a_claim_holds_twice_as_long_as_it_says(patch: pytest.MonkeyPatch) -> None:
    real = ladder.claim

    def claim(
        a: alarm.Alarm, who: int, eta_s: int | None, now: int, out: Any, *, holds: bool
    ) -> alarm.Alarm:
        near = eta_s is not None and eta_s <= 150
        return real(a, who, eta_s * 2 if near and eta_s else eta_s, now, out, holds=holds)

    patch.setattr(ladder, "claim", claim)


def all_holds_together_may_last_an_hour(patch: pytest.MonkeyPatch) -> None:
    for module in (alarm, ladder):
        patch.setattr(module, "ALL_HOLDS_S", 3_600)


def whoever_is_there_is_never_looked_in_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "ATTENDED_S", 3_000)


def every_rung_is_rung_at_once(patch: pytest.MonkeyPatch) -> None:
    real = ladder.climb

    def climb(a: alarm.Alarm, now: int, out: list[Effect]) -> alarm.Alarm:
        after = real(a, now, out)
        return after if after.round > a.round else replace(after, next_rung_at=now + 1_000)

    patch.setattr(ladder, "climb", climb)


def the_rungs_are_twice_as_far_apart(patch: pytest.MonkeyPatch) -> None:
    real = alarm.begin

    def begin(*facts: Any) -> alarm.Alarm:
        slow = real(*facts)
        return replace(slow, rung_s=slow.rung_s * 2)

    patch.setattr(alarm_handlers, "begin", begin)


def nobody_is_told_to_call_an_ambulance(patch: pytest.MonkeyPatch) -> None:
    def ambulance(a: alarm.Alarm, now: int, out: list[Effect]) -> alarm.Alarm:
        return replace(a, ambulance_at=None, ambulance_told=True)

    patch.setattr(ladder, "ambulance", ambulance)


def whoever_comes_late_is_not_told_of_the_ambulance(patch: pytest.MonkeyPatch) -> None:
    def join(a: alarm.Alarm, contact: int, out: list[Effect]) -> alarm.Alarm:
        return a if contact in a.told else replace(a, told=(*a.told, contact))

    patch.setattr(ladder, "_join", join)


def a_no_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    def opt_out(a: alarm.Alarm, contact: int, now: int, out: list[Effect]) -> alarm.Alarm:
        return ladder.drop(a, contact, now, out)

    patch.setattr(ladder, "opt_out", opt_out)


def only_the_first_hears_that_it_is_over(patch: pytest.MonkeyPatch) -> None:
    def stand_down(a: alarm.Alarm, at: int, out: list[Effect], *more: Any) -> None:
        ladder.tell(a, a.listeners()[:1], Word.STAND_DOWN, at, out)

    patch.setattr(ladder, "stand_down", stand_down)


def an_answer_from_before_the_alarm_ends_it(patch: pytest.MonkeyPatch) -> None:
    def answered(w: Watch, e: ev.StillHere, now: int, out: list[Effect]) -> Watch:
        return alarm_handlers.answered(w, replace(e, made_at=now), now, out)

    for state in (State.ALARM, State.CLAIMED, State.ATTENDED):
        patch.setitem(TABLE, (state, ev.StillHere), answered)


def who_wants_to_die_is_told_only_in_the_next_round(patch: pytest.MonkeyPatch) -> None:
    def need_help(w: Watch, e: ev.NeedHelp, now: int, out: list[Effect]) -> Watch:
        told: list[Effect] = []
        after = alarm_handlers.need_help(w, e, now, told)
        out += [t for t in told if w.alarm is None or w.alarm.cause is not ev.Cause.HELP]
        return after

    for state in (State.ALARM, State.CLAIMED, State.ATTENDED):
        patch.setitem(TABLE, (state, ev.NeedHelp), need_help)


def one_answer_ends_a_call_for_help(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(alarm_handlers, "APART_S", 0)


def nobody_asks_again_after_an_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(alarm_handlers, "RECHECKS_S", (3600,))


def news_pushes_before_first_calls(patch: pytest.MonkeyPatch) -> None:
    real = ladder._ring

    def ring(a: alarm.Alarm, contact: int, now: int, out: list[Effect]) -> alarm.Alarm:
        after = real(a, contact, now, out)
        out[:] = [replace(e, urgency=Urgency.NEWS) if isinstance(e, Tell) else e for e in out]
        return after

    patch.setattr(ladder, "_ring", ring)


def a_deadline_in_the_evening_is_counted_from_the_next_day(patch: pytest.MonkeyPatch) -> None:
    real = schedule.next_deadline
    patch.setattr(schedule, "next_deadline", lambda r, at: real(r, real(r, at)))


def one_contact_ends_alarm_after_alarm(patch: pytest.MonkeyPatch) -> None:
    ended = alarm_handlers._stand_down
    patch.setattr(
        alarm_handlers, "_stand_down", lambda *a, **k: replace(ended(*a, **k), ended_by=())
    )


def whoever_came_closes_the_watch_unasked(patch: pytest.MonkeyPatch) -> None:
    over = alarm_handlers._over
    patch.setattr(
        alarm_handlers,
        "_over",
        lambda w, who, outcome, now, out: over(w, None, outcome, now, out),
    )


def an_alarm_rests_on_one_word_all_night(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ladder, "untold_at", lambda alarm: None)


PLANTED: dict[Plant, tuple[str, ...]] = {
    a_check_in_is_acknowledged_and_not_counted: ("no_acknowledged_check_in_is_forgotten",),
    an_unclear_answer_is_taken_for_a_check_in: (
        "an_ask_ends_only_by_a_sign_of_life", "what_is_unclear_rings_at_once_and_buys_no_time",
    ),
    something_unclear_between_asks_is_ignored: (
        "what_is_unclear_rings_at_once_and_buys_no_time",
    ),
    an_unclear_answer_buys_a_minute: ("what_is_unclear_rings_at_once_and_buys_no_time",),
    a_screen_that_lights_up_answers_the_ask: (
        "an_ask_ends_only_by_a_sign_of_life", "a_watch_closes_only_by_a_word",
    ),
    kept_check_ins_answer_every_ask: (
        "a_kept_check_in_answers_only_what_it_could_have_prevented",
    ),
    asks_go_on_at_the_last_pace: ("asks_are_never_further_apart_than_the_profile_says",),
    a_second_mark_does_not_count: ("asks_are_never_further_apart_than_the_profile_says",),
    an_outage_takes_the_time_to_answer: ("nobody_is_alarmed_without_the_full_time_to_answer",),
    what_went_out_late_has_less_time_after_an_outage: (
        "nobody_is_alarmed_without_the_full_time_to_answer",
    ),
    every_outage_begins_the_time_to_answer_again: (
        "silence_raises_the_alarm_as_soon_as_the_time_to_answer_is_over",
        "there_is_always_a_next_look",
    ),
    an_alarm_loses_its_timer_when_somebody_says_no: ("a_dead_number_moves_the_ladder_at_once",),
    a_claim_holds_twice_as_long_as_it_says: (
        "a_hold_is_a_claim_that_still_runs", "words_say_what_happened",
    ),
    all_holds_together_may_last_an_hour: ("a_hold_is_a_claim_that_still_runs",),
    whoever_is_there_is_never_looked_in_on: ("whoever_is_there_is_looked_in_on",),
    every_rung_is_rung_at_once: ("no_rung_is_rung_before_its_time",),
    the_rungs_are_twice_as_far_apart: (
        "every_alarm_is_held_attended_or_being_escalated",
        "everyone_is_rung_within_three_minutes",
    ),
    nobody_is_told_to_call_an_ambulance: ("the_ambulance_words_come_at_five_minutes",),
    whoever_comes_late_is_not_told_of_the_ambulance: ("the_ambulance_words_come_at_five_minutes",),
    a_no_is_forgotten: ("nobody_who_said_no_more_is_contacted",),
    only_the_first_hears_that_it_is_over: ("everyone_told_of_an_alarm_is_told_of_its_end",),
    an_answer_from_before_the_alarm_ends_it: (
        "an_alarm_ends_only_by_an_answer_or_a_word", "words_say_what_happened",
    ),
    who_wants_to_die_is_told_only_in_the_next_round: (
        "that_they_want_to_die_is_told_once_and_at_once",
    ),
    one_answer_ends_a_call_for_help: ("an_alarm_ends_only_by_an_answer_or_a_word",),
    nobody_asks_again_after_an_answer: (
        "whoever_answered_an_alarm_is_asked_again_within_a_minute",
    ),
    news_pushes_before_first_calls: ("urgency_order_holds",),
    a_deadline_in_the_evening_is_counted_from_the_next_day: ("a_deadline_is_never_let_pass",),
    one_contact_ends_alarm_after_alarm: (
        "an_alarm_ends_only_by_an_answer_or_a_word", "a_hold_is_a_claim_that_still_runs",
    ),
    whoever_came_closes_the_watch_unasked: (
        "nobody_is_told_falsely_that_it_is_over",
        "whoever_answered_an_alarm_is_asked_again_within_a_minute",
    ),
    an_alarm_rests_on_one_word_all_night: (
        "nobody_rests_on_one_word_for_more_than_half_an_hour",
    ),
}  # fmt: skip


def _hunt(most: int) -> Verdict | None:
    """The first night that finds something."""
    return next((v for v in map(nights.run, range(1, most + 1)) if v.broken is not None), None)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_bug_planted_in_the_core_is_found(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)
    found = _hunt(MOST_NIGHTS)
    assert found is not None, f"{MOST_NIGHTS} nights found nothing"
    assert found.broken is not None
    print(f"found in night {found.seed}: {found.broken}")
    assert found.broken.invariant in PLANTED[plant]


@pytest.mark.parametrize(
    "plant",
    [nobody_asks_again_after_an_answer, a_no_is_forgotten, nobody_is_told_to_call_an_ambulance],
    ids=lambda plant: plant.__name__,
)
def test_the_smallest_night_is_smaller_and_breaks_the_same_rule(
    monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch)
    found = _hunt(MOST_NIGHTS)
    assert found is not None
    assert found.broken is not None
    small = nights.shrunk(found)
    assert small.broken is not None
    print(f"{len(found.switches)} -> {small.switches}")
    assert small.broken.invariant == found.broken.invariant
    assert len(small.switches) < len(found.switches) // 2
    assert len(small.lines) <= len(found.lines)
