"""One demo in a test: our channels, the provider's phones, and an ear for its webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from stillhere.channels.base import Outgoing
from stillhere.channels.demo import PhonesChannel, demo_phones, parse_webhook
from stillhere.core.messages import Fate, Inbound
from stillhere.sim.phones.provider import Provider
from tests.channels.rigs import NOW_MS, SECRET

MAYA, LEO, ANA = "+12025550102", "+12025550103", "+12025550104"
CHOICES = {"1": "I'm going", "9": "I can't"}


class Ear:
    """Hears inbounds, in order. ``deaf`` many requests are answered 503 first; ``answer`` is what
    every other one gets."""

    def __init__(self) -> None:
        self.heard: list[Inbound] = []
        self.deaf = 0
        self.requests = 0
        self.answer: dict[str, object] = {}
        self._news = asyncio.Condition()

    async def hook(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.deaf:
            self.deaf -= 1
            return web.Response(status=503)
        inbounds = parse_webhook(request.headers, await request.read(), SECRET, NOW_MS)
        async with self._news:
            self.heard.extend(inbounds)
            self._news.notify_all()
        return web.json_response(self.answer)

    async def wait_for(self, count: int) -> list[Inbound]:
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: len(self.heard) >= count)
        return self.heard

    async def fates(self, count: int) -> list[str]:
        """The kind of each inbound, or the fate where it is a receipt."""
        heard = await self.wait_for(count)
        return [one.receipt.fate.value if one.receipt else one.kind for one in heard]


@asynccontextmanager
async def phones_with_ear(
    *, ring_s: float = 30.0, any_number: bool = False, clock: Callable[[], int] = lambda: NOW_MS
) -> AsyncIterator[tuple[Provider, str, Ear]]:
    """The provider, its base URL and an ear that its webhooks reach."""
    ear = Ear()
    app = web.Application()
    app.add_routes([web.post("/hook", ear.hook)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider = Provider(
        secret=SECRET,
        webhook=f"http://127.0.0.1:{runner.addresses[0][1]}/hook",
        clock=clock,
        ring_s=ring_s,
        back_off_s=0.005,
        any_number=any_number,
    )
    async with provider.serving() as url:
        yield provider, url, ear
    await runner.cleanup()


class Night:
    """One demo: channels on our side, phones on the other."""

    def __init__(self, provider: Provider, url: str, ear: Ear) -> None:
        self.provider, self.url, self.ear = provider, url, ear
        self.texts, self.calls = demo_phones(url, SECRET, demo=True)
        self._count = 0

    async def text(self, to: str, words: str = "still here?", ref: str = "m1") -> str:
        return await self._send(self.texts, to, words, ref)

    async def call(self, to: str, words: str = "This is about Sam.", ref: str = "m1") -> str:
        return await self._send(self.calls, to, words, ref)

    async def _send(self, channel: PhonesChannel, to: str, words: str, ref: str) -> str:
        self._count += 1
        outgoing = Outgoing(f"k{self._count}", to, words, choices=CHOICES, reply_ref=ref)
        receipt = await channel.send(outgoing)
        assert receipt.fate is Fate.ACCEPTED
        return receipt.provider_ref

    async def settled(self) -> None:
        """Until the provider has heard our answer to its last webhook."""
        async with asyncio.timeout(5):
            while self.provider.webhooks.waiting:  # noqa: ASYNC110 - a count, not an event
                await asyncio.sleep(0.002)

    def do(self, phone: str, action: str, **more: object) -> None:
        self.provider.act({"phone": phone, "action": action, **more})

    def shows(self, phone: str) -> list[tuple[str, str]]:
        return [(entry.kind, entry.text) for entry in self.provider.exchange.find(phone).entries]


def night(story: Callable[[Night], Awaitable[None]], **options: Any) -> None:
    async def tell() -> None:
        async with phones_with_ear(**options) as (provider, url, ear):
            tonight = Night(provider, url, ear)
            try:
                await story(tonight)
            finally:
                await tonight.texts.close()

    asyncio.run(tell())
