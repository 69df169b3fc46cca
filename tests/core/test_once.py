"""Asked only once, and telling the others that all is well."""

from __future__ import annotations

import pytest

from stillhere.core import schedule
from stillhere.core.events import AllWell, Outcome, State, Way, Word
from stillhere.core.schedule import Routine
from tests.core.world import DAY_S, LEO, RUTH, Night, evenings

TEN_S = 10 * 3600  # a night here begins at noon
DAYS = frozenset(range(7))
ONCE = Routine(DAYS, 22 * 60, "UTC", once=True)
WELL = Routine(DAYS, 22 * 60, "UTC", well=True)


def told_well(night: Night) -> list[int]:
    return [x.what.at for x in night.heard if isinstance(x.what, AllWell)]


@pytest.mark.parametrize("s", [TEN_S, TEN_S + 60, TEN_S + 1799])
def test_what_is_asked_once_is_over_with_the_answer(s: int) -> None:
    night = evenings(routine=ONCE)
    night.wait(s)
    night.tap()
    assert (night.state(), night.watch.outcome) == (State.CLOSED, Outcome.ENDED)
    assert not night.tells()


def test_a_tap_before_the_ask_does_not_do_for_it() -> None:
    night = evenings(routine=ONCE)
    night.wait(TEN_S - 3700)
    night.tap()
    assert night.state() is State.OPEN
    night.until_alarm()
    assert night.s == TEN_S + 1800


def test_silence_is_an_alarm_and_a_tap_then_is_asked_after_and_ends_it() -> None:
    night = evenings(routine=ONCE)
    night.until_alarm()
    assert night.tells(LEO, Word.ALARM)
    night.tap()
    for _ in range(2):  # somebody else may have silenced the phone
        assert night.state() is State.OPEN
        night.until_ask()
        night.tap()
    assert night.state() is State.CLOSED


def test_whoever_was_there_ends_it_once_the_person_has_answered_too() -> None:
    night = evenings(routine=ONCE)
    night.until_alarm()
    night.arrives(LEO)
    night.says(LEO, Outcome.REVIVED)
    for _ in range(2):
        assert night.state() is State.OPEN
        night.until_ask()
        night.tap()
    assert night.state() is State.CLOSED


def test_the_coordinator_ends_it_with_how_it_was() -> None:
    night = evenings(routine=ONCE)
    night.until_alarm()
    night.arrives(LEO)
    night.says(RUTH, Outcome.REVIVED)
    assert (night.state(), night.watch.outcome) == (State.CLOSED, Outcome.REVIVED)


def test_help_called_before_it_was_asked_does_not_take_the_ask_away() -> None:
    night = evenings(routine=ONCE)
    night.need_help()
    night.tap()
    night.wait(40)
    night.tap()
    assert night.state() is State.OPEN
    for _ in range(2):
        night.until_ask()
        night.tap()
    assert night.state() is State.OPEN
    night.until_ask()
    assert night.asked_s(Way.NEXT)[-1] >= TEN_S - 3600


def test_an_outage_at_its_hour_asks_when_we_are_back() -> None:
    night = evenings(routine=ONCE)
    night.wait(TEN_S - 4000)
    night.was_down(DAY_S)
    assert night.state() is State.ASKING
    night.tap()
    assert night.state() is State.CLOSED


def test_all_is_well_once_an_evening_and_only_if_it_was_chosen() -> None:
    for routine, many in ((WELL, 2), (Routine(DAYS, 22 * 60, "UTC"), 0)):
        night = evenings(routine=routine)
        for day in range(2):
            night.wait_until(TEN_S + day * DAY_S)
            night.tap()
            night.tap()
        assert len(told_well(night)) == many


def test_an_alarm_is_never_followed_by_all_is_well() -> None:
    night = evenings(routine=WELL)
    night.until_alarm()
    night.tap()
    assert told_well(night) == []


def test_what_an_older_release_does_not_know_is_written_only_where_chosen() -> None:
    assert "once" not in schedule.to_text(Routine(DAYS, 0, "UTC"))
    for routine in (ONCE, WELL):
        assert schedule.from_text(schedule.to_text(routine)) == routine
