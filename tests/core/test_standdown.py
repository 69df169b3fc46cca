"""How an alarm is answered: who is believed, how often, and what goes on afterwards."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Cause, Event, State, Way, Word
from tests.core.world import ANA, EVENING, LEO, MAYA, OPEN_CAUSES, Night, alarmed, using


def test_one_tap_answers_silence_and_everyone_who_was_told_hears_when() -> None:
    night = alarmed()
    night.wait(50)
    night.tap()
    assert night.state() is State.OPEN
    assert night.who_heard(Word.STAND_DOWN) == {LEO, ANA, MAYA}
    assert {t.at for t in night.tells(None, Word.STAND_DOWN)} == {night.now}
    assert {(t.who, t.outcome) for t in night.tells(None, Word.STAND_DOWN)} == {(None, None)}


def test_a_late_text_after_the_alarm_stands_everyone_down() -> None:
    night = alarmed()
    night.wait(600)
    night.do(ev.StillHere(night.now))
    assert night.who_heard(Word.STAND_DOWN) == {LEO, ANA, MAYA}


def test_those_who_were_never_told_hear_nothing_of_the_end() -> None:
    night = alarmed()
    night.wait(10)
    night.tap()
    assert MAYA not in night.who_heard(Word.STAND_DOWN)


def test_what_has_not_left_yet_is_withdrawn_before_the_stand_down() -> None:
    night = alarmed()
    effects = night.tap().effects
    assert effects[0] == ev.Withdraw(asks_only=False)


def test_asks_go_on_after_one_and_three_minutes() -> None:
    night = alarmed()
    night.wait(5)
    night.tap()
    night.mute()
    asked = []
    while night.s < 5 + 200:
        night.until_ask()
        asked.append(night.s - 5)
        night.tap()
    assert asked[:1] == [60]
    assert 180 in asked


def test_if_somebody_else_silenced_the_phone_the_alarm_comes_back() -> None:
    night = alarmed()
    night.tap()
    night.until_alarm()
    assert night.s == 120
    assert night.watch.alarms == 2
    assert night.alarm.raised_at == night.now


def test_a_tap_before_the_recheck_does_not_spare_it() -> None:
    night = alarmed()
    night.tap()
    night.wait(20)
    night.tap()
    night.until_ask()
    assert night.s == 60


def test_an_answer_after_both_rechecks_fell_due_answers_both() -> None:
    night = alarmed()
    night.tap()
    night.wait(60)
    night.unclear()
    night.sleep(125)
    night.tap()
    night.wait(1)
    assert night.state() is State.OPEN, "not asked again in the same breath"


def test_rechecks_come_even_when_the_watch_was_at_its_end() -> None:
    night = using()
    while night.s < 1200:
        night.until_ask()
        if night.s < 1200:
            night.tap()
    night.until_alarm()
    night.tap()
    answered_s = night.s
    night.until_ask()
    assert night.s == answered_s + 60
    night.tap()
    night.until_ask()
    assert night.s == answered_s + 180
    night.tap()
    assert night.state() is State.CLOSED


def test_a_check_in_made_before_the_alarm_never_stands_it_down() -> None:
    night = alarmed()
    night.wait(10)
    night.tap(ago_s=10.001)
    assert night.state() is State.ALARM
    assert not night.who_heard(Word.STAND_DOWN)
    assert night.watch.seen_at == night.alarm.raised_at - 1, "but we know they were there then"


def test_a_check_in_made_before_the_watch_began_never_stands_it_down() -> None:
    night = alarmed()
    night.wait(10)
    night.tap(ago_s=100_000)
    assert night.state() is State.ALARM


def test_a_check_in_in_the_same_instant_as_the_alarm_stands_it_down() -> None:
    night = alarmed()
    night.tap()
    assert night.state() is State.OPEN
    assert night.who_heard(Word.STAND_DOWN) == {LEO, ANA}


def test_a_check_in_in_the_instant_before_the_alarm_prevents_it() -> None:
    night = using()
    night.until_ask()
    night.sleep(60)
    night.tap()
    night.tick()
    assert night.state() is State.OPEN
    assert not night.tells()


def test_a_check_in_made_after_the_alarm_counts_when_it_was_made() -> None:
    night = alarmed()
    night.wait(60)
    night.tap(ago_s=30)
    assert {t.at for t in night.tells(None, Word.STAND_DOWN)} == {night.now - 30_000}


def test_a_check_in_from_the_future_counts_from_now() -> None:
    night = alarmed()
    night.tap(ago_s=-500)
    assert night.watch.seen_at == night.now
    assert {t.at for t in night.tells(None, Word.STAND_DOWN)} == {night.now}


# --- two in a row ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", OPEN_CAUSES)
def test_after_help_or_an_arrival_one_tap_is_only_news(cause: Cause) -> None:
    night = alarmed(cause=cause)
    if cause is Cause.SILENCE:
        night.arrives(LEO)
    state = night.state()
    night.tap()
    assert night.state() is state
    assert night.who_heard(Word.ANSWERED_ONCE) == {LEO, ANA}
    assert not night.who_heard(Word.STAND_DOWN)


@pytest.mark.parametrize(("apart_s", "ends"), [(1, False), (29, False), (30, True), (300, True)])
def test_two_answers_in_a_row_end_it(apart_s: int, ends: bool) -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.wait(apart_s)
    night.tap()
    assert (night.state() is State.OPEN) == ends
    assert bool(night.who_heard(Word.STAND_DOWN)) == ends


def test_answers_too_far_apart_are_not_in_a_row() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.wait(301)
    night.tap()
    assert night.state() is State.ALARM
    night.wait(30)
    night.tap()
    assert night.state() is State.OPEN


def test_tapping_again_and_again_ends_it_after_thirty_seconds() -> None:
    night = alarmed(cause=Cause.HELP)
    for _ in range(6):
        night.tap()
        night.wait(5)
    assert night.state() is State.ALARM
    assert len(night.tells(LEO, Word.ANSWERED_ONCE)) == 1
    night.tap()
    assert night.state() is State.OPEN


def test_after_one_answer_the_phone_rings_for_the_second() -> None:
    night = alarmed(cause=Cause.HELP)
    night.wait(10)
    night.tap()
    night.mute()
    night.wait(30)
    assert night.asked_s(Way.RING) == [40]


def test_the_same_kept_answer_delivered_twice_is_one_answer() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap(seq=7)
    night.wait(40)
    night.tap(ago_s=40, seq=7)
    assert night.state() is State.ALARM


def test_an_answer_kept_longer_than_a_newer_one_takes_nothing_back() -> None:
    night = alarmed(cause=Cause.HELP)
    night.wait(100)
    night.tap(seq=8)
    answered_at = night.alarm.answered_at
    night.wait(1)
    night.tap(ago_s=60, seq=7)
    assert night.alarm.answered_at == answered_at
    assert len(night.tells(LEO, Word.ANSWERED_ONCE)) == 1


def test_the_ladder_goes_on_between_two_answers() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.wait(45)
    assert MAYA in night.who_heard(Word.HELP)


def test_once_the_one_who_was_there_has_left_one_tap_is_enough_again() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.declines(LEO)
    night.tap()
    assert night.state() is State.OPEN


# --- other signs of life --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event", [ev.Marked(), ev.Extended(600), ev.Ended(), ev.Paused(EVENING + 10**8)], ids=str
)
def test_any_other_button_is_an_answer_too_and_no_more(event: Event) -> None:
    night = alarmed()
    night.do(event)
    assert night.state() is State.OPEN
    assert night.who_heard(Word.STAND_DOWN) == {LEO, ANA}
    night = alarmed(cause=Cause.HELP)
    night.do(event)
    assert night.state() is State.ALARM


def test_ending_the_watch_during_an_alarm_does_not_end_the_rechecks() -> None:
    night = alarmed()
    night.end()
    night.until_ask()
    assert night.s == 60


@pytest.mark.parametrize("cause", OPEN_CAUSES)
def test_used_again_during_an_alarm_is_a_mark(cause: Cause) -> None:
    night = alarmed(cause=cause)
    night.wait(1190)
    night.mark()
    if cause is Cause.HELP:
        night.wait(40)
        night.tap()
    night.wait(60)
    assert night.state() is State.ASKING
    while night.state() is not State.CLOSED:
        night.tap()
        night.until(State.ASKING, State.CLOSED)
    assert night.s == 1190 + 1200, "watched for twenty minutes from the new mark"


def test_more_time_during_an_alarm_is_more_time() -> None:
    night = alarmed()
    before = night.watch.ends_at
    night.more(600)
    assert before is not None
    assert night.watch.ends_at == before + 600_000


def test_shown_and_unclear_are_no_answers_to_an_alarm() -> None:
    night = alarmed()
    before = night.watch
    night.shown()
    night.unclear()
    night.dead(None)
    assert night.watch == before
    assert not night.who_heard(Word.STAND_DOWN)


def test_whoever_is_going_hears_of_something_unclear_from_the_phone() -> None:
    night = alarmed()
    night.claims(LEO)
    night.unclear()
    night.wait(119)
    night.unclear()
    assert [who for who, _ in _heard_of_it(night)] == [LEO]
    night.arrives(ANA)
    night.wait(1)
    night.unclear()
    assert [who for who, _ in _heard_of_it(night)][1:] == [LEO, ANA]
    assert not night.who_heard(Word.STAND_DOWN)


def _heard_of_it(night: Night) -> list[tuple[int, int]]:
    return [(tell.contact, tell.at) for tell in night.tells(None, Word.UNREADABLE)]


def test_the_next_watch_is_like_any_other_after_a_stand_down() -> None:
    night = Night()
    night.need_help()
    night.tap()
    night.wait(31)
    night.tap()
    assert night.state() is State.OPEN
    night.mark()
    night.until_ask()
    assert night.watch.alarm is None
