"""Whom the alarm reaches, in what order, and what claims, refusals and dead numbers do to it."""

from __future__ import annotations

import pytest

from stillhere.core.circle import Circle, Reach
from stillhere.core.events import Cause, Declined, Paging, State, Urgency, Way, Word
from stillhere.core.ladder import REPEAT_S
from stillhere.core.refusals import Refusal
from tests.core.world import (
    ANA,
    LEO,
    MALLORY,
    MAYA,
    NOBODY,
    alarmed,
    evenings,
    plan,
    text_of,
)


def test_the_contacts_of_a_rung_are_told_together() -> None:
    night = alarmed(plan((LEO, ANA), (MAYA,)))
    assert night.who_heard(Word.ALARM) == {LEO, ANA}


def test_rungs_are_forty_five_seconds_apart() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.wait(200)
    assert night.told_s(LEO, Word.ALARM) == [0]
    assert night.told_s(ANA, Word.ALARM) == [45]
    assert night.told_s(MAYA, Word.ALARM) == [90]


@pytest.mark.parametrize("rungs", range(1, 21))
@pytest.mark.parametrize("cause", list(Cause))
def test_everyone_is_rung_within_three_minutes_however_long_the_ladder(
    rungs: int, cause: Cause
) -> None:
    night = alarmed(plan(*((contact,) for contact in range(1, rungs + 1))), cause)
    night.wait(180)
    word = {Cause.SILENCE: Word.ALARM, Cause.HELP: Word.HELP, Cause.FORCE: Word.FORCED}[cause]
    assert night.who_heard(word) == set(range(1, rungs + 1))


def test_nine_rungs_share_the_three_minutes_evenly() -> None:
    night = alarmed(plan(*((contact,) for contact in range(1, 10))))
    night.wait(180)
    assert [night.told_s(contact, Word.ALARM) for contact in (1, 2, 9)] == [[0], [22], [176]]


def test_a_routine_gives_each_rung_its_time() -> None:
    night = evenings(circle=plan((1,), (2,), (3,), (4,), (5,)))
    night.until_alarm()
    began_s = night.s
    night.wait(2400)
    assert night.told_s(5, Word.ALARM) == [began_s + 2400]


def test_a_ladder_of_two_hundred_rungs_still_takes_one_at_a_time() -> None:
    night = alarmed(plan(*((contact,) for contact in range(1, 201))))
    assert night.who_heard(Word.ALARM) == {1}
    night.wait(200)
    assert 200 in night.who_heard(Word.ALARM)


def test_a_tick_that_is_always_a_little_late_does_not_add_up() -> None:
    night = alarmed(plan((1,), (2,), (3,), (4,), (5,)))
    for _ in range(90):
        night.sleep(2)
        night.tick()
    night.sleep(2)
    night.tick()
    assert night.told_s(5, Word.ALARM)[0] <= 182


def test_ticks_a_second_late_do_not_add_up() -> None:
    night = alarmed(plan((1,), (2,), (3,), (4,), (5,)))
    while 5 not in night.who_heard(Word.ALARM):
        night.now = night.alarm.next_rung_at + 1000
        night.tick()
    assert night.s <= 181


def test_first_contacts_leave_before_second_ones() -> None:
    night = alarmed()
    night.wait(60)
    tells = night.tells(None, Word.ALARM)
    assert [t.place for t in tells] == [0, 1, 2]
    assert {t.urgency for t in tells} == {Urgency.ALARM}


def test_a_dead_number_moves_the_ladder_at_once() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.wait(3)
    night.dead(LEO)
    night.wait(0)
    assert night.told_s(MAYA, Word.ALARM) == [3]


def test_one_dead_way_of_two_moves_nothing() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.dead(LEO, text_of(LEO))
    night.wait(44)
    assert MAYA not in night.who_heard(Word.ALARM)


def test_a_dead_number_of_the_previous_rung_moves_nothing() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.wait(50)
    night.dead(LEO)
    night.wait(39)
    assert MAYA not in night.who_heard(Word.ALARM)


def test_a_contact_without_a_way_costs_no_time() -> None:
    night = alarmed(Circle(((Reach(LEO, ()),), (Reach(MAYA, (1,)),))))
    assert night.who_heard(Word.ALARM) == {MAYA}


def test_a_no_moves_the_ladder_at_once() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.wait(5)
    night.declines(LEO)
    night.wait(0)
    assert night.told_s(MAYA, Word.ALARM) == [5]


def test_a_no_is_not_rung_again_but_still_hears_the_news() -> None:
    night = alarmed()
    night.declines(LEO)
    night.wait(3600)
    assert Word.AGAIN not in night.words(LEO)
    night.tap()
    assert night.words(LEO)[-1] is Word.STAND_DOWN


def test_when_all_decline_the_coordinator_is_paged_and_the_alarm_stays_open() -> None:
    night = alarmed()
    for contact in (LEO, ANA, MAYA):
        night.wait(2)
        night.declines(contact)
    night.wait(1)
    assert [p.why for p in night.pages()] == [Paging.EXHAUSTED]
    night.wait(24 * 3600)
    assert night.state() is State.ALARM
    assert len(night.pages()) > 10


def test_a_no_before_they_were_told_takes_nobody_out_of_an_alarm() -> None:
    night = alarmed()
    night.do(Declined(MAYA, known=False))
    assert MAYA not in night.alarm.out
    night.wait(90)
    assert MAYA in night.who_heard(Word.ALARM)


def test_where_all_said_no_they_are_asked_again_after_ten_minutes() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.declines(LEO)
    night.wait(1)
    night.declines(MAYA)
    said_s = night.s
    night.wait(900)
    for contact in (LEO, MAYA):
        again_s = night.told_s(contact, Word.AGAIN)[0]
        assert 600 <= again_s - said_s <= 650, contact


def test_while_one_is_left_to_ring_a_no_lasts() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.declines(LEO)
    night.wait(2_400)
    assert not night.told_s(LEO, Word.AGAIN)
    assert len(night.told_s(MAYA, Word.AGAIN)) >= 4


def test_an_opt_out_moves_the_ladder_at_once() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.wait(5)
    night.stops(LEO)
    night.wait(0)
    assert night.told_s(MAYA, Word.ALARM) == [5]


def test_an_opt_out_wins_over_everything_even_the_stand_down() -> None:
    night = alarmed()
    night.wait(50)
    night.stops(LEO)
    night.mute()
    night.claims(MAYA)
    night.wait(3600)
    night.tap()
    assert night.tells(LEO) == []
    assert night.words(MAYA)[-1] is Word.STAND_DOWN


def test_after_an_opt_out_nothing_they_say_counts() -> None:
    night = alarmed()
    night.stops(LEO)
    before = night.watch
    assert night.claims(LEO).refused
    assert night.arrives(LEO).refused
    assert night.stops(LEO).refused
    assert night.watch == before


def test_somebody_who_is_on_nobodys_plan_changes_nothing() -> None:
    night = alarmed()
    before = night.watch
    for done in (
        night.claims(MALLORY),
        night.declines(MALLORY),
        night.locked_out(MALLORY),
        night.arrives(MALLORY),
        night.stops(MALLORY),
        night.dead(MALLORY),
    ):
        assert done.refused is Refusal.NOT_ON_IT
    assert night.watch == before


def test_an_invitation_nobody_answered_is_rung_once() -> None:
    night = alarmed(plan((LEO, ANA), (MAYA,), unconfirmed=(ANA,)))
    night.wait(2 * 3600)
    assert len(night.tells(ANA, Word.ALARM, Word.AGAIN)) == 1
    assert len(night.tells(LEO, Word.ALARM, Word.AGAIN)) > 3
    night.tap()
    assert night.words(ANA)[-1] is Word.STAND_DOWN


def test_an_exhausted_ladder_starts_again_slower_and_slower_and_pages_each_time() -> None:
    night = alarmed(plan((LEO,)))
    night.wait(6 * 3600)
    rings = night.told_s(LEO, Word.ALARM) + night.told_s(LEO, Word.AGAIN)
    waits = [later - paged for later, paged in zip(rings[1:], night.paged_s(), strict=False)]
    assert waits[: len(REPEAT_S)] == list(REPEAT_S)
    assert len(rings) <= 15, "six hours are at most fifteen calls"


def test_rounds_never_stop() -> None:
    night = alarmed(plan((LEO,)))
    night.wait(3 * 24 * 3600)
    night.mute()
    night.wait(3 * 3600)
    assert len(night.tells(LEO, Word.AGAIN)) >= 2


def test_when_the_ladder_is_exhausted_the_persons_own_phone_rings_too() -> None:
    night = alarmed()
    night.wait(200)
    assert night.asked_s(Way.RING) == [90]


def test_a_ring_in_an_alarm_is_the_next_ask_and_lapses_like_one() -> None:
    night = alarmed(plan((LEO,)))
    asks, grace_s = night.watch.asks, night.watch.profile.grace_s
    night.wait(45)
    ring = night.asks(Way.RING)[-1]
    assert (ring.no, ring.lapses_at) == (asks + 1, night.now + grace_s * 1000)
    assert night.watch.asks == asks + 1


def test_a_plan_with_nobody_on_it_pages_the_coordinator_at_once() -> None:
    night = alarmed(NOBODY)
    assert [p.why for p in night.pages()] == [Paging.EXHAUSTED]
    assert night.paged_s() == [0]
    night.wait(3600)
    assert len(night.pages()) > 3
    assert night.state() is State.ALARM
