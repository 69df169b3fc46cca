"""An alarm does not sleep through the minute in which its carrier works again, and two hundred do
not all try every second."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stillhere.core.messages import Fate, Receipt
from stillhere.store.messages import delivery, retry
from stillhere.store.models import Message
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.engine.test_reached import try_all

pytestmark = pytest.mark.usefixtures("database")

LONG_S = 130  # by then each rests for a minute


@pytest.fixture
def night(clock: Clock) -> SamsNight:
    """An alarm whose texts and calls were all refused, for so long that each rests for a minute."""
    night = sams_night(("Leo", "Maya"))
    Message.objects.update(status="sent")
    night.start()
    night.does(CallForHelp())
    refuse(clock)
    return night


def refuse(clock: Clock) -> None:
    for _ in range(LONG_S):
        try_all(clock, Fate.BUSY, "text", "call", why="refuses us 401")
        clock.advance(1)


def due(clock: Clock, channel: str = "text") -> int:
    return Message.objects.filter(channel=channel, status="queued", due_at__lte=clock.now).count()


def test_one_tries_every_few_seconds_where_all_rest(night: SamsNight, clock: Clock) -> None:
    clock.advance(5)
    assert due(clock) == 0
    assert retry.knock("text", clock.now)
    assert due(clock) == 1, "the most urgent, and no more"
    try_all(clock, Fate.BUSY, "text", why="refuses us 401")
    for _ in range(4):
        clock.advance(1)
        assert retry.knock("text", clock.now)
        assert due(clock) == 0, "not again within the same few seconds"
    clock.advance(1)
    retry.knock("text", clock.now)
    assert due(clock) == 1


@pytest.mark.parametrize("waited", [0, 5, 60])
def test_a_knock_looks_at_the_table_once(night: SamsNight, clock: Clock, waited: int) -> None:
    """Just tried, all at rest, or all due anyway."""
    clock.advance(waited)
    with CaptureQueriesContext(connection) as seen:
        assert retry.knock("text", clock.now)
    looks = [each["sql"] for each in seen if '"vain_at" IS NOT NULL' in each["sql"]]
    assert len(looks) == 1, looks


def test_a_knock_leaves_what_is_due_already_and_goes_on(night: SamsNight, clock: Clock) -> None:
    clock.advance(120)
    before = list(Message.objects.order_by("id").values())
    assert due(clock) > 1
    assert retry.knock("text", clock.now)
    assert list(Message.objects.order_by("id").values()) == before


def test_once_anything_left_all_that_rest_are_due(night: SamsNight, clock: Clock) -> None:
    resting = Message.objects.filter(channel="text", status="queued").count()
    clock.advance(6)
    assert retry.wake("text", clock.now) == resting > 1
    assert due(clock) == resting
    assert due(clock, "call") == 0, "another way may still be refused"


def test_what_fails_by_itself_is_not_tried_at_every_success_of_others(
    night: SamsNight, clock: Clock
) -> None:
    clock.advance(6)
    retry.wake("text", clock.now)
    try_all(clock, Fate.BUSY, "text", why="its queue is full")
    clock.advance(4)
    assert retry.wake("text", clock.now) == 0


def test_a_rest_that_a_carrier_asked_for_is_kept(clock: Clock) -> None:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    night.start()
    night.does(CallForHelp())
    leased = delivery.lease("text", clock.now, 50, 20)
    asked = [m.result(Receipt(Fate.BUSY, retry_after_s=40)) for m in leased]
    delivery.record(asked, clock.now)
    clock.advance(20)
    retry.knock("text", clock.now)
    assert retry.wake("text", clock.now) == 0
    assert due(clock) == 0


def test_where_nothing_was_in_vain_nobody_need_ask_again(clock: Clock) -> None:
    assert not retry.knock("text", clock.now)
