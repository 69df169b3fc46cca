"""What carriers post to us, signed as they sign it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from typing import cast
from urllib.parse import urlencode

import pytest
from asgiref.typing import ASGI3Application
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.asgi import get_asgi_application
from twilio.request_validator import RequestValidator

from stillhere.core.messages import Inbound
from stillhere.store.inbound.inbox import take_all
from stillhere.store.models import Message
from stillhere.store.watches.group_commit import GroupCommit
from stillhere.web.asgi.webhooks import WebhookLane
from tests.channels.accounts import OURS, SECRET, carrier_of
from tests.hook import SAM
from tests.web.lane import Answered, ask

TELNYX = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC = base64.b64encode(TELNYX.public_key().public_bytes_raw()).decode()
CARRIERS = (
    carrier_of("twilio", "https://api.example.org"),
    carrier_of("telnyx", "https://api.example.org", name="two", options={"public_key": PUBLIC}),
    carrier_of("android", "https://phone.lan", name="phone", options={"key": "k"}),
)
Take = Callable[[list[Inbound]], list[None]]


@pytest.fixture
def inbox() -> Iterator[GroupCommit[Inbound, None]]:
    writer: GroupCommit[Inbound, None] = GroupCommit(take_all, proves=False)
    yield writer
    writer.stop()


class Phone:
    """Posts to the lane as carriers do."""

    def __init__(self, inbox: GroupCommit[Inbound, None]) -> None:
        self.lane = WebhookLane(cast(ASGI3Application, get_asgi_application()), CARRIERS, inbox)

    def post(self, path: str, body: bytes, headers: Mapping[str, str], query: str = "") -> Answered:
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return asyncio.run(ask(self.lane, path, [body], {**kind, **headers}, query=query))

    def twilio(
        self, kind: str, fields: Mapping[str, str], query: str = "", secret: str = SECRET
    ) -> Answered:
        path = f"/in/one/{kind}"
        url = f"{settings.STILLHERE.base_url}{path}{f'?{query}' if query else ''}"
        signature = RequestValidator(secret).compute_signature(url, dict(fields))
        body = urlencode(fields).encode()
        return self.post(path, body, {"X-Twilio-Signature": signature}, query)

    def text(
        self, words: str, sender: str = SAM, sid: str = "SM1", secret: str = SECRET, **more: str
    ) -> Answered:
        fields = {"MessageSid": sid, "From": sender, "To": OURS, "Body": words, "NumMedia": "0"}
        return self.twilio("text", fields | more, secret=secret)

    def receipt(self, m: Message, status: str, code: str = "", sid: str = "") -> Answered:
        name = "Message" if m.channel == "text" else "Call"
        told = {f"{name}Sid": sid or f"p{m.id}", f"{name}Status": status}
        return self.twilio("status", told | ({"ErrorCode": code} if code else {}), f"m={m.id}")

    def event(self, told: object, *, key: str = "k", late_s: int = 0) -> Answered:
        return self.post("/in/phone/event", *signed(told, key, late_s))


def signed(told: object, key: str = "k", late_s: int = 0) -> tuple[bytes, dict[str, str]]:
    """What the app on an Android phone posts: body and headers."""
    body = json.dumps(told).encode()
    stamp = str(settings.WALL_MS() // 1000 - late_s)
    signature = hmac.new(key.encode(), body + stamp.encode(), "sha256").hexdigest()
    return body, {"X-Signature": signature, "X-Timestamp": stamp}


async def dropped(_message: object) -> None:
    """What a client that reads nothing does with an answer."""


@pytest.fixture
def phone(inbox: GroupCommit[Inbound, None]) -> Phone:
    return Phone(inbox)
