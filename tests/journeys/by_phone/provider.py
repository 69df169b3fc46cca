"""A loopback company that carries texts and calls as Twilio documents; and a phone on a sill.

It runs on the event loop of our adapters, keeps what they hand over until the story looks, and
signs what it tells us as the vendor's own library does. Nothing here waits.
"""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from django.conf import settings
from twilio.request_validator import RequestValidator

from stillhere.channels.carriers.carrier import ACCOUNTS, Carrier
from tests.channels.accounts import OURS, SECRET, carrier_of
from tests.web.lane import Answered

FORM = "application/x-www-form-urlencoded"
ACCOUNT = ACCOUNTS["twilio"].format("AC1")
KEY = "the signing key of the app"
Post = Callable[[str, str, bytes, Mapping[str, str]], Answered]


@dataclass(frozen=True, slots=True)
class Sent:
    """One text or call that our adapter handed over; ``told`` is where its fate is to be said."""

    kind: str
    to: str
    sid: str
    body: str = ""
    url: str = ""
    told: str = ""


class Provider:
    """Twilio's account ``AC1`` (carrier ``one``), and the app on an Android phone (``sill``)."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.sounds: dict[str, bytes] = {}  # what was recorded in calls
        self.url = ""
        self._count = 0

    async def start(self) -> Callable[[], Awaitable[None]]:
        """Listen; what ends it again."""
        app = web.Application()
        app.router.add_post(f"{ACCOUNT}/Messages.json", self._text)
        app.router.add_post(f"{ACCOUNT}/Calls.json", self._call)
        app.router.add_get(f"{ACCOUNT}/Recordings/{{ref}}.mp3", self._sound)
        app.router.add_delete(f"{ACCOUNT}/Recordings/{{ref}}.json", self._forget)
        app.router.add_post("/message", self._by_the_app)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner.cleanup

    @property
    def company(self) -> Carrier:
        return carrier_of("twilio", self.url)

    @property
    def app(self) -> Carrier:
        """The phone on the window sill."""
        options = {"key": KEY}
        return carrier_of("android", self.url, name="sill", carries=("text",), options=options)

    def take(self) -> list[Sent]:
        """What was handed over since the last time."""
        sent, self.sent = self.sent, []
        return sent

    # --- what our adapters ask for ----------------------------------------------------------------

    async def _text(self, request: web.Request) -> web.Response:
        form = await self._form(request, "SM")
        return self._took(
            Sent("text", form["To"], form["sid"], form["Body"], told=form["StatusCallback"])
        )

    async def _call(self, request: web.Request) -> web.Response:
        form = await self._form(request, "CA")
        where = {"url": form["Url"], "told": form["StatusCallback"]}
        return self._took(Sent("call", form["To"], form["sid"], **where))

    async def _sound(self, request: web.Request) -> web.Response:
        sound = self.sounds.get(request.match_info["ref"])
        return web.Response(body=sound) if sound is not None else web.Response(status=404)

    async def _forget(self, request: web.Request) -> web.Response:
        gone = self.sounds.pop(request.match_info["ref"], None)
        return web.Response(status=404 if gone is None else 204)

    async def _form(self, request: web.Request, letters: str) -> dict[str, str]:
        pair = base64.b64encode(f"AC1:{SECRET}".encode()).decode()
        assert request.headers["Authorization"] == f"Basic {pair}"
        form = {name: str(value) for name, value in (await request.post()).items()}
        assert form["From"] == OURS
        return form | {"sid": f"{letters}{uuid.uuid4().hex}"}

    def _took(self, sent: Sent) -> web.Response:
        self.sent.append(sent)
        return web.json_response({"sid": sent.sid, "status": "queued"}, status=201)

    async def _by_the_app(self, request: web.Request) -> web.Response:
        asked: dict[str, Any] = json.loads(await request.text())
        [to] = asked["phoneNumbers"]
        self.sent.append(Sent("text", to, asked["id"], asked["textMessage"]["text"]))
        return web.json_response({"id": asked["id"], "state": "Pending"}, status=202)

    # --- what it tells us -------------------------------------------------------------------------

    def text_came(self, post: Post, number: str, words: str) -> Answered:
        sid = f"SM{uuid.uuid4().hex}"
        fields = {"MessageSid": sid, "From": number, "To": OURS, "Body": words, "NumMedia": "0"}
        return self._posts(post, "/in/one/text", fields)

    def became(self, post: Post, sent: Sent, status: str, code: str = "") -> Answered:
        """What became of a text or a call of ours."""
        if not sent.told:
            told = {"event": f"sms:{status}", "payload": {"messageId": sent.sid}}
            return self._app_posts(post, told)
        name = "Call" if sent.kind == "call" else "Message"
        told_of = {f"{name}Sid": sent.sid, f"{name}Status": status, "To": sent.to, "From": OURS}
        return self._posts(post, sent.told, told_of | ({"ErrorCode": code} if code else {}))

    def turn(self, post: Post, url: str, fields: Mapping[str, str]) -> Answered:
        """One turn of a call: what was pressed, and the address that it was to be told at."""
        return self._posts(post, url, fields)

    def text_came_by_the_app(
        self, post: Post, number: str, words: str, *, early_s: int, as_picture: bool
    ) -> Answered:
        """The app tells of a text, stamped by its carrier; of a long one as of a picture."""
        self._count += 1
        at = datetime.fromtimestamp(settings.WALL_MS() / 1000 - early_s, UTC)
        payload: dict[str, object] = {"messageId": str(self._count), "sender": number}
        payload["receivedAt"] = at.isoformat(timespec="seconds").replace("+00:00", "Z")
        event = "mms:downloaded" if as_picture else "sms:received"
        if as_picture:
            picture = {"partId": 1, "contentType": "text/plain", "size": len(words)}
            payload |= {"body": words, "attachments": [picture]}
        else:
            payload["message"] = words
        return self._app_posts(post, {"event": event, "payload": payload})

    def _posts(self, post: Post, url: str, fields: Mapping[str, str]) -> Answered:
        path, query = urlsplit(url).path, urlsplit(url).query
        full = f"{settings.STILLHERE.base_url}{path}{f'?{query}' if query else ''}"
        signature = RequestValidator(SECRET).compute_signature(full, dict(fields))
        headers = {"Content-Type": FORM, "X-Twilio-Signature": signature}
        return post(path, query, urlencode(fields).encode(), headers)

    def _app_posts(self, post: Post, told: object) -> Answered:
        body, stamp = json.dumps(told).encode(), str(settings.WALL_MS() // 1000)
        signature = hmac.new(KEY.encode(), body + stamp.encode(), "sha256").hexdigest()
        return post("/in/sill/event", "", body, {"X-Signature": signature, "X-Timestamp": stamp})
