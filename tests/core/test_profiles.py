"""The numbers a watch asks by: the reviewed file, the bounds, and a person's own numbers."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stillhere
from stillhere.core.profiles import (
    ACUTE,
    OWN,
    ROUTINE,
    TRIAL,
    Profile,
    ProfileError,
    load,
    own,
    unsigned,
    validate,
)

TEXT = (Path(stillhere.__file__).parent / "content" / "profiles.toml").read_text(encoding="utf-8")
PROFILES = load(TEXT)
ACUTE_KEYS = ["injected", "snorted", "swallowed", "own", "hours"]
ROUTINE_KEYS = ["routine", "after", "noon", "release"]

ROW = """
[x]
source = "https://example.org/"
note = "n"
reviewed_by = ""
reviewed_on = ""
"""


# --- the reviewed file ----------------------------------------------------------------------------


def test_the_file_has_the_profiles_the_product_offers() -> None:
    assert list(PROFILES) == [*ACUTE_KEYS, TRIAL, *ROUTINE_KEYS]
    assert [key for key, profile in PROFILES.items() if profile.is_routine] == ROUTINE_KEYS
    assert all(key == profile.key for key, profile in PROFILES.items())


def test_the_bounds_of_a_try_out_are_for_a_try_out_only() -> None:
    short = PROFILES[TRIAL]
    assert short.unmarked_ask_s + short.grace_s <= 30
    with pytest.raises(ProfileError):
        validate(replace(short, key="injected"))
    with pytest.raises(ProfileError):
        validate(replace(short, grace_s=60))
    with pytest.raises(ProfileError):
        own(short, grace_s=30)


def test_every_row_names_a_source_and_says_what_is_inferred() -> None:
    for key, row in tomllib.loads(TEXT).items():
        assert "https://" in row["source"], key
        assert "onset" in row["note"] or "say when the danger" in row["note"], key
        assert "inference" in row["note"] or "Editorial" in row["note"], key


def test_nobody_has_signed_and_the_file_says_so() -> None:
    assert unsigned(TEXT) == tuple(PROFILES)
    assert "NOBODY HAS SIGNED THESE NUMBERS YET" in TEXT


def test_injected_or_smoked_asks_after_a_minute_and_alarms_two_minutes_after_the_mark() -> None:
    p = PROFILES["injected"]
    assert p.first_ask_s == 60
    assert p.ring_s == 20
    assert p.first_ask_s + p.grace_s == 120
    assert all(60 <= p.every_s(s) <= 120 for s in range(300))
    assert all(120 <= p.every_s(s) <= 180 for s in range(300, 1200))
    assert p.ends_s == 1200
    assert (p.unmarked_ask_s, p.rung_s, p.ambulance_s) == (180, 45, 300)


def test_swallowed_has_a_tail_of_three_hours() -> None:
    assert PROFILES["swallowed"].ends_s == 3 * 3600


def test_whoever_was_rescued_is_looked_in_on_while_it_can_come_back() -> None:
    p = PROFILES["hours"]
    assert p.unmarked_ask_s + p.grace_s <= 360
    assert p.unmarked_end_s >= 90 * 60, "as long as naloxone takes to wear off"


def test_the_release_profile_is_tighter_than_the_daily_one() -> None:
    daily, release = PROFILES["routine"], PROFILES["release"]
    assert daily.reminders_s == (3600, 900, 0)
    assert (daily.grace_s, daily.rung_s, daily.ambulance_s) == (1800, 600, None)
    assert release.grace_s < daily.grace_s
    assert release.ring_s < daily.ring_s
    assert release.rung_s < daily.rung_s


# --- pace -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_mark_s", "every_s"),
    [(-60, 90), (0, 90), (299, 90), (300, 150), (1199, 150), (1200, 150), (99999, 150)],
)
def test_the_pace_changes_at_the_step_and_never_stops(since_mark_s: int, every_s: int) -> None:
    assert Profile(key="x").every_s(since_mark_s) == every_s


def test_without_steps_the_pace_is_the_unmarked_one() -> None:
    assert PROFILES["routine"].every_s(10) == 180
    assert PROFILES["routine"].ends_s == 0


# --- bounds ---------------------------------------------------------------------------------------

SIMPLE = ["unmarked_ask_s", "unmarked_end_s", "first_ask_s", "show_s", "rung_s", "ambulance_s"]


@pytest.mark.parametrize("name", [*SIMPLE, "grace_s"])
def test_a_number_outside_its_bound_is_refused_with_the_bound_in_words(name: str) -> None:
    base, bound = replace(PROFILES["injected"], show_s=1, ring_s=25), ACUTE[name]
    for value in (bound.least - 1, bound.most + 1, True, 61.5, "60"):
        with pytest.raises(ProfileError) as caught:
            validate(replace(base, **{name: value}))  # type: ignore[arg-type]
        assert caught.value.bound == bound
        assert str(caught.value).startswith(bound.name)
    for value in (bound.least, bound.most):
        validate(replace(base, **{name: value}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["grace_s", "rung_s", "ring_s"])
def test_a_routine_has_bounds_of_its_own(name: str) -> None:
    base, bound = PROFILES["routine"], ROUTINE[name]
    for value in (bound.least - 1, bound.most + 1):
        with pytest.raises(ProfileError) as caught:
            validate(replace(base, **{name: value}))  # type: ignore[arg-type]
        assert caught.value.bound == bound


def test_every_bound_gives_its_reason() -> None:
    for bound in (*ACUTE.values(), *ROUTINE.values()):
        assert bound.why.endswith(".")
        assert bound.least < bound.most


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"grace_s": 30, "ring_s": 30}, "ring before the time to answer is over"),
        ({"show_s": 15, "ring_s": 15}, "before the phone rings"),
        ({"ambulance_s": None}, "when to call an ambulance"),
        ({"steps": ()}, "one to 6 steps"),
        ({"steps": tuple((600 + n, 150) for n in range(7))}, "one to 6 steps"),
        ({"steps": ((300, 90), (300, 150))}, "follow each other"),
        ({"steps": ((0, 90), (1200, 150))}, "follow each other"),
        ({"steps": ((300, 59), (1200, 150))}, "first five minutes can be 60 seconds to 3 minutes"),
        ({"steps": ((300, 181), (1200, 150))}, "first five minutes"),
        ({"steps": ((299, 90), (1200, 181))}, "first five minutes"),
        ({"steps": ((300, 90), (1200, 301))}, "after five minutes can be 2 minutes to 5 minutes"),
        ({"steps": ((300, 90), (1200, 119))}, "after five minutes"),
        ({"steps": ((300, 90), (3599, 150), (7200, 400))}, "after five minutes"),
        ({"steps": ((300, 90), (3600, 150), (7200, 601))}, "after the first hour"),
        ({"steps": ((300, 90), (599, 150))}, "length of the watch can be 10 minutes to 3 hours"),
        ({"steps": ((300, 90), (10801, 150))}, "length of the watch"),
    ],
)
def test_an_acute_profile_that_must_not_be_used(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(ProfileError, match=sentence):
        validate(replace(PROFILES["injected"], **change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": ((300, 90),)}, "reminders, not steps"),
        ({"ambulance_s": 300}, "ambulance by the clock"),
        ({"reminders_s": (3600, 900)}, "at the deadline itself"),
        ({"reminders_s": (900, 3600, 0)}, "in order"),
        ({"reminders_s": (900, 900, 0)}, "in order"),
        ({"reminders_s": (50000, 0)}, "A reminder can be"),
        ({"reminders_s": (900, 0, -5)}, "A reminder can be"),
        ({"reminders_s": (7, 6, 5, 4, 3, 2, 0)}, "at most 6"),
        ({"ring_s": 1800}, "ring before"),
    ],
)
def test_a_routine_profile_that_must_not_be_used(change: dict[str, int], sentence: str) -> None:
    with pytest.raises(ProfileError, match=sentence):
        validate(replace(PROFILES["routine"], **change))  # type: ignore[arg-type]


# --- own numbers ----------------------------------------------------------------------------------


def test_half_the_grace_can_be_chosen_and_nothing_else_changes() -> None:
    base = PROFILES["injected"]
    assert own(base, grace_s=30) == replace(base, key="own", grace_s=30)


def test_own_numbers_make_own_steps() -> None:
    mine = own(PROFILES["own"], first_ask_s=30, early_every_s=60, later_every_s=300, total_s=10800)
    assert mine.steps == ((300, 60), (10800, 300))
    assert (mine.key, mine.first_ask_s, mine.ends_s) == ("own", 30, 10800)


def test_own_numbers_are_checked_together_with_what_they_stand_on() -> None:
    with pytest.raises(ProfileError, match="ring before the time to answer is over"):
        own(replace(PROFILES["injected"], ring_s=40), grace_s=30)


def test_what_is_not_given_stays_as_it_was() -> None:
    assert own(PROFILES["injected"], total_s=3600).steps == ((300, 90), (3600, 150))
    mine = own(PROFILES["swallowed"], early_every_s=60)
    assert mine.steps == ((300, 60), (10800, 150))
    assert mine.grace_s == PROFILES["swallowed"].grace_s


@pytest.mark.parametrize("name", OWN)
def test_own_numbers_stay_within_their_bound(name: str) -> None:
    for value in (OWN[name].least - 1, OWN[name].most + 1, True):
        with pytest.raises(ProfileError) as caught:
            own(PROFILES["own"], **{name: value})
        assert caught.value.bound == OWN[name]


def test_only_the_stated_numbers_are_a_persons_to_set() -> None:
    with pytest.raises(ProfileError, match="no number called ring_s"):
        own(PROFILES["own"], ring_s=55)
    with pytest.raises(ProfileError, match="routine"):
        own(PROFILES["routine"], grace_s=60)


@given(
    st.sampled_from(ACUTE_KEYS),
    st.fixed_dictionaries(
        {},
        optional={name: st.integers(bound.least, bound.most) for name, bound in OWN.items()},
    ),
)
def test_any_own_numbers_within_the_bounds_make_a_profile_that_may_be_used(
    key: str, numbers: dict[str, int]
) -> None:
    mine = own(PROFILES[key], **numbers)
    validate(mine)
    assert all(0 < mine.every_s(s) <= 600 for s in range(0, mine.ends_s, 30))
    assert all(mine.every_s(s) <= 300 for s in range(0, min(mine.ends_s, 3600), 30))


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no profile"),
        ("x = ", "cannot be read"),
        ("grace_s = 60", "outside any profile"),
        ("[x]\ngrace_s = 60", "source is missing"),
        (ROW.replace("https://", "http://"), "needs a source"),
        (ROW.replace('"n"', '""'), "and a note"),
        (ROW.replace('"n"', "5"), "note is missing"),
        (ROW.replace('reviewed_by = ""', 'reviewed_by = "Dr. Ana"'), "a name and a date"),
        (ROW + "grave_s = 60", "unknown grave_s"),
        (ROW + "key = 'y'", "unknown key"),
        (ROW + "grace_s = 10", "x: The time to answer can be 30 seconds to 2 minutes, not 10 sec"),
        (ROW + "grace_s = 61.5", "whole number"),
        (ROW + "grace_s = [60]", "whole number"),
        (ROW + "steps = 5", "pairs"),
        (ROW + "steps = [300, 90]", "pairs"),
        (ROW + "steps = [[300, 90, 1]]", "pairs"),
        (ROW + "steps = [[300, 90.5]]", "pairs"),
        (ROW + "reminders_s = 5", "list of whole seconds"),
        (
            ROW + "reminders_s = ['a']\nring_s = 60\ngrace_s = 900\nrung_s = 600",
            "A reminder has to be a whole",
        ),
    ],
)
def test_a_file_that_must_not_be_used(text: str, sentence: str) -> None:
    with pytest.raises(ProfileError, match=sentence):
        load(text)


def test_a_signed_row_is_not_counted_as_unsigned() -> None:
    signed = ROW.replace('reviewed_by = ""', 'reviewed_by = "Dr. Ana"')
    signed = signed.replace('reviewed_on = ""', 'reviewed_on = "2025-06-01"')
    assert unsigned(signed) == ()
    assert load(signed)["x"] == Profile(key="x")
