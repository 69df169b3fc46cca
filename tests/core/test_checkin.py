"""What a check-in is worth: when it was made, whether it is a repeat, which ask it answers."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.events import Cause, State
from stillhere.core.refusals import Refusal
from tests.core.world import INJECTED, Night, alarmed, using


def test_a_check_in_sets_the_next_ask_from_when_it_was_made() -> None:
    night = using()
    night.wait(50)
    night.tap()
    night.until_ask()
    assert night.s == 50 + 90


def test_a_kept_check_in_counts_from_when_it_was_made_not_from_when_it_arrived() -> None:
    night = using()
    night.wait(55)
    night.tap(ago_s=30)
    night.until_ask()
    assert night.s == 25 + 90
    assert night.watch.seen_at == night.begins_at + 25_000


def test_a_kept_check_in_made_just_before_the_ask_answers_it() -> None:
    night = using()
    night.until_ask()
    night.wait(30)
    night.tap(ago_s=35)
    assert night.state() is State.OPEN
    night.until_ask()
    assert night.s == 55 + 90


def test_a_kept_check_in_too_old_to_have_prevented_the_ask_does_not_answer_it() -> None:
    night = using()
    night.tap()
    night.wait(90)
    assert night.state() is State.ASKING
    night.wait(59)
    night.tap(ago_s=149)
    assert night.state() is State.ASKING
    night.until_alarm()
    assert night.s == 150


def test_a_drawer_full_of_kept_check_ins_cannot_put_the_alarm_off() -> None:
    night = using()
    night.wait(50)
    night.tap(seq=1)
    night.until_ask()
    asked_s = night.s
    for second in range(50):
        night.wait(1)
        night.tap(ago_s=night.s - 50, seq=2 + second)
    night.until_alarm()
    assert night.s == asked_s + 60


def test_a_check_in_made_before_the_last_one_is_old_news() -> None:
    night = using()
    night.wait(40)
    night.tap(seq=2)
    due_at = night.watch.next_ask_at
    night.wait(5)
    night.tap(ago_s=30, seq=1)
    assert night.watch.next_ask_at == due_at
    assert night.watch.seen_at == night.begins_at + 40_000


def test_the_same_kept_check_in_delivered_again_changes_nothing() -> None:
    night = using()
    night.wait(40)
    night.tap(seq=3)
    night.wait(20)
    before = night.watch
    assert night.tap(ago_s=20, seq=3).effects == ()
    assert night.watch == before


def test_a_replayed_number_that_claims_to_be_younger_is_ignored_once_it_is_old() -> None:
    night = using()
    night.wait(40)
    night.tap(seq=3)
    night.wait(20)
    before = night.watch
    night.tap(ago_s=10, seq=3)
    assert night.watch == before


@pytest.mark.parametrize(("ago_s", "counts"), [(5, True), (5.001, False)])
def test_a_number_that_was_used_is_believed_for_five_seconds(ago_s: float, counts: bool) -> None:
    night = using()
    night.wait(40)
    night.tap(seq=3)
    night.wait(20)
    night.tap(ago_s=ago_s, seq=3)
    assert (night.watch.seen_at == night.now - ago_s * 1000) == counts


def test_a_page_that_was_loaded_again_and_counts_from_zero_is_believed() -> None:
    night = using()
    night.tap(seq=500)
    night.until_ask()
    night.tap(seq=0)
    assert night.state() is State.OPEN
    assert night.watch.seq == 500


def test_a_repeat_of_a_check_in_does_not_answer_an_ask_that_came_after_it() -> None:
    night = using()
    night.until_ask()
    night.tap(seq=1)
    night.until_ask()
    night.wait(10)
    assert night.tap(ago_s=100, seq=1).effects == ()
    assert night.state() is State.ASKING


def test_a_check_in_made_before_the_watch_began_says_nothing() -> None:
    night = using()
    night.until_ask()
    before = night.watch
    night.tap(ago_s=7200)
    assert night.state() is State.ASKING
    assert night.watch.grace_at == before.grace_at
    assert night.watch.seen_at == before.seen_at


def test_two_check_ins_at_once_are_one() -> None:
    night = using()
    night.until_ask()
    night.tap(seq=1)
    once = night.watch
    night.tap(seq=1)
    assert night.watch == once


def test_a_text_has_no_number_and_counts_from_now() -> None:
    night = using()
    night.until_ask()
    night.do(ev.StillHere(night.now))
    assert night.state() is State.OPEN
    assert night.watch.seq == -1


def test_a_tap_is_believed_even_after_the_clock_was_set_back_an_hour() -> None:
    night = using()
    night.until_ask()
    night.sleep(-3600)
    night.tap()
    assert night.state() is State.OPEN
    night = alarmed()
    night.sleep(-3600)
    night.tap()
    assert night.state() is State.OPEN
    night = alarmed(cause=Cause.HELP)
    night.tap()
    night.sleep(-3600)
    night.tap()
    night.wait(30)
    night.tap()
    assert night.state() is State.OPEN


def test_the_same_form_twice_starts_one_watch() -> None:
    night = Night()
    before = night.watch
    night.wait(1)
    assert night.do(ev.Started()).effects == ()
    assert night.watch == before


def test_marking_twice_is_one_mark_a_little_later() -> None:
    night = Night()
    night.mark()
    night.wait(1)
    night.mark()
    night.until_ask()
    assert night.s == 61


@pytest.mark.parametrize("ago_s", [0, 30, 10**6, -(10**6)])
def test_after_the_end_a_check_in_hears_that_it_is_over(ago_s: int) -> None:
    night = using()
    night.end()
    closed = night.watch
    assert night.tap(ago_s=ago_s).refused is Refusal.OVER
    assert night.watch == closed


def test_a_check_in_in_the_last_half_minute_is_the_last_one() -> None:
    night = using(INJECTED)
    while night.s < 1080:
        night.until_ask()
        night.tap()
    night.wait_until(1171)
    night.tap()
    assert night.state() is State.CLOSED


def test_an_answer_a_little_before_that_is_not() -> None:
    night = using(INJECTED)
    while night.s < 1080:
        night.until_ask()
        night.tap()
    night.wait_until(1169)
    night.tap()
    night.until_ask()
    assert night.s == 1200
