"""How late a text is, by the stamp of somebody else's clock: nobody's text says anything of
another's."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.messages import Inbound
from stillhere.store.inbound import gateway_clocks, inbox
from stillhere.store.models import GatewayClock, Message
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.hook import MALLORY, SAM, asked_night

pytestmark = pytest.mark.usefixtures("database")

HOUR_MS = 3_600_000
_ids = itertools.count(1)


def text(number: str, words: str, **more: Any) -> None:
    inbox.take(Inbound("text", f"q{next(_ids)}", "text", number, words, gateway="sill", **more))


@pytest.fixture(autouse=True)
def wall(clock: Clock, settings: Settings) -> None:
    """The machine's own time goes by with the installation's."""
    settings.WALL_MS = lambda: clock.now


def test_a_strangers_stamp_that_lies_ahead_makes_nobody_late(clock: Clock) -> None:
    night = asked_night(clock, ("Leo",))
    text(MALLORY, "hi", age_ms=-14 * HOUR_MS)
    text(SAM, "ok", age_ms=2_000)
    assert night.row().state == "open"


def test_a_strangers_right_stamp_says_nothing_of_a_carrier_that_is_early(clock: Clock) -> None:
    night = asked_night(clock, ("Leo",))
    text(SAM, "ok", age_ms=HOUR_MS + 2_000)
    assert night.row().state == "open"
    text(MALLORY, "hi", age_ms=1_000)
    for _ in range(20):
        clock.advance(10)
        text(SAM, "ok", age_ms=HOUR_MS + 2_000)
        tick_all()
    assert (night.row().state, night.row().alarms) == ("open", 0)


def test_early_stamps_of_others_make_no_late_text_a_fresh_one(clock: Clock) -> None:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    for no in range(20):
        text(MALLORY, f"hi {no}", age_ms=HOUR_MS)
        clock.advance(5)
    night.start()
    night.does(ev.Marked())
    for _ in range(40):
        clock.advance(10)
        tick_all()
    assert night.row().state == "alarm"
    text(SAM, "ok", age_ms=395_000)  # sent before the alarm, held up on its way
    assert night.row().state == "alarm"


def test_one_stamp_of_their_own_that_lies_ahead_makes_the_next_ones_no_older(
    clock: Clock,
) -> None:
    night = asked_night(clock, ("Leo",))
    text(SAM, "ok", age_ms=-14 * HOUR_MS)
    for _ in range(12):
        clock.advance(10)
        text(SAM, "ok", age_ms=2_000)
        tick_all()
    assert (night.row().state, night.row().alarms) == ("open", 0)


def test_what_was_learned_is_forgotten_in_a_day(clock: Clock) -> None:
    asked_night(clock, ("Leo",))
    text(SAM, "ok", age_ms=HOUR_MS)
    text(MALLORY, "hi", age_ms=HOUR_MS)
    assert GatewayClock.objects.count() == 1
    clock.advance(24 * 3600 + 1)
    gateway_clocks.forget(clock.now)
    assert not GatewayClock.objects.exists()
