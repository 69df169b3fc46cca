"""Who is reached, and in what order, when somebody said "not tonight"."""

from __future__ import annotations

import pytest

from stillhere.store.people import contacts
from stillhere.store.watches.circle import circles_of
from tests.circle import sams_night
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


def test_whoever_cannot_tonight_is_reached_last_and_only_until_noon(clock: Clock) -> None:
    night = sams_night(("Leo",), ("Maya", "Ana"))
    leo, maya, ana = (night.contacts[name].id for name in ("Leo", "Maya", "Ana"))
    contacts.not_tonight(night.contacts["Leo"])

    def order() -> list[list[int]]:
        circle = circles_of([night.person.id], clock.now)[night.person.id]
        return [[reach.contact for reach in rung] for rung in circle.rungs]

    assert order() == [[maya, ana], [leo]]
    contacts.not_tonight(night.contacts["Leo"], away=False)
    assert order() == [[leo], [maya, ana]]
    contacts.not_tonight(night.contacts["Leo"])
    clock.now += 24 * 3600 * 1000
    assert order() == [[leo], [maya, ana]]
