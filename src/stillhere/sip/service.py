"""The line as a carrier: takes calls to place by Twilio's API, and answers those that come.

Owns the little HTTP service on this machine alone, the telephones (one for each call of ours, one
that waits for calls to us), and the signed webhooks to our own web server. Keeps nothing of a call
once it is over, so there is nothing to delete.

    POST   .../Calls.json        place a call: To, Url, StatusCallback, Timeout
    GET    .../Calls/<id>.json   what it cost: we do not know
    DELETE .../Calls/<id>.json   nothing is kept
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import logging
import secrets
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from stillhere.channels.carriers.carrier import ACCOUNTS, Carrier
from stillhere.sip.baresip import LineError, Telephone, Trunk
from stillhere.sip.conversation import Conversation
from stillhere.sip.prompts import Prompts

log = logging.getLogger("stillhere.sip")

MOST_CALLS = 8  # each is a process; further ones are tried again in a second
RINGS_S = 25
TELL_S = 10.0
TELLS = 20  # times; then the carrier gives up, as others do
AGAIN_S = 1.0  # before the waiting telephone is started again


@dataclass(frozen=True, slots=True)
class Ours:
    """Our own web server: the address it signs for, and where it really is."""

    base_url: str
    host: str
    port: int


class DirectLine:
    """One trunk. ``spoken`` is how the rest of Stillhere knows it: a carrier on loopback."""

    def __init__(
        self,
        spoken: Carrier,
        trunk: Trunk,
        ours: Ours,
        regular: Callable[[str], str],
        sip_port: int = 0,
    ) -> None:
        """``regular`` makes a caller's number E.164; raises ValueError."""
        self._spoken = spoken
        self._trunk = trunk
        self._ours = ours
        self._regular = regular
        self._sip_port = sip_port
        self._signs = RequestValidator(spoken.secret)
        self._prompts = Prompts()
        self._calls: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``. Raises OSError when the port is taken."""
        async with AsyncExitStack() as stack:
            stack.callback(self._prompts.close)
            self._http = await stack.enter_async_context(
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TELL_S))
            )
            await self._listen(stack)
            waits = asyncio.create_task(self._wait_for_calls())
            await stop.wait()
            going = [waits, *self._calls]
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)

    async def _listen(self, stack: AsyncExitStack) -> None:
        app = web.Application(client_max_size=64 * 1024)
        path = ACCOUNTS["sip"].format("{account}")
        app.add_routes(
            [
                web.post(f"{path}/Calls.json", self._place),
                web.get(f"{path}/Calls/{{id}}.json", self._nothing_known),
                web.delete(f"{path}/Calls/{{id}}.json", self._nothing_kept),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        port = urlsplit(self._spoken.base_url).port
        await web.TCPSite(runner, "127.0.0.1", port).start()

    # --- calls of ours --------------------------------------------------------------------------

    def _known(self, request: web.Request) -> bool:
        pair = f"{self._spoken.account}:{self._spoken.secret}".encode()
        wanted = f"Basic {base64.b64encode(pair).decode()}"
        return hmac.compare_digest(request.headers.get("Authorization", ""), wanted)

    async def _place(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return web.json_response({"code": 20003, "status": 401}, status=401)
        if len(self._calls) >= MOST_CALLS:
            wish = {"Retry-After": "1"}
            return web.json_response({"code": 20429, "status": 429}, status=429, headers=wish)
        form = {name: str(value) for name, value in (await request.post()).items()}
        number, url, status = (form.get(name, "") for name in ("To", "Url", "StatusCallback"))
        digits = number.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()) or not url or not status:
            return web.json_response({"code": 21211, "status": 400}, status=400)
        sid = f"CA{secrets.token_hex(16)}"
        rings_s = form.get("Timeout", "")
        call = self._ring(sid, number, url, status, int(rings_s) if rings_s.isdigit() else RINGS_S)
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return web.json_response({"sid": sid, "status": "queued"}, status=201)

    async def _nothing_known(self, request: web.Request) -> web.Response:
        return web.json_response({"price": None}, status=200 if self._known(request) else 401)

    async def _nothing_kept(self, request: web.Request) -> web.Response:
        return web.Response(status=204 if self._known(request) else 401)

    async def _ring(self, sid: str, number: str, url: str, status: str, rings_s: int) -> None:
        fields = {
            "CallSid": sid,
            "From": self._spoken.sender,
            "To": number,
            "Direction": "outbound-api",
        }
        try:
            async with Telephone(self._trunk) as phone:
                talk = Conversation(phone, self._prompts, self._tell, fields)
                await talk.ring(number, url, status, rings_s)
        except LineError as error:
            log.warning("a call failed: %s", error)
            await self._tell(status, fields | {"CallStatus": "failed"})
        except Exception:
            log.exception("a call fell over")

    # --- calls to us ----------------------------------------------------------------------------

    async def _wait_for_calls(self) -> None:
        """One telephone waits, and is started again whenever it ends."""
        while True:
            try:
                async with Telephone(self._trunk, stays=True, port=self._sip_port) as phone:
                    log.info("the line waits for calls")
                    while True:
                        told = await phone.happened()
                        if told is not None and told.kind == "CALL_INCOMING":
                            await self._take(phone, told.peer)
            except LineError as error:
                log.warning("the line is down: %s", error)
            except Exception:
                log.exception("the line fell over")
            await asyncio.sleep(AGAIN_S)

    async def _take(self, phone: Telephone, peer: str) -> None:
        fields = {
            "CallSid": f"CA{secrets.token_hex(16)}",
            "From": self._caller(peer),
            "To": self._spoken.sender,
            "Direction": "inbound",
        }
        hooks = f"{self._ours.base_url}/in/{self._spoken.name}"
        talk = Conversation(phone, self._prompts, self._tell, fields)
        await talk.take(f"{hooks}/call", f"{hooks}/ended")

    def _caller(self, peer: str) -> str:
        """The number of whoever rings, or "" where it is withheld."""
        typed = peer.removeprefix("sip:").partition("@")[0].partition(";")[0]
        try:
            return self._regular(typed)
        except ValueError:
            return ""

    # --- our web server -------------------------------------------------------------------------

    async def _tell(self, url: str, fields: Mapping[str, str]) -> str:
        """One webhook, signed as for our public address, sent to where the server really is; told
        again while it says that it was not stored. Raises OSError when it cannot be told."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        signed = self._signs.compute_signature(f"{self._ours.base_url}{path}", dict(fields))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed,
            "Host": urlsplit(self._ours.base_url).netloc,
            "X-Forwarded-Proto": "https",
        }
        assert self._http is not None
        near = f"http://{self._ours.host}:{self._ours.port}{path}"
        for _ in range(TELLS):
            try:
                async with self._http.post(
                    near, data=urlencode(fields), headers=headers, allow_redirects=False
                ) as answer:
                    if answer.status in (200, 204):
                        return await answer.text()
                    if answer.status != 503:
                        raise OSError(f"our web server said {answer.status}")
            except (aiohttp.ClientError, TimeoutError) as failure:
                log.warning("our web server does not answer: %s", type(failure).__name__)
            await asyncio.sleep(0.5)
        raise OSError("our web server does not answer")
