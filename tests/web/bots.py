"""Telegram's side of the webhook: a bot that tells us what people write to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from asgiref.typing import ASGI3Application
from django.conf import settings as conf
from django.core.asgi import get_asgi_application
from pytest_django.fixtures import Settings

from stillhere.channels.carriers import telegram
from stillhere.config.wiring import build_channels
from stillhere.core.messages import TELEGRAM, Fate, Inbound, Receipt
from stillhere.engine import render
from stillhere.store.inbound.inbox import take_all
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Person
from stillhere.store.people import address_book
from stillhere.store.problems import Reached
from stillhere.store.watches.group_commit import GroupCommit
from stillhere.web.asgi.webhooks import WebhookLane
from tests.channels.accounts import BOT, carrier_of
from tests.conftest import Clock
from tests.web.lane import Answered, ask

BOTS = (
    carrier_of(
        "telegram",
        "https://api.example.org",
        name="telegram",
        account="lamp_bot",
        secret=BOT,
        sender="",
        carries=("telegram",),
    ),
)
SAMS, LEOS, MALLORYS = 5550100, 5550101, 5550199  # chats
SECRET = telegram.secret_of(BOTS[0])


@pytest.fixture
def inbox() -> Iterator[GroupCommit[Inbound, None]]:
    writer: GroupCommit[Inbound, None] = GroupCommit(take_all, proves=False)
    yield writer
    writer.stop()


@pytest.fixture(autouse=True)
def bot_here(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="", carriers=BOTS)
    settings.BUILD_CHANNELS = build_channels


class Bot:
    """Posts updates as Telegram does; ids count up unless a test says otherwise."""

    def __init__(self, inbox: GroupCommit[Inbound, None]) -> None:
        self.lane = WebhookLane(cast(ASGI3Application, get_asgi_application()), BOTS, inbox)
        self.count = 0

    def post(self, body: bytes, secret: str | None = SECRET, path: str = "event") -> Answered:
        shows = {} if secret is None else {telegram.SHOWS: secret}
        headers = {"content-type": "application/json", **shows}
        return asyncio.run(ask(self.lane, f"/in/telegram/{path}", [body], headers))

    def update(self, secret: str | None = SECRET, **told: Any) -> Answered:
        self.count += 1
        return self.post(json.dumps({"update_id": self.count, **told}).encode(), secret)

    def says(
        self, text: str, chat: int = SAMS, late_s: int = 0, secret: str | None = SECRET, **more: Any
    ) -> int:
        return self.update(secret, message=message(text, chat, late_s) | more).status


def message(text: str, chat: int = SAMS, late_s: int = 0) -> dict[str, Any]:
    whose = {"id": chat, "first_name": "Sam"}
    return {
        "message_id": 7,
        "from": {**whose, "is_bot": False, "language_code": "en"},
        "chat": {**whose, "type": "private"},
        "date": conf.WALL_MS() // 1000 - late_s,
        "text": text,
    }


@pytest.fixture
def bot(inbox: GroupCommit[Inbound, None]) -> Bot:
    return Bot(inbox)


def blocks(bot: Bot, chat: int, status: str = "kicked") -> Answered:
    said = message("", chat)
    del said["text"]
    bots = {"id": 123456, "is_bot": True, "first_name": "Lamp"}
    old = {"user": bots, "status": "member"}
    now = old | {"status": status} | ({"until_date": 0} if status == "kicked" else {})
    return bot.update(my_chat_member=said | {"old_chat_member": old, "new_chat_member": now})


def connected(owner: Person | Contact, chat: int, clock: Clock) -> Address:
    way = Reached(TELEGRAM, str(chat), rings=False)
    whose = {"person" if isinstance(owner, Person) else "contact": owner}
    more: Mapping[str, Any] = whose
    return address_book.add_address(way, now=clock.now, proved_at=clock.now, **more)


def left(clock: Clock) -> list[tuple[str, str, str]]:
    """What leaves for chats now: to whom, which word, what it says."""
    found = []
    for leased in delivery.lease(TELEGRAM, clock.now, 50, 20):
        outgoing = render.render(leased, leased.to)
        delivery.record([leased.result(Receipt(Fate.ACCEPTED, "telegram:1"))], clock.now)
        found.append((leased.to, leased.word, outgoing.text))
    return found
