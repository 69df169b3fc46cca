"""Who is on call: somebody is always paged, whatever the hours say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stillhere.core.paging.on_call import OnCall, turn

NIGHT = int(datetime(2026, 11, 30, 7, 0, tzinfo=UTC).timestamp() * 1000)  # midnight in Denver
RUTH = OnCall("Ruth", ("+12025550150",), hours=(8 * 60, 20 * 60), tz="America/Denver")
ANA = OnCall("Ana", ("+12025550151",), hours=(20 * 60, 8 * 60), tz="America/Denver")
MAYA = OnCall("Maya", ("maya@example.org",))
MINUTE = 60_000


@pytest.mark.parametrize(
    ("after_min", "ruth", "ana"),
    [(0, False, True), (479, False, True), (480, True, False), (1199, True, False),
     (1200, False, True)],
)  # fmt: skip
def test_hours_are_those_of_their_own_clock_and_may_run_through_the_night(
    after_min: int, ruth: bool, ana: bool
) -> None:
    now = NIGHT + after_min * MINUTE
    assert (RUTH.is_reached(now), ANA.is_reached(now)) == (ruth, ana)


def test_those_whose_hour_it_is_are_tried_in_their_order_and_then_everybody() -> None:
    people = (RUTH, ANA, MAYA)
    assert turn(people, NIGHT, ()) == (ANA,)
    assert turn(people, NIGHT, {"Ana"}) == (MAYA,)
    assert turn(people, NIGHT, {"Ana", "Maya"}) == people
    assert turn(people, NIGHT, {"Ruth", "Ana", "Maya"}) == people, "again and again"


def test_where_it_is_nobodys_hour_everybody_is_tried_at_once() -> None:
    assert turn((RUTH,), NIGHT, ()) == (RUTH,)
    by_day = OnCall("Leo", ("+12025550152",), hours=(540, 600), tz="America/Denver")
    assert turn((RUTH, by_day), NIGHT, ()) == (RUTH, by_day)
