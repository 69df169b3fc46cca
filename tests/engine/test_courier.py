"""The queues of the engine go on after a database that failed, and none of them dies unseen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from stillhere.channels.base import Channel, Outgoing
from stillhere.channels.page import PageChannel
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import loop
from stillhere.engine.deliver import Courier
from stillhere.engine.loop import Beats
from stillhere.store.models import Address, Message
from stillhere.store.watches.apply import CallForHelp
from tests.circle import sams_night
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


class Cursed(PageChannel):
    """A channel whose own code fails where nobody expects it."""

    def __getattribute__(self, name: str) -> Any:
        if name == "concurrency":
            raise ValueError("our own fault")
        return super().__getattribute__(name)


def test_a_queue_goes_on_after_its_database_failed() -> None:
    def fail() -> None:
        connection.ensure_connection()
        raise OperationalError("terminating connection due to administrator command")

    async def work() -> None:
        courier = Courier({})
        for _ in range(2):
            await courier._safely(fail)
            assert await courier._safely(lambda: connection.connection is None), "a dead line kept"
        await courier._safely(connection_closed)

    asyncio.run(work())


def connection_closed() -> None:
    connection.close()


def test_a_start_names_whom_nothing_here_can_reach(caplog: pytest.LogCaptureFixture) -> None:
    night = sams_night(("Leo", "Maya"))
    Address.objects.filter(contact=night.contacts["Leo"], channel="text").delete()
    Address.objects.filter(contact=night.contacts["Maya"], channel="call").delete()

    async def start() -> None:
        courier = Courier({"call": PageChannel()})
        began = asyncio.Event()
        running = asyncio.create_task(courier.run(began.set))
        await began.wait()
        courier.stop()
        await running

    asyncio.run(start())
    assert "1 people on lists can be reached only by text: not here" in caplog.text


def test_a_queue_that_ends_by_itself_ends_the_courier() -> None:
    courier = Courier({"page": PageChannel(), "cursed": Cursed()})
    with pytest.raises(RuntimeError, match="a queue ended by itself"):
        asyncio.run(courier.run(lambda: None))


def test_a_courier_that_ended_is_started_again(settings: Settings) -> None:
    built, twice, stop = [], threading.Event(), threading.Event()

    def build(_stillhere: object) -> Mapping[str, Channel]:
        built.append(1)
        if len(built) == 1:
            return {"cursed": Cursed()}
        twice.set()
        return {"page": PageChannel()}

    settings.BUILD_CHANNELS = build
    thread = threading.Thread(target=loop._delivering, args=(stop, Beats()), daemon=True)
    thread.start()
    assert twice.wait(20), "the courier was not started again"
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


class Refusing(PageChannel):
    """A channel that takes nothing until it was tried twice; ``took_at`` is when it took each."""

    name = "text"

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock, self._most, self._tried = clock, most, 0
        self.took_at: list[int] = []
        self.took_all = asyncio.Event()

    async def send(self, message: Outgoing) -> Receipt:
        self._tried += 1
        if self._tried <= 2:
            return Receipt(Fate.BUSY, why="refuses us")
        self.took_at.append(self._clock.now)
        if len(self.took_at) == self._most:
            self.took_all.set()
        return Receipt(Fate.DELIVERED)


def test_what_rests_leaves_once_the_channel_takes_anything_again(clock: Clock) -> None:
    names = ("Leo", "Maya", "Ines", "Ana", "Kim", "Ruth", "Ola", "Jo", "Bea", "Tom")
    night = sams_night(names)
    night.start()
    night.does(CallForHelp())
    texts = Message.objects.filter(channel="text", word="help")
    Message.objects.exclude(id__in=texts).update(status="sent")
    # Refused again and again: each rests for a minute.
    texts.update(vain_at=clock.now, attempts=9, due_at=clock.now + 54_000)
    channel = Refusing(clock, texts.count())

    def a_second_passes() -> None:
        clock.advance(1)

    async def work() -> None:
        courier = Courier({"text": channel})
        running = asyncio.create_task(courier.run(a_second_passes))
        await channel.took_all.wait()
        courier.stop()
        await running

    asyncio.run(asyncio.wait_for(work(), 30))
    assert len(channel.took_at) == len(names)
    # One knock every five seconds would take 45.
    assert channel.took_at[-1] - channel.took_at[0] < 25_000
