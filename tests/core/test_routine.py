"""Text me by ten: reminders, days, pauses, and what an alarm does to the days after it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Outcome, State, Way, Word
from stillhere.core.refusals import Refusal
from stillhere.core.schedule import Routine
from tests.core.world import (
    ANA,
    DAILY,
    DAY_S,
    EVERY_NIGHT_AT_TEN,
    LEO,
    PLAN,
    RUTH,
    Night,
    evenings,
)

TEN_S = 10 * 3600  # a night here begins at noon


def ms(text: str) -> int:
    """An ISO time in UTC as ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_reminders_come_an_hour_and_a_quarter_before_and_at_ten_then_it_rings() -> None:
    night = evenings()
    night.until_alarm()
    assert night.asked_s(Way.NEXT) == [TEN_S - 3600, TEN_S - 900, TEN_S]
    assert night.asked_s(Way.RING) == [TEN_S + 300]
    assert night.s == TEN_S + 1800


def test_a_check_in_in_the_afternoon_does_for_the_evening_without_a_reminder() -> None:
    night = evenings()
    night.wait(3 * 3600)
    night.tap()
    night.until_ask()
    assert night.s == TEN_S + DAY_S - 3600


def test_a_check_in_made_too_early_says_nothing_about_the_evening() -> None:
    routine = Routine(days=frozenset(range(7)), at=22 * 60, tz="UTC", opens_s=3600)
    night = evenings(routine=routine)
    night.wait(3600)
    night.tap()
    night.until_ask()
    assert night.s == TEN_S - 3600


@pytest.mark.parametrize("s", [TEN_S - 3600, TEN_S - 1, TEN_S, TEN_S + 1799])
def test_an_answer_from_the_first_reminder_to_the_end_of_grace_does(s: int) -> None:
    night = evenings()
    night.wait(s)
    night.tap()
    assert night.state() is State.OPEN
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000
    assert not night.tells()


def test_an_answer_to_an_early_reminder_does_even_where_check_ins_count_later() -> None:
    routine = Routine(days=frozenset(range(7)), at=22 * 60, tz="UTC", opens_s=3600)
    night = evenings(routine=routine)
    night.until_ask()
    night.tap()
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000


def test_a_check_in_kept_since_last_night_does_not_do_for_tonight() -> None:
    night = evenings()
    night.wait(TEN_S - 1000)
    night.tap()
    night.wait(DAY_S - 2000)
    night.tap(ago_s=20 * 3600, seq=1)
    assert night.state() is State.ASKING
    night.until_alarm()
    assert night.s == TEN_S + DAY_S + 1800


@pytest.mark.parametrize("late_s", [TEN_S - 1800, TEN_S + 60])
def test_a_check_in_of_the_afternoon_that_arrives_late_still_does(late_s: int) -> None:
    night = evenings()
    night.wait(late_s)
    assert night.state() is State.ASKING
    night.tap(ago_s=6 * 3600, seq=1)
    assert night.state() is State.OPEN
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000


def test_every_evening_is_asked_about_for_a_month() -> None:
    night = evenings()
    for day in range(30):
        night.until_ask()
        assert night.s == TEN_S + day * DAY_S - 3600
        night.tap()
    assert not night.tells()


def test_the_screen_confirming_one_reminder_does_not_silence_the_next() -> None:
    night = evenings()
    night.until_ask()
    night.shown()
    night.until_alarm()
    assert len(night.asks(Way.NEXT)) == 3


def test_only_the_chosen_days_are_asked_about() -> None:
    night = evenings(routine=Routine(days=frozenset({6}), at=22 * 60, tz="UTC"))
    night.until_ask()
    assert night.s == TEN_S + 2 * DAY_S - 3600  # the first day is a Friday


def test_an_unclear_answer_to_a_reminder_keeps_the_later_ones() -> None:
    night = evenings()
    night.until_ask()
    night.unclear()
    assert len(night.asks(Way.RING)) == 1
    night.until_alarm()
    assert night.s == TEN_S + 1800
    assert night.asked_s(Way.NEXT) == [TEN_S - 3600, TEN_S - 900, TEN_S]
    assert night.asked_s(Way.RING)[-1] == TEN_S + 300


def test_a_reminder_that_bounces_does_not_ring_an_hour_early() -> None:
    night = evenings()
    night.until_ask()
    night.dead(None)
    night.dead(None)
    assert not night.rang()
    night.wait_until(TEN_S + 10)
    night.dead(None)
    assert night.asked_s(Way.RING) == [TEN_S + 10]


# --- pauses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("asking", [True, False])
def test_a_paused_routine_rests_and_comes_back(asking: bool) -> None:
    night = evenings()
    if asking:
        night.until_ask()
    night.pause(3 * DAY_S)
    assert night.state() is State.OPEN
    night.until_ask()
    assert 3 * DAY_S <= night.s <= 4 * DAY_S


def test_a_pause_can_be_taken_back() -> None:
    night = evenings()
    night.pause(30 * DAY_S)
    night.wait(60)
    night.pause(0)
    night.until_ask()
    assert night.s == TEN_S - 3600


def test_a_pause_until_later_tonight_does_not_ask_again_for_an_evening_that_was_answered() -> None:
    night = evenings()
    night.wait(TEN_S - 3000)
    night.tap()
    night.pause(60)
    night.until_ask()
    assert night.s == DAY_S + TEN_S - 3600


@pytest.mark.parametrize("until_at", [-1, -(10**18), 10**18, 40_000_000_000_000])
def test_a_pause_that_makes_no_sense_is_refused_and_changes_nothing(until_at: int) -> None:
    night = evenings()
    before = night.watch
    done = night.do(ev.Paused(until_at))
    if until_at > 0:
        assert done.refused is Refusal.LONG_PAUSE
        assert night.watch == before
    else:
        assert night.watch.deadline_at == before.deadline_at


def test_an_acute_watch_cannot_be_paused() -> None:
    night = Night()
    before = night.watch
    assert night.pause(3600).refused
    assert night.watch == before


def test_a_pause_chosen_during_an_alarm_answers_it_and_pauses() -> None:
    night = evenings()
    night.until_alarm()
    night.pause(3 * DAY_S)
    assert night.who_heard(Word.STAND_DOWN) == {LEO, ANA}
    assert night.watch.deadline_at is not None
    assert night.watch.deadline_at >= night.now + 3 * DAY_S * 1000


# --- after an alarm -------------------------------------------------------------------------------


def test_answering_the_rechecks_skips_no_day() -> None:
    night = evenings()
    night.until_alarm()
    night.tap()
    for _ in range(2):
        night.until_ask()
        night.tap()
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000


def test_an_alarm_that_took_two_days_misses_only_those_days() -> None:
    night = evenings()
    night.until_alarm()
    night.wait(2 * DAY_S)
    night.tap()
    assert night.watch.deadline_at == night.begins_at + (TEN_S + 3 * DAY_S) * 1000


@pytest.mark.parametrize("outcome", [Outcome.FINE, Outcome.REVIVED, Outcome.FALSE_ALARM])
@pytest.mark.parametrize("who", [LEO, RUTH])
def test_after_somebody_came_the_routine_goes_on_tomorrow(
    outcome: Outcome, who: int | None
) -> None:
    night = evenings()
    night.until_alarm()
    night.arrives(LEO)
    night.says(who, outcome)
    assert {t.outcome for t in night.tells(None, Word.STAND_DOWN)} == {outcome}
    assert night.state() is State.OPEN
    for _ in range(0 if who is RUTH else 2):  # after a contact's word Sam is asked
        night.until_ask()
        night.tap()
    night.until_ask()
    assert night.s == TEN_S + DAY_S - 3600


@pytest.mark.parametrize("outcome", [Outcome.HOSPITAL, Outcome.DIED])
def test_after_grave_news_nobody_is_asked_tomorrow(outcome: Outcome) -> None:
    night = evenings()
    night.until_alarm()
    night.arrives(LEO)
    night.says(LEO, outcome)
    assert night.state() is State.CLOSED
    assert night.watch.held


def test_a_routine_alarm_sends_for_no_ambulance_by_the_clock() -> None:
    night = evenings()
    night.until_alarm()
    night.wait(DAY_S)
    assert not night.who_heard(Word.AMBULANCE)


def test_ending_a_routine_ends_it() -> None:
    night = evenings()
    night.end()
    assert night.state() is State.CLOSED


@pytest.mark.parametrize("event", [ev.Marked(), ev.Extended(3600)], ids=str)
def test_any_button_is_a_check_in_in_the_window(event: ev.Event) -> None:
    night = evenings()
    night.until_ask()
    night.do(event)
    assert night.state() is State.OPEN
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000


# --- clocks that change ---------------------------------------------------------------------------


def test_in_spring_a_time_that_does_not_exist_is_due_when_the_clock_jumps() -> None:
    routine = Routine(days=frozenset(range(7)), at=2 * 60 + 30, tz="America/Denver")
    night = Night(DAILY, PLAN, routine, begins_at=ms("2026-03-08T06:00"))
    assert night.watch.deadline_at == ms("2026-03-08T09:00")


def test_in_autumn_a_time_that_comes_twice_is_due_once() -> None:
    routine = Routine(days=frozenset(range(7)), at=90, tz="America/Denver")
    night = Night(DAILY, PLAN, routine, begins_at=ms("2026-11-01T05:00"))
    assert night.watch.deadline_at == ms("2026-11-01T07:30")
    night.until_ask()
    night.tap()
    assert night.watch.deadline_at == ms("2026-11-02T08:30")


def test_ten_in_the_evening_stays_ten_in_the_evening() -> None:
    routine = Routine(days=EVERY_NIGHT_AT_TEN.days, at=22 * 60, tz="America/Denver")
    night = Night(DAILY, PLAN, routine, begins_at=ms("2026-03-06T20:00"))
    due = []
    for _ in range(4):
        due.append(night.watch.deadline_at)
        night.until_ask()
        night.tap()
    assert due == [ms(f"2026-03-{day}") for day in ("07T05:00", "08T05:00", "09T04:00", "10T04:00")]
