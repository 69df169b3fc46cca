"""What carriers have left, and what they took."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from django.conf import settings

from stillhere.channels.base import Outgoing
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.failover import TEXTS, Relay
from stillhere.cli.check import weaknesses
from stillhere.core.messages import Cost, Receipt
from stillhere.engine.deliver import Courier
from stillhere.store.installation import upkeep
from stillhere.store.messages import delivery
from stillhere.store.models import Message
from stillhere.store.people import drills
from stillhere.store.watches.apply import CallForHelp
from tests.channels.accounts import carrier_of
from tests.circle import sams_night
from tests.conftest import Clock


@pytest.mark.usefixtures("database")
def test_a_carrier_that_runs_out_of_money_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    rich, poor = (
        carrier_of("twilio", "https://api.example.org", name=name, low=low)
        for name, low in (("rich", 3), ("poor", None))
    )
    made = {
        "text": Relay("text", [_Purse(rich, 4_990_000), _Purse(poor, 4_990_000)], str, TEXTS),
        "call": Relay("call", [_Purse(rich, 4_990_000)], str, TEXTS),
    }
    monkeypatch.setattr(weaknesses, "build_channels", lambda _: made)
    here = replace(settings.STILLHERE, carriers=(rich, poor))
    said = {line: well for well, line in weaknesses.carriers(here)}
    assert said["4.99 USD are left at rich."] is True
    low = "4.99 USD are left at poor: pay in, or texts and calls end in the middle of a night."
    assert said[low] is False
    assert len(said) == 2


@pytest.mark.usefixtures("database")
def test_what_carriers_took_this_month_is_said(clock: Clock) -> None:
    sams_night(("Leo",))
    paid = {"carrier": "one", "currency": "USD", "cost_micros": 1_250_000}
    assert Message.objects.update(**paid) > 0
    count = Message.objects.count()
    assert upkeep.spent(clock.now) == [("one", "USD", 1_250_000 * count, count)]
    Message.objects.update(created_at=clock.now - 40 * 86_400_000)
    assert upkeep.spent(clock.now) == []


@pytest.mark.usefixtures("database")
def test_a_cap_lets_wait_what_can_wait_and_never_an_alarm(clock: Clock) -> None:
    night = sams_night(("Leo",))
    drills.begin(night.person)
    night.start()
    night.does(CallForHelp())
    words = {m.word for m in Message.objects.filter(status="queued", channel="text")}
    assert words >= {"invite", "drill", "help"}
    frugal = {m.word for m in delivery.lease("text", clock.now, 50, 20.0, frugal=True)}
    assert "help" in frugal
    assert not frugal & set(delivery.CAN_WAIT)
    later = {m.word for m in delivery.lease("text", clock.now, 50, 20.0)}
    assert later >= {"invite", "drill"}  # not lost: it waits


@pytest.mark.usefixtures("database")
def test_a_cap_is_reached_when_the_month_cost_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sams_night(("Leo",))
    first = Message.objects.order_by("id")[:1].get()
    Message.objects.filter(id=first.id).update(carrier="one", currency="USD", cost_micros=5_000_000)
    assert upkeep.over({"one": 5, "two": 1}, clock.now) == {"one"}
    assert upkeep.over({"one": 6}, clock.now) == set()
    one = carrier_of("twilio", "https://api.example.org", name="one", cap=5)
    monkeypatch.setattr(weaknesses, "build_channels", lambda _: {})
    here = replace(settings.STILLHERE, carriers=(one,))
    said = {line: well for well, line in weaknesses.carriers(here)}
    [line] = [line for line in said if "may wait" in line]
    assert said[line] is False


@pytest.mark.usefixtures("database")
def test_a_channel_is_frugal_when_all_its_carriers_took_enough(clock: Clock) -> None:
    one, two = (
        carrier_of("twilio", "https://api.example.org", name=name, cap=cap)
        for name, cap in (("one", 5), ("two", None))
    )
    relay = Relay("text", [_Purse(one, 1), _Purse(two, 1)], str, TEXTS)
    courier = Courier({"text": relay})

    async def over(work: object, *args: object) -> set[str]:
        return {"one"}

    asyncio.run(courier._count_money({"text": relay}, over))
    assert courier._frugal == set()  # the second still carries everything
    alone = Relay("text", [_Purse(one, 1)], str, TEXTS)
    asyncio.run(courier._count_money({"text": alone}, over))
    assert courier._frugal == {"text"}


class _Purse:
    """A carrier that only knows what it has."""

    deadline_s = 1.0
    concurrency = 1

    def __init__(self, carrier: Carrier, micros: int) -> None:
        self.carrier, self.name, self._micros = carrier, carrier.name, micros

    async def balance(self) -> Cost | None:
        return Cost(self._micros, "USD")

    async def price(self, ref: str) -> Cost | None:
        return None

    async def erase(self, ref: str) -> bool:
        return True

    async def send(self, message: Outgoing) -> Receipt:
        raise AssertionError("nothing is sent")

    async def close(self) -> None: ...
