"""Telegram by its Bot API: one bot, and the private chats that people have opened with it.

Owns where the bot's methods live, what its errors mean and what an update says. A chat is a number
that Telegram gave (``chat.id``); nobody types it, and only whoever opened the chat writes there.
Telegram tells us each update again until we answer 2xx, and shows with every one the secret that we
gave it. The keys of an answer are buttons of the chat's own keyboard, so that a press is a message
like any other, with its time. Links are never looked up for a preview: that would open them.
Telegram says nothing of what was delivered or read, and reads all of it.

Source: https://core.telegram.org/bots/api (setWebhook, getWebhookInfo, sendMessage,
ReplyKeyboardMarkup, ResponseParameters, Update) and https://core.telegram.org/bots/features
(deep links), read 2026-11.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence

from stillhere.channels.base import (
    NO_CONNECTION,
    REFUSED,
    AddressError,
    GarbageError,
    Outgoing,
    SignatureError,
    gettext_noop,
    one_line,
    text_with_link,
)
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.http import HttpClient, HttpReply, NoAnswerError, NotSentError
from stillhere.core.messages import TELEGRAM, Cost, Fate, Inbound, Receipt

CHAT = re.compile(r"[1-9][0-9]{0,15}")  # at most 52 bits; a group's is below 0, and no chat here
MOST_TEXT = 3_500  # of 4,096
MOST_READ = 1_600  # of what comes in, as of a text
MOST_UPDATE = 256 * 1024  # bytes; what is refused comes again for a day, before all that follows
DEADLINE_S = 10.0
TOLD = ("message", "my_chat_member")  # the kinds of update that we want to hear
SHOWS = "x-telegram-bot-api-secret-token"  # the header with our secret
_UNKNOWN_BOT = (401, 404)
_BUTTON = re.compile(r"([0-9]) · .{1,80}")
_START = re.compile(r"/start(?:@\w+)?(?: ([\w-]{1,64}))?", re.ASCII)
# What somebody may have sent instead of words. A message without any of it is the app's own.
_SENT = ("photo", "video", "voice", "audio", "video_note", "sticker", "animation", "document",
         "location", "venue", "contact", "poll", "dice", "story")  # fmt: skip
_NOT_TYPED = gettext_noop("Nobody types a chat with our bot: connect it from the page.")


class TelegramCarrier:
    """One bot. ``hooks`` is where it tells us what people write."""

    def __init__(
        self,
        carrier: Carrier,
        hooks: str,
        http: HttpClient,
        *,
        concurrency: int = 64,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.carrier = carrier
        self.name = carrier.name
        self.concurrency = concurrency
        self.deadline_s = deadline_s
        self._hooks = hooks
        self._http = http

    async def send(self, message: Outgoing) -> Receipt:
        """Hand one message over, with its keys as buttons. Telegram knows no key of ours: what was
        on its way when the time ran out may have arrived, and is ``UNKNOWN``."""
        body: dict[str, object] = {
            "chat_id": int(message.to),
            "text": text_with_link(message, MOST_TEXT),
            "link_preview_options": {"is_disabled": True},
            "reply_markup": _keyboard(message.choices),
        }
        try:
            return self._verdict(await self._call("sendMessage", body))
        except NotSentError as error:
            return self._receipt(Fate.BUSY, why=f"{NO_CONNECTION}: {error}")
        except NoAnswerError as error:
            return self._receipt(Fate.UNKNOWN, why=f"no answer: {error}")

    async def listen(self) -> bool:
        """Have everything told to ``hooks``; True once it is. To be said again does no harm."""
        asked: dict[str, object] = {
            "url": f"{self._hooks}/event",
            "secret_token": secret_of(self.carrier),
            "allowed_updates": list(TOLD),
        }
        return await self._result("setWebhook", asked) is True

    async def listens(self) -> Sequence[str]:
        """What is wrong with how it tells us what people write, one line each; none if all is
        well."""
        me, info = await self._result("getMe", {}), await self._result("getWebhookInfo", {})
        if not isinstance(me, dict) or not isinstance(info, dict):
            return ["it does not know us: look at the token"]
        wrong = []
        if str(me.get("username", "")).lower() != self.carrier.account.lower():
            wrong.append("the token is another bot's than the name before it")
        if info.get("url") != f"{self._hooks}/event":
            wrong.append("it does not tell us what people write: `stillhere up` says where to")
        elif info.get("pending_update_count") and info.get("last_error_message"):
            said = one_line(str(info["last_error_message"]), 100)
            wrong.append(f"what people write does not arrive here: {said}")
        return wrong

    async def price(self, ref: str) -> Cost | None:
        """Nothing."""
        return None

    async def erase(self, ref: str) -> bool:
        """What was said stays in the chat until its owner deletes it."""
        return True

    async def balance(self) -> Cost | None:
        return None

    async def close(self) -> None:
        await self._http.close()

    async def _call(self, method: str, body: Mapping[str, object]) -> HttpReply:
        url = f"{self.carrier.base_url}/bot{self.carrier.secret}/{method}"
        return await self._http.post_json(url, body, headers={}, deadline_s=self.deadline_s)

    async def _result(self, method: str, body: Mapping[str, object]) -> object:
        """What a method gives, or None."""
        try:
            told = (await self._call(method, body)).json_object() or {}
        except (NotSentError, NoAnswerError):
            return None
        return told.get("result") if told.get("ok") is True else None

    def _verdict(self, reply: HttpReply) -> Receipt:
        """What is about the chat is final; a 400 about anything else is ours, and another way may
        do."""
        told = reply.json_object() or {}
        said = one_line(str(told.get("description", "")), 80)
        if 200 <= reply.status <= 299:
            result = told.get("result")
            ref = result.get("message_id") if isinstance(result, dict) else None
            if not isinstance(ref, int):
                return self._receipt(Fate.UNKNOWN, why="Telegram answered with garbage")
            return self._receipt(Fate.ACCEPTED, str(ref))
        if reply.status == 403 and "blocked" in said:
            return self._receipt(Fate.OPTED_OUT, why="blocked our bot")
        if reply.status == 403 or (reply.status == 400 and "chat not found" in said):
            return self._receipt(Fate.FAILED, why="no such chat")
        if reply.status == 400:
            return self._receipt(Fate.NOWHERE, why="Telegram does not take this")
        why = REFUSED if reply.status in _UNKNOWN_BOT else "Telegram said"
        return self._receipt(Fate.BUSY, why=f"{why} {reply.status}", retry_after_s=_wait(told))

    def _receipt(
        self, fate: Fate, ref: str = "", why: str = "", retry_after_s: int | None = None
    ) -> Receipt:
        return Receipt(fate, f"{self.name}:{ref}" if ref else "", why, retry_after_s, self.name)


def normalise_chat(typed: str) -> str:
    """The id of a chat as it is stored. Raises ``AddressError`` for whatever is none."""
    if not CHAT.fullmatch(typed.strip()):
        raise AddressError(_NOT_TYPED)
    return typed.strip()


def link(bot: str, code: str) -> str:
    """The address that opens a chat with the bot and has the app say ``code`` there."""
    return f"https://t.me/{bot}?start={code}"


def secret_of(carrier: Carrier) -> str:
    """What shows that an update comes from Telegram: made of the token, which it does not tell."""
    return hashlib.sha256(f"webhook {carrier.secret}".encode()).hexdigest()


def verify(carrier: Carrier, headers: Mapping[str, str]) -> None:
    """Raises ``SignatureError`` for an update without our secret, before its body is read."""
    given = headers.get(SHOWS, "").encode("utf-8", "replace")
    if not hmac.compare_digest(secret_of(carrier).encode(), given):
        raise SignatureError("wrong secret")


def inbound_of(carrier: Carrier, body: bytes, now_ms: int) -> Inbound | None:
    """What an update says; None for what is no news. ``now_ms`` is real time. Raises
    ``GarbageError`` for what is no update."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise GarbageError("not JSON") from None
    number = told.get("update_id") if isinstance(told, dict) else None
    if not isinstance(number, int):
        raise GarbageError("no update")
    said = next((told[kind] for kind in TOLD if isinstance(told.get(kind), dict)), None)
    sender = _private(said) if said is not None else ""
    if said is None or not sender:
        return None
    heard = _stopped(said) if "new_chat_member" in said else _words(said)
    if heard is None:
        return None
    text, connects = heard
    sent_s = said.get("date")
    return Inbound(
        channel=TELEGRAM,
        provider_id=f"{carrier.name}:{number}",
        kind="text",
        sender=sender,
        text=text,
        age_ms=now_ms - sent_s * 1000 if isinstance(sent_s, int) else 0,
        gateway=carrier.name if isinstance(sent_s, int) else "",
        opted_out="new_chat_member" in said,
        pictures=int(not text and not connects),
        connects=connects,
    )


def _private(said: Mapping[str, object]) -> str:
    """The chat it was said in, where that is one person's alone and no bot's; else nothing."""
    chat, sender = said.get("chat"), said.get("from")
    if not isinstance(chat, dict) or chat.get("type") != "private":
        return ""
    if not isinstance(sender, dict) or sender.get("is_bot") is not False:
        return ""
    id = str(chat.get("id", ""))
    return id if CHAT.fullmatch(id) else ""


def _words(said: Mapping[str, object]) -> tuple[str, str] | None:
    """The words, a button as its digit, and the code that connects a chat; None where nobody said
    anything."""
    text = str(said.get("text") or said.get("caption") or "").replace("\x00", " ")[:MOST_READ]
    if (button := _BUTTON.fullmatch(text)) is not None:
        return button[1], ""
    if (start := _START.fullmatch(text.strip())) is not None:
        return "START", start[1] or ""
    return (text, "") if text or any(kind in said for kind in _SENT) else None


def _stopped(said: Mapping[str, object]) -> tuple[str, str] | None:
    """Who blocks the bot says stop; who lets it in again says START in words."""
    now = said.get("new_chat_member")
    return ("STOP", "") if isinstance(now, dict) and now.get("status") == "kicked" else None


def _keyboard(choices: Mapping[str, str]) -> dict[str, object]:
    if not choices:
        return {"remove_keyboard": True}
    rows = [[{"text": f"{key} · {one_line(means, 60)}"}] for key, means in choices.items()]
    return {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}


def _wait(told: Mapping[str, object]) -> int | None:
    """How long it wants us to wait, in seconds, never more than a minute."""
    more = told.get("parameters")
    wish = more.get("retry_after") if isinstance(more, dict) else None
    return min(wish, 60) if isinstance(wish, int) and wish > 0 else None
