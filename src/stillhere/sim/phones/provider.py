"""The loopback provider: HTTP in front of the phones, with the faults a carrier can have.

Owns the little protocol of ``stillhere.channels.demo`` from the other side (two POSTs, status
codes, idempotency keys), the page's API, the log of what was accepted, and the faults tests ask
for. Binds 127.0.0.1 and nothing else, and answers no request that names another host.

    POST /v1/texts, /v1/calls   a send: 202 with an id, 409 when the key was seen, 404 dead number
    GET  /                      the phones, drawn
    GET  /state?seen=N          what they show, 204 while nothing changed since version N
    POST /act                   {phone, action, ...}: what a hand on a phone would do
    GET  /log?after=N           JSON lines: every accepted send, in order
    POST /faults                {latency_s, unavailable, garbage, hang, twice, swapped}
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from aiohttp import web

from stillhere.channels.http import HttpReply
from stillhere.sim.phones.exchange import (
    ActError,
    CarrierEvent,
    Exchange,
    LineState,
    NoSuchNumberError,
    Order,
    Phone,
    TurnAnswer,
)
from stillhere.sim.phones.webhooks import Webhooks

PAGE = Path(__file__).parent / "page"
RING_S = 25.0
LONGEST_CALL_S = 120.0
WORDS_A_SECOND = 3
MAX_BODY_BYTES = 64 * 1024
MAX_LOG = 200_000
LOOPBACK = ("127.0.0.1", "localhost")

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def cast() -> list[Phone]:
    """The fixed cast of the demo, with fictional numbers."""
    return [
        Phone("Sam", "+12025550101", "the person"),
        Phone("Maya", "+12025550102", "mother"),
        Phone("Leo", "+12025550103", "roommate"),
        Phone("Ana", "+12025550104", "responder"),
        Phone("Ruth", "+12025550105", "coordinator"),
    ]


@dataclass(slots=True)
class Faults:
    """What goes wrong on purpose. The numbers count requests down; ``latency_s`` stays.

    ``unavailable`` takes nothing. ``garbage`` and ``hang`` come after the send was taken: the
    worst case, in which only an idempotency key prevents a second one.
    """

    latency_s: float = 0.0
    unavailable: int = 0
    garbage: int = 0
    hang: int = 0
    twice: bool = False
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """One line of the log."""

    n: int
    at_ms: int
    channel: str
    id: str
    key: str
    to: str
    text: str
    reply_ref: str

    def line(self) -> str:
        row = {name.name: getattr(self, name.name) for name in fields(self)}
        return json.dumps(row)


class Provider:
    """The whole process but for its command line. ``clock`` gives milliseconds since 1970."""

    def __init__(
        self,
        *,
        secret: str,
        webhook: str,
        clock: Callable[[], int],
        phones: Iterable[Phone] | None = None,
        ring_s: float = RING_S,
        back_off_s: float = 0.2,
        any_number: bool = False,
    ) -> None:
        if not secret:
            raise ValueError("the phones need a secret")
        run = secrets.token_hex(4)
        self.exchange = Exchange(
            cast() if phones is None else phones, run=run, any_number=any_number
        )
        self.webhooks = Webhooks(
            webhook, secret, clock, run=run, on_reply=self._heard, back_off_s=back_off_s
        )
        self.faults = Faults()
        self.log: deque[Accepted] = deque(maxlen=MAX_LOG)
        self._accepted = 0
        self.authorization = f"Bearer {secret}"
        self._clock = clock
        self._ring_s = ring_s

    def app(self) -> web.Application:
        app = web.Application(
            middlewares=[_only_loopback, _plain_errors], client_max_size=MAX_BODY_BYTES
        )
        app.add_routes(
            [
                web.post("/v1/texts", self._texts),
                web.post("/v1/calls", self._calls),
                web.get("/", _file("index.html")),
                web.get("/phones.css", _file("phones.css")),
                web.get("/phones.js", _file("phones.js")),
                web.get("/lamp.svg", _file("lamp.svg")),
                web.get("/state", self._state),
                web.post("/act", self._act),
                web.get("/log", self._log),
                web.post("/faults", self._set_faults),
            ]
        )
        return app

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on 127.0.0.1 and yield the base URL; port 0 takes a free one."""
        runner = web.AppRunner(
            self.app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self.webhooks.start()
            host, bound = runner.addresses[0][:2]
            yield f"http://{host}:{bound}"
        finally:
            await self.webhooks.stop()
            await runner.cleanup()

    # --- what the product sends -------------------------------------------------------------

    async def _texts(self, request: web.Request) -> web.StreamResponse:
        return await self._take(request, "text")

    async def _calls(self, request: web.Request) -> web.StreamResponse:
        return await self._take(request, "call")

    async def _take(self, request: web.Request, channel: str) -> web.StreamResponse:
        if not hmac.compare_digest(
            request.headers.get("Authorization", "").encode("utf-8", "replace"),
            self.authorization.encode(),
        ):
            return web.json_response({"error": "Wrong secret."}, status=401)
        sent = await _json_object(request)
        faults = self.faults
        if faults.latency_s:
            await asyncio.sleep(faults.latency_s)
        if faults.unavailable:
            faults.unavailable -= 1
            return web.Response(status=503, text="come back", headers={"Retry-After": "1"})
        key = request.headers.get("Idempotency-Key", "")[:200]
        taken = self.exchange.already_taken(key)
        if not taken:
            order = self._order(channel, sent)
            try:
                events = self.exchange.take(order, key, self._clock())
            except NoSuchNumberError:
                return web.json_response({"error": "No such number."}, status=404)
            self._note(order, key)
            self._send(events)
            self._set_timers(order)
        if faults.hang:
            faults.hang -= 1
            await asyncio.Event().wait()
        if faults.garbage:
            faults.garbage -= 1
            return web.Response(text="<html>\x00 502 good gateway </html>")
        if taken:
            return web.json_response({"id": taken}, status=409)
        return web.json_response({"id": order.id}, status=202)

    def _order(self, channel: str, sent: dict[str, object]) -> Order:
        choices = sent.get("choices")
        return Order(
            id=self.exchange.next_id(channel),
            channel=channel,
            number=_text(sent, "to"),
            text=_text(sent, "text", 4_000),
            lang=_text(sent, "lang"),
            choices={str(k): str(v) for k, v in choices.items()}
            if isinstance(choices, dict)
            else {},
            reply_ref=_text(sent, "reply_ref"),
        )

    def _note(self, order: Order, key: str) -> None:
        self._accepted += 1
        self.log.append(
            Accepted(
                n=self._accepted,
                at_ms=self._clock(),
                channel=order.channel,
                id=order.id,
                key=key,
                to=order.number,
                text=order.text,
                reply_ref=order.reply_ref,
            )
        )

    def _set_timers(self, order: Order) -> None:
        if order.channel != "call" or order.number not in self.exchange.phones:
            return

        def ring_out() -> None:
            self._send(self.exchange.ring_out(order, self._clock()))

        def finish() -> None:
            self.exchange.finish(order, self._clock())

        loop = asyncio.get_running_loop()
        loop.call_later(self._ring_s, ring_out)
        loop.call_later(self._ring_s + LONGEST_CALL_S, finish)

    def _send(self, events: list[CarrierEvent]) -> None:
        self.webhooks.twice = self.faults.twice
        self.webhooks.swapped = self.faults.swapped
        for event in events:
            self.webhooks.put(event)

    def _heard(self, event: CarrierEvent, reply: HttpReply) -> None:
        """A key press may be answered with what the call says next, as carriers allow."""
        answer = reply.json_object() if event.kind in ("key", "turn") else None
        if answer is None:
            return
        said = TurnAnswer(
            _text(answer, "say", 4_000),
            _whole(answer, "listen_s"),
            _text(answer, "at"),
            _whole(answer, "turn"),
            hang_up=answer.get("hang_up") is True,
            reject=answer.get("reject") is True,
        )
        order = self.exchange.say(event.message_id, event.number, said, self._clock())
        if order is not None and said.listens_s:
            listens_s = len(said.says.split()) / WORDS_A_SECOND + said.listens_s
            silent = partial(self._silent, order, said.turn)
            asyncio.get_running_loop().call_later(listens_s, silent)

    def _silent(self, order: Order, turn: int) -> None:
        self._send(self.exchange.silent(order, turn))

    # --- what hands and eyes do -------------------------------------------------------------

    async def _state(self, request: web.Request) -> web.StreamResponse:
        version = self.exchange.version
        if request.query.get("seen") == str(version):
            return web.Response(status=204, headers=_HEADERS)
        phones = [phone.view() for phone in self.exchange.phones.values()]
        return web.json_response({"version": version, "phones": phones}, headers=_HEADERS)

    async def _act(self, request: web.Request) -> web.StreamResponse:
        self.act(await _json_object(request))
        return web.json_response({"ok": True}, headers=_HEADERS)

    def act(self, act: dict[str, object]) -> None:
        """Do to one phone what a hand would; what it causes goes out. Raises ``ActError``."""
        self._send(self._events(act))

    def _events(self, act: dict[str, object]) -> list[CarrierEvent]:
        phone = self.exchange.find(_text(act, "phone"))
        now_ms = self._clock()
        exchange = self.exchange
        match _text(act, "action"):
            case "answer":
                return exchange.answer(phone)
            case "key":
                return exchange.key(phone, _text(act, "key"), now_ms)
            case "hang-up":
                return exchange.hang_up(phone, now_ms)
            case "text":
                return exchange.send_text(phone, _text(act, "text", 1_600), now_ms)
            case "call-us":
                return exchange.call_us(phone)
            case "ring-us":
                return exchange.ring_us(phone, now_ms)
            case "off" | "on" as switch:
                return exchange.switch(phone, off=switch == "off", now_ms=now_ms)
            case "dead" | "refused" | "alive" as line:
                return exchange.set_line(phone, LineState(line), now_ms)
            case other:
                raise ActError(f"No phone knows the action {other[:40]!r}.")

    async def _log(self, request: web.Request) -> web.StreamResponse:
        after = request.query.get("after", "0")
        seen = int(after) if after.isascii() and after.isdigit() else 0
        lines = "".join(entry.line() + "\n" for entry in self.log if entry.n > seen)
        return web.Response(text=lines, content_type="application/jsonl", headers=_HEADERS)

    async def _set_faults(self, request: web.Request) -> web.StreamResponse:
        wanted = await _json_object(request)
        fresh = Faults()
        for field in fields(Faults):
            value = wanted.get(field.name, getattr(fresh, field.name))
            if not isinstance(value, int | float) or value < 0:
                raise ActError(f"{field.name} is not a number.")
            setattr(fresh, field.name, type(getattr(fresh, field.name))(value))
        self.faults = fresh
        return web.json_response({"ok": True})


def _file(name: str) -> Handler:
    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / name, headers=_HEADERS)

    return serve


@web.middleware
async def _only_loopback(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A page elsewhere may point a name of its own at 127.0.0.1; it is not answered. Nor is one
    that posts a form: whatever changes something must be JSON, which browsers ask about first."""
    if request.url.host not in LOOPBACK:
        return web.json_response({"error": "Only this machine may ask."}, status=403)
    if request.method == "POST" and request.content_type != "application/json":
        return web.json_response({"error": "Send JSON."}, status=415)
    return await handler(request)


@web.middleware
async def _plain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ActError as error:
        return web.json_response({"error": str(error)}, status=422)


async def _json_object(request: web.Request) -> dict[str, object]:
    try:
        value = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise ActError("This is not JSON.") from None
    if not isinstance(value, dict):
        raise ActError("This is not a JSON object.")
    return value


def _whole(sent: dict[str, object], name: str) -> int:
    value = sent.get(name, 0)
    return value if isinstance(value, int) and 0 <= value < 10_000 else 0


def _text(sent: dict[str, object], name: str, limit: int = 200) -> str:
    value = sent.get(name, "")
    if not isinstance(value, str):
        raise ActError(f"{name} is not text.")
    return value[:limit]
