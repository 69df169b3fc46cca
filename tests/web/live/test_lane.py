"""A page that waits is told what changes, and nobody waits with a key that opens nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from asgiref.typing import ASGI3Application
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.store.models import Browser, Installation, sealed_columns
from stillhere.store.people import browsers, invitations
from stillhere.store.watches.apply import CallForHelp, CheckIn
from stillhere.web.access.rate_limit import MOST_MISSES, Guesses
from stillhere.web.asgi.page_handler import PageHandler
from stillhere.web.live import hub
from stillhere.web.live.hub import MOST_OF_A_KEY, Hub
from stillhere.web.live.lane import LiveLane
from tests.circle import SamsNight, session_of
from tests.conftest import Clock
from tests.web.lane import ask
from tests.web.live.pages import Page

LIVE = "/watch/live"


@asynccontextmanager
async def lane(look_s: float = 0.01, **more: Any) -> AsyncIterator[LiveLane]:
    """The lane before the real pages."""
    hub = Hub(look_s=look_s)
    try:
        yield LiveLane(cast(ASGI3Application, PageHandler()), hub, **more)
    finally:
        await hub.close()


async def does(what: Callable[[], object]) -> None:
    """As another process does it."""

    def run() -> None:
        what()
        connection.close()

    await sync_to_async(run, thread_sensitive=False)()


def opened(app: LiveLane, night: SamsNight, port: int = 5000) -> Page:
    """Sam's page, which waits."""
    page = Page()
    page.open(app, LIVE, port, cookie=f"session={session_of(night.key)}")
    return page


def contacts_page(app: LiveLane, night: SamsNight, name: str) -> Page:
    page = Page()
    page.open(app, f"/c/{sealed_columns.contact_key(night.contacts[name])}/live")
    return page


def run(test: Callable[[LiveLane], Awaitable[None]], **more: Any) -> None:
    async def whole() -> None:
        async with lane(**more) as app:
            await test(app)

    asyncio.run(whole())


def test_it_is_told_what_it_shows_and_then_what_changes(night: SamsNight, sam: Client) -> None:
    night.start()
    asked = sam.get("/watch/state").json()

    async def test(app: LiveLane) -> None:
        page = opened(app, night)
        await page.until(lambda p: p.states)
        assert page.states == [asked]
        assert page.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert page.headers["cache-control"] == "no-store"
        await does(lambda: night.does(CallForHelp()))
        await page.until(lambda p: len(p.states) == 2)
        assert page.states[1]["state"] == "alarm"

    run(test)
    assert sam.get("/watch/state").json()["state"] == "alarm"


def test_the_version_is_that_of_the_page(night: SamsNight, sam: Client) -> None:
    night.start()
    told: list[str] = []

    async def test(app: LiveLane) -> None:
        page = opened(app, night)
        await page.until(lambda p: p.states)
        told.append(page.states[0]["v"])

    run(test)
    assert f'data-v="{told[0]}"' in sam.get("/watch").content.decode()


def test_a_contact_is_told_of_an_alarm_and_of_each_claim(night: SamsNight) -> None:
    night.start()

    async def test(app: LiveLane) -> None:
        page = contacts_page(app, night, "Leo")
        await page.until(lambda p: len(p.states) == 1)
        await does(lambda: night.does(CallForHelp()))
        await page.until(lambda p: len(p.states) == 2)

    run(test)


def test_whoever_was_called_once_does_not_learn_when_somebody_checks_in(
    night: SamsNight, clock: Clock
) -> None:
    night.start()
    night.does(CallForHelp())
    for _ in range(3):
        night.does(CheckIn())
        clock.advance(40)
    assert night.row().state == "open"
    Installation.objects.update(beat_at=clock.now, proof_at=clock.now)

    async def test(app: LiveLane) -> None:
        mine, leos = opened(app, night), contacts_page(app, night, "Leo")
        await mine.until(lambda p: p.states)
        await leos.until(lambda p: p.states)
        clock.advance(5)
        await does(lambda: night.does(CheckIn()))
        await does(lambda: Installation.objects.update(proof_says="late"))
        await leos.until(lambda p: "behind" in p.events)
        assert len(leos.states) == 1

    run(test)


def test_behind_is_one_word_and_no_reason_to_load_anything(night: SamsNight) -> None:
    night.start()

    async def test(app: LiveLane) -> None:
        page = opened(app, night)
        await page.until(lambda p: p.states)
        await does(lambda: Installation.objects.update(proof_says="late"))
        await page.until(lambda p: ("behind", "1") in p.said)
        await does(lambda: Installation.objects.update(proof_says=""))
        await page.until(lambda p: ("behind", "0") in p.said)
        assert len(page.states) == 1

    run(test)


def test_a_browser_that_was_put_out_is_told_so(night: SamsNight) -> None:
    night.start()

    async def test(app: LiveLane) -> None:
        page = opened(app, night)
        await page.until(lambda p: p.states)
        await does(lambda: browsers.close(Browser.objects.get(person=night.person)))
        await page.until(lambda p: "gone" in p.events)
        await page.until(lambda p: p.over)

    run(test)


def test_a_contact_who_left_is_told_nothing_more(night: SamsNight) -> None:
    async def test(app: LiveLane) -> None:
        page = contacts_page(app, night, "Leo")
        await page.until(lambda p: p.states)
        await does(lambda: invitations.leave(night.contacts["Leo"]))
        await page.until(lambda p: "gone" in p.events)
        await does(night.start)
        await does(lambda: night.does(CallForHelp()))
        await page.until(lambda p: p.over)
        assert len(page.states) == 1

    run(test)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (LIVE, {}),
        (LIVE, {"cookie": "session=" + "x" * 27}),
        (LIVE, {"cookie": "session=" + "é" * 4000}),
        (f"/c/{'x' * 27}/live", {}),
    ],
)
def test_nobody_waits_with_a_key_that_opens_nothing(
    night: SamsNight, path: str, headers: dict[str, str]
) -> None:
    async def test(app: LiveLane) -> None:
        page = Page()
        page.open(app, path, 5000, **headers)
        await page.until(lambda p: p.over)
        assert (page.status, page.said) == (404, [])

    run(test)


def test_whoever_guesses_keys_waits(night: SamsNight) -> None:
    async def test(app: LiveLane) -> None:
        statuses = []
        for no in range(MOST_MISSES + 1):
            page = Page()
            page.open(app, f"/c/{no:027}/live")
            await page.until(lambda p: p.over)
            statuses.append(page.status)
        assert statuses == [404] * MOST_MISSES + [429]

    run(test, guesses=Guesses())


def test_whoever_tries_many_keys_at_once_keeps_no_page_waiting(
    night: SamsNight, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "MOST_ASKING", 3)
    night.start()

    async def test(app: LiveLane) -> None:
        page, held = opened(app, night), threading.Event()
        await page.until(lambda p: p.states)
        asking = [asyncio.create_task(app._hub.find(held.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        late = opened(app, night, 6000)
        await late.until(lambda p: p.over)
        assert (late.status, late.headers["retry-after"]) == (503, "5")
        await does(lambda: night.does(CallForHelp()))
        await page.until(lambda p: len(p.states) == 2)
        held.set()
        await asyncio.gather(*asking)
        again = opened(app, night, 6001)
        await again.until(lambda p: p.states)

    run(test)


def test_of_one_key_the_oldest_goes(night: SamsNight) -> None:
    night.start()

    async def test(app: LiveLane) -> None:
        pages = [opened(app, night, 5000 + no) for no in range(MOST_OF_A_KEY)]
        for page in pages:
            await page.until(lambda p: p.states)
        pages.append(opened(app, night, 6000))
        await pages[-1].until(lambda p: p.states)
        await pages[0].until(lambda p: p.over)
        assert [page.over for page in pages] == [True, *[False] * MOST_OF_A_KEY]
        assert [app.is_waiting(("192.0.2.7", port)) for port in (5000, 5001, 6000)] == [
            False, True, True,
        ]  # fmt: skip

    run(test)


def test_whoever_takes_no_stream_is_answered_at_once(night: SamsNight, sam: Client) -> None:
    night.start()
    asked = sam.get("/watch/state").json()

    async def test(app: LiveLane) -> None:
        cookie = {"cookie": f"session={session_of(night.key)}"}
        answer = await ask(app, LIVE, headers=cookie, method="GET")
        assert (answer.status, answer.json) == (200, asked)
        posted = await ask(app, LIVE, headers=cookie | {"accept": "text/event-stream"})
        assert posted.status in (403, 405)

    run(test)


def test_behind_https_it_is_the_cookie_of_this_host_alone(
    night: SamsNight, settings: Settings
) -> None:
    night.start()
    settings.STILLHERE = replace(settings.STILLHERE, base_url="https://lamp.example.org")

    async def test(app: LiveLane) -> None:
        planted, own = Page(), Page()
        planted.open(app, LIVE, cookie=f"session={session_of(night.key)}")
        own.open(app, LIVE, cookie=f"__Host-session={session_of(night.key)}")
        await planted.until(lambda p: p.over)
        await own.until(lambda p: p.states)
        assert planted.status == 404

    run(test)
