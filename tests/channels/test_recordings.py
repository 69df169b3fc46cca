"""What was recorded in a call, as carriers that record keep it: fetched, and deleted there."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from stillhere.channels.base import Sound, Turn
from stillhere.channels.carriers.carrier import ACCOUNTS, RECORDS
from stillhere.channels.carriers.voice import VoiceCarrier, twiml
from stillhere.channels.http import HttpClient
from tests.channels.accounts import HOOKS, SECRET, carrier_of

SOUND = b"\xff\xfb" + bytes(range(256)) * 200


class Recordings:
    """A loopback account with sounds, which are not to be had at once."""

    def __init__(self, kind: str) -> None:
        self.kind, self.sounds, self.not_yet = kind, {"RE1": SOUND}, 1
        self.away = False

    async def take(self, request: web.Request) -> web.Response:
        credentials = base64.b64encode(f"AC1:{SECRET}".encode()).decode()
        assert request.headers["Authorization"] == f"Basic {credentials}"
        if self.away:
            return web.Response(status=503)
        folder, _, name = request.path.rpartition("/")
        assert folder == f"{ACCOUNTS[self.kind].format('AC1')}/Recordings"
        ref, _, form = name.partition(".")
        if request.method == "DELETE":
            assert form == "json"
            return web.Response(status=204 if self.sounds.pop(ref, b"") else 404)
        assert form == "mp3"
        if ref not in self.sounds or self.not_yet:
            self.not_yet = max(0, self.not_yet - 1)
            return web.Response(status=404)
        return web.Response(body=self.sounds[ref], content_type="audio/mpeg")


@asynccontextmanager
async def account(kind: str) -> AsyncIterator[tuple[Recordings, VoiceCarrier]]:
    there = Recordings(kind)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", there.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server: Any = site._server
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    carrier = VoiceCarrier(carrier_of(kind, url), HOOKS, HttpClient(), deadline_s=2.0)
    try:
        yield there, carrier
    finally:
        await carrier.close()
        await runner.cleanup()


@pytest.mark.parametrize("kind", RECORDS)
def test_a_recording_comes_when_it_is_ready_and_is_deleted_there(kind: str) -> None:
    async def live() -> None:
        async with account(kind) as (there, carrier):
            assert await carrier.sound("RE1") is None, "not yet"
            assert await carrier.sound("RE1") == SOUND
            assert await carrier.forget_sound("RE1")
            assert not there.sounds
            assert await carrier.forget_sound("RE1"), "what is not there is gone"
            assert await carrier.sound("RE1") is None

    asyncio.run(live())


@pytest.mark.parametrize("kind", RECORDS)
def test_a_carrier_that_is_away_has_deleted_nothing(kind: str) -> None:
    async def live() -> None:
        async with account(kind) as (there, carrier):
            there.away = True
            assert await carrier.sound("RE1") is None
            assert not await carrier.forget_sound("RE1")
        assert not await carrier.forget_sound("RE1")

    asyncio.run(live())


def test_sounds_stand_between_the_words_and_keys_count_meanwhile() -> None:
    turn = Turn(say=("We have:", Sound("https://x/1?a&b"), "Press 1."), listen_s=8)
    said = twiml(turn, "https://x/next", "", "en-US")
    parts = [said.index(part) for part in ("<Gather", "We have", "<Play>https://x/1", "Press 1")]
    assert parts == sorted(parts)
    assert said.index("Press 1") < said.index("</Gather>")
    assert "a&amp;b" in said
