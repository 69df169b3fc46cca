"""Profiles, days and alarms on the very edge of what they may be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from stillhere.core import alarm, profiles, schedule
from stillhere.core.alarm import ALL_HOLDS_S, Alarm, Claim, begin
from stillhere.core.events import Cause
from stillhere.core.profiles import REMINDERS_MOST, STEPS_MOST, Profile, ProfileError
from stillhere.core.schedule import Routine, ScheduleError
from tests.core.world import DAILY, EVENING, INJECTED, LEO, PLAN, SNORTED, SWALLOWED

DAYS = frozenset(range(7))
AT_TEN = Routine(DAYS, 22 * 60, "UTC")


# --- profiles -------------------------------------------------------------------------------------


def test_a_try_out_says_that_it_has_no_numbers() -> None:
    trial = replace(INJECTED, key=profiles.TRIAL)
    with pytest.raises(ProfileError, match="A try-out has no numbers"):
        profiles.own(trial, grace_s=60)


def test_own_grace_leaves_the_pace_of_the_asks_as_it_was() -> None:
    assert profiles.own(SWALLOWED, grace_s=90).steps == SWALLOWED.steps


def test_the_later_pace_alone_can_be_chosen() -> None:
    mine = profiles.own(SNORTED, later_every_s=200)
    assert mine.steps == ((300, 120), (1800, 200))


def test_a_time_that_is_no_whole_minute_is_said_in_seconds() -> None:
    with pytest.raises(ProfileError, match="not 200 seconds"):
        profiles.own(INJECTED, grace_s=200)


def test_a_watch_may_have_as_many_steps_as_are_allowed() -> None:
    steps = ((1, 90), (100, 90), (200, 90), (300, 90), (600, 150), (1200, 150))
    assert len(steps) == STEPS_MOST
    profiles.validate(replace(INJECTED, steps=steps))


def test_a_routine_may_have_as_many_reminders_as_are_allowed() -> None:
    reminders_s = tuple(range((REMINDERS_MOST - 1) * 600, -1, -600))
    assert len(reminders_s) == REMINDERS_MOST
    profiles.validate(replace(DAILY, reminders_s=reminders_s))


def test_numbers_that_nobody_gave_are_the_strictest() -> None:
    """They stand in ``content/profiles.toml`` too, which is what people read."""
    given = {
        name: getattr(INJECTED, name) for name in Profile.__dataclass_fields__ if name != "key"
    }
    plain = Profile("plain")
    assert {name: getattr(plain, name) for name in given} == given


def test_a_try_out_has_bounds_of_its_own() -> None:
    trial = Profile(
        profiles.TRIAL, unmarked_ask_s=10, unmarked_end_s=120, show_s=1, ring_s=5, grace_s=15
    )
    profiles.validate(trial)
    with pytest.raises(ProfileError, match="try-out"):
        profiles.validate(replace(trial, unmarked_ask_s=60))


def test_one_step_is_enough() -> None:
    profiles.validate(replace(INJECTED, steps=((1200, 90),)))


BOUNDS = {
    "unmarked_ask_s": (60, 300),
    "unmarked_end_s": (600, 10800),
    "first_ask_s": (30, 300),
    "early_every_s": (60, 180),
    "later_every_s": (120, 300),
    "tail_every_s": (120, 600),
    "total_s": (600, 10800),
    "show_s": (1, 15),
    "ring_s": (5, 60),
    "grace_s": (30, 120),
    "rung_s": (15, 60),
    "ambulance_s": (60, 300),
}
ROUTINES = {
    "show_s": (1, 15),
    "ring_s": (20, 1800),
    "grace_s": (600, 14400),
    "rung_s": (60, 3600),
    "reminders_s": (0, 43200),
}
TRIALS = {
    "unmarked_ask_s": (5, 30),
    "unmarked_end_s": (60, 600),
    "show_s": (1, 15),
    "ring_s": (5, 60),
    "grace_s": (15, 30),
    "rung_s": (15, 60),
    "ambulance_s": (60, 300),
}


@pytest.mark.parametrize(
    ("bounds", "agreed"),
    [(profiles.ACUTE, BOUNDS), (profiles.ROUTINE, ROUTINES), (profiles.TRY, TRIALS)],
)
def test_no_number_leaves_what_was_agreed(
    bounds: dict[str, profiles.Bound], agreed: dict[str, tuple[int, int]]
) -> None:
    assert {name: (bound.least, bound.most) for name, bound in bounds.items()} == agreed


# --- days -----------------------------------------------------------------------------------------


def test_one_day_that_does_not_exist_spoils_the_others() -> None:
    with pytest.raises(ScheduleError, match="at least one day"):
        Routine(frozenset({0, 9}), 22 * 60, "UTC")


def test_the_first_instant_there_is_can_be_looked_from() -> None:
    assert schedule.next_deadline(AT_TEN, 0) == 22 * 3600 * 1000


def test_the_year_three_thousand_is_the_last_that_can_be_looked_from() -> None:
    last_at = 32_503_680_000_000
    assert schedule.next_deadline(AT_TEN, last_at) > last_at
    with pytest.raises(ScheduleError, match="too far away"):
        schedule.next_deadline(AT_TEN, last_at + 1)


def test_check_ins_count_from_one_to_eighteen_hours_before() -> None:
    for opens_s in (3600, 18 * 3600):
        replace(AT_TEN, opens_s=opens_s)
    for opens_s in (3599, 18 * 3600 + 1):
        with pytest.raises(ScheduleError, match="1 to 18 hours"):
            replace(AT_TEN, opens_s=opens_s)


def test_what_is_no_plain_yes_in_the_store_is_a_no() -> None:
    stored = {**json.loads(schedule.to_text(AT_TEN)), "once": 1, "well": "yes"}
    assert schedule.from_text(json.dumps(stored)) == AT_TEN


@pytest.mark.parametrize(
    ("change", "says"), [({"v": 2}, "another version"), ({"days": []}, "at least one day")]
)
def test_the_store_says_what_is_wrong_with_a_routine(change: dict[str, object], says: str) -> None:
    stored = {**json.loads(schedule.to_text(AT_TEN)), **change}
    with pytest.raises(ScheduleError, match=says):
        schedule.from_text(json.dumps(stored))


def test_a_zone_that_is_no_name_is_told_kindly() -> None:
    with pytest.raises(ScheduleError, match="We do not know this time zone"):
        Routine(DAYS, 22 * 60, 5)  # type: ignore[arg-type]


# --- alarms ---------------------------------------------------------------------------------------


def fresh() -> Alarm:
    return begin(1, Cause.SILENCE, PLAN, 45, 300, EVENING, EVENING)


def test_nobody_is_there_who_was_not_told() -> None:
    with pytest.raises(AssertionError, match="not on the alarm"):
        alarm.check(replace(fresh(), arrivals=(LEO,), check_at=EVENING))


def test_holds_may_last_their_ten_minutes_and_not_a_moment_more() -> None:
    at = EVENING + (ALL_HOLDS_S - 60) * 1000
    ends_at = EVENING + ALL_HOLDS_S * 1000
    held = replace(fresh(), told=(LEO,), held_from_at=EVENING)
    alarm.check(replace(held, claims=(Claim(LEO, at, 60, ends_at, 0),)))
    with pytest.raises(AssertionError, match="ten minutes"):
        alarm.check(replace(held, claims=(Claim(LEO, at, 60, ends_at + 1, 0),)))


def test_what_is_wrong_with_a_profile_can_be_read() -> None:
    assert str(ProfileError("Too long.")) == "Too long."
