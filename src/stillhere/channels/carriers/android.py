"""Texts by an Android phone of one's own: the open SMS Gateway for Android, its local or cloud API.

For families who cannot register a sending number with a company. A repeated id is refused with 409,
so that a text sent again after silence arrives once. Source:
https://github.com/android-sms-gateway/server (Apache-2.0), read 2026-11.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from datetime import datetime

from stillhere.channels.base import (
    NO_CONNECTION,
    REFUSALS,
    REFUSED,
    GarbageError,
    Outgoing,
    SignatureError,
    one_line,
    text_with_link,
)
from stillhere.channels.carriers.carrier import MOST_PICTURE, Carrier
from stillhere.channels.http import HttpClient, HttpReply, NoAnswerError, NotSentError
from stillhere.core.messages import Cost, Fate, Inbound, Receipt

log = logging.getLogger("stillhere.android")

DEADLINE_S = 10.0
MOST_TEXT = 1_600
TOLERANCE_MS = 5 * 60 * 1000
MOST_PICTURES = 99
TTL_S = 300  # a text the phone could not send by then is of no use any more

# What became of a text, in the gateway's words.
FATES: Mapping[str, Fate] = {
    "sms:sent": Fate.ACCEPTED,
    "sms:delivered": Fate.DELIVERED,
    "sms:failed": Fate.BUSY,
    "sms:cancelled": Fate.BUSY,
}
# A picture message is told twice; the second time with its words.
TEXTS = frozenset({"sms:received", "mms:downloaded"})
NO_NEWS = frozenset({"system:ping", "app:started", "mms:received", "sms:data-received"})
_STRANGE: set[str] = set()  # events that were logged as unknown
MOST_STRANGE = 20


class AndroidCarrier:
    """One phone that carries texts."""

    def __init__(
        self,
        carrier: Carrier,
        http: HttpClient,
        *,
        concurrency: int = 8,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.carrier = carrier
        self.name = carrier.name
        self.concurrency = concurrency
        self.deadline_s = deadline_s
        self._http = http
        pair = f"{carrier.account}:{carrier.secret}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        # The app itself listens at /message; its cloud server at /3rdparty/v1/messages.
        self._url = f"{carrier.base_url}{'' if '/' in carrier.base_url[8:] else '/message'}"

    async def send(self, message: Outgoing) -> Receipt:
        """Hand one text to the phone. Our key is its id there."""
        ref = hashlib.sha256(message.key.encode("utf-8", "replace")).hexdigest()[:32]
        body: dict[str, object] = {
            "id": ref,
            "phoneNumbers": [message.to],
            "textMessage": {"text": text_with_link(message, MOST_TEXT)},
            "ttl": TTL_S,
            "withDeliveryReport": True,
        }
        if self.carrier.options.get("sim", "").isdigit():
            body["simNumber"] = int(self.carrier.options["sim"])
        try:
            reply = await self._http.post_json(
                self._url, body, headers=self._headers, deadline_s=self.deadline_s
            )
        except NotSentError as error:
            return self._receipt(Fate.BUSY, why=f"{NO_CONNECTION}: {error}")
        except NoAnswerError as error:
            return self._receipt(Fate.UNKNOWN, ref, f"no answer: {error}")
        return self._verdict(reply, ref)

    async def price(self, ref: str) -> Cost | None:
        """The phone's own plan pays; nobody tells us what."""
        return None

    async def erase(self, ref: str) -> bool:
        """The app keeps its own history; its settings say for how long."""
        return True

    async def balance(self) -> Cost | None:
        return None

    async def close(self) -> None:
        await self._http.close()

    def _verdict(self, reply: HttpReply, ref: str) -> Receipt:
        if reply.status == 409:
            return self._receipt(Fate.ACCEPTED, ref, "the phone had it already")
        if 200 <= reply.status <= 299:
            if reply.json_object() is None:
                return self._receipt(Fate.UNKNOWN, ref, "the phone answered with garbage")
            return self._receipt(Fate.ACCEPTED, ref)
        if reply.status == 400:
            return self._receipt(Fate.FAILED, ref, "not a number the phone can text")
        said = REFUSED if reply.status in REFUSALS else "the phone said"
        return self._receipt(Fate.BUSY, ref, f"{said} {reply.status}", reply.retry_after_s)

    def _receipt(
        self, fate: Fate, ref: str = "", why: str = "", retry_after_s: int | None = None
    ) -> Receipt:
        named = f"{self.name}:{ref}" if ref else ""
        return Receipt(fate, named, why, retry_after_s, self.name)


def check_signature(carrier: Carrier, headers: Mapping[str, str], body: bytes) -> None:
    """HMAC-SHA256 over body and time stamp, with the option ``key``. Raises ``SignatureError``."""
    key = carrier.options.get("key", "")
    expected = hmac.new(key.encode(), body, "sha256")
    expected.update(headers.get("x-timestamp", "").encode("utf-8", "replace"))
    given = headers.get("x-signature", "").encode("utf-8", "replace")
    if not key or not hmac.compare_digest(expected.hexdigest().encode(), given):
        raise SignatureError("wrong signature")


def verify(
    carrier: Carrier, headers: Mapping[str, str], body: bytes, now_ms: int
) -> dict[str, object]:
    """One webhook of the phone. Raises ``SignatureError``, before anything is read, and
    ``GarbageError``."""
    if len(body) > MOST_PICTURE:
        raise GarbageError("too long")
    stamp = headers.get("x-timestamp", "")
    check_signature(carrier, headers, body)
    if not stamp.isascii() or not stamp.isdigit():
        raise SignatureError("no time in the signature")
    if abs(int(stamp[:12]) * 1000 - now_ms) > TOLERANCE_MS:
        raise SignatureError("signed too long ago, or by a clock that is wrong")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise GarbageError("not JSON") from None
    if not isinstance(told, dict):
        raise GarbageError("not an object")
    return told


def inbound_of(carrier: Carrier, told: Mapping[str, object], now_ms: int) -> Inbound | None:
    """What the phone tells us; None for what is no news (a ping). ``now_ms`` is real time. Raises
    ``GarbageError``.

    A text may come days late, and its stamp is the carrier's, whose clock may be off. The id of an
    incoming text is not unique there, so it is made of sender, time and words.
    """
    payload = told.get("payload")
    event = told.get("event")
    if not isinstance(payload, dict) or not isinstance(event, str):
        raise GarbageError("no event")
    if event in TEXTS:
        return _text(carrier, payload, now_ms)
    if event not in FATES:
        _note(event)
        return None
    ref = str(payload.get("messageId", ""))[:80]
    if not ref:
        raise GarbageError("a receipt without id")
    why = one_line(str(payload.get("reason", event)), 80) if FATES[event] is Fate.BUSY else event
    return Inbound(
        channel="text",
        provider_id=f"{carrier.name}:{ref}:{event}",
        kind="receipt",
        receipt=Receipt(FATES[event], f"{carrier.name}:{ref}", why, None, carrier.name),
    )


def _note(event: str) -> None:
    """One line in the log for each event that we do not know: it may be one that matters."""
    if event not in NO_NEWS and event not in _STRANGE and len(_STRANGE) < MOST_STRANGE:
        _STRANGE.add(event)
        log.warning("the phone tells of %r, which is not read here", one_line(event, 40))


def _text(carrier: Carrier, payload: Mapping[str, object], now_ms: int) -> Inbound:
    """A text, or a picture message: its words are those of its body, else of its subject. The
    pictures themselves are counted and never looked at."""

    def said(*names: str) -> str:
        return next((str(payload[name]) for name in names if payload.get(name)), "")

    sender, at = said("sender", "phoneNumber"), said("receivedAt")
    text = said("message", "body", "subject")
    parts = payload.get("attachments")
    if not sender:
        raise GarbageError("a text without sender")
    words = f"{sender}\n{at}\n{text}"
    same = hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
    age_ms = _age_ms(at, now_ms)
    return Inbound(
        channel="text",
        provider_id=f"{carrier.name}:{same[:48]}",
        kind="text",
        sender=sender[:32],
        text=text.replace("\x00", " ")[:MOST_TEXT],
        called=said("recipient")[:32],
        age_ms=age_ms or 0,
        gateway=carrier.name if age_ms is not None else "",
        pictures=min(len(parts), MOST_PICTURES) if isinstance(parts, list) else 0,
    )


def _age_ms(received_at: str, now_ms: int) -> int | None:
    """How old the stamp is, below 0 where it lies ahead; None for what is no stamp."""
    try:
        return now_ms - int(datetime.fromisoformat(received_at).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
