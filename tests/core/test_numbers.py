"""The numbers of the core, written out once more as they were promised.

A number that a test only compares with itself could be any number. Whoever changes one here has
read why it is what it is: the brief, ``content/profiles.toml``, the bounds' own reasons.
"""

from __future__ import annotations

import pytest

from stillhere.core import alarm, alarm_handlers, ladder, profiles, quiet_handlers, schedule
from stillhere.core import events as ev
from stillhere.core.events import Outcome, Urgency
from stillhere.core.profiles import Profile


@pytest.mark.parametrize(
    ("number", "promised"),
    [
        (alarm.EVERYONE_WITHIN_S, 180),
        (alarm.HOLDING_ETA_S, 300),
        (alarm.ALL_HOLDS_S, 600),
        (alarm.HELP_RUNG_S, 45),
        (alarm.HELP_AMBULANCE_S, 300),
        (ladder.SAME_TAP_S, 30),
        (ladder.BUSY_S, 600),
        (ladder.ATTENDED_S, 600),
        (ladder.ATTENDED_GRACE_S, 300),
        (ladder.REPEAT_S, (120, 180, 300, 600, 600, 1200, 1800, 3600)),
        (alarm_handlers.RECHECKS_S, (60, 180)),
        (alarm_handlers.APART_S, 30),
        (alarm_handlers.IN_A_ROW_S, 300),
        (quiet_handlers.LAST_ASK_S, 30),
        (quiet_handlers.UNCLEAR_APART_S, 120),
        (quiet_handlers.RING_AGAIN_S, 20),
        (quiet_handlers.KEPT_S, 5),
        (quiet_handlers.LONGEST_S, 86_400),
        (quiet_handlers.MORE_S, (60, 3600)),
        (quiet_handlers.LONGEST_PAUSE_S, 31_622_400),
        (schedule.OPENS_S, 43_200),
        (schedule.OPENS_LEAST_S, 3600),
        (schedule.OPENS_MOST_S, 64_800),
        (schedule.LATEST_AT, 32_503_680_000_000),
        (schedule.FORMAT, 1),
        (profiles.EARLY_S, 300),
        (profiles.TAIL_S, 3600),
        (profiles.STEPS_MOST, 6),
        (profiles.REMINDERS_MOST, 6),
    ],
)
def test_a_number_is_the_one_that_was_promised(number: object, promised: object) -> None:
    assert number == promised


BOUNDS = {
    "acute": {
        "unmarked_ask_s": (60, 300),
        "unmarked_end_s": (600, 10_800),
        "first_ask_s": (30, 300),
        "early_every_s": (60, 180),
        "later_every_s": (120, 300),
        "tail_every_s": (120, 600),
        "total_s": (600, 10_800),
        "show_s": (1, 15),
        "ring_s": (5, 60),
        "grace_s": (30, 120),
        "rung_s": (15, 60),
        "ambulance_s": (60, 300),
    },
    "routine": {
        "show_s": (1, 15),
        "ring_s": (20, 1800),
        "grace_s": (600, 14_400),
        "rung_s": (60, 3600),
        "reminders_s": (0, 43_200),
    },
    "try": {
        "unmarked_ask_s": (5, 30),
        "unmarked_end_s": (60, 600),
        "show_s": (1, 15),
        "ring_s": (5, 60),
        "grace_s": (15, 30),
        "rung_s": (15, 60),
        "ambulance_s": (60, 300),
    },
    "own": {
        "first_ask_s": (30, 300),
        "early_every_s": (60, 180),
        "later_every_s": (120, 300),
        "total_s": (600, 10_800),
        "grace_s": (30, 120),
    },
}


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("acute", profiles.ACUTE),
        ("routine", profiles.ROUTINE),
        ("try", profiles.TRY),
        ("own", profiles.OWN),
    ],
)
def test_no_profile_may_leave_these_bounds(kind: str, table: dict[str, profiles.Bound]) -> None:
    assert {name: (bound.least, bound.most) for name, bound in table.items()} == BOUNDS[kind]


def test_a_profile_that_says_nothing_asks_as_the_strictest_does() -> None:
    assert Profile("any") == Profile(
        "any",
        unmarked_ask_s=180,
        unmarked_end_s=1800,
        first_ask_s=60,
        steps=((300, 90), (1200, 150)),
        show_s=5,
        ring_s=20,
        grace_s=60,
        rung_s=45,
        ambulance_s=300,
        reminders_s=(),
    )


def test_what_is_urgent_leaves_before_what_is_not() -> None:
    order = ["ALARM", "RING", "NEWS", "ASK", "REPEAT", "CALM"]
    assert [urgency.name for urgency in sorted(Urgency)] == order
    assert [int(urgency) for urgency in sorted(Urgency)] == list(range(6))


def test_grave_is_hospital_and_death_and_nothing_else() -> None:
    assert frozenset({Outcome.HOSPITAL, Outcome.DIED}) == ev.GRAVE
    assert frozenset({Outcome.DIED}) == ev.UNTOLD
