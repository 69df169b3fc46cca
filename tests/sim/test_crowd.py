"""The crowd of the benchmarks: people as the product knows them, so what is measured is real."""

from __future__ import annotations

import pytest

from stillhere.sim import crowd
from stillhere.store.messages import delivery
from tests.circle import tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


def test_an_alarm_of_the_crowd_leaves_for_everybody(clock: Clock) -> None:
    """Nothing of it is held back as if its people were strangers."""
    made = crowd.silent_people(3, clock.now - 180_000, lambda _: clock.now, 2)
    crowd.asked(made, clock.now + 1000)
    clock.advance(2)
    tick_all()
    for channel in ("text", "call"):
        leased = delivery.lease(channel, clock.now, 50, 20)
        assert [m.word for m in leased if m.contact is not None] == ["alarm"] * 6
