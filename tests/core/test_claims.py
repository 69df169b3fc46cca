"""What "I'm going" does to the ladder: how long it holds, who hears it, and when it is over."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.alarm import ALL_HOLDS_S
from stillhere.core.events import Outcome, State, Word
from stillhere.core.ladder import MOST_CHANGES
from tests.core.world import (
    ANA,
    LEO,
    MAYA,
    Night,
    alarmed,
    phone_of,
    plan,
    text_of,
)


def test_a_claim_holds_the_ladder_and_tells_the_others_who_is_going() -> None:
    night = alarmed()
    night.wait(10)
    night.claims(LEO, 180)
    assert night.state() is State.CLAIMED
    assert [(t.who, t.eta_s) for t in night.tells(ANA, Word.GOING)] == [(LEO, 180)]
    assert Word.GOING not in night.words(LEO)
    night.wait(179)
    assert MAYA not in night.who_heard(Word.ALARM)


def test_a_claim_of_five_minutes_holds_and_one_second_more_does_not() -> None:
    for eta_s, state in ((300, State.CLAIMED), (301, State.ALARM), (0, State.ALARM)):
        night = alarmed()
        night.claims(LEO, eta_s)
        assert night.state() is state, eta_s


def test_far_or_later_holds_nothing_but_is_told() -> None:
    for eta_s in (None, 1200):
        night = alarmed()
        night.claims(LEO, eta_s)
        night.wait(45)
        assert night.told_s(MAYA, Word.ALARM) == [45]
        assert [t.eta_s for t in night.tells(ANA, Word.GOING)] == [eta_s]


def test_one_who_phones_from_afar_is_not_rung_again_for_ten_minutes() -> None:
    night = alarmed(plan((MAYA,)))
    night.claims(MAYA, None)
    night.wait(599)
    assert Word.AGAIN not in night.words(MAYA)
    night.wait(1800)
    assert Word.AGAIN in night.words(MAYA)


def test_im_going_from_a_phone_that_may_be_anybodys_keeps_nobody_from_being_rung() -> None:
    for eta_s in (None, 60, 600):
        night = alarmed()
        night.claims(MAYA, eta_s, known=False)
        assert night.state() is State.ALARM
        assert [(t.who, t.eta_s) for t in night.tells(LEO, Word.GOING)] == [(MAYA, eta_s)]
        night.wait(60)
        assert night.told_s(MAYA, Word.ALARM) == [45]
        night.wait(595 - 60)
        assert Word.AGAIN in night.words(MAYA), "and goes on being rung"


def test_what_anybody_may_have_said_is_told_once_and_changes_nothing_they_said() -> None:
    night = alarmed()
    night.claims(MAYA, 600, known=False)
    night.claims(MAYA, 300, known=False)
    assert len(night.tells(LEO, Word.GOING)) == 1
    night.claims(MAYA, 180)
    assert night.state() is State.CLAIMED, "their own word counts, however soon it comes"
    night.claims(MAYA, None, known=False)
    assert night.state() is State.CLAIMED
    night.declines(LEO)
    night.claims(LEO, 60, known=False)
    assert [t.who for t in night.tells(MAYA, Word.GOING)] == []


def test_a_dead_number_is_not_waited_for_because_anybody_says_im_going() -> None:
    night = alarmed()
    night.claims(LEO, None, known=False)
    night.do(ev.Unheard(LEO, phone_of(LEO)))
    night.wait(2)
    assert MAYA in night.who_heard(Word.ALARM)


def test_a_claim_that_lapses_asks_the_one_who_was_going_and_reopens_the_ladder() -> None:
    night = alarmed()
    night.claims(LEO, 120)
    night.wait(120)
    assert night.state() is State.ALARM
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [120]
    assert [t.who for t in night.tells(ANA, Word.REOPENED)] == [LEO]
    assert Word.REOPENED not in night.words(LEO)
    assert night.told_s(MAYA, Word.ALARM) == [120]


def test_a_hold_that_ends_in_the_instant_of_something_else_is_over_and_told() -> None:
    night = alarmed()
    night.claims(LEO, 60)
    night.sleep(60)
    night.need_help()
    assert night.state() is State.ALARM
    assert len(night.tells(LEO, Word.ARE_YOU_THERE)) == 1
    night.tick()
    assert len(night.tells(LEO, Word.ARE_YOU_THERE)) == 1


def test_two_claims_at_once_hold_until_the_later_one_lapses() -> None:
    night = alarmed()
    night.claims(LEO, 60)
    night.claims(ANA, 180)
    night.wait(179)
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [60]
    assert night.state() is State.CLAIMED
    assert MAYA not in night.who_heard(Word.ALARM)
    night.wait(1)
    assert night.state() is State.ALARM
    assert night.told_s(MAYA, Word.ALARM) == [180]


@pytest.mark.parametrize("again_s", [1, 31, 120, 299])
def test_all_holds_together_stop_the_ladder_for_at_most_ten_minutes(again_s: int) -> None:
    night = alarmed()
    held_s = 0
    while night.s < 3600:
        for contact in (LEO, ANA, MAYA):
            night.claims(contact, 300 - int(night.s) % 7)
        for _ in range(again_s):
            held_s += night.state() is State.CLAIMED
            night.wait(1)
    assert 300 <= held_s <= ALL_HOLDS_S + 1
    assert night.state() is State.ALARM


def test_the_ten_minutes_are_ten_minutes() -> None:
    night = alarmed()
    for s in (0, 299, 598):
        night.wait_until(s)
        night.claims(LEO, 300)
    night.wait_until(599)
    assert night.state() is State.CLAIMED
    night.wait_until(600)
    assert night.state() is State.ALARM


def test_a_claim_after_the_holds_are_used_up_is_told_and_holds_nothing() -> None:
    night = alarmed()
    night.claims(LEO, 60)
    night.wait(700)
    night.mute()
    night.claims(ANA, 120)
    assert night.state() is State.ALARM
    assert [t.eta_s for t in night.tells(LEO, Word.GOING)] == [120]


def test_the_same_claim_twice_is_a_double_tap() -> None:
    night = alarmed()
    night.claims(LEO, 180)
    night.wait(2)
    before = night.watch
    night.claims(LEO, 180)
    assert night.watch == before
    assert len(night.tells(ANA, Word.GOING)) == 1


def test_a_claim_made_again_after_a_mistaken_no_is_heard() -> None:
    night = alarmed()
    night.claims(LEO, 120)
    night.declines(LEO)
    night.claims(LEO, 120)
    assert night.state() is State.CLAIMED


def test_a_claim_made_again_after_a_locked_door_is_heard() -> None:
    night = alarmed()
    night.claims(LEO, 120)
    night.locked_out(LEO)
    night.claims(LEO, 120)
    assert night.state() is State.CLAIMED


def test_a_claim_made_again_is_heard_though_somebody_else_met_the_locked_door_last() -> None:
    """Core nights 147839444 and 777113750: only the newest obstacle was remembered, and with it
    whose claim it took back."""
    night = alarmed()
    night.claims(LEO, 180)
    night.wait(1)
    night.says(LEO, Outcome.NOT_FOUND)
    night.locked_out(ANA)
    night.mute()
    night.claims(LEO, 180)
    assert night.state() is State.CLAIMED
    assert [(t.who, t.eta_s) for t in night.tells(ANA, Word.GOING)] == [(LEO, 180)]
    night.wait(180)
    assert Word.ARE_YOU_THERE in night.words(LEO)


def test_one_who_cannot_come_soon_is_told_on_again_after_a_locked_door() -> None:
    night = alarmed()
    night.claims(LEO, None)
    night.locked_out(LEO)
    night.claims(LEO, None)
    assert len(night.tells(ANA, Word.GOING)) == 2


def test_one_who_cannot_come_soon_and_taps_twice_is_told_once() -> None:
    night = alarmed()
    night.claims(LEO, None)
    night.claims(LEO, None)
    assert len(night.tells(ANA, Word.GOING)) == 1


def test_one_who_cannot_come_soon_is_told_on_again_after_a_mistaken_no() -> None:
    night = alarmed()
    night.claims(LEO, None)
    night.declines(LEO)
    night.claims(LEO, None)
    assert len(night.tells(ANA, Word.GOING)) == 2


def test_a_double_tap_that_comes_after_the_arrival_tells_nobody_that_they_are_still_going() -> None:
    night = alarmed()
    night.claims(LEO, 60)
    night.arrives(LEO)
    before = night.watch
    night.claims(LEO, 60)
    assert night.watch == before
    assert len(night.tells(ANA, Word.GOING)) == 1


def test_giving_up_a_claim_reopens_the_ladder_at_once() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.wait(20)
    night.declines(LEO)
    night.wait(0)
    assert night.state() is State.ALARM
    assert [t.who for t in night.tells(ANA, Word.REOPENED)] == [LEO]
    assert night.told_s(MAYA, Word.ALARM) == [20]


def test_one_who_said_they_would_phone_can_give_that_up_without_alarming_anybody() -> None:
    night = alarmed()
    night.claims(MAYA, None)
    night.claims(LEO, 300)
    night.declines(MAYA)
    assert night.state() is State.CLAIMED
    night.stops(ANA)
    assert not night.who_heard(Word.REOPENED)


def test_giving_up_a_far_claim_while_nobody_goes_is_no_reopening() -> None:
    night = alarmed()
    night.claims(LEO, None)
    night.declines(LEO)
    assert not night.who_heard(Word.REOPENED)


def test_giving_up_one_of_two_claims_keeps_the_other_hold() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.claims(ANA, 300)
    night.declines(LEO)
    night.wait(100)
    assert night.state() is State.CLAIMED
    assert MAYA not in night.who_heard(Word.ALARM)


def test_a_claim_given_up_in_the_instant_it_lapses_still_reopens_the_ladder() -> None:
    night = alarmed()
    night.wait(2000)  # between two rounds: the next one is minutes away
    assert night.alarm.rung == 0
    night.claims(LEO, 300)
    night.mute()
    night.sleep(300)
    night.declines(LEO)
    night.wait(0)
    assert night.who_heard(Word.REOPENED) == {ANA, MAYA}
    assert Word.AGAIN in night.words(ANA)


def test_changing_from_near_to_far_lets_the_ladder_go_on() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.wait(60)
    night.claims(LEO, None)
    night.wait(0)
    assert night.state() is State.ALARM
    assert night.told_s(MAYA, Word.ALARM) == [60]


def test_one_who_declined_can_still_claim() -> None:
    night = alarmed()
    night.declines(LEO)
    night.claims(LEO, 120)
    assert night.state() is State.CLAIMED


def test_a_dead_number_does_not_undo_a_claim() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.dead(LEO)
    assert night.state() is State.CLAIMED
    assert not night.who_heard(Word.REOPENED)


def test_one_whose_phones_are_all_dead_is_not_rung_again() -> None:
    night = alarmed()
    night.dead(LEO, phone_of(LEO))
    night.dead(LEO, text_of(LEO))
    night.wait(3600)
    assert Word.AGAIN not in night.words(LEO)


def endless(night: Night, presses: int = 200) -> None:
    """Leo presses one claim after another, no two alike."""
    for press in range(presses):
        night.claims(LEO, 100 + press)


def test_who_changes_a_claim_again_and_again_is_not_told_on_for_ever() -> None:
    night = alarmed()
    endless(night)
    told = night.tells(ANA, Word.GOING)
    assert [t.eta_s for t in told] == [100 + n for n in range(MOST_CHANGES + 1)]
    night.arrives(LEO)
    assert Word.ARRIVED in night.words(ANA)


def test_claims_nobody_hears_do_not_hold_the_ladder_longer() -> None:
    night = alarmed()
    endless(night, MOST_CHANGES + 1)
    until_s = night.s + 100 + MOST_CHANGES
    for _ in range(20):
        night.wait(5)
        night.claims(LEO, 290 - int(night.s) % 7)
    night.wait_until(until_s)
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [until_s]
    assert night.state() is State.ALARM
    night.claims(LEO, 200)
    assert night.state() is State.ALARM


def test_a_claim_nobody_hears_may_still_let_the_ladder_go_on() -> None:
    night = alarmed()
    endless(night)
    assert night.state() is State.CLAIMED
    night.claims(LEO, None)
    assert night.state() is State.ALARM


def test_a_no_after_many_claims_is_told_once() -> None:
    night = alarmed()
    endless(night)
    for press in range(20):
        night.declines(LEO)
        night.claims(LEO, 50 + press)
    assert [t.who for t in night.tells(ANA, Word.REOPENED)] == [LEO]


def test_one_who_presses_without_end_takes_no_word_from_another() -> None:
    night = alarmed()
    endless(night)
    night.mute()
    night.claims(ANA, 120)
    assert [(t.who, t.eta_s) for t in night.tells(LEO, Word.GOING)] == [(ANA, 120)]
    assert night.state() is State.CLAIMED
