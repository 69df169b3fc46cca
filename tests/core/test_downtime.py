"""We were away: people are asked first, alarms go on, nothing is sent out of a dead past."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Outcome, State, Way, Word
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from tests.core.world import (
    ANA,
    DAY_S,
    LEO,
    MAYA,
    Night,
    alarmed,
    evenings,
    plan,
    using,
)

NOON_TO_TEN_S = 10 * 3600
ONCE = Routine(frozenset(range(7)), 22 * 60, "UTC", once=True)
AFTER = Profile("after", steps=(), ring_s=120, grace_s=600, ambulance_s=None, reminders_s=(0,))


@pytest.mark.parametrize("away_s", [70, 600, 3 * 3600])
def test_an_ask_that_fell_due_while_we_were_away_is_asked_with_a_full_grace(away_s: int) -> None:
    night = using()
    night.was_down(away_s)
    assert night.state() is State.ASKING
    assert not night.tells()
    assert night.asks()[0].after_outage
    back_s = night.s
    night.until_alarm()
    assert night.s == back_s + 60
    assert [s for s in night.asked_s(Way.RING) if s > back_s] == [back_s + 20, back_s + 40]


def test_a_grace_that_ran_out_while_we_were_away_alarms_nobody_yet() -> None:
    night = using()
    night.until_ask()
    night.wait(50)
    night.was_down(600)
    assert night.state() is State.ASKING
    assert not night.tells()
    back_s = night.s
    night.until_alarm()
    assert night.s == back_s + 60


def test_coming_back_in_the_middle_of_an_ask_rings() -> None:
    night = using()
    night.until_ask()
    night.wait(30)
    night.mute()
    night.was_down(600)
    night.wait(25)
    assert night.rang()
    assert all(ask.after_outage for ask in night.asks()[:1])


def test_a_service_that_crashes_again_and_again_cannot_put_the_alarm_off_for_ever() -> None:
    night = using()
    up_s = 0
    while night.state() is not State.ALARM:
        night.wait(25)
        up_s += 25
        if night.state() is not State.ALARM:
            night.was_down(45)
        assert up_s < 400, "asked for minutes, never alarmed"


def test_an_ask_that_went_out_a_moment_late_has_its_full_grace_after_an_outage_too() -> None:
    """Every real tick is a moment late; that is not yet the full grace given again."""
    night = evenings(routine=ONCE, profile=AFTER)
    night.sleep(10 * 3600 + 0.4)
    night.settle()
    assert night.state() is State.ASKING
    night.wait(500)
    night.was_down(180)
    back_s = night.s
    night.until_alarm()
    assert night.s == back_s + 600


def test_a_look_after_a_daily_check_ins_alarm_has_its_full_grace_after_an_outage() -> None:
    """It is asked between two deadlines, and is no reminder of the next one."""
    night = evenings()
    night.until_alarm()
    for _ in range(2):
        night.tap()
        night.until_ask()
    night.wait(100)
    night.was_down(2000)
    assert night.state() is State.ASKING
    back_s = night.s
    night.until_alarm()
    assert night.s == back_s + 1800


@pytest.mark.parametrize("asked_for_s", [1, 10, 30, 59])
@pytest.mark.parametrize("away_s", [16, 24, 30])
def test_after_a_short_outage_the_alarm_is_late_by_no_more_than_that(
    away_s: int, asked_for_s: int
) -> None:
    night = using()
    night.until_ask()
    night.wait(asked_for_s)
    night.was_down(away_s)
    night.until_alarm()
    assert 120 + away_s <= night.s <= 120 + away_s + 5


def test_what_was_pressed_in_a_short_outage_has_time_to_arrive() -> None:
    night = using()
    night.until_ask()
    night.wait(59)
    night.was_down(20)
    night.wait(4)
    assert not night.tells()
    night.tap(ago_s=15, seq=1)
    assert night.state() is State.OPEN


@pytest.mark.parametrize("up_s", [1, 3, 7])
def test_short_outages_without_end_do_not_put_the_alarm_off_for_ever(up_s: int) -> None:
    night = using()
    night.until_ask()
    listened_s = 0
    while night.state() is not State.ALARM:
        night.wait(up_s)
        listened_s += up_s
        if night.state() is not State.ALARM:
            night.was_down(20)
        assert listened_s < 75, "listened for more than a grace and a little, never alarmed"


@pytest.mark.parametrize("asked_for_s", [1, 30, 59, 60])
def test_two_engines_that_come_back_at_once_put_the_alarm_off_once(asked_for_s: int) -> None:
    night = using()
    night.until_ask()
    night.sleep(asked_for_s)
    away_at = night.now
    night.sleep(24)
    for _ in range(2):
        night.do(ev.ServiceWasDown(away_at, night.now))
        once = night.watch.grace_at
    assert once is not None
    night.do(ev.ServiceWasDown(away_at, night.now))
    assert night.watch.grace_at == once
    assert once <= night.now + 60_000


def test_the_same_outage_told_twice_is_one_outage() -> None:
    for wait_s in (61, 70, 119):
        night = using()
        night.wait(wait_s)
        away_at = night.now
        night.sleep(300)
        night.do(ev.ServiceWasDown(away_at, night.now))
        once = night.watch
        night.do(ev.ServiceWasDown(away_at, night.now))
        assert night.watch.grace_at == once.grace_at


def test_what_was_not_due_is_left_alone() -> None:
    night = using()
    night.was_down(30)
    assert not night.asks()
    night.until_ask()
    assert night.s == 60


def test_a_check_in_kept_while_we_were_away_counts_from_when_it_was_made() -> None:
    night = using()
    night.was_down(300)
    night.tap(ago_s=20, seq=1)
    assert night.state() is State.OPEN
    night.until_ask()
    assert night.s == 280 + 90


def test_the_watch_ends_a_while_after_an_outage_at_its_end() -> None:
    night = using()
    while night.s < 1080:
        night.until_ask()
        night.tap()
    night.was_down(3600)
    assert night.state() is State.ASKING
    night.tap()
    assert night.state() is State.CLOSED
    assert night.watch.outcome is Outcome.ENDED


# --- in an alarm ----------------------------------------------------------------------------------


def test_an_alarm_goes_on_where_it_was_and_the_circle_hears_why_it_was_quiet() -> None:
    night = alarmed()
    night.wait(10)
    night.was_down(600)
    assert night.state() is State.ALARM
    assert night.who_heard(Word.SERVICE_WAS_DOWN) == {LEO, ANA}
    assert night.told_s(MAYA, Word.ALARM) == [610]
    assert night.told_s(MAYA, Word.AMBULANCE) == [610]
    assert night.asked_s(Way.RING) == [610]
    assert night.alarm.no == 1


def test_in_an_alarm_too_the_ring_says_that_we_were_away() -> None:
    night = alarmed()
    night.mute()
    night.was_down(60)
    assert [ask.after_outage for ask in night.asks(Way.RING)] == [True]


def test_an_alarm_caught_up_with_rings_one_rung_at_a_time() -> None:
    night = alarmed(plan((1,), (2,), (3,), (4,)))
    night.was_down(3600)
    assert night.who_heard(Word.ALARM) == {1, 2}
    night.wait(45)
    assert night.who_heard(Word.ALARM) == {1, 2, 3}


def test_a_hold_that_ran_out_while_we_were_away_reopens_the_ladder() -> None:
    night = alarmed()
    night.claims(LEO, 120)
    night.was_down(600)
    assert night.state() is State.ALARM
    assert Word.ARE_YOU_THERE in night.words(LEO)
    assert MAYA in night.who_heard(Word.ALARM)


def test_the_one_who_is_there_is_asked_before_the_ladder_reopens() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.was_down(3600)
    assert night.state() is State.ATTENDED
    assert Word.ARE_YOU_THERE in night.words(LEO)
    night.until_alarm()
    assert night.s == 3900


def test_one_tap_after_the_outage_still_stands_everyone_down() -> None:
    night = alarmed()
    night.was_down(600)
    night.tap()
    assert night.who_heard(Word.STAND_DOWN) == {LEO, ANA, MAYA}


def test_nothing_happens_to_a_watch_that_is_over() -> None:
    night = using()
    night.end()
    closed = night.watch
    assert night.do(ev.ServiceWasDown(night.now, night.now)).effects == ()
    assert night.watch == closed


# --- routines -------------------------------------------------------------------------------------


def test_a_deadline_that_passed_while_we_were_away_is_asked_about_first() -> None:
    night = evenings()
    night.wait(NOON_TO_TEN_S - 600)
    night.mute()
    night.was_down(3 * 3600)
    assert night.state() is State.ASKING
    assert not night.tells()
    assert night.asks()[0].after_outage
    back_s = night.s
    night.until_alarm()
    assert night.s == back_s + 1800


def test_answering_after_the_outage_does_for_the_deadline_that_passed() -> None:
    night = evenings()
    night.wait(NOON_TO_TEN_S - 600)
    night.was_down(3 * 3600)
    night.tap()
    assert night.watch.deadline_at == night.begins_at + (NOON_TO_TEN_S + DAY_S) * 1000


def test_a_reminder_missed_while_we_were_away_comes_late_and_no_grace_is_lost() -> None:
    night = evenings()
    night.wait(NOON_TO_TEN_S - 3700)
    night.was_down(600)
    assert night.asked_s() == [NOON_TO_TEN_S - 3100]
    night.until_alarm()
    assert night.s == NOON_TO_TEN_S + 1800


def test_two_missed_days_are_one_question() -> None:
    night = evenings()
    night.wait(3600)
    night.was_down(3 * DAY_S)
    assert night.state() is State.ASKING
    night.tap()
    assert night.watch.deadline_at is not None
    assert night.watch.deadline_at > night.now
    assert night.watch.deadline_at <= night.now + DAY_S * 1000


def test_an_outage_in_the_grace_of_a_routine_gives_the_grace_again() -> None:
    night: Night = evenings()
    night.wait(NOON_TO_TEN_S + 1700)
    night.was_down(1000)
    assert night.state() is State.ASKING
    back_s = night.s
    night.until_alarm()
    assert night.s == back_s + 1800
