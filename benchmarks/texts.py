"""Texts both ways, over HTTP: how many we hand to a carrier, and how many of theirs are durable.

``make bench-texts``. Out: the SMS adapter behind its relay hands texts to a loopback provider that
answers as Twilio documents, at once and after 200 ms. In: signed webhooks at 64 connections, each
text from another person on watch, each receipt about another message; "thank you" comes only after
the commit. Then 200 texts a second, and how long each takes from its arrival to being applied.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from benchmarks.ports import free_port
from benchmarks.report import Figure, tell
from benchmarks.stand import percentile, stand, wait_for
from stillhere.channels.base import Outgoing
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.failover import TEXTS, Relay
from stillhere.channels.carriers.numbers import normalise_number
from stillhere.channels.carriers.sms import SmsCarrier
from stillhere.channels.http import HttpClient
from stillhere.core.messages import Fate

OUT = int(os.environ.get("BENCH_TEXTS", "10000"))
PEOPLE = int(os.environ.get("BENCH_PEOPLE", "2000"))
ROUNDS = 5
CONNECTIONS = 64
SECRET = "benchmark"
OURS = "+12025550100"


# --- out ------------------------------------------------------------------------------------------


def provider(port: int, latency_ms: float) -> None:
    """Takes texts for ever."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)
        return web.json_response({"sid": f"SM{uuid.uuid4().hex}", "status": "queued"}, status=201)

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    app.router.add_get("/", ready)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def handed_over(texts: int, latency_ms: float) -> float:
    """Texts a second through the adapter."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.texts", "provider", str(port), str(latency_ms)]
    with subprocess.Popen(command) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            return asyncio.run(_hand_over(texts, f"http://127.0.0.1:{port}"))
        finally:
            process.terminate()


async def _hand_over(texts: int, url: str) -> float:
    carrier = Carrier("one", "twilio", url, "AC1", SECRET, OURS, ("text",))
    sms = SmsCarrier(carrier, "https://lamp.example.org/in/one", HttpClient(connections=256))
    relay = Relay("text", [sms], normalise_number, TEXTS)
    waiting = iter(range(texts))

    async def hand() -> None:
        for no in waiting:
            text = "Sam may need help NOW. No answer since 22:14. Reply 1 going, 2 can't."
            message = Outgoing(key=f"k{no}", to=OURS, text=text, reply_ref=str(no))
            receipt = await relay.send(message)
            assert receipt.fate is Fate.ACCEPTED, receipt

    began = time.perf_counter()
    await asyncio.gather(*(hand() for _ in range(relay.concurrency)))
    took_s = time.perf_counter() - began
    await relay.close()
    return texts / took_s


# --- in -------------------------------------------------------------------------------------------


def number(no: int) -> str:
    return f"+1202555{no:04d}"


Signed = tuple[str, bytes, str]


class Signer:
    """Webhooks as the carrier signs them, made before the clock runs."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._validator = RequestValidator(SECRET)
        self._count = itertools.count()

    def text(self, no: int, words: str = "OK") -> Signed:
        sid = f"SM{next(self._count)}"
        fields = {"MessageSid": sid, "From": number(no), "To": OURS, "Body": words}
        return self._signed("/in/one/text", fields)

    def receipt(self, message: int) -> Signed:
        fields = {"MessageSid": f"SM-{message}", "MessageStatus": "delivered"}
        return self._signed(f"/in/one/status?m={message}", fields)

    def _signed(self, path: str, fields: dict[str, str]) -> Signed:
        signature = self._validator.compute_signature(f"{self._base}{path}", fields)
        return path, urlencode(fields).encode(), signature


async def _post(url: str, webhooks: list[Signed], rate: float = 0) -> tuple[float, list[float]]:
    """Requests a second, and the milliseconds each took. ``rate`` 0: as fast as it goes."""
    took: list[float] = []
    waiting: Iterator[tuple[int, Signed]] = iter(list(enumerate(webhooks)))
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        began = time.perf_counter()

        async def post() -> None:
            for no, (path, body, signature) in waiting:
                if rate:
                    await asyncio.sleep(max(0, began + no / rate - time.perf_counter()))
                sent = time.perf_counter()
                headers = {
                    "X-Twilio-Signature": signature,
                    "Content-Type": "application/x-www-form-urlencoded",
                }
                async with session.post(f"{url}{path}", data=body, headers=headers) as answer:
                    assert answer.status in (200, 204), answer.status
                took.append((time.perf_counter() - sent) * 1000)

        await asyncio.gather(*(post() for _ in range(CONNECTIONS)))
        return len(webhooks) / (time.perf_counter() - began), took


def taken(*, postgres: bool) -> dict[str, float]:
    """What one installation takes in."""
    carriers = f"twilio+http://AC1:{SECRET}@127.0.0.1:9?from={OURS}&name=one"
    with stand(postgres=postgres) as here:
        here.env |= {"STILLHERE_CARRIERS": carriers}
        messages = here.inside("texters", count=PEOPLE, each=ROUNDS)
        [port] = here.start("web")
        base_url = here.env["STILLHERE_BASE_URL"]
        signer, url = Signer(base_url), f"http://127.0.0.1:{port}"
        texts = [signer.text(no) for _ in range(ROUNDS) for no in range(PEOPLE)]
        receipts = [signer.receipt(message) for message in messages]
        texts_per_s, _ = asyncio.run(_post(url, texts))
        receipts_per_s, _ = asyncio.run(_post(url, receipts))
        calm = [signer.text(no) for no in range(PEOPLE)]
        _, took = asyncio.run(_post(url, calm, rate=200))
        left = here.inside("taken")
    assert left["delivered"] == len(messages), left
    assert left["arrivals"] == len(texts) + len(receipts) + len(calm), left
    return {
        "texts_per_s": texts_per_s,
        "receipts_per_s": receipts_per_s,
        "p50_ms": percentile(took, 50),
        "p99_ms": percentile(took, 99),
    }


def main(postgres: bool) -> None:
    found = taken(postgres=postgres)
    tell(
        f"texts on {'PostgreSQL' if postgres else 'SQLite'}",
        [
            Figure("texts_out_per_s", handed_over(OUT, 0), "texts/s out", least=1000),
            Figure(
                "texts_out_slow_per_s",
                handed_over(OUT // 2, 200),
                "texts/s out, the provider takes 200 ms",
                least=500,
            ),
            Figure("texts_in_per_s", found["texts_per_s"], "texts/s in, durable", least=1000),
            Figure("receipts_in_per_s", found["receipts_per_s"], "receipts/s in", least=1000),
            Figure("text_applied_p50_ms", found["p50_ms"], "ms"),
            Figure("text_applied_p99_ms", found["p99_ms"], "ms at 200/s", most=100),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["provider"]:
        provider(int(sys.argv[2]), float(sys.argv[3]))
    else:
        main("--postgres" in sys.argv)
