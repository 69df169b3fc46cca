"""What leaves for a chat with our bot, and what its company says of it.

What comes in is tested over HTTP in ``tests/web/asgi``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from django.conf import settings
from django.utils import translation

from stillhere.channels.base import REFUSED, Outgoing
from stillhere.channels.carriers import telegram
from stillhere.channels.carriers.telegram import TelegramCarrier, inbound_of
from stillhere.channels.http import HttpClient
from stillhere.channels.wording import answers
from stillhere.channels.wording.answers import AnswerKind
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import listening
from tests.channels.accounts import BOT, HOOKS, TelegramRig, carrier_of

ASK = Outgoing(
    key="k",
    to=TelegramRig.good,
    text="Sam: still here? Reply OK.",
    link="https://lamp.example.org/k/x",
    choices={"1": "Still here", "9": "I need help"},
)


def told(story: Callable[[TelegramRig], Awaitable[None]]) -> TelegramRig:
    rig = TelegramRig()

    async def whole() -> None:
        async with rig:
            await story(rig)

    asyncio.run(whole())
    return rig


def test_an_ask_has_its_answers_as_buttons_and_nobody_opens_its_link() -> None:
    async def story(rig: TelegramRig) -> None:
        await rig.channel().send(ASK)

    [(method, body)] = told(story).asked
    assert method == "sendMessage"
    assert body["chat_id"] == int(TelegramRig.good)
    assert body["link_preview_options"] == {"is_disabled": True}
    keys = body["reply_markup"]["keyboard"]
    assert keys == [[{"text": "1 · Still here"}], [{"text": "9 · I need help"}]]


def test_what_asks_nothing_takes_the_buttons_away() -> None:
    async def story(rig: TelegramRig) -> None:
        await rig.channel().send(Outgoing(to=rig.good, text="Got it."))

    assert told(story).asked[0][1]["reply_markup"] == {"remove_keyboard": True}


def kinds() -> list[AnswerKind]:
    return [kind for kind in vars(answers).values() if isinstance(kind, AnswerKind)]


@pytest.mark.parametrize("lang", [code for code, _name in settings.LANGUAGES])
def test_every_button_is_read_as_its_digit(lang: str) -> None:
    carrier = carrier_of("telegram", "https://api.example.org", secret=BOT)
    for kind in kinds():
        with translation.override(lang):
            choices = kind.choices()
        rows: Any = telegram._keyboard(choices).get("keyboard", [])
        for row, digit in zip(rows, choices, strict=True):
            said = {"text": row[0]["text"], "chat": {"id": 5, "type": "private"}, "date": 1}
            said["from"] = {"id": 5, "is_bot": False}
            body = json.dumps({"update_id": 1, "message": said}).encode()
            inbound = inbound_of(carrier, body, 0)
            assert inbound is not None
            assert inbound.text == digit


@pytest.mark.parametrize(
    ("status", "body", "fate"),
    [
        (403, {"description": "Forbidden: bot was blocked by the user"}, Fate.OPTED_OUT),
        (403, {"description": "Forbidden: user is deactivated"}, Fate.FAILED),
        (400, {"description": "Bad Request: chat not found"}, Fate.FAILED),
        (400, {"description": "Bad Request: message is too long"}, Fate.NOWHERE),
        (400, {}, Fate.NOWHERE),
        (429, {"parameters": {"retry_after": 7}}, Fate.BUSY),
        (429, {"parameters": {"retry_after": "soon"}}, Fate.BUSY),
        (401, {"description": "Unauthorized"}, Fate.BUSY),
        (502, {}, Fate.BUSY),
        (200, {"ok": True, "result": {}}, Fate.UNKNOWN),
        (200, {"ok": True, "result": True}, Fate.UNKNOWN),
    ],
)
def test_every_answer_has_its_meaning(status: int, body: dict[str, Any], fate: Fate) -> None:
    class Says(TelegramRig):
        async def _send(self, told: dict[str, Any]) -> web.Response:
            return web.json_response(body, status=status)

    async def story() -> Receipt:
        async with Says() as rig:
            return await rig.channel().send(ASK)

    receipt = asyncio.run(story())
    assert receipt.fate is fate
    assert receipt.retry_after_s == (7 if "retry_after': 7" in str(body) else None)
    assert receipt.why.startswith(REFUSED) == (status == 401)
    assert BOT not in receipt.why


def test_we_say_where_to_tell_us_and_with_which_secret() -> None:
    rig = TelegramRig()

    async def story() -> None:
        async with rig:
            channel = rig.channel()
            await listening.listen_once({"telegram": channel}, asyncio.sleep)
            assert await bot(rig).listens() == []

    asyncio.run(story())
    assert rig.hook["url"] == f"{HOOKS}/event"
    assert rig.hook["secret_token"] == telegram.secret_of(rig.carrier())
    assert rig.hook["allowed_updates"] == ["message", "my_chat_member"]
    assert BOT not in str(rig.hook)


def bot(rig: TelegramRig, **changes: Any) -> TelegramCarrier:
    usual = {"account": "lamp_bot", "secret": BOT, "sender": "", "carries": ("telegram",)}
    http = HttpClient()
    rig.stack.push_async_callback(http.close)
    return TelegramCarrier(carrier_of("telegram", rig.url, **(usual | changes)), HOOKS, http)


def test_what_is_wrong_with_a_bot_is_said() -> None:
    async def story(rig: TelegramRig) -> None:
        assert "where to" in (await bot(rig).listens())[0]
        await bot(rig).listen()
        assert "another bot" in (await bot(rig, account="other_bot").listens())[0]
        rig.hook["url"] = "https://mallory.example.org"
        assert "where to" in (await bot(rig).listens())[0]
        assert "token" in (await bot(rig, secret="9:x").listens())[0]
        await rig.stop_listening()
        assert not await bot(rig).listen()
        assert "token" in (await bot(rig).listens())[0]

    told(story)


def test_what_does_not_arrive_here_is_said_in_telegrams_words() -> None:
    class Late(TelegramRig):
        async def _take(self, request: web.Request) -> web.Response:
            if request.path.endswith("getWebhookInfo"):
                info = {"url": f"{HOOKS}/event", "pending_update_count": 3}
                info |= {"last_error_message": "SSL error\nunable to verify"}
                return web.json_response({"ok": True, "result": info})
            return await super()._take(request)

    async def story() -> None:
        async with Late() as rig:
            [wrong] = await bot(rig).listens()
            assert wrong == "what people write does not arrive here: SSL error unable to verify"

    asyncio.run(story())
