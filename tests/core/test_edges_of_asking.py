"""Asking on the very edge: what an ask, a late answer, a pause or an outage is worth there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stillhere.core import events as ev
from stillhere.core import watch
from stillhere.core.events import Outcome, State, Way, Withdraw, Word
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from tests.core.world import (
    ANA,
    DAILY,
    EVENING,
    INJECTED,
    LEO,
    Night,
    evenings,
    plan,
    text_of,
    using,
)

TEN_S = 10 * 3600  # a routine's night begins at noon
DAY_S = 24 * 3600
DAYS = frozenset(range(7))
LATE_WINDOW = Routine(DAYS, 22 * 60, "UTC", opens_s=3600)


def stood_down(s: float, routine: Routine | None = None, profile: Profile = DAILY) -> Night:
    """A routine in which Sam asked for help and was found to be well, ``s`` seconds after noon."""
    night = Night(
        profile,
        routine=routine or Routine(DAYS, 22 * 60, "UTC"),
        begins_at=EVENING - 34 * 3600 * 1000,
    )
    night.wait(s - 31)
    night.need_help()
    night.tap()
    night.wait(31)
    night.tap()
    assert night.state() is State.OPEN
    night.mute()
    return night


def asked(profile: Profile = INJECTED) -> Night:
    """Sam was asked this very second: seconds count from there."""
    night = using(profile)
    night.until_ask()
    night.begins_at = night.now
    night.mute()
    return night


def reminded(before_s: float) -> Night:
    """A routine ``before_s`` seconds before ten, with the reminders that fell due until then."""
    night = evenings()
    night.wait(TEN_S - before_s)
    night.mute()
    return night


# --- how an ask goes out --------------------------------------------------------------------------


def test_of_several_stages_that_are_due_only_the_loudest_is_sent() -> None:
    night = asked()
    night.sleep(30)
    night.settle()
    assert night.asks(Way.RING)
    assert not night.asks(Way.NEXT)


def test_a_phone_rings_though_the_screen_had_shown_the_ask() -> None:
    night = asked()
    night.shown()
    night.sleep(30)
    night.settle()
    assert night.asks(Way.RING)


def test_a_screen_that_showed_one_ask_says_nothing_about_the_next() -> None:
    night = Night()
    night.until_ask()
    night.wait(6)
    assert night.asks(Way.NEXT), "nor does a new watch"
    night.shown()
    night.tap()
    night.mute()
    night.until_ask()
    night.wait(6)
    assert night.asks(Way.NEXT)


def test_a_second_look_in_a_routine_rings_once_and_counts_from_when_it_is_made() -> None:
    night = stood_down(20 * 60)
    asked_s = night.s + 60
    night.wait(60 + 29 * 60)
    assert night.asked_s(Way.RING) == [asked_s + DAILY.ring_s]


def test_what_was_owed_is_made_good_before_ten_without_taking_the_place_of_ten() -> None:
    night = stood_down(TEN_S - 3600 - 30)
    night.wait(30)
    assert night.state() is State.ASKING
    assert night.watch.base_at == night.watch.deadline_at


def test_a_rung_phone_rings_again_when_we_come_back() -> None:
    night = asked()
    night.wait(45)
    night.mute()
    night.was_down(600)
    assert [ask.after_outage for ask in night.asks(Way.RING)] == [True]


def test_an_unclear_answer_at_ten_sharp_rings_once() -> None:
    night = reminded(0)
    night.unclear()
    assert len(night.asks(Way.RING)) == 1
    night.wait(DAILY.ring_s + 60)
    assert len(night.asks(Way.RING)) == 1


def test_a_contacts_dead_number_does_not_ring_the_person() -> None:
    night = asked()
    night.dead(LEO, text_of(LEO))
    assert not night.rang()


# --- what a sign of life is worth -----------------------------------------------------------------


@pytest.mark.parametrize("after_s", [299.9, 300])
def test_the_pace_changes_five_minutes_after_the_mark_to_the_second(after_s: float) -> None:
    night = Night()
    night.mark()
    while night.s < after_s - 30:
        night.wait(30)
        night.tap()
    night.wait_until(after_s)
    night.tap()
    assert night.watch.next_ask_at == night.now + INJECTED.every_s(int(after_s)) * 1000


def test_the_last_answer_is_kept_as_the_others_are() -> None:
    night = Night()
    night.mark()
    while night.state() is not State.CLOSED:
        night.until_ask()
        night.wait(1)
        night.tap(seq=night.watch.seq + 1)
    assert night.watch.seq == night.watch.asks - 1
    assert night.watch.seen_at == night.now


def test_a_second_look_that_was_answered_early_is_not_made_up_for_later() -> None:
    night = using()
    night.until_alarm()
    night.tap()
    night.sleep(70)  # the first of the two was due, and nobody ticked
    night.tap()
    night.mark()
    assert night.watch.next_ask_at == night.now + INJECTED.first_ask_s * 1000


def test_what_was_owed_is_forgotten_when_help_comes_instead() -> None:
    night = stood_down(20 * 60)
    night.need_help()
    night.arrives(ANA)
    night.says(ANA, Outcome.HOSPITAL)
    night.mute()
    night.wait(300)
    assert not night.asks()


def test_a_kept_tap_too_old_to_answer_is_still_remembered() -> None:
    night = using()
    for _ in range(3):  # the asks are ninety seconds apart by now
        night.until_ask()
        night.wait(1)
        night.tap(seq=night.watch.seq + 1)
    night.sleep(200)  # the engine is late: the next ask goes out only now
    night.settle()
    night.tap(ago_s=199, seq=9)
    assert night.state() is State.ASKING
    assert (night.watch.seq, night.watch.seen_at) == (9, night.now - 199_000)


def test_old_news_moves_nothing_but_the_counter() -> None:
    night = using()
    night.wait(40)
    night.tap(seq=1)
    before = night.watch
    night.tap(ago_s=30)
    assert night.watch == before
    night.tap(ago_s=30, seq=5)
    assert night.watch == replace(before, seq=5)


@pytest.mark.parametrize("after_s", [0, 10])
def test_a_tap_kept_since_a_second_look_answers_it(after_s: float) -> None:
    night = stood_down(20 * 60, LATE_WINDOW)
    night.wait(60)
    made_at = night.now + round(after_s * 1000)
    night.wait(20)
    night.do(ev.StillHere(made_at, None))
    assert night.state() is State.OPEN


def test_what_is_asked_once_is_answered_from_its_first_reminder_on() -> None:
    twice = Profile(
        "after",
        steps=(),
        ring_s=120,
        grace_s=600,
        ambulance_s=None,
        reminders_s=(600, 0),
    )
    night = Night(twice, routine=Routine(DAYS, 22 * 60, "UTC", once=True))
    night.until_ask()
    night.tap()
    assert night.state() is State.CLOSED


def test_an_answer_on_the_instant_of_an_early_reminder_does() -> None:
    early = replace(DAILY, reminders_s=(7200, 0))
    night = evenings(early, routine=LATE_WINDOW)
    night.until_ask()
    night.tap()
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000


def test_an_answer_to_a_second_look_is_not_one_to_a_reminder_that_was_not_sent() -> None:
    early = replace(DAILY, reminders_s=(43200, 0))
    ten_in_the_morning_s = TEN_S + DAY_S - 43200
    night = stood_down(ten_in_the_morning_s - 90, LATE_WINDOW, early)
    deadline_at = night.watch.deadline_at
    night.wait(100)  # asked at 09:59:30, and still at 10:00:10
    assert night.state() is State.ASKING
    night.tap()
    assert night.watch.deadline_at == deadline_at


# --- the evening after an alarm -------------------------------------------------------------------


def test_an_alarm_before_ten_leaves_the_evening_as_it_was() -> None:
    night = stood_down(3600)
    assert night.watch.deadline_at == night.begins_at + TEN_S * 1000


def test_an_alarm_that_ends_at_ten_sharp_has_done_for_the_evening() -> None:
    night = stood_down(TEN_S)
    assert night.watch.deadline_at == night.begins_at + (TEN_S + DAY_S) * 1000


def test_a_routine_has_no_mark() -> None:
    night = evenings()
    night.wait(60)
    night.mark()  # it counts as a tap, and does for tonight
    assert (night.watch.marked_at, night.watch.ends_at) == (None, None)
    night.until_ask()
    assert night.s == TEN_S + DAY_S - 3600


# --- pauses and ends ------------------------------------------------------------------------------


@pytest.mark.parametrize("waited_s", [3600, 7200])
def test_a_pause_that_is_over_does_not_undo_tonights_answer(waited_s: float) -> None:
    night = evenings()
    night.pause(3600)
    night.wait(waited_s)
    night.tap()
    tomorrow = night.begins_at + (TEN_S + DAY_S) * 1000
    assert night.watch.deadline_at == tomorrow
    night.pause(600)
    assert night.watch.deadline_at == tomorrow


def test_a_pause_takes_an_open_ask_back_and_nothing_else() -> None:
    night = reminded(100)
    night.pause(3600)
    assert night.withdrew() == [Withdraw(asks_only=True)]
    night = evenings()
    night.pause(3600)
    assert not night.withdrew()


@pytest.mark.parametrize("clock_s", [60, -60])
def test_a_pause_and_an_end_are_signs_of_life(clock_s: float) -> None:
    night = evenings()
    seen_at = night.watch.seen_at
    night.sleep(clock_s)
    night.pause(3600)
    assert night.watch.seen_at == max(seen_at, night.now)
    night = using()
    seen_at = night.watch.seen_at
    night.sleep(clock_s)
    night.end()
    assert night.watch.seen_at == max(seen_at, night.now)


@pytest.mark.parametrize(
    "event",
    [ev.Started(), ev.Shown(1), ev.Unclear(), ev.Undeliverable(LEO, 1), ev.OptedOut(LEO)],
)
def test_what_comes_by_itself_after_the_end_is_answered_by_nothing(event: ev.Event) -> None:
    night = using()
    night.end()
    over = night.watch
    assert night.do(event).effects == ()
    assert night.watch == over


# --- the value itself -----------------------------------------------------------------------------


def test_a_watch_without_a_mark_ends_to_the_second() -> None:
    fresh = watch.start(1, INJECTED, EVENING)
    assert fresh.ends_at == EVENING + INJECTED.unmarked_end_s * 1000


def test_what_a_handler_broke_never_leaves_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(w: watch.Watch, *_: object) -> watch.Watch:
        return replace(w, next_ask_at=None)

    monkeypatch.setitem(watch.TABLE, (State.OPEN, ev.Shown), broken)
    with pytest.raises(AssertionError, match="ask ahead"):
        using().shown()


def test_words_reach_two_hundred_rungs_within_their_three_minutes_and_a_little() -> None:
    night = Night(circle=plan(*((contact,) for contact in range(1, 201))))
    night.need_help()
    night.wait(199)
    assert night.told_s(200, Word.HELP) == [199]


def test_a_ring_that_came_too_late_comes_together_with_the_alarm() -> None:
    night = asked()
    night.wait(10)
    night.sleep(51)
    night.settle()
    assert night.state() is State.ALARM
    assert night.asked_s(Way.RING) == [61]


def test_a_phone_that_rang_is_not_rung_again_by_the_alarm() -> None:
    night = asked()
    night.wait(45)
    night.mute()
    night.wait(15)
    assert night.state() is State.ALARM
    assert not night.rang()
