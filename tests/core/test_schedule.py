"""When a routine is due: clock changes, pauses, and what must hold of every zone and every day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stillhere.core.schedule import (
    Routine,
    ScheduleError,
    counts_for,
    from_text,
    next_deadline,
    to_text,
)

EVERY_DAY = frozenset(range(7))
HOUR, DAY = 3_600_000, 86_400_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(local: str, tz: str = "UTC") -> int:
    """An instant from a wall time, "2025-03-08 12:00"."""
    return (datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(tz)) - EPOCH) // timedelta(
        milliseconds=1
    )


def wall(instant: int, tz: str) -> datetime:
    return (EPOCH + timedelta(milliseconds=instant)).astimezone(ZoneInfo(tz)).replace(tzinfo=None)


def minutes(text: str) -> int:
    hours, rest = text.split(":")
    return int(hours) * 60 + int(rest)


# --- single days ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tz", "time", "after", "due_utc"),
    [
        # plain days
        ("America/Denver", "22:00", "2025-01-15 12:00", "2025-01-16 05:00"),
        ("America/Denver", "22:00", "2025-07-15 12:00", "2025-07-16 04:00"),
        ("Asia/Kolkata", "22:00", "2025-07-15 12:00", "2025-07-15 16:30"),
        ("UTC", "00:00", "2025-07-15 12:00", "2025-07-16 00:00"),
        # strictly after: at the deadline itself the next one is meant
        ("America/Denver", "22:00", "2025-01-15 22:00", "2025-01-17 05:00"),
        # spring: 02:30 does not exist, the first moment that does is 03:00
        ("America/New_York", "02:30", "2025-03-08 12:00", "2025-03-09 07:00"),
        ("America/New_York", "02:00", "2025-03-08 12:00", "2025-03-09 07:00"),
        ("America/New_York", "01:59", "2025-03-08 12:00", "2025-03-09 06:59"),
        ("America/New_York", "03:00", "2025-03-08 12:00", "2025-03-09 07:00"),
        ("America/New_York", "02:30", "2025-03-09 12:00", "2025-03-10 06:30"),
        # half an hour only
        ("Australia/Lord_Howe", "02:15", "2025-10-04 12:00", "2025-10-04 15:30"),
        # midnight does not exist
        ("America/Santiago", "00:00", "2025-09-06 12:00", "2025-09-07 04:00"),
        # a whole day does not exist
        ("Pacific/Apia", "22:00", "2011-12-29 23:00", "2011-12-30 10:00"),
        ("Pacific/Apia", "22:00", "2011-12-31 00:00", "2011-12-31 08:00"),
        # autumn: 01:30 comes twice, the first is meant, and only once
        ("America/New_York", "01:30", "2025-11-01 12:00", "2025-11-02 05:30"),
        ("America/New_York", "01:30", "2025-11-02 01:30", "2025-11-03 06:30"),
        ("Europe/Madrid", "02:30", "2025-10-25 12:00", "2025-10-26 00:30"),
    ],
)
def test_the_next_deadline(tz: str, time: str, after: str, due_utc: str) -> None:
    routine = Routine(EVERY_DAY, minutes(time), tz)
    assert next_deadline(routine, at(after, tz)) == at(due_utc)


def test_the_deadline_of_a_day_that_was_skipped_is_the_first_moment_after_it() -> None:
    routine = Routine(EVERY_DAY, minutes("22:00"), "Pacific/Apia")
    skipped = at("2011-12-30 10:00")  # here 29 December ends and 31 December begins
    assert next_deadline(routine, skipped - 1) == skipped
    assert next_deadline(routine, skipped) == at("2011-12-31 08:00")


def test_a_pause_that_ends_at_that_moment_finds_the_deadline_of_the_day_that_was_skipped() -> None:
    """Samoa had no 30 December 2011: its deadlines fall on the first moment of the 31st."""
    over = at("2011-12-30 10:00")
    routine = Routine(days=EVERY_DAY, at=minutes("22:00"), tz="Pacific/Apia", pause_until_at=over)
    assert next_deadline(routine, at("2011-12-29 00:00")) == over


def test_between_the_two_half_past_ones_of_autumn_the_next_is_tomorrow() -> None:
    routine = Routine(EVERY_DAY, minutes("01:30"), "America/New_York")
    between = at("2025-11-02 06:00")  # 01:00 for the second time
    assert next_deadline(routine, between) == at("2025-11-03 06:30")


@pytest.mark.parametrize(
    ("days", "due"),
    [
        ({0}, "2025-06-09 21:00"),  # Monday
        ({2}, "2025-06-11 21:00"),  # Wednesday itself, later the same day
        ({1}, "2025-06-17 21:00"),  # Tuesday has passed: six days on
        ({1, 4}, "2025-06-13 21:00"),
    ],
)
def test_only_on_the_chosen_days(days: set[int], due: str) -> None:
    routine = Routine(frozenset(days), minutes("21:00"), "UTC")
    after = "2025-06-08 12:00" if days == {0} else "2025-06-11 12:00"
    assert next_deadline(routine, at(after)) == at(due)


def test_a_weekly_routine_at_its_deadline_is_due_a_week_later() -> None:
    routine = Routine(frozenset([2]), minutes("21:00"), "UTC")
    assert next_deadline(routine, at("2025-06-11 21:00")) == at("2025-06-18 21:00")


def test_a_deadline_that_is_on_no_whole_minute_is_strictly_after_too() -> None:
    """Until 1972 Liberia's clocks were 44 minutes and 30 seconds behind."""
    routine = Routine(days=EVERY_DAY, at=minutes("10:00"), tz="Africa/Monrovia")
    due = next_deadline(routine, at("1971-05-01 00:00"))
    assert due % 60_000 == 30_000
    assert next_deadline(routine, due - 1) == due
    assert next_deadline(routine, due) == due + DAY


def test_nothing_is_due_during_a_pause_and_the_day_it_ends_counts_again() -> None:
    routine = Routine(EVERY_DAY, minutes("22:00"), "UTC", pause_until_at=at("2025-06-10 22:00"))
    assert next_deadline(routine, at("2025-06-01 12:00")) == at("2025-06-10 22:00")
    assert next_deadline(routine, at("2025-06-10 22:00")) == at("2025-06-11 22:00")
    later = replace(routine, pause_until_at=at("2025-06-10 22:01"))
    assert next_deadline(later, at("2025-06-01 12:00")) == at("2025-06-11 22:00")


def test_a_pause_that_is_over_changes_nothing() -> None:
    routine = Routine(EVERY_DAY, minutes("22:00"), "UTC", pause_until_at=at("2025-06-01 00:00"))
    assert next_deadline(routine, at("2025-06-10 12:00")) == at("2025-06-10 22:00")


def test_a_check_in_counts_from_twelve_hours_before() -> None:
    routine = Routine(EVERY_DAY, minutes("22:00"), "UTC")
    deadline = at("2025-06-10 22:00")
    assert not counts_for(routine, deadline, at("2025-06-10 09:59"))
    assert not counts_for(routine, deadline, deadline - 12 * HOUR - 1)
    assert counts_for(routine, deadline, deadline - 12 * HOUR)
    assert counts_for(routine, deadline, deadline)
    assert counts_for(routine, deadline, deadline + 5)
    assert not counts_for(replace(routine, opens_s=3600), deadline, deadline - 2 * HOUR)


# --- what cannot be -------------------------------------------------------------------------------

BAD_ZONES = [
    "", "Denver", "America", "America/Indiana", "Mars/Base", "../etc/passwd", "/etc/localtime",
    "localtime", "right/UTC", "posix/UTC", "America/Denver\n", "America/Denver\0", "EST5EDT4", "💧",
    "America/" + "x" * 300, "america/denver/../../etc",
]  # fmt: skip


@pytest.mark.parametrize("tz", BAD_ZONES)
def test_a_zone_nobody_knows_is_refused_kindly(tz: str) -> None:
    with pytest.raises(ScheduleError, match="looks like America/Denver"):
        Routine(EVERY_DAY, 600, tz)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"days": frozenset()}, "at least one day"),
        ({"days": frozenset([7])}, "at least one day"),
        ({"days": frozenset([-1])}, "at least one day"),
        ({"at": -1}, "between 00:00 and 23:59"),
        ({"at": 1440}, "between 00:00 and 23:59"),
        ({"at": True}, "between 00:00 and 23:59"),
        ({"at": 1.5}, "between 00:00 and 23:59"),
        ({"opens_s": 0}, "1 to 18 hours"),
        ({"opens_s": 86400}, "1 to 18 hours"),
        ({"pause_until_at": -1}, "pause"),
        ({"pause_until_at": 10**18}, "pause"),
    ],
)
def test_a_routine_that_cannot_be_is_refused_kindly(
    change: dict[str, object], sentence: str
) -> None:
    good: dict[str, object] = {"days": EVERY_DAY, "at": 600, "tz": "UTC"}
    with pytest.raises(ScheduleError, match=sentence):
        Routine(**{**good, **change})  # type: ignore[arg-type]


@pytest.mark.parametrize("after", [-1, 10**18, True])
def test_an_absurd_instant_is_refused(after: int) -> None:
    with pytest.raises(ScheduleError, match="too far away"):
        next_deadline(Routine(EVERY_DAY, 600, "UTC"), after)


STORED = json.loads(to_text(Routine(EVERY_DAY, 600, "UTC")))


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", "5", '"x"', "{", "[" * 100_000,
        *(
            json.dumps({name: value for name, value in STORED.items() if name != gone})
            for gone in ("v", "days", "at", "tz")
        ),
        json.dumps({**STORED, "v": 2}), json.dumps({**STORED, "more": 1}),
        json.dumps({**STORED, "days": "0123"}), json.dumps({**STORED, "days": [[1]]}),
        json.dumps({**STORED, "at": "22:00"}), json.dumps({**STORED, "tz": 5}),
        json.dumps({**STORED, "pause_until_at": "tomorrow"}),
    ],
)  # fmt: skip
def test_a_stored_text_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(ScheduleError):
        from_text(text)


def test_equal_routines_are_stored_as_equal_short_text() -> None:
    one = Routine(frozenset([4, 0, 2]), 1320, "America/Denver")
    two = Routine(frozenset([2, 4, 0]), 1320, "America/Denver")
    assert to_text(one) == to_text(two)
    assert len(to_text(one)) < 120
    assert " " not in to_text(one)


# --- what must hold always ------------------------------------------------------------------------

ZONES = [
    "UTC", "America/Denver", "America/New_York", "America/St_Johns", "America/Santiago",
    "Europe/Madrid", "Europe/Dublin", "Africa/Casablanca", "Africa/Cairo", "Asia/Kathmandu",
    "Asia/Gaza", "Pacific/Apia", "Pacific/Chatham", "Pacific/Kiritimati", "Australia/Lord_Howe",
    "Antarctica/Troll",
]  # fmt: skip


def clock_changes() -> list[int]:
    """Noon before every clock change of our zones in some years, a skipped day among them."""
    found = []
    for tz in ZONES:
        for year in (2011, 2025, 2026, 2040):
            days = [at(f"{year}-01-01 12:00") + day * DAY for day in range(365)]
            offsets = [wall(day, tz) - wall(day, "UTC") for day in days]
            changed = zip(days, offsets, offsets[1:], strict=False)
            found += [day for day, one, two in changed if one != two]
    return found


anywhen = st.integers(at("1975-01-01 00:00"), at("2075-01-01 00:00"))
near_a_change = st.builds(
    int.__add__, st.sampled_from(clock_changes()), st.integers(-2 * DAY, 2 * DAY)
)
instants = anywhen | near_a_change
routines = st.builds(
    Routine,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    at=st.integers(0, 1439),
    tz=st.sampled_from(ZONES),
)


@given(routines, instants)
def test_a_deadline_is_strictly_after_and_within_eight_days(routine: Routine, after: int) -> None:
    due = next_deadline(routine, after)
    assert after < due <= after + 8 * DAY
    assert due % 1000 == 0


@given(routines, instants, instants)
def test_a_deadline_never_moves_back(routine: Routine, one: int, other: int) -> None:
    early, late = sorted((one, other))
    assert next_deadline(routine, early) <= next_deadline(routine, late)


@given(routines, instants)
def test_a_deadline_is_the_next_one_until_the_moment_it_comes(routine: Routine, after: int) -> None:
    due = next_deadline(routine, after)
    assert next_deadline(routine, (after + due) // 2) == due
    assert next_deadline(routine, due - 1) == due
    assert next_deadline(routine, due) > due


@given(routines, instants)
def test_away_from_a_clock_change_the_wall_shows_the_time_and_the_day(
    routine: Routine, after: int
) -> None:
    due = next_deadline(routine, after)
    zone = ZoneInfo(routine.tz)
    offsets = {
        (EPOCH + timedelta(milliseconds=due + day * DAY)).astimezone(zone).utcoffset()
        for day in (-1, 0, 1)
    }
    assume(len(offsets) == 1)
    shown = wall(due, routine.tz)
    assert shown.hour * 60 + shown.minute == routine.at
    assert shown.second == 0
    assert shown.weekday() in routine.days


@given(routines, instants)
def test_even_at_a_clock_change_it_is_the_first_moment_at_which_the_wall_has_got_there(
    routine: Routine, after: int
) -> None:
    due = next_deadline(routine, after)
    shown = wall(due, routine.tz)
    midnight = shown.replace(hour=0, minute=0, second=0)
    meant = [midnight + timedelta(days=day, minutes=routine.at) for day in (0, -1)]
    assert any(wall(due - 1, routine.tz) < moment <= shown for moment in meant)


@given(routines, instants, instants)
def test_a_pause_is_kept_and_adds_at_most_eight_days(
    routine: Routine, after: int, until: int
) -> None:
    due = next_deadline(replace(routine, pause_until_at=until), after)
    assert due >= until
    assert after < due <= max(after, until) + 8 * DAY
    assert due == next_deadline(routine, max(after, until - 1))


@given(routines, st.none() | instants, st.integers(3600, 64800))
def test_what_is_stored_comes_back(routine: Routine, until: int | None, opens_s: int) -> None:
    routine = replace(routine, pause_until_at=until, opens_s=opens_s)
    assert from_text(to_text(routine)) == routine
