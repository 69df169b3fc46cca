"""Connections to a provider come and go: a burst's do not stay open while a few requests go on."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from aiohttp import web

from stillhere.channels.http import HttpClient
from tests.installation import free_port

BURST = 80
PATIENCE = 400  # looks, a tenth of a second apart: the connector's own clock cannot be moved

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts by /proc")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def test_the_descriptors_of_a_burst_come_back_while_messages_go_on() -> None:
    async def story() -> None:
        together = asyncio.Barrier(BURST)

        async def answer(request: web.Request) -> web.Response:
            if "burst" in request.query:
                await together.wait()
            return web.json_response({})

        app = web.Application()
        app.router.add_post("/", answer)
        runner, port = web.AppRunner(app), free_port()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        http, url = HttpClient(connections=320), f"http://127.0.0.1:{port}/"

        async def send(query: str = "") -> None:
            reply = await http.post_json(url + query, {}, headers={}, deadline_s=20)
            assert reply.status == 200

        await send()
        before = descriptors()
        await asyncio.gather(*(send("?burst") for _ in range(BURST)))
        assert descriptors() >= before + BURST, "each of the burst has its own"
        for _ in range(PATIENCE):
            await send()
            if descriptors() <= before + BURST // 2:  # the provider's own half lives here too
                break
            await asyncio.sleep(1 / 10)
        assert descriptors() <= before + BURST // 2
        await http.close()
        await runner.cleanup()

    asyncio.run(story())
