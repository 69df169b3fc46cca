"""The queues of the engine go on after a database that failed, and none of them dies unseen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django.fixtures import Settings

from stillhere.channels.base import Channel
from stillhere.channels.page import PageChannel
from stillhere.engine import loop
from stillhere.engine.deliver import Courier
from stillhere.engine.loop import Beats
from stillhere.store.models import Address
from tests.circle import sams_night

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
