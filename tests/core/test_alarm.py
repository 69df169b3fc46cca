"""What an open alarm does: the ambulance words, being there, locked doors, and how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Cause, Outcome, State, Way, Word
from stillhere.core.ladder import ATTENDED_GRACE_S, ATTENDED_S
from stillhere.core.refusals import Refusal
from tests.core.world import (
    ANA,
    INJECTED,
    LEO,
    MALLORY,
    MAYA,
    OPEN_CAUSES,
    RUTH,
    Night,
    alarmed,
    evenings,
    plan,
)


def test_nobody_arrived_in_five_minutes_so_everyone_is_told_to_call_an_ambulance() -> None:
    night = alarmed()
    night.wait(299)
    assert not night.tells(None, Word.AMBULANCE)
    night.wait(1)
    for contact in (LEO, ANA, MAYA):
        assert night.told_s(contact, Word.AMBULANCE) == [300]


@pytest.mark.parametrize("cause", OPEN_CAUSES)
def test_a_profile_may_send_for_the_ambulance_sooner(cause: Cause) -> None:
    night = alarmed(cause=cause, profile=replace(INJECTED, ambulance_s=120))
    night.wait(119)
    assert not night.tells(None, Word.AMBULANCE)
    night.wait(1)
    assert night.told_s(LEO, Word.AMBULANCE) == [120]


def test_the_ambulance_words_come_once() -> None:
    night = alarmed()
    night.wait(24 * 3600)
    assert len(night.tells(None, Word.AMBULANCE)) == 3


def test_a_claim_does_not_put_off_the_ambulance_words() -> None:
    night = alarmed()
    night.wait(100)
    night.claims(LEO, 300)
    night.wait(200)
    assert night.state() is State.CLAIMED
    assert night.told_s(LEO, Word.AMBULANCE) == [300]


def test_one_who_is_told_of_the_alarm_later_hears_the_ambulance_words_too() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.claims(LEO, 300)
    night.wait(320)
    assert night.told_s(LEO, Word.AMBULANCE) == [300]
    assert night.told_s(ANA, Word.AMBULANCE) == [300]
    assert night.told_s(MAYA, Word.AMBULANCE) == []
    night.wait(100)
    assert len(night.told_s(MAYA, Word.AMBULANCE)) == 1


def test_one_who_joins_unrung_hears_the_ambulance_words_too() -> None:
    for join in (ev.Claimed(MAYA, 120), ev.CannotGetIn(MAYA)):
        night = alarmed(plan((LEO,), (MAYA,)))
        night.claims(LEO, 300)
        night.wait(299)
        night.claims(LEO, 290)
        night.wait(10)
        assert night.words(MAYA) == []
        night.do(join)
        assert night.words(MAYA) == [Word.AMBULANCE], join


def test_with_somebody_there_nobody_is_told_to_call() -> None:
    night = alarmed()
    night.wait(200)
    night.arrives(LEO)
    night.wait(500)
    assert not night.tells(None, Word.AMBULANCE)


def test_when_the_one_who_was_there_falls_silent_the_ambulance_words_follow() -> None:
    night = alarmed()
    night.wait(60)
    night.arrives(LEO)
    night.wait(ATTENDED_S + ATTENDED_GRACE_S)
    assert night.state() is State.ALARM
    assert night.who_heard(Word.AMBULANCE) == {LEO, ANA, MAYA}


# --- being there ----------------------------------------------------------------------------------


def test_arriving_stops_the_ladder_and_tells_the_others() -> None:
    night = alarmed()
    night.wait(20)
    night.arrives(LEO)
    assert night.state() is State.ATTENDED
    assert [t.who for t in night.tells(ANA, Word.ARRIVED)] == [LEO]
    night.wait(500)
    assert MAYA not in night.who_heard(Word.ALARM)


def test_after_ten_minutes_we_look_in_and_after_five_more_the_ladder_reopens() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.wait(ATTENDED_S)
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [600]
    assert night.state() is State.ATTENDED
    night.wait(ATTENDED_GRACE_S - 1)
    assert night.state() is State.ATTENDED
    night.wait(1)
    assert night.state() is State.ALARM
    assert {t.who for t in night.tells(ANA, Word.REOPENED)} == {LEO}
    assert night.told_s(MAYA, Word.ALARM) == [900]


def test_still_with_them_puts_the_look_in_off() -> None:
    night = alarmed()
    night.arrives(LEO)
    for _ in range(10):
        night.wait(ATTENDED_S + 60)
        night.arrives(LEO)
    assert night.state() is State.ATTENDED
    assert len(night.tells(ANA, Word.ARRIVED)) == 1
    assert not night.who_heard(Word.REOPENED)


def test_one_who_said_how_soon_and_arrived_is_never_said_to_be_missing() -> None:
    night = alarmed()
    night.claims(LEO, 180)
    night.wait(120)
    night.arrives(LEO)
    night.wait(ATTENDED_S)
    assert Word.REOPENED not in night.words(ANA)
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [720]


def test_another_who_was_on_the_way_is_not_missed_while_somebody_is_there() -> None:
    night = alarmed()
    night.claims(ANA, 180)
    night.arrives(LEO)
    night.wait(ATTENDED_S)
    assert not night.who_heard(Word.REOPENED)
    assert Word.ARE_YOU_THERE not in night.words(ANA)


def test_with_two_there_one_may_leave() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.arrives(ANA)
    night.declines(LEO)
    assert night.state() is State.ATTENDED
    night.declines(ANA)
    assert night.state() is State.ALARM
    night.wait(0)
    assert MAYA in night.who_heard(Word.ALARM)


@pytest.mark.parametrize(
    "leaves", [ev.Declined(LEO), ev.OptedOut(LEO), ev.CannotGetIn(LEO)], ids=str
)
def test_the_one_who_was_there_may_leave_while_another_is_going(leaves: ev.Event) -> None:
    night = alarmed()
    night.arrives(LEO)
    night.claims(ANA, 120)
    night.do(leaves)
    assert night.state() is State.CLAIMED
    night.wait(120)
    assert night.state() is State.ALARM
    assert MAYA in night.who_heard(Word.ALARM)


def test_one_who_first_declined_then_came_can_still_leave() -> None:
    night = alarmed()
    night.declines(LEO)
    night.arrives(LEO)
    night.declines(LEO)
    assert night.state() is State.ALARM
    assert {t.who for t in night.tells(ANA, Word.REOPENED)} == {LEO}


def test_one_who_declined_then_came_then_opted_out_is_nobody_there() -> None:
    night = alarmed()
    night.declines(LEO)
    night.arrives(LEO)
    night.stops(LEO)
    assert night.state() is State.ALARM


def test_a_dead_number_does_not_mean_that_nobody_is_there() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.dead(LEO)
    assert night.state() is State.ATTENDED
    assert not night.who_heard(Word.REOPENED)


def test_one_who_was_there_and_silent_is_rung_again_like_the_others() -> None:
    night = alarmed(plan((LEO,)))
    night.claims(LEO, 60)
    night.arrives(LEO)
    night.wait(ATTENDED_S + ATTENDED_GRACE_S)
    assert Word.AGAIN in night.words(LEO) or night.pages()


# --- locked doors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("came", [True, False])
def test_cannot_get_in_keeps_the_alarm_open_and_everyone_hears(came: bool) -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.wait(30)
    if came:
        night.arrives(LEO)
    night.locked_out(LEO)
    night.wait(0)
    assert night.state() is State.ALARM
    assert [t.who for t in night.tells(ANA, Word.CANNOT_GET_IN)] == [LEO]
    assert night.told_s(MAYA, Word.ALARM) == [30]
    night.wait(3600)
    assert night.state() is State.ALARM


def test_not_found_keeps_the_alarm_open() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.says(LEO, Outcome.NOT_FOUND)
    assert night.state() is State.ALARM
    assert night.who_heard(Word.NOT_FOUND) == {ANA}
    assert night.says(RUTH, Outcome.NOT_FOUND).refused


def test_a_locked_door_for_one_does_not_undo_that_another_is_inside() -> None:
    night = alarmed()
    night.arrives(ANA)
    night.locked_out(LEO)
    assert night.state() is State.ATTENDED


def test_the_same_locked_door_twice_rings_no_further_rung() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.locked_out(LEO)
    night.wait(1)
    assert ANA in night.who_heard(Word.ALARM)
    night.locked_out(LEO)
    night.wait(1)
    assert MAYA not in night.who_heard(Word.ALARM)
    assert len(night.tells(ANA, Word.CANNOT_GET_IN)) == 0, "told after, by the alarm itself"
    night.says(LEO, Outcome.NOT_FOUND)
    assert len(night.tells(ANA, Word.NOT_FOUND)) == 1, "but this is other news"


# --- need help now --------------------------------------------------------------------------------


@pytest.mark.parametrize("marked", [True, False])
def test_need_help_now_raises_the_alarm_at_once(marked: bool) -> None:
    night = Night()
    if marked:
        night.mark()
        night.until_ask()
    night.need_help()
    assert night.state() is State.ALARM
    assert night.alarm.cause is Cause.HELP
    assert night.who_heard(Word.HELP) == {LEO, ANA}


def test_need_help_twice_is_one_alarm() -> None:
    night = alarmed(cause=Cause.HELP)
    before = night.watch
    night.wait(1)
    night.need_help()
    assert night.watch.alarms == 1
    assert night.alarm == before.alarm
    assert len(night.tells(LEO)) == 1


def test_need_help_in_a_silence_alarm_becomes_a_call_for_help() -> None:
    night = alarmed()
    night.wait(50)
    night.need_help()
    assert night.alarm.cause is Cause.HELP
    assert night.who_heard(Word.HELP) == {LEO, ANA, MAYA}
    night.tap()
    assert night.state() is State.ALARM, "one tap no longer ends it"


def test_need_help_between_two_rounds_does_not_wait_for_the_next_one() -> None:
    night = alarmed()
    night.wait(2 * 3600)
    night.mute()
    asked_s = night.s
    night.need_help()
    night.wait(1)
    assert night.told_s(LEO, Word.AGAIN) == [asked_s]


def test_need_help_takes_back_an_answer() -> None:
    night = alarmed(cause=Cause.HELP)
    night.wait(10)
    night.tap()
    night.wait(10)
    night.need_help()
    assert night.words(LEO)[-1] is Word.HELP
    night.wait(25)
    night.tap()
    assert night.state() is State.ALARM, "not two answers in a row"


@pytest.mark.parametrize("silent_first", [True, False])
def test_need_help_in_a_routine_is_as_urgent_as_in_an_acute_watch(silent_first: bool) -> None:
    night = evenings(circle=plan((LEO,), (MAYA,)))
    if silent_first:
        night.until_alarm()
    night.wait(5)
    night.need_help()
    began_s = night.s
    night.wait(300)
    assert night.told_s(LEO, Word.HELP) == [began_s]
    assert night.told_s(MAYA, Word.HELP) == [began_s + (0 if silent_first else 45)]
    assert night.told_s(LEO, Word.AMBULANCE) == [began_s + 300]


# --- how it ends ----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [Outcome.HOSPITAL, Outcome.DIED])
@pytest.mark.parametrize("who", [LEO, RUTH])
def test_grave_news_stops_every_timer_and_holds_everything(
    outcome: Outcome, who: int | None
) -> None:
    """Of a death nobody hears by us; that help has taken over, everyone who was called."""
    night = alarmed()
    night.arrives(LEO)
    night.mute()
    night.says(who, outcome)
    assert night.state() is State.CLOSED
    assert night.watch.outcome is outcome
    assert night.watch.held
    assert [w.asks_only for w in night.withdrew()] == [False]
    told = {(tell.word, tell.who, tell.outcome) for tell in night.tells()}
    assert told == (set() if outcome is Outcome.DIED else {(Word.STAND_DOWN, who, outcome)})
    night.mute()
    night.wait(30 * 24 * 3600)
    assert not night.tells()
    assert not night.asks()
    assert not night.pages()


@pytest.mark.parametrize("outcome", [Outcome.FINE, Outcome.REVIVED, Outcome.FALSE_ALARM])
@pytest.mark.parametrize("who", [LEO, RUTH])
def test_the_one_who_is_there_says_how_it_ended(outcome: Outcome, who: int | None) -> None:
    night = alarmed(cause=Cause.HELP)
    night.arrives(LEO)
    night.says(who, outcome)
    if who is RUTH:
        assert night.watch.outcome is outcome
    for _ in range(0 if who is RUTH else 2):  # after a contact's word Sam is asked
        night.until_ask()
        night.tap()
    assert night.state() is State.CLOSED
    assert not night.watch.held
    told = night.tells(None, Word.STAND_DOWN)
    assert {(t.contact, t.who, t.outcome) for t in told} == {
        (LEO, who, outcome),
        (ANA, who, outcome),
    }


def test_one_who_is_not_there_cannot_end_an_alarm_where_somebody_is() -> None:
    for cause, arrived in ((Cause.HELP, False), (Cause.SILENCE, True)):
        night = alarmed(cause=cause)
        if arrived:
            night.arrives(LEO)
        before = night.watch
        assert night.says(ANA, Outcome.FINE).refused
        assert night.watch == before


@pytest.mark.parametrize("outcome", [Outcome.FINE, Outcome.FALSE_ALARM])
def test_one_who_phoned_them_ends_a_silence_alarm_and_asks_go_on(outcome: Outcome) -> None:
    night = alarmed()
    night.says(MAYA, outcome)
    assert night.state() is State.OPEN
    assert {(t.who, t.outcome) for t in night.tells(None, Word.STAND_DOWN)} == {(MAYA, outcome)}
    night.wait(60)
    assert night.asks(Way.SHOW)


def test_an_alarm_never_ends_quietly() -> None:
    night = alarmed()
    before = night.watch
    assert night.says(LEO, Outcome.ENDED).refused
    assert night.says(RUTH, Outcome.ENDED).refused
    assert night.says(MALLORY, Outcome.FINE).refused
    assert night.watch == before


def test_the_same_outcome_twice_says_that_it_is_over() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.says(LEO, Outcome.REVIVED)
    ended = night.watch
    assert night.says(LEO, Outcome.REVIVED).refused is Refusal.NO_ALARM
    assert night.watch == ended


def test_no_alarm_no_claim() -> None:
    night = Night()
    for done in (
        night.claims(LEO),
        night.declines(LEO),
        night.arrives(LEO),
        night.locked_out(LEO),
        night.says(LEO, Outcome.FINE),
        night.says(RUTH, Outcome.DIED),
    ):
        assert done.refused is Refusal.NO_ALARM
    assert night.state() is State.OPEN


def test_an_alarm_nobody_touches_stays_open_for_a_week() -> None:
    night = alarmed()
    night.wait(7 * 24 * 3600)
    assert night.state() is State.ALARM
