"""The ladder on the edge: what is told with which urgency, who is asked, and who is not hurried."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core import watch
from stillhere.core.events import (
    Ask,
    Outcome,
    PageCoordinator,
    Paging,
    State,
    Tell,
    Urgency,
    Way,
    Withdraw,
    Word,
)
from tests.core.world import ANA, LEO, MAYA, Night, alarmed, evenings, plan

THREE = plan((LEO,), (MAYA,), (ANA,))


# --- a call for help in an open alarm -------------------------------------------------------------


def test_a_call_for_help_leaves_the_ambulance_where_it_was() -> None:
    night = alarmed()
    night.wait(100)
    night.need_help()
    night.wait(250)
    assert night.told_s(LEO, Word.AMBULANCE) == [300]
    night = alarmed()
    night.wait(310)
    night.need_help()
    night.wait(400)
    assert night.told_s(LEO, Word.AMBULANCE) == [300]


def test_after_a_call_for_help_everything_counts_from_it() -> None:
    night = alarmed(plan((LEO,)))
    night.wait(20)
    night.need_help()
    called_at = night.now
    night.mute()
    night.wait(300)
    assert {tell.at for tell in night.tells(LEO, Word.AGAIN)} == {called_at}


def test_a_call_for_help_in_a_routine_climbs_as_fast_as_in_a_watch() -> None:
    night = evenings(circle=THREE)
    night.until_alarm()
    night.need_help()
    begun_s = night.s
    night.wait(100)
    assert night.told_s(MAYA, Word.HELP) == [begun_s]
    assert night.told_s(ANA, Word.HELP) == [begun_s + 45]


def test_a_call_for_help_takes_back_the_second_question() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.tap()
    night.need_help()
    night.mute()
    night.wait(40)
    assert not night.rang()


# --- what is told, and how urgently ---------------------------------------------------------------


def test_news_is_news_and_a_second_call_is_a_repeat() -> None:
    night = alarmed(plan((LEO, ANA)))
    night.claims(LEO, None)
    assert {t.urgency for t in night.tells(ANA, Word.GOING)} == {Urgency.NEWS}
    night.wait(290)
    again = night.tells(ANA, Word.AGAIN)
    assert {t.urgency for t in again} == {Urgency.REPEAT}
    assert [t.round for t in again] == [1, 2][: len(again)]


def test_the_ambulance_words_are_as_urgent_as_the_alarm() -> None:
    night = alarmed(plan((LEO,)))
    night.wait(300)
    [told] = night.tells(LEO, Word.AMBULANCE)
    assert (told.urgency, told.round) == (Urgency.ALARM, night.alarm.round)
    assert told.round > 0


def test_whoever_comes_while_somebody_is_there_is_not_sent_for_an_ambulance() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.declines(MAYA)
    night.claims(LEO, 300)
    night.wait(305)
    night.arrives(LEO)
    night.claims(MAYA, 60)
    assert night.who_heard(Word.AMBULANCE) == {LEO}


def test_what_is_not_said_is_nothing() -> None:
    tell = Tell(LEO, Word.ALARM, 0, Urgency.ALARM)
    assert (tell.place, tell.round) == (0, 0)
    assert PageCoordinator(Paging.QUARANTINED).round == 0
    assert not Ask(1, Way.SHOW, 0).after_outage


def test_an_invitation_that_says_it_is_there_is_a_minute_away() -> None:
    night = alarmed(plan((LEO, ANA), unconfirmed=(LEO,)))
    night.arrives(LEO)
    assert [t.eta_s for t in night.tells(ANA, Word.GOING)] == [60]


# --- dropping out ---------------------------------------------------------------------------------


def test_a_no_said_twice_changes_nothing() -> None:
    night = alarmed()
    night.declines(LEO)
    before = night.watch
    night.declines(LEO)
    assert night.watch == before


@pytest.mark.parametrize("how", ["claims", "arrives"])
def test_a_no_beside_somebody_who_goes_or_is_there_hurries_nobody(how: str) -> None:
    night = alarmed()
    getattr(night, how)(LEO)
    due_at = night.alarm.next_rung_at
    night.declines(ANA)
    assert night.alarm.next_rung_at == due_at


def test_of_two_who_are_there_one_may_leave() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.arrives(ANA)
    assert night.alarm.arrivals == (LEO, ANA)
    night.arrives(LEO)
    assert night.alarm.arrivals == (LEO, ANA)
    night.declines(LEO)
    assert night.state() is State.ATTENDED
    assert not night.who_heard(Word.REOPENED)


def test_whoever_covered_and_leaves_hurries_the_ladder_from_any_rung() -> None:
    night = alarmed(THREE)
    night.wait(50)
    night.claims(LEO, 300)
    night.declines(LEO)
    assert night.alarm.next_rung_at == night.now


def test_a_look_in_is_forgotten_with_the_one_it_was_about() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.wait(601)
    assert night.alarm.checked
    night.declines(LEO)
    assert not night.alarm.checked


def test_whoever_is_given_up_leaves_nothing_behind() -> None:
    night = alarmed(THREE)
    night.arrives(LEO)
    night.wait(500)
    night.claims(MAYA, None)
    night.until(State.ALARM)
    assert (night.alarm.claims, night.alarm.checked) == ((), False)
    assert night.told_s(MAYA, Word.AGAIN) == [night.s]


def test_two_who_want_no_more_stay_gone() -> None:
    night = alarmed()
    night.stops(LEO)
    night.stops(ANA)
    assert night.alarm.gone == (LEO, ANA)


# --- claims and doors -----------------------------------------------------------------------------


def test_seven_times_is_how_often_going_is_told() -> None:
    night = alarmed()
    for eta_s in range(400, 410):
        night.claims(LEO, eta_s)
    assert len(night.tells(ANA, Word.GOING)) == 7
    assert night.alarm.claims[0].changes == 7


def test_all_holds_end_ten_minutes_after_the_first_to_the_second() -> None:
    night = alarmed()
    begun_at = night.now
    for _ in range(2):
        night.claims(LEO, 300)
        night.wait(299)
    night.claims(LEO, 299)
    assert night.alarm.claims[0].hold_until_at == begun_at + 600_000
    night.wait(2)
    night.claims(LEO, 298)
    assert night.alarm.claims[0].hold_until_at is None


def test_a_hold_that_would_end_this_instant_is_none() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.wait(300)
    night.claims(ANA, 300)
    night.sleep(300)
    night.claims(MAYA, 300)
    claim = next(c for c in night.alarm.claims if c.contact == MAYA)
    assert claim.hold_until_at is None
    assert not night.tells(MAYA, Word.ARE_YOU_THERE)


def test_whoever_is_given_up_late_in_the_night_is_rung_again_at_once() -> None:
    night = alarmed(plan((LEO,)))
    night.wait(3 * 3600)
    night.arrives(LEO)
    night.mute()
    night.until(State.ALARM)
    assert night.told_s(LEO, Word.AGAIN) == [night.s]


def test_a_claim_after_a_locked_door_is_one_claim_however_often_it_is_tapped() -> None:
    night = alarmed()
    night.locked_out(LEO)
    night.wait(1)
    night.claims(LEO, 300)
    night.wait(5)
    night.claims(LEO, 300)
    assert len(night.tells(ANA, Word.GOING)) == 1


def test_a_short_hold_that_ends_rings_the_next_before_their_time() -> None:
    night = alarmed(THREE)
    night.wait(10)
    night.claims(LEO, 20)
    night.wait(25)
    assert night.told_s(MAYA, Word.ALARM) == [30]


def test_one_of_two_holds_that_ends_hurries_nobody() -> None:
    night = alarmed(plan((LEO, ANA), (MAYA,)))
    night.claims(LEO, 20)
    night.claims(ANA, 300)
    due_at = night.alarm.next_rung_at
    night.wait(21)
    assert night.alarm.next_rung_at == due_at


def test_a_locked_door_is_told_again_by_who_went_again() -> None:
    night = alarmed()
    night.locked_out(LEO)
    night.claims(LEO, 300)
    night.locked_out(LEO)
    assert len(night.tells(ANA, Word.CANNOT_GET_IN)) == 2


def test_whoever_said_no_and_stands_at_the_door_is_with_us_again() -> None:
    night = alarmed()
    night.declines(LEO)
    night.locked_out(LEO)
    assert LEO not in night.alarm.out


def test_whoever_is_there_holds_nothing_besides() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.arrives(LEO)
    assert [c.hold_until_at for c in night.alarm.claims] == [None]


# --- the end --------------------------------------------------------------------------------------


def test_an_alarm_that_is_over_takes_everything_back() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.mute()
    night.says(LEO, Outcome.REVIVED)
    assert night.withdrew() == [Withdraw(asks_only=False)]


def test_a_call_that_nobody_took_is_no_line_of_the_journal() -> None:
    night: Night = alarmed(THREE)
    before = night.watch
    night.unheard(LEO)
    assert night.watch != before
    assert not watch.worth_a_line(before, ev.Unheard(LEO, 1), night.watch)


@pytest.mark.parametrize("how", ["declines", "locked_out", "stops"])
def test_whoever_came_while_somebody_was_there_is_warned_when_they_are_left_alone(how: str) -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.declines(MAYA)
    night.claims(LEO, 300)
    night.wait(305)
    night.arrives(LEO)
    night.claims(MAYA, 60)
    assert night.told_s(MAYA, Word.AMBULANCE) == []
    getattr(night, how)(LEO)
    night.settle()
    assert night.told_s(MAYA, Word.AMBULANCE) == [305]


def test_whoever_is_given_up_after_the_ambulance_words_is_sent_for_again() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.declines(MAYA)
    night.claims(LEO, 300)
    night.wait(305)
    night.arrives(LEO)
    night.until(State.ALARM)
    given_up_s = night.s
    night.settle()
    assert night.told_s(LEO, Word.AMBULANCE) == [300, given_up_s]


def test_a_locked_door_where_nobody_was_sends_for_no_second_ambulance() -> None:
    night = alarmed()
    night.wait(305)
    night.locked_out(LEO)
    night.settle()
    assert night.told_s(LEO, Word.AMBULANCE) == [300]


# --- left alone again -----------------------------------------------------------------------------


def test_left_alone_early_the_ambulance_words_come_when_they_would_have_come() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.wait(60)
    night.arrives(LEO)
    night.declines(LEO)
    night.wait(200)
    assert night.told_s(MAYA, Word.AMBULANCE) == []
    night.wait(60)
    assert night.told_s(MAYA, Word.AMBULANCE) == [300]


def test_who_comes_the_moment_they_are_left_alone_hears_of_the_ambulance_once() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.claims(LEO, 300)
    night.wait(299)
    night.claims(LEO, 290)
    night.wait(10)
    night.arrives(LEO)
    night.declines(LEO)
    night.do(ev.Claimed(MAYA, 120))
    night.settle()
    assert night.words(MAYA).count(Word.AMBULANCE) == 1
