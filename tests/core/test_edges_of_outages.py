"""An ask that we were away from, to the second: when it is given its full time, and when only as
much as the outage took from it."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.events import State, Way
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from stillhere.core.watch import wake_at
from tests.core.test_edges_of_asking import TEN_S, asked, reminded, stood_down
from tests.core.world import DAILY, EVENING, Night, evenings

ONCE = Routine(frozenset(range(7)), 22 * 60, "UTC", once=True)
AFTER = Profile("after", steps=(), ring_s=120, grace_s=600, ambulance_s=None, reminders_s=(0,))


def grace_s(night: Night) -> float:
    """When the open ask runs out, in seconds of this night."""
    assert night.watch.grace_at is not None
    return (night.watch.grace_at - night.begins_at) / 1000


def test_after_an_outage_an_unclear_answer_buys_nothing_either() -> None:
    night = asked()
    night.wait(10)
    night.unclear()
    night.wait(30)
    night.was_down(55)
    night.wait(5)
    given_s = grace_s(night)
    night.unclear()
    assert grace_s(night) == given_s


def test_a_second_outage_gives_back_what_it_took_and_no_more() -> None:
    night = asked()
    night.wait(10)
    night.was_down(40)
    assert grace_s(night) == 50 + 60
    night.wait(20)
    night.was_down(40)
    assert grace_s(night) == 110 + 40


def test_a_long_outage_after_a_short_one_gives_back_what_it_took() -> None:
    night = asked()
    night.wait(3)
    night.was_down(4)
    assert grace_s(night) == 64
    night.wait(23)
    night.was_down(40)
    assert grace_s(night) == 64 + 40


@pytest.mark.parametrize(("away_s", "out_s"), [(30, 60 + 30), (30.01, 10 + 30.01 + 60)])
def test_half_a_minute_is_a_short_outage_to_the_second(away_s: float, out_s: float) -> None:
    night = asked()
    night.wait(10)
    night.was_down(away_s)
    assert grace_s(night) == pytest.approx(out_s, abs=1e-6)


@pytest.mark.parametrize(
    ("late_s", "out_s"), [(15, 15 + 100 + 40 + 600), (15.01, 15.01 + 600 + 40)]
)
def test_an_ask_at_the_deadline_may_be_a_quarter_minute_late_by_itself(
    late_s: float, out_s: float
) -> None:
    night = Night(AFTER, routine=ONCE, begins_at=EVENING - 3_600_000)
    night.wait(3600 - 1)
    night.sleep(1 + late_s)
    night.settle()
    night.wait(100)
    night.was_down(40)
    assert grace_s(night) - 3600 == pytest.approx(out_s, abs=1e-6)


def test_an_outage_before_ten_takes_nothing_from_the_time_after_it() -> None:
    night = reminded(3000)
    night.was_down(600)
    assert grace_s(night) == TEN_S + DAILY.grace_s
    assert not night.rang()


@pytest.mark.parametrize(("over_s", "rings"), [(0, False), (0.001, True)])
def test_an_outage_that_ends_at_ten_sharp_took_nothing(over_s: float, rings: bool) -> None:
    night = reminded(1000)
    night.was_down(1000 + over_s)
    assert night.rang() is rings


@pytest.mark.parametrize("late_s", [0, 1])
def test_a_short_outage_that_ends_at_ten_sharp_rings_nobody(late_s: float) -> None:
    """However late the watch is told of it."""
    night = reminded(20)
    from_at = night.now
    night.sleep(20 + late_s)
    night.do(ev.ServiceWasDown(from_at, from_at + 20_000))
    assert night.asked_s() == night.asked_s(Way.NEXT) == [TEN_S + late_s]
    assert grace_s(night) == TEN_S + DAILY.grace_s


def test_a_silence_before_ten_that_goes_on_rings_nobody_yet() -> None:
    night = reminded(20)
    from_at = night.now
    night.sleep(15)
    night.do(ev.ServiceWasDown(from_at, from_at + 30_000))
    assert not night.rang()
    assert grace_s(night) == TEN_S + DAILY.grace_s


def test_a_short_outage_over_a_reminder_moves_nothing() -> None:
    night = reminded(910)
    night.was_down(20)
    assert grace_s(night) == TEN_S + DAILY.grace_s


def test_a_stage_that_fell_due_as_the_outage_ended_was_missed_by_it() -> None:
    night = asked()
    night.wait(1)
    night.was_down(4)
    assert grace_s(night) == 64


def test_whoever_was_cut_off_at_the_end_has_five_seconds_to_catch_up_once() -> None:
    night = asked()
    night.wait(58)
    night.mute()
    night.was_down(4)
    assert grace_s(night) == 62 + 5
    assert [ask.after_outage for ask in night.asks(Way.RING)] == [True]
    night.sleep(5)
    away_at = night.now
    night.sleep(10)
    night.do(ev.ServiceWasDown(away_at, night.now))
    assert night.watch.grace_at == night.now + 1


def test_an_outage_over_ten_is_asked_after_as_an_outage() -> None:
    night = evenings()
    night.wait(TEN_S - 2 * 3600)
    night.mute()
    night.was_down(3 * 3600)
    assert night.asks()[0].after_outage
    assert night.watch.base_at == night.now


def test_an_outage_that_ends_at_ten_sharp_is_asked_after_as_an_outage() -> None:
    night = evenings()
    night.wait(TEN_S - 2 * 3600)
    night.mute()
    night.was_down(2 * 3600)
    assert night.asks()[0].after_outage


def test_an_outage_while_a_second_look_is_owed_is_asked_after_as_an_outage() -> None:
    night = stood_down(20 * 60)
    night.was_down(70)
    assert night.state() is State.ASKING
    assert night.asks()[0].after_outage


def rung_after_an_outage() -> Night:
    """An ask that was made up for one outage already: its full grace runs anew."""
    night = asked()
    night.wait(10)
    night.was_down(50)
    assert night.watch.grace_at == night.now + 60_000
    return night


@pytest.mark.parametrize("away_s", [60, 90])
def test_an_outage_told_twice_puts_the_alarm_off_once(away_s: int) -> None:
    night = rung_after_an_outage()
    night.wait(20)
    from_at, to_at = night.now, night.now + away_s * 1000
    night.sleep(away_s)
    night.do(ev.ServiceWasDown(from_at, to_at))
    left_s = (night.watch.grace_at or 0) - night.now
    assert left_s == 40_000  # what was left of it
    night.do(ev.ServiceWasDown(from_at, to_at))
    assert (night.watch.grace_at or 0) - night.now == left_s


def test_the_first_outage_told_twice_gives_the_full_time_once() -> None:
    night = asked()
    night.wait(10)
    from_at = night.now
    night.sleep(40)
    for _ in range(2):
        night.do(ev.ServiceWasDown(from_at, night.now))
        assert grace_s(night) == 50 + 60


def test_an_outage_of_all_the_time_to_answer_gives_all_of_it_back() -> None:
    night = rung_after_an_outage()
    night.was_down(60)
    assert night.watch.grace_at == night.now + 60_000


@pytest.mark.parametrize("late_s", [60, 66])
def test_an_outage_after_the_time_was_over_gives_nothing_back(late_s: int) -> None:
    night = rung_after_an_outage()
    night.sleep(late_s)  # its time was over, and nobody looked
    from_at = night.now
    night.sleep(277)
    for _ in range(2):
        night.mute()
        night.do(ev.ServiceWasDown(from_at, night.now))
        assert night.asks() == []
    night.tick()
    assert night.state() is State.ALARM


def test_the_last_moment_that_an_outage_took_is_asked_for_and_given_back() -> None:
    night = rung_after_an_outage()
    night.wait(59.999)
    night.mute()
    night.was_down(277)
    assert night.rang()
    assert night.watch.grace_at == night.now + 1


@pytest.mark.parametrize("again", [False, True])
def test_an_outage_brings_no_alarm_nearer_than_was_said(*, again: bool) -> None:
    """A restore tells whoever has time left: they are asked anew, and have the whole time."""
    night = rung_after_an_outage() if again else asked()
    night.wait(10)
    said_at = night.watch.grace_at
    assert said_at is not None
    night.wait(5)
    night.mute()
    night.do(ev.ServiceWasDown(night.now - 31_000, night.now))
    assert [ask.way for ask in night.asks()] == [Way.RING]
    assert night.watch.grace_at == night.now + 60_000 > said_at


def test_a_reminder_that_fell_due_in_a_short_outage_is_sent_once_and_rings_nobody() -> None:
    """The deadline is still ahead, so nothing was taken; the timer moves on all the same."""
    night = reminded(901)
    night.was_down(20)
    assert night.asked_s(Way.NEXT) == [TEN_S - 881]
    assert not night.rang()
    assert night.watch.grace_at == night.begins_at + (TEN_S + DAILY.grace_s) * 1000


@pytest.mark.parametrize("into_s", range(3, 30))
def test_a_silence_still_under_way_puts_an_alarm_off_by_no_more_than_itself(into_s: int) -> None:
    """The web server hangs and never comes back: each look within half a minute is told so, with
    an end that lies ahead."""
    night = asked()
    assert night.watch.grace_at is not None
    gap = ev.ServiceWasDown(night.watch.grace_at - into_s * 1000, 0)
    gap = ev.ServiceWasDown(gap.from_at, gap.from_at + 30_000)
    looks = 0
    while night.state() is not State.ALARM:
        due = wake_at(night.watch)
        assert due is not None
        night.now = max(night.now, due)
        if gap.from_at + 3_000 <= night.now and due <= gap.to_at:
            night.do(gap)
        night.tick()
        looks += 1
        assert looks < 20, "told again and again"
    assert gap.to_at < night.now <= night.begins_at + 90_000


# --- outages in which nothing fell due: made up for when the time is up ---------------------------


@pytest.mark.parametrize("away_s", [16, 18])
def test_an_outage_between_the_last_ring_and_the_end_is_given_back(away_s: int) -> None:
    night = asked()
    night.wait(41)
    night.was_down(away_s)
    night.mute()
    night.until_alarm()
    assert night.s == 60 + away_s
    assert night.asked_s(Way.RING) == [60], "and they are asked once more"
    assert all(ask.after_outage for ask in night.asks())


def test_what_a_second_outage_took_unseen_is_given_back() -> None:
    """Sixty seconds of theirs: one before the first outage, nine and fifty after it."""
    night = asked()
    night.wait(1)
    night.was_down(600)
    night.wait(9)
    night.was_down(40)
    night.until_alarm()
    assert night.s == 600 + 40 + 60


def test_outages_that_overlap_are_one() -> None:
    night = asked()
    night.wait(41)
    night.was_down(10)
    end_at = night.now
    night.away += [(end_at - 5_000, end_at + 2_000), (end_at - 1_000, end_at)]
    night.until_alarm()
    assert night.s == 60 + 12


def test_an_outage_before_the_ask_or_still_to_come_owes_nothing() -> None:
    night = asked()
    night.away += [(night.now - 90_000, night.now - 1), (night.now + 60_000, night.now + 90_000)]
    night.until_alarm()
    assert night.s == 60


def test_an_outage_that_began_before_the_ask_took_only_what_it_had_of_it() -> None:
    night = asked()
    night.away.append((night.now - 90_000, night.now + 7_000))
    night.until_alarm()
    assert night.s == 60 + 7


def test_a_service_that_is_gone_unseen_again_and_again_still_raises_the_alarm() -> None:
    night, up_s = asked(), 0
    night.wait(41)
    up_s += 41
    while night.state() is State.ASKING:
        night.was_down(18)
        night.wait(1)
        up_s += 1
    assert up_s <= 61


def test_an_ask_at_the_deadline_that_went_out_late_is_owed_what_it_lost() -> None:
    """Ten minutes from when it was asked, a little after ten, not from ten sharp."""
    night = evenings(routine=ONCE, profile=AFTER)
    night.sleep(TEN_S + 9)
    night.settle()
    night.wait(3 * 60)
    night.was_down(50)
    night.until_alarm()
    assert night.s == TEN_S + 9 + 600 + 50


def test_a_moment_is_given_back_to_the_millisecond_and_counts_as_given_back() -> None:
    """Whoever was given back something has no full time after the next outage, only what was left:
    so moments without end put no alarm off for ever."""
    night = asked()
    night.away.append((night.now, night.now + 1))
    night.wait(60)
    assert grace_s(night) == 60.001
    night.was_down(40)
    assert grace_s(night) == 100.001
    night.until_alarm()
    assert night.s == 100.001
