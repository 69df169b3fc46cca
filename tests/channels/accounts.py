"""Providers of texts that behave as theirs document, for the rigs of the contract."""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from typing import Any, ClassVar

from aiohttp import web

from stillhere.channels.carriers.android import AndroidCarrier
from stillhere.channels.carriers.carrier import ACCOUNTS, Carrier
from stillhere.channels.carriers.failover import CHATS, TEXTS, Relay
from stillhere.channels.carriers.numbers import normalise_for_texts, normalise_number
from stillhere.channels.carriers.sms import SmsCarrier
from stillhere.channels.carriers.telegram import CHAT, TelegramCarrier, normalise_chat
from stillhere.channels.carriers.whatsapp import WhatsAppCarrier
from stillhere.channels.http import HttpClient
from stillhere.core.messages import Fate
from tests.channels.browsers import PushRig
from tests.channels.rigs import RIGS, Received, Rig

SECRET = "a token of the account"
OURS = "+12025550100"
HOOKS = "https://lamp.example.org/in/one"


def carrier_of(kind: str, url: str, **changes: Any) -> Carrier:
    usual: dict[str, Any] = {
        "name": "one",
        "kind": kind,
        "base_url": url,
        "account": "AC1",
        "secret": SECRET,
        "sender": OURS,
        "carries": ("text", "call"),
    }
    return Carrier(**(usual | changes))


class TextProviderRig(Rig):
    """A loopback HTTP server that takes texts; Leo's number is none there."""

    kind: ClassVar[str]
    good = "+12025550102"
    dead = "+12025550103"

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Received] = []
        self.forms: list[dict[str, str]] = []

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        server: Any = site._server
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.stack.push_async_callback(self.stop_listening)

    async def stop_listening(self) -> None:
        await self.runner.cleanup()

    def received(self) -> list[Received]:
        return self.messages

    async def _take(self, request: web.Request) -> web.Response:
        raise NotImplementedError

    async def after(self, fault: str, answer: web.Response) -> web.Response:
        """Whatever goes wrong once the text was taken."""
        if fault == "hang":
            await self.let_go.wait()
        return web.Response(text="\x00<html>") if fault == "garbage" else answer


class AccountRig(TextProviderRig):
    """Twilio's Messages resource, and those who speak the same."""

    knows_repeats = False  # the form has no key of ours
    what: ClassVar[str] = "Messages"

    def make(self, deadline_s: float) -> Relay:
        account = SmsCarrier(
            carrier_of(self.kind, self.url), HOOKS, HttpClient(), deadline_s=deadline_s
        )
        return Relay("text", [account], normalise_for_texts, TEXTS)

    async def _take(self, request: web.Request) -> web.Response:
        fault = self.take_fault()
        assert request.path == f"{ACCOUNTS[self.kind].format('AC1')}/{self.what}.json"
        assert request.headers["Authorization"] == self._credentials()
        form = {name: str(value) for name, value in (await request.post()).items()}
        if (dead := self.is_dead(form)) is not None:
            return dead
        if fault == "refuse":
            return _json(429, code=20429, message="too many", status=429)
        sid = f"SM{uuid.uuid4().hex}"
        self.forms.append(form)
        self.messages.append(self.took(form, f"one:{sid}"))
        return await self.after(fault, _json(201, sid=sid, status="queued"))

    def is_dead(self, form: dict[str, str]) -> web.Response | None:
        """What is said of a number to which nothing can be sent."""
        if form["To"] == self.dead:
            return _json(400, code=21211, message="not a valid phone number", status=400)
        return None

    def took(self, form: dict[str, str], name: str) -> Received:
        return Received(form["To"], form["Body"], name)

    def _credentials(self) -> str:
        if self.kind == "telnyx":
            return f"Bearer {SECRET}"
        return f"Basic {base64.b64encode(f'AC1:{SECRET}'.encode()).decode()}"


class TwilioRig(AccountRig):
    id = kind = "twilio"


class SignalWireRig(AccountRig):
    id = kind = "signalwire"


class TelnyxRig(AccountRig):
    id = kind = "telnyx"


class WhatsAppRig(AccountRig):
    """The same resource with addresses of WhatsApp; Leo has none."""

    id = kind = "whatsapp"
    options: ClassVar[dict[str, str]] = {}

    def make(self, deadline_s: float) -> Relay:
        carrier = carrier_of(self.kind, self.url, carries=("whatsapp",), options=self.options)
        account = WhatsAppCarrier(carrier, HOOKS, HttpClient(), deadline_s=deadline_s)
        return Relay("whatsapp", [account], normalise_number, TEXTS)

    def is_dead(self, form: dict[str, str]) -> web.Response | None:
        assert form["From"] == f"whatsapp:{OURS}"
        if form["To"] == f"whatsapp:{self.dead}":
            return _json(400, code=63003, message="could not find To address", status=400)
        return None

    def took(self, form: dict[str, str], name: str) -> Received:
        to = form["To"].removeprefix("whatsapp:")
        return Received(to, form.get("Body", form.get("ContentVariables", "")), name)


class AndroidRig(TextProviderRig):
    """The app on a phone. A repeated id is a conflict, not a second text."""

    id = kind = "android"
    garbage_fate = Fate.UNKNOWN

    def make(self, deadline_s: float) -> Relay:
        phone = AndroidCarrier(carrier_of("android", self.url), HttpClient(), deadline_s=deadline_s)
        return Relay("text", [phone], normalise_for_texts, TEXTS)

    async def _take(self, request: web.Request) -> web.Response:
        fault = self.take_fault()
        assert request.path == "/message"
        told = json.loads(await request.text())
        [to] = told["phoneNumbers"]
        if to == self.dead:
            return _json(400, message="invalid phone number")
        if fault == "refuse":
            return _json(503)
        name = f"one:{told['id']}"
        if name in {message.name for message in self.messages}:
            return _json(409, message="exists")
        self.messages.append(Received(to, told["textMessage"]["text"], name))
        return await self.after(fault, _json(202, id=told["id"], state="Pending"))


BOT = "123456:AAE-a_token_of_the_bot_555"


class TelegramRig(TextProviderRig):
    """The Bot API, as far as we speak it: a bot, its chats, and where it tells what they write."""

    id = kind = "telegram"
    good, dead = "5550102", "5550103"
    knows_repeats = False  # sendMessage has no key of ours

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.hook: dict[str, Any] = {}
        self.blocked: set[int] = set()

    def carrier(self) -> Carrier:
        return carrier_of(
            "telegram", self.url, account="lamp_bot", secret=BOT, sender="", carries=("telegram",)
        )

    def make(self, deadline_s: float) -> Relay:
        bot = TelegramCarrier(self.carrier(), HOOKS, HttpClient(), deadline_s=deadline_s)
        return Relay("telegram", [bot], normalise_chat, CHATS, CHAT)

    async def _take(self, request: web.Request) -> web.Response:
        bot, _, method = request.path.removeprefix("/bot").partition("/")
        if bot != BOT:
            return _no(401, "Unauthorized")
        told = json.loads(await request.text() or "{}")
        self.asked.append((method, told))
        if method == "getMe":
            me = {"id": 123456, "is_bot": True, "first_name": "Lamp", "username": "Lamp_Bot"}
            return _json(200, ok=True, result=me)
        if method == "setWebhook":
            self.hook = told
            return _json(200, ok=True, result=True, description="Webhook was set")
        if method == "getWebhookInfo":
            info = {"has_custom_certificate": False, "pending_update_count": 0}
            return _json(200, ok=True, result={"url": self.hook.get("url", ""), **info})
        return await self._send(told)

    async def _send(self, told: dict[str, Any]) -> web.Response:
        fault, chat = self.take_fault(), told["chat_id"]
        if chat == int(self.dead):
            return _no(400, "Bad Request: chat not found")
        if chat in self.blocked:
            return _no(403, "Forbidden: bot was blocked by the user")
        if fault == "refuse":
            return _no(429, "Too Many Requests: retry after 7", parameters={"retry_after": 7})
        no = len(self.messages) + 1
        self.messages.append(Received(str(chat), told["text"], f"one:{no}"))
        private = {"id": chat, "type": "private", "first_name": "Sam"}
        message = {"message_id": no, "date": 1_795_212_720, "chat": private, "text": told["text"]}
        return await self.after(fault, _json(200, ok=True, result=message))


def _no(status: int, description: str, **more: object) -> web.Response:
    return _json(status, ok=False, error_code=status, description=description, **more)


def _json(status_: int, /, **told: object) -> web.Response:
    return web.json_response(told, status=status_)


def name_of(key: str) -> str:
    """What the Android gateway calls the message with this key of ours."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


# The others speak as Twilio does; where they differ is in ``test_carriers.py``.
ALL_RIGS: list[type[Rig]] = [
    *RIGS, TwilioRig, WhatsAppRig, TelegramRig, AndroidRig, PushRig,
]  # fmt: skip
