"""What happens on the very edge: a moment before a number is reached, at it, and after it."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Cause, Outcome, State, Way, Word
from tests.core.world import (
    ANA,
    LEO,
    MAYA,
    Night,
    alarmed,
    evenings,
    phone_of,
    plan,
    text_of,
    using,
)

# --- the ladder -----------------------------------------------------------------------------------


def test_five_rungs_need_not_hurry() -> None:
    night = alarmed(plan(*((contact,) for contact in range(1, 6))))
    night.wait(180)
    assert [night.told_s(who, Word.ALARM)[0] for who in range(1, 6)] == [0, 45, 90, 135, 180]


def test_a_rung_that_is_a_whole_rung_late_does_not_drag_the_next_one_along() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.sleep(90)
    night.settle()
    assert night.told_s(ANA, Word.ALARM) == [90]
    night.wait(100)
    assert night.told_s(MAYA, Word.ALARM) == [135]


def test_a_rung_that_is_a_little_less_late_is_caught_up_with() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.sleep(89)
    night.settle()
    night.wait(100)
    assert night.told_s(MAYA, Word.ALARM) == [90]


def test_a_no_between_two_rounds_does_not_begin_the_next_one_early() -> None:
    night = alarmed(plan((LEO,), (ANA,)))
    night.wait(100)
    assert night.alarm.round == 1
    due = night.alarm.next_rung_at
    night.declines(ANA)
    assert night.alarm.next_rung_at == due


def test_a_no_of_the_rung_before_does_not_hurry_this_one() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.wait(50)
    due = night.alarm.next_rung_at
    night.declines(LEO)
    assert night.alarm.next_rung_at == due


@pytest.mark.parametrize(("after_s", "times"), [(29.999, 1), (30, 2)])
def test_the_same_claim_within_half_a_minute_is_told_once(after_s: float, times: int) -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.wait(after_s)
    night.claims(LEO, 300)
    assert len(night.tells(ANA, Word.GOING)) == times


@pytest.mark.parametrize(("after_s", "times"), [(29.999, 1), (30, 2)])
def test_the_same_locked_door_within_half_a_minute_is_told_once(after_s: float, times: int) -> None:
    night = alarmed()
    night.locked_out(LEO)
    night.wait(after_s)
    night.locked_out(LEO)
    assert len(night.tells(ANA, Word.CANNOT_GET_IN)) == times


def test_the_same_locked_door_is_told_once_while_somebody_else_is_going() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.locked_out(ANA)
    night.locked_out(ANA)
    assert len(night.tells(LEO, Word.CANNOT_GET_IN)) == 1


def test_another_obstacle_of_the_same_person_is_news() -> None:
    night = alarmed()
    night.locked_out(LEO)
    night.says(LEO, Outcome.NOT_FOUND)
    assert night.words(ANA)[-2:] == [Word.CANNOT_GET_IN, Word.NOT_FOUND]


def test_the_same_obstacle_of_another_person_is_news() -> None:
    night = alarmed()
    night.locked_out(LEO)
    night.locked_out(ANA)
    assert len(night.tells(LEO, Word.CANNOT_GET_IN)) == 1
    assert len(night.tells(ANA, Word.CANNOT_GET_IN)) == 1


def test_a_claim_made_again_in_the_very_instant_of_the_locked_door_is_heard() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.locked_out(LEO)
    night.claims(LEO, 300)
    assert night.state() is State.CLAIMED
    assert len(night.tells(ANA, Word.GOING)) == 2


def test_a_double_tap_stays_one_when_somebody_else_meets_a_locked_door() -> None:
    night = alarmed()
    night.claims(LEO, 300)
    night.locked_out(ANA)
    night.claims(LEO, 300)
    assert len(night.tells(ANA, Word.GOING)) == 1


@pytest.mark.parametrize(("claimed_s", "rung"), [(45, True), (45.001, False)])
def test_one_who_phones_from_afar_is_left_in_peace_for_exactly_ten_minutes(
    claimed_s: float, rung: bool
) -> None:
    """With nobody else to ring, a round begins 645 seconds into this alarm."""
    night = alarmed(plan((LEO,)))
    night.wait(claimed_s)
    night.claims(LEO, None)
    night.wait_until(645)
    assert bool(night.told_s(LEO, Word.AGAIN)) is rung


@pytest.mark.parametrize(
    ("eta_s", "held_s"), [(0, None), (-60, None), (1, 1), (300, 300), (301, None)]
)
def test_how_long_a_claim_holds(eta_s: int, held_s: int | None) -> None:
    night = alarmed()
    night.claims(LEO, eta_s)
    held_until_at = next(c.hold_until_at for c in night.alarm.claims)
    assert held_until_at == (None if held_s is None else night.now + held_s * 1000)
    assert (night.alarm.held_from_at is None) is (held_s is None)


def test_whoever_arrived_last_is_named_when_the_ladder_reopens() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.arrives(ANA)
    night.wait(900)
    assert {(t.contact, t.who) for t in night.tells(None, Word.REOPENED)} == {(LEO, ANA)}


def test_we_look_in_after_ten_minutes_and_reopen_after_fifteen() -> None:
    night = alarmed()
    night.arrives(LEO)
    night.wait(599)
    assert not night.tells(LEO, Word.ARE_YOU_THERE)
    night.wait(1)
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [600]
    night.wait(299)
    assert night.state() is State.ATTENDED
    night.wait(1)
    assert night.told_s(ANA, Word.REOPENED) == [900]


def test_news_of_a_later_round_says_so() -> None:
    night = alarmed(plan((LEO,), (ANA,)))
    night.wait(100)
    night.locked_out(LEO)
    assert night.tells(ANA, Word.CANNOT_GET_IN)[0].round == 1


def test_every_word_carries_the_place_of_the_one_it_goes_to() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.wait(360)
    for word in (Word.ALARM, Word.AGAIN, Word.AMBULANCE):
        assert {(t.contact, t.place) for t in night.tells(None, word)} == {
            (LEO, 0),
            (ANA, 1),
            (MAYA, 2),
        }


def test_a_dead_way_counts_for_the_one_it_belongs_to_only() -> None:
    night = alarmed(plan((LEO,), (ANA,), (MAYA,)))
    night.dead(LEO, text_of(LEO))
    night.dead(ANA, phone_of(ANA))
    assert night.alarm.out == ()


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("apart_s", "ended"),
    [(29.999, False), (30, True), (300, True), (300.001, False)],
)
def test_two_answers_are_in_a_row_from_half_a_minute_to_five(apart_s: float, ended: bool) -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.sleep(apart_s)
    night.tap()
    assert (night.state() is State.OPEN) is ended


@pytest.mark.parametrize(("before_end_s", "over"), [(30.001, False), (30, True), (0, True)])
def test_the_last_half_minute_needs_no_further_ask(before_end_s: float, over: bool) -> None:
    night = using()
    ends_at = night.watch.ends_at
    assert ends_at is not None
    while night.watch.next_ask_at is not None and night.watch.next_ask_at < ends_at - 60_000:
        night.now = night.watch.next_ask_at
        night.tick()
        night.tap()
    night.now = ends_at - round(before_end_s * 1000)
    night.tap()
    assert (night.state() is State.CLOSED) is over


@pytest.mark.parametrize(("kept_s", "believed"), [(5, True), (5.001, False)])
def test_a_number_that_was_used_is_believed_for_exactly_five_seconds(
    kept_s: float, believed: bool
) -> None:
    night = using()
    night.tap(seq=3)
    night.sleep(40)
    seen_at = night.watch.seen_at
    night.tap(ago_s=kept_s, seq=3)
    assert (night.watch.seen_at > seen_at) is believed


@pytest.mark.parametrize(("days", "refused"), [(366, False), (366.0001, True)])
def test_a_pause_lasts_a_leap_year_at_most(days: float, refused: bool) -> None:
    night = evenings()
    done = night.do(ev.Paused(night.now + round(days * 86_400_000)))
    assert (done.refused is not None) is refused


def test_a_call_for_help_is_a_sign_of_life() -> None:
    """The page of the contacts says since when nothing was heard."""
    night = using()
    night.wait(30)
    night.need_help()
    assert night.watch.seen_at == night.now
    night.wait(30)
    night.need_help()
    night.tap()
    night.wait(10)
    night.need_help()
    assert night.watch.seen_at == night.now


def test_an_answer_in_an_alarm_keeps_the_pages_count() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap(seq=7)
    assert night.watch.seq == 7
    night.tap(seq=3)
    assert night.watch.seq == 7
    night.tap()
    assert night.watch.seq == 7


def test_an_answer_in_an_alarm_is_seen_when_it_was_made() -> None:
    night = alarmed(cause=Cause.HELP)
    night.wait(60)
    night.tap(ago_s=20)
    assert night.watch.seen_at == night.now - 20_000
    night.tap(ago_s=40)
    assert night.watch.seen_at == night.now - 20_000


@pytest.mark.parametrize("back_s", [3600, 0.001])
def test_an_answer_after_the_clock_was_set_back_begins_the_row_anew(back_s: float) -> None:
    night = alarmed(cause=Cause.HELP)
    night.wait(10)
    night.tap()
    night.sleep(-back_s)
    night.tap()
    assert night.alarm.answered_at == night.now
    night.sleep(30)
    night.tap()
    assert night.state() is State.OPEN


def test_an_answer_kept_a_moment_longer_than_the_last_one_takes_nothing_back() -> None:
    night = alarmed(cause=Cause.HELP)
    night.wait(10)
    night.tap()
    night.mute()
    night.tap(ago_s=0.001)
    assert night.alarm.answered_at == night.now
    assert not night.heard


def test_two_taps_in_one_instant_are_told_once() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.tap()
    assert len(night.tells(LEO, Word.ANSWERED_ONCE)) == 1


def test_two_taps_a_moment_less_than_half_a_minute_apart_are_told_once() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.sleep(29.999)
    night.tap()
    assert len(night.tells(LEO, Word.ANSWERED_ONCE)) == 1


def test_the_phone_rings_for_the_second_answer_after_exactly_half_a_minute() -> None:
    """Not already when the next rung is due in between."""
    night = alarmed(cause=Cause.HELP)
    night.wait(20)
    night.tap()
    night.wait(40)
    assert night.asked_s(Way.RING) == [50]


def test_ringing_for_the_second_answer_is_no_reason_to_look_in_early() -> None:
    night = alarmed(cause=Cause.HELP)
    night.arrives(LEO)
    night.wait(20)
    night.tap()
    night.wait(590)
    assert night.told_s(LEO, Word.ARE_YOU_THERE) == [600]


def test_an_answer_made_in_the_instant_of_the_alarm_counts_though_it_comes_later() -> None:
    night = alarmed()
    night.sleep(4)
    night.tap(ago_s=4)
    assert night.state() is State.OPEN


def test_an_answer_in_the_very_instant_of_a_recheck_answers_it() -> None:
    night = alarmed()
    night.tap()
    night.sleep(60)
    night.tap()
    assert night.watch.next_ask_at is not None
    assert night.watch.next_ask_at > night.now


def test_a_recheck_that_is_asked_is_owed_no_longer() -> None:
    night = alarmed()
    night.tap()
    night.wait(60)
    assert night.state() is State.ASKING
    assert night.watch.rechecks == (night.now + 120_000,)


@pytest.mark.parametrize("unclear", [False, True])
def test_no_ask_speaks_of_an_outage_where_there_was_none(unclear: bool) -> None:
    night = using(circle=plan((LEO,)))
    night.until_ask()
    if unclear:
        night.unclear()
    night.until_alarm()
    night.wait(60)
    assert len(night.asks(Way.RING)) >= 2
    assert not any(ask.after_outage for ask in night.asks())


def test_a_kept_answer_long_after_the_first_begins_the_row_anew() -> None:
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.wait(400)
    night.tap(ago_s=2)
    assert night.alarm.answered_at == night.now - 2000


def test_a_way_that_dies_in_the_very_instant_of_the_ask_rings_at_once() -> None:
    night = using()
    night.until_ask()
    night.dead(None)
    assert night.asked_s(Way.RING) == [60]


def test_a_pause_until_long_ago_is_no_pause() -> None:
    night = evenings()
    deadline_at = night.watch.deadline_at
    assert night.do(ev.Paused(-1)).refused is None
    assert night.watch.deadline_at == deadline_at


def test_a_new_mark_does_not_put_off_the_ask_that_is_owed_after_a_stand_down() -> None:
    night = alarmed()
    night.tap()
    night.wait(30)
    night.mark()
    assert night.watch.next_ask_at == night.now + 30_000


def test_a_mark_asks_after_a_minute_where_less_is_owed_later() -> None:
    night = alarmed()
    night.tap()
    night.wait(61)
    night.tap()
    night.mark()
    assert night.watch.next_ask_at == night.now + 60_000


@pytest.mark.parametrize(("more_s", "given_s"), [(59, 60), (60, 60), (3600, 3600), (3601, 3600)])
def test_more_time_has_its_bounds(more_s: int, given_s: int) -> None:
    night = using()
    ends_at = night.watch.ends_at
    assert ends_at is not None
    night.more(more_s)
    assert night.watch.ends_at == ends_at + given_s * 1000


def test_more_time_counts_a_day_from_the_last_mark() -> None:
    night = using()
    night.wait(50)
    night.mark()
    for _ in range(30):
        night.more(3600)
    assert night.watch.ends_at == night.now + 86_400_000


def test_without_a_mark_more_time_counts_a_day_from_the_start() -> None:
    night = Night()
    for _ in range(30):
        night.more(3600)
    assert night.watch.ends_at == night.now + 86_400_000


def test_an_answer_at_the_very_deadline_asks_for_the_next_day() -> None:
    night = evenings()
    night.until_ask()
    deadline_at = night.watch.deadline_at
    assert deadline_at is not None
    night.now = deadline_at
    night.tap()
    assert night.watch.deadline_at == deadline_at + 86_400_000


def test_whoever_comes_uncalled_hears_what_the_others_were_told_about_an_ambulance() -> None:
    night = alarmed(plan((LEO,), (MAYA,)))
    night.declines(MAYA)
    night.claims(LEO, 300)
    night.wait(305)
    assert night.who_heard(Word.AMBULANCE) == {LEO}
    night.arrives(MAYA)
    night.declines(MAYA)
    assert night.who_heard(Word.AMBULANCE) == {LEO, MAYA}
