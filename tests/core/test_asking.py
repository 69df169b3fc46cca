"""When and how loudly Sam is asked, and when silence becomes an alarm."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from stillhere.core import events as ev
from stillhere.core import profiles
from stillhere.core.events import Cause, Outcome, State, Way
from stillhere.core.profiles import Profile
from stillhere.core.refusals import Refusal
from tests.core.world import INJECTED, SNORTED, SWALLOWED, Night, using


def answered_every(night: Night, until_s: float) -> list[float]:
    """Answer every ask on the spot; the seconds at which asks came."""
    times: list[float] = []
    while night.state() is not State.CLOSED and night.s < until_s:
        night.until(State.ASKING, State.CLOSED)
        if night.state() is State.ASKING:
            times.append(night.s)
            night.tap()
    return times


def gaps(times: list[float]) -> list[float]:
    return [b - a for a, b in pairwise(times)]


def test_the_first_ask_comes_one_minute_after_the_mark() -> None:
    night = using(INJECTED)
    night.wait(59)
    assert not night.asks()
    night.wait(1)
    assert night.asked_s() == [60]


def test_an_ask_grows_louder_and_the_phone_rings_after_twenty_seconds() -> None:
    night = using(INJECTED)
    night.wait(119)
    assert night.asked_s(Way.SHOW) == [60]
    assert night.asked_s(Way.NEXT) == [65]
    assert night.asked_s(Way.RING) == [80, 100]
    assert night.state() is State.ASKING


def test_sixty_seconds_without_an_answer_raise_the_alarm() -> None:
    night = using(INJECTED)
    night.wait(119.999)
    assert night.state() is State.ASKING
    night.wait(0.001)
    assert night.state() is State.ALARM
    assert night.alarm.cause is Cause.SILENCE


def test_thirty_seconds_of_grace_can_be_chosen() -> None:
    night = using(profiles.own(INJECTED, grace_s=30))
    night.until_alarm()
    assert night.s == 90
    assert night.asked_s(Way.RING) == [80]


def test_injected_asks_come_every_one_to_two_minutes_then_every_two_to_three() -> None:
    times = answered_every(using(INJECTED), 3600)
    assert times[0] == 60
    assert all(60 <= gap <= 120 for gap in gaps([t for t in times if t <= 300]))
    assert all(120 <= gap <= 180 for gap in gaps([t for t in times if 300 <= t < 1200]))
    assert max(times) == 1200, "the last ask is at minute twenty"


@pytest.mark.parametrize("profile", [INJECTED, SNORTED, SWALLOWED], ids=lambda p: p.key)
def test_after_the_last_ask_is_answered_the_watch_is_over(profile: Profile) -> None:
    night = using(profile)
    times = answered_every(night, 4 * 3600)
    assert night.state() is State.CLOSED
    assert night.watch.outcome is Outcome.ENDED
    assert times[-1] == profile.ends_s
    assert not night.tells()


@pytest.mark.parametrize("profile", [INJECTED, SNORTED, SWALLOWED], ids=lambda p: p.key)
def test_no_gap_is_wider_than_the_profile_says(profile: Profile) -> None:
    times = answered_every(using(profile), 4 * 3600)
    for earlier, later in pairwise(times):
        assert later - earlier <= profile.every_s(int(earlier)), f"after {earlier} s"


def test_swallowed_is_watched_for_three_hours() -> None:
    times = answered_every(using(SWALLOWED), 4 * 3600)
    assert times[-1] == 3 * 3600
    assert max(gaps(times)) <= 600


def test_snorted_is_watched_wider_and_longer_than_injected() -> None:
    times = answered_every(using(SNORTED), 3600)
    assert times[-1] == 1800
    assert all(gap <= 180 for gap in gaps(times))


def test_a_watch_without_a_mark_asks_after_three_minutes() -> None:
    night = Night(INJECTED)
    night.until_ask()
    assert night.s == 180
    night.until_alarm()
    assert night.s == 240


def test_a_watch_without_a_mark_goes_on_asking_and_ends() -> None:
    night = Night(INJECTED)
    times = answered_every(night, 4000)
    assert times == [180 * n for n in range(1, 11)]
    assert night.watch.outcome is Outcome.ENDED


def test_using_again_starts_the_asks_from_the_beginning() -> None:
    night = using(INJECTED)
    answered_every(night, 1000)
    again_s = night.s
    night.mark()
    night.until_ask()
    assert night.s == again_s + 60
    assert answered_every(night, 4000)[-1] == again_s + 1200


def test_an_ask_seen_on_the_screen_is_not_sent_again_quietly_but_still_rings() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.shown()
    night.wait(59)
    assert not night.asks(Way.NEXT)
    assert night.asked_s(Way.RING) == [80, 100]


def test_an_ask_seen_on_the_screen_is_no_check_in() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.wait(10)
    night.shown()
    night.until_alarm()
    assert night.s == 120


def test_a_confirmation_of_an_older_ask_says_nothing_about_this_one() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.tap()
    older = night.watch.asks
    night.until_ask()
    night.do(ev.Shown(older))
    night.wait(6)
    assert len(night.asks(Way.NEXT)) == 1


def test_an_unclear_answer_rings_at_once_and_buys_no_time() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.wait(10)
    night.unclear()
    assert night.asked_s(Way.RING) == [70]
    night.wait(10)
    night.unclear()
    night.until_alarm()
    assert night.s == 120
    assert len(night.asks(Way.RING)) == 1


def test_something_unclear_between_asks_rings_at_once_and_silence_after_it_is_one() -> None:
    night = using(INJECTED)
    night.wait(20)
    night.unclear()
    assert night.state() is State.ASKING
    assert night.asked_s(Way.RING) == [20]
    night.until_alarm()
    assert night.s == 20 + 60


def test_it_rings_again_for_something_unclear_only_after_two_minutes() -> None:
    night = using(INJECTED)
    for second in (5, 30, 60, 124, 125):
        night.sleep(second - night.s)
        night.unclear()
        night.tap()
    assert night.asked_s(Way.RING) == [5, 125]


def test_something_unclear_rings_a_phone_that_was_rung_before() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.wait(50)
    rings = len(night.asks(Way.RING))
    night.unclear()
    assert len(night.asks(Way.RING)) == rings + 1
    night.until_alarm()
    assert night.s == 120


def test_when_the_quiet_way_to_the_phone_is_dead_it_rings_at_once() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.wait(6)
    night.dead(None)
    assert night.asked_s(Way.RING) == [66]
    night.dead(None)
    assert len(night.asks(Way.RING)) == 1


def test_more_time_is_a_check_in_that_moves_the_end() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.more(600)
    assert night.state() is State.OPEN
    assert answered_every(night, 4000)[-1] == 1800


def test_more_time_never_makes_a_watch_shorter() -> None:
    night = Night(INJECTED)
    for _ in range(30):
        night.more(3600)
        night.wait(170)
    night.sleep(24 * 3600 - 300 - night.s)
    night.tick()
    night.mark()
    ends_at = night.watch.ends_at
    night.more(600)
    assert ends_at is not None
    assert night.watch.ends_at is not None
    assert night.watch.ends_at >= ends_at
    night.wait(300)
    assert night.state() is not State.CLOSED


def test_a_watch_cannot_be_stretched_beyond_a_day() -> None:
    night = using(INJECTED)
    for _ in range(100):
        night.more(3600)
    assert night.watch.ends_at is not None
    assert night.watch.ends_at <= night.now + 24 * 3600 * 1000


def test_more_time_is_never_nothing_and_never_a_year() -> None:
    for by_s in (-5, 0, 10**9):
        night = using(INJECTED)
        before = night.watch.ends_at
        night.more(by_s)
        assert before is not None
        assert night.watch.ends_at is not None
        assert before + 60_000 <= night.watch.ends_at <= before + 3_600_000


def test_ending_is_quiet() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.end()
    assert night.state() is State.CLOSED
    assert night.watch.outcome is Outcome.ENDED
    assert not night.watch.held
    assert [w.asks_only for w in night.withdrew()] == [True]
    night.wait(24 * 3600)
    assert not night.tells()


def test_ending_twice_says_that_it_is_over() -> None:
    night = using(INJECTED)
    night.end()
    closed = night.watch
    night.wait(5)
    assert night.end().refused is Refusal.OVER
    assert night.watch == closed


def test_answering_withdraws_the_ask_that_has_not_left_yet() -> None:
    night = using(INJECTED)
    night.until_ask()
    night.tap()
    assert [w.asks_only for w in night.withdrew()] == [True]


def test_a_late_tick_sends_only_the_loudest_ask_and_gives_the_full_grace() -> None:
    night = using(INJECTED)
    night.sleep(75)
    night.tick()
    assert night.asked_s() == [75]
    night.sleep(25)
    night.tick()
    assert night.asked_s(Way.NEXT) == []
    assert night.asked_s(Way.RING) == [100]
    night.until_alarm()
    assert night.s == 135


def test_an_early_tick_changes_nothing() -> None:
    night = using(INJECTED)
    for s in (1, 30, 59.999):
        night.wait_until(s)
        before = night.watch
        assert night.tick().effects == ()
        assert night.watch == before


def test_every_ask_has_its_own_number_and_says_when_it_lapses() -> None:
    night = using(INJECTED)
    night.wait(60)
    night.tap()
    night.until_alarm()
    numbers = [ask.no for ask in night.asks()]
    assert numbers == sorted(numbers)
    assert set(numbers) == {1, 2}
    assert night.asks()[-1].lapses_at == night.now


def test_a_person_who_stays_silent_always_becomes_an_alarm() -> None:
    for profile in (INJECTED, SNORTED, SWALLOWED, replace(INJECTED, grace_s=30)):
        night = using(profile)
        while night.s < profile.ends_s:
            silent = Night(profile)
            silent.watch, silent.now = night.watch, night.now
            silent.until_alarm()
            assert silent.now - night.now <= (profile.every_s(0) * 5 + profile.grace_s) * 1000
            night.until(State.ASKING, State.CLOSED)
            if night.state() is State.CLOSED:
                break
            night.tap()


@pytest.mark.parametrize(("grace_s", "rings"), [(30, [20]), (59, [20]), (60, [20, 40])])
def test_it_rings_once_more_where_there_is_time_to_answer_that(
    grace_s: int, rings: list[int]
) -> None:
    """The second call from one number within three minutes gets through "do not disturb"."""
    night = using(replace(INJECTED, grace_s=grace_s))
    night.until_alarm()
    assert night.asked_s(Way.RING) == [60 + s for s in rings]
