"""One contact's word ends one alarm, and keeps none from the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Cause, Outcome, State, Word
from stillhere.core.refusals import Refusal
from tests.core.world import (
    ANA,
    LEO,
    MAYA,
    RUTH,
    TRY,
    Night,
    alarmed,
    evenings,
    phone_of,
    plan,
    text_of,
)

ONE_BY_ONE = plan((LEO,), (MAYA,), (ANA,))
WELL = (Outcome.FINE, Outcome.FALSE_ALARM)


def ended_by_leo(outcome: Outcome = Outcome.FINE, *, there: bool = False) -> Night:
    """Leo ended Sam's alarm, and the next one is raised because Sam did not answer."""
    night = alarmed(ONE_BY_ONE)
    if there:
        night.arrives(LEO)
    assert night.says(LEO, outcome).refused is None
    night.mute()
    night.until_alarm()
    return night


# --- the word that ends an alarm ------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True])
def test_whoever_ended_an_alarm_ends_no_other_before_sam_is_heard(there: bool) -> None:
    night = ended_by_leo(there=there)
    for outcome in (*WELL, Outcome.REVIVED, Outcome.HOSPITAL):
        before = night.watch
        assert night.says(LEO, outcome).refused is Refusal.TOLD_BEFORE
        assert night.watch == before
    night.wait(120)
    assert night.tells(MAYA, Word.ALARM)
    assert night.tells(ANA, Word.ALARM)


def test_their_im_going_holds_nothing_and_their_im_with_them_rests_nothing() -> None:
    night = ended_by_leo()
    for says in (ev.Claimed(LEO, 300), ev.Arrived(LEO)):
        night.do(says)
        assert night.state() is State.ALARM
        night.wait(45)
    assert night.who_heard(Word.ALARM) == {LEO, MAYA, ANA}
    assert night.tells(MAYA, Word.GOING), "it is told all the same"


def test_somebody_else_may_still_end_it() -> None:
    night = ended_by_leo()
    night.arrives(MAYA)
    assert night.state() is State.ATTENDED
    assert night.says(MAYA, Outcome.FINE).refused is None
    assert night.watch.ended_by == (LEO, MAYA)
    night.until_alarm()
    for who in (LEO, MAYA):
        assert night.says(who, Outcome.FINE).refused is Refusal.TOLD_BEFORE
    assert night.says(RUTH, Outcome.FINE).refused is None


@pytest.mark.parametrize(
    "life",
    [Night.tap, Night.mark, partial(Night.more, by_s=600), Night.need_help],
)
@pytest.mark.parametrize("when", ["open", "asked", "alarmed"])
def test_a_sign_of_life_of_sam_gives_their_word_its_weight_back(
    life: Callable[[Night], object], when: str
) -> None:
    night = alarmed(ONE_BY_ONE)
    night.says(LEO, Outcome.FINE)
    if when == "asked":
        night.until_ask()
    elif when == "alarmed":
        night.until_alarm()
    life(night)
    assert night.watch.ended_by == ()
    night.until(State.ALARM)
    night.arrives(LEO)
    assert night.state() is State.ATTENDED
    assert night.says(LEO, Outcome.FINE).refused is None


def test_a_pause_is_a_sign_of_life_and_an_unclear_answer_or_a_lit_screen_is_none() -> None:
    night = evenings(circle=ONE_BY_ONE)
    night.until_alarm()
    night.says(LEO, Outcome.FINE)
    night.until_ask()
    night.shown()
    night.unclear()
    assert LEO in night.watch.ended_by
    night.pause(3600)
    assert not night.watch.ended_by


def test_an_old_check_in_that_answers_nothing_gives_nothing_back() -> None:
    night = ended_by_leo()
    night.tap(ago_s=3600)
    assert night.watch.ended_by == (LEO,)
    assert night.says(LEO, Outcome.FINE).refused is Refusal.TOLD_BEFORE


# --- after the one who is there -------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.SILENCE, Cause.HELP])
@pytest.mark.parametrize("outcome", [*WELL, Outcome.REVIVED])
def test_after_the_one_who_is_there_sam_is_asked_at_one_and_three_minutes(
    cause: Cause, outcome: Outcome
) -> None:
    night = alarmed(cause=cause)
    night.arrives(LEO)
    night.says(LEO, outcome)
    assert night.tells(ANA, Word.STAND_DOWN)
    assert night.state() is State.OPEN
    night.mute()
    ended_s = night.s
    for after_s in (60, 180):
        night.until_ask()
        assert night.s == ended_s + after_s
        night.tap()
    assert (night.state(), night.watch.outcome) == (State.CLOSED, Outcome.ENDED)


def test_more_time_after_it_goes_on_with_the_watch() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.says(LEO, Outcome.FINE)
    night.more(1800)
    for _ in range(3):
        night.until_ask()
        night.tap()
    assert night.state() is State.OPEN


@pytest.mark.parametrize("outcome", [Outcome.HOSPITAL, Outcome.DIED])
def test_after_grave_news_sam_is_not_asked(outcome: Outcome) -> None:
    night = alarmed()
    night.arrives(LEO)
    night.says(LEO, outcome)
    assert night.state() is State.CLOSED


def test_under_force_and_in_a_try_out_nothing_asks_sam_afterwards() -> None:
    forced = alarmed(cause=Cause.FORCE)
    tried = alarmed(cause=Cause.HELP, profile=TRY)
    for night in (forced, tried):
        night.arrives(LEO)
        night.mute()
        night.says(LEO, Outcome.FINE)
        assert (night.state(), night.watch.outcome) == (State.CLOSED, Outcome.FINE)
        night.wait(3600)
        assert not night.asks()


# --- "I'm with them", again and again -------------------------------------------------------------


def test_half_an_hour_of_im_with_them_is_told_to_those_nobody_told() -> None:
    night = alarmed(ONE_BY_ONE)
    for _ in range(3):
        night.arrives(LEO)
        night.wait(590)
    assert not night.tells(MAYA)
    night.arrives(LEO)
    night.wait(590)
    told = night.tells(None, Word.STILL_THERE)
    assert {(t.contact, t.who) for t in told} == {(MAYA, LEO), (ANA, LEO)}
    assert {t.urgency for t in told} == {ev.Urgency.NEWS}
    assert night.told_s(MAYA, Word.STILL_THERE) == [1800]
    night.arrives(LEO)
    night.wait(590)
    assert len(night.tells(None, Word.STILL_THERE)) == 2, "once an alarm"
    night.says(LEO, Outcome.FINE)
    assert night.who_heard(Word.STAND_DOWN) == {LEO, MAYA, ANA}


def test_strangers_and_whoever_is_out_gone_or_dead_do_not_hear_of_it() -> None:
    others = plan((LEO,), (MAYA,), (ANA,), (4,), (5,), unconfirmed=(5,))
    night = alarmed(others)
    night.arrives(LEO)
    night.stops(MAYA)
    night.declines(ANA)
    night.dead(4, text_of(4), phone_of(4))
    for _ in range(5):
        night.wait(590)
        night.arrives(LEO)
    assert not night.tells(None, Word.STILL_THERE)


def test_under_force_nobody_else_is_told_who_is_there() -> None:
    night = alarmed(ONE_BY_ONE, cause=Cause.FORCE)
    night.arrives(LEO)
    for _ in range(5):
        night.wait(590)
        night.arrives(LEO)
    assert not night.tells(None, Word.STILL_THERE)
