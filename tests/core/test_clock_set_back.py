"""The clock ran ahead and is corrected: nobody waits longer, a day is a day on the wall again."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stillhere.core import events as ev
from stillhere.core import watch
from stillhere.core.events import Outcome, State, Way, Withdraw
from stillhere.core.schedule import Routine
from tests.core.test_edges_of_asking import stood_down
from tests.core.world import (
    DAILY,
    DAY_S,
    EVENING,
    EVERY_NIGHT_AT_TEN,
    LEO,
    MAYA,
    PLAN,
    Night,
    alarmed,
    evenings,
    plan,
    using,
)

HOUR_S = 3600
THREE_DAYS_S = 3 * DAY_S
NOON = EVENING - 10 * HOUR_S * 1000
YEARS_S = 56 * 365 * DAY_S
ONCE_AT_TEN = Routine(frozenset(range(7)), 22 * 60, "UTC", once=True)
ERRORS_S = (60, 20 * 60, HOUR_S, 5 * HOUR_S, DAY_S, THREE_DAYS_S, YEARS_S)


def on_the_wall(at: int | None) -> str:
    assert at is not None
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%a %H:%M")


def daily(ahead_s: int, routine: Routine = EVERY_NIGHT_AT_TEN) -> Night:
    """Noon on a Saturday, and the clock runs ``ahead_s`` ahead."""
    return Night(DAILY, PLAN, routine, begins_at=NOON + ahead_s * 1000)


# --- a watch of minutes ---------------------------------------------------------------------------


@pytest.mark.parametrize("ahead_s", ERRORS_S)
def test_a_watch_of_minutes_goes_on_as_if_nothing_had_happened(ahead_s: int) -> None:
    night, other = using(), using()
    night.wait(20)
    night.clock_set_back(ahead_s)
    for each in (night, other):
        each.until_alarm()
    assert night.asked_s() == other.asked_s()
    assert night.s == other.s


@pytest.mark.parametrize("ahead_s", ERRORS_S)
def test_an_open_ask_keeps_its_time_to_answer(ahead_s: int) -> None:
    night = using()
    night.until_ask()
    night.wait(30)
    night.clock_set_back(ahead_s)
    night.wait(29)
    assert night.state() is State.ASKING
    night.wait(1)
    assert night.state() is State.ALARM


def test_a_hold_a_look_and_the_ambulance_words_keep_their_distance() -> None:
    night, other = alarmed(plan((LEO,), (MAYA,))), alarmed(plan((LEO,), (MAYA,)))
    for each in (night, other):
        each.locked_out(MAYA)
        each.tap()  # an answer before a second one would be a hold's end
        each.need_help()
        each.claims(LEO, 180)
        each.wait(60)
    night.clock_set_back(HOUR_S)
    for each in (night, other):
        each.mute()
        each.wait(20 * 60)
        each.arrives(LEO)
        each.wait(20 * 60)
    assert [(h.s, type(h.what)) for h in night.heard] == [(h.s, type(h.what)) for h in other.heard]


def test_looks_after_an_alarm_are_still_owed() -> None:
    night, other = alarmed(), alarmed()
    for each in (night, other):
        each.tap()
        each.mute()
    night.clock_set_back(THREE_DAYS_S)
    for each in (night, other):
        each.wait(50)
        assert each.asks() == []
        each.wait(20)
    assert night.asked_s() == other.asked_s() != []


def test_a_tap_right_after_it_is_a_sign_of_life() -> None:
    night = using()
    night.until_ask()
    night.clock_set_back(HOUR_S)
    night.tap()
    assert night.state() is State.OPEN
    assert night.watch.seen_at == night.now


def test_a_tap_kept_since_before_the_watch_is_older_than_it() -> None:
    night = using()
    night.clock_set_back(HOUR_S)
    assert night.watch.started_at <= night.now


def instants(value: object) -> dict[str, int]:
    """Every instant that a value holds, with the path to it; what stands on a wall is left out."""
    found: dict[str, int] = {}
    assert is_dataclass(value)
    for field in fields(value):
        inside: Any = getattr(value, field.name)
        for no, each in enumerate(inside if isinstance(inside, tuple) else (inside,)):
            if is_dataclass(each) and not isinstance(each, Routine):
                found |= {f"{field.name}.{no}.{k}": v for k, v in instants(each).items()}
            elif isinstance(each, int) and each > EVENING // 2:
                found[f"{field.name}.{no}"] = each
    return found


@given(
    ahead_ms=st.integers(1, EVENING // 4), till_s=st.integers(0, 40 * 60), acts=st.integers(0, 7)
)
def test_no_instant_stays_behind(ahead_ms: int, till_s: int, acts: int) -> None:
    """Whatever the watch holds, it holds it so much earlier: also what is added to it one day."""
    night = using()
    night.wait(till_s)
    if acts & 1:
        night.need_help()
    if acts & 2:
        night.claims(LEO, 240)
        night.locked_out(MAYA)
    if acts & 4:
        night.arrives(LEO)
        night.tap()
    before = night.watch
    after = watch.step(before, ev.ClockSetBack(ahead_ms), night.now - ahead_ms).watch
    if before.state is State.CLOSED:
        assert after == before
    else:
        assert instants(after) == {k: at - ahead_ms for k, at in instants(before).items()}


# --- every night at ten ---------------------------------------------------------------------------


@pytest.mark.parametrize("ahead_s", ERRORS_S)
def test_a_daily_check_in_is_due_when_the_wall_says_so(ahead_s: int) -> None:
    """Set, or answered, while the clock ran ahead: tonight is tonight, not in three days."""
    night = daily(ahead_s)
    night.clock_set_back(ahead_s)
    night.until_ask()
    assert on_the_wall(night.now) == "Sat 21:00"
    night.until_alarm()
    assert on_the_wall(night.now) == "Sat 22:30"


@pytest.mark.parametrize("ahead_s", ERRORS_S)
def test_an_answer_for_tonight_does_for_tonight_and_no_other_night(ahead_s: int) -> None:
    night = daily(ahead_s)
    night.wait(HOUR_S)
    if ahead_s % DAY_S == 0:
        night.tap()
        night.clock_set_back(ahead_s)
        night.until_ask()
        assert on_the_wall(night.now) == "Sun 21:00"
    else:  # where the wall showed another hour it may be asked for once more, never once less
        night.tap()
        night.clock_set_back(ahead_s)
        night.until_ask()
        assert on_the_wall(night.now) in ("Sat 21:00", "Sun 21:00")


def test_an_answer_made_too_early_by_the_right_time_does_not_count_for_the_night() -> None:
    routine = Routine(days=frozenset(range(7)), at=22 * 60, tz="UTC", opens_s=3 * HOUR_S)
    night = daily(8 * HOUR_S, routine)  # the clock says eight in the evening
    night.tap()
    night.clock_set_back(8 * HOUR_S)
    night.until_ask()
    assert on_the_wall(night.now) == "Sat 21:00"


def test_an_ask_that_came_too_soon_is_taken_back_and_comes_again_in_time() -> None:
    night = daily(9 * HOUR_S + 600)
    night.until_ask()
    night.clock_set_back(9 * HOUR_S + 600)
    assert night.state() is State.OPEN
    assert night.last.effects == (Withdraw(asks_only=True),)
    night.until_ask()
    assert on_the_wall(night.now) == "Sat 21:00"


def test_an_ask_about_a_time_that_has_come_stands_on_and_alarms_in_time() -> None:
    """Twenty minutes past ten, five minutes of them a clock's mistake."""
    night = daily(300)
    night.wait(10 * HOUR_S + 20 * 60)
    assert night.state() is State.ASKING
    night.clock_set_back(300)
    assert night.state() is State.ASKING
    night.until_alarm()
    assert night.now == EVENING + DAILY.grace_s * 1000


@pytest.mark.parametrize("routine", [EVERY_NIGHT_AT_TEN, ONCE_AT_TEN])
def test_reminders_that_are_still_to_come_by_the_right_time_come_again(routine: Routine) -> None:
    night = daily(1200, routine)
    night.wait(10 * HOUR_S - 1200 + 60)  # the clock says a minute past ten
    night.mute()
    night.clock_set_back(1200)  # and it is nineteen to
    night.until_alarm()
    assert [on_the_wall(NOON + round(s * 1000)) for s in night.asked_s(Way.NEXT)] == [
        "Sat 21:45",
        "Sat 22:00",
    ]
    assert on_the_wall(night.now) == "Sat 22:30"


def test_a_reminder_whose_right_time_is_now_is_not_sent_twice() -> None:
    night = daily(1200)
    night.wait(10 * HOUR_S - 15 * 60)  # the clock says five past ten
    night.mute()
    night.clock_set_back(1200)  # and it is a quarter to
    night.until_alarm()
    assert night.asked_s(Way.NEXT) == [10 * HOUR_S]


def test_an_ask_whose_right_time_is_now_stands_on() -> None:
    night = daily(1200)
    night.wait(9 * HOUR_S)  # the clock says twenty past nine
    night.clock_set_back(1200)  # and it is nine, when the first reminder is due
    assert night.state() is State.ASKING
    assert night.last.effects == ()


def test_an_ask_after_an_outage_over_a_deadline_that_has_just_come_stands_on() -> None:
    night = daily(300)
    night.wait(8 * HOUR_S)
    night.was_down(2 * HOUR_S)  # the clock says five past ten, and it is ten
    night.clock_set_back(300)
    assert night.state() is State.ASKING
    assert night.last.effects == ()


def test_an_ask_after_an_outage_over_a_deadline_that_is_still_to_come_becomes_a_reminder() -> None:
    night = daily(900)
    night.wait(8 * HOUR_S)
    night.was_down(2 * HOUR_S - 600)  # the clock says five past ten, and it is ten to
    night.clock_set_back(900)
    assert night.last.effects == (Withdraw(asks_only=True),)
    night.mute()
    night.until_alarm()
    assert night.asked_s(Way.NEXT) == [10 * HOUR_S - 600, 10 * HOUR_S]
    assert night.s == 10 * HOUR_S + DAILY.grace_s


@pytest.mark.parametrize("past_s", [0, 60])
def test_a_deadline_that_nobody_looked_at_is_asked_for_after_the_clock_is_corrected(
    past_s: int,
) -> None:
    """It has come by the right time, too: tonight is not passed over for tomorrow."""
    night = daily(300)
    night.sleep(10 * HOUR_S + past_s)
    night.clock_set_back(300)
    assert night.state() is State.OPEN
    night.settle()
    assert night.state() is State.ASKING
    night.until_alarm()
    assert night.s == 10 * HOUR_S + past_s + DAILY.grace_s


def test_looks_after_an_alarm_of_a_daily_check_in_are_still_owed() -> None:
    night, other = stood_down(20 * 60), stood_down(20 * 60)
    night.clock_set_back(HOUR_S)
    for each in (night, other):
        each.until_ask()
        each.tap()
        each.until_ask()
    assert night.asked_s() == other.asked_s()
    assert night.s == other.s < 2 * HOUR_S


def test_who_was_asked_for_days_that_never_were_is_asked_for_the_night_instead() -> None:
    """Booted three days ahead: we think we were away, and ask. Then the clock is corrected."""
    night = daily(0)
    night.was_down(THREE_DAYS_S)
    assert night.state() is State.ASKING
    night.clock_set_back(THREE_DAYS_S)
    assert night.state() is State.OPEN
    night.until_ask()
    assert on_the_wall(night.now) == "Sat 21:00"


def test_a_look_after_an_alarm_is_not_taken_back() -> None:
    night = evenings()
    night.need_help()
    night.tap()
    night.wait(31)
    night.tap()
    night.until_ask()
    night.clock_set_back(HOUR_S)
    assert night.state() is State.ASKING
    grace_s = DAILY.grace_s
    night.wait(grace_s)
    assert night.state() is State.ALARM


def test_after_an_alarm_that_came_too_soon_the_night_is_asked_for_too() -> None:
    night = daily(THREE_DAYS_S)
    night.until_alarm()
    night.clock_set_back(THREE_DAYS_S)
    assert night.state() is State.ALARM
    night.says(None, Outcome.FALSE_ALARM)
    night.until_ask()
    # An alarm at half past ten, and the clock was right about the hour: tonight is over.
    assert on_the_wall(night.now) == "Sun 21:00"


def test_what_is_asked_once_in_half_an_hour_is_asked_in_half_an_hour() -> None:
    for ahead_s in ERRORS_S:
        begins = datetime.fromtimestamp(NOON / 1000 + ahead_s, UTC)
        soon = begins.hour * 60 + begins.minute + 30
        routine = Routine(frozenset({begins.weekday()}), soon, "UTC", once=True)
        night = daily(ahead_s, routine)
        night.clock_set_back(ahead_s)
        night.until_ask()
        assert night.s <= 30 * 60


def test_a_pause_ends_when_the_wall_says_so() -> None:
    night = daily(THREE_DAYS_S)
    night.do(ev.Paused(NOON + 2 * DAY_S * 1000))
    night.clock_set_back(THREE_DAYS_S)
    night.until_ask()
    assert on_the_wall(night.now) == "Mon 21:00"


@given(
    ahead_s=st.integers(1, 40 * DAY_S),
    when_s=st.integers(0, 4 * DAY_S),
    taps=st.lists(st.integers(60, 20 * HOUR_S), max_size=6),
    at=st.integers(0, 24 * 60 - 1),
)
def test_by_the_right_time_no_night_is_missed(
    ahead_s: int, when_s: int, taps: list[int], at: int
) -> None:
    """Whatever was asked and answered while the clock ran ahead: from the correction on, nobody is
    left alone past the first deadline on the wall, unless they answered within the hours before."""
    routine = Routine(days=frozenset(range(7)), at=at, tz="UTC")
    night = daily(ahead_s, routine)
    for tap_s in taps:
        night.wait(tap_s)
        night.tap()
    night.wait(when_s)
    if night.watch.alarm is not None:
        night.tap()
        night.wait(31)
        night.tap()
    seen_at = night.watch.seen_at - ahead_s * 1000
    night.clock_set_back(ahead_s)
    night.mute()
    midnight = night.now - night.now % (DAY_S * 1000)
    due_at = next(
        each for day in range(3) if (each := midnight + (day * DAY_S + at * 60) * 1000) > night.now
    )
    answered = seen_at >= due_at - routine.opens_s * 1000
    if not answered:
        night.wait((due_at - night.now) / 1000 + DAILY.grace_s + 3 * HOUR_S)
        assert night.asks(), "asked"
        assert night.watch.alarms > 0, "and called for"
