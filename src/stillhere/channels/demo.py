"""The demo's phones: texts and calls through the loopback provider of ``stillhere.sim.phones``.

Owns the provider's small protocol as we speak it: two POSTs, its status codes, its signed
webhooks. Refuses to exist outside demo mode: nobody must ever believe that it rings a real phone.
Real carriers get a file of their own; the protocol has the manners they have (idempotency keys,
late receipts, signatures), so that what works here is what they will need.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import partial

from stillhere.channels.base import (
    NO_CONNECTION,
    REFUSALS,
    REFUSED,
    Capability,
    GarbageError,
    Outgoing,
    SignatureError,
    one_line,
    text_with_link,
)
from stillhere.channels.carriers.numbers import E164, normalise_number
from stillhere.channels.http import HttpClient, HttpReply, NoAnswerError, NotSentError
from stillhere.core.messages import Fate, Inbound, Receipt

SIGNATURE_HEADER = "X-Phones-Signature"
TIMESTAMP_HEADER = "X-Phones-Timestamp"
TOLERANCE_MS = 5 * 60 * 1000
MAX_TEXT = 1_600
MAX_WEBHOOK_BYTES = 64 * 1024
MAX_EVENTS = 100


class Kind(StrEnum):
    """What a phone can be reached by; also the channel's name and the provider's path."""

    TEXT = "text"
    CALL = "call"


_CAPABILITIES = {
    Kind.TEXT: frozenset({Capability.TWO_WAY, Capability.CONFIRMS, Capability.LINKS}),
    Kind.CALL: frozenset({Capability.RINGS, Capability.TWO_WAY, Capability.CONFIRMS}),
}

# The provider's words for what became of a message, each mapped once. A word that is not here
# (a new one) is garbage: better a webhook that comes again than a fate made up.
_FATES = {
    "delivered": Fate.DELIVERED,
    "answered": Fate.ANSWERED,
    "no-answer": Fate.BUSY,
    "busy": Fate.BUSY,
    "undeliverable": Fate.FAILED,
}

_REFUSED_FOR_EVER = {404: "no such number", 422: "not a number that can be reached"}


class PhonesChannel:
    """Texts or calls to the demo's phones. See ``Channel`` for the contract.

    ``http`` may be shared by both kinds; closing one then closes the connections of both.
    """

    def __init__(
        self,
        kind: Kind,
        base_url: str,
        secret: str,
        *,
        demo: bool,
        http: HttpClient | None = None,
        region: str = "US",
        countries: Collection[str] | None = None,
        deadline_s: float = 10.0,
        concurrency: int = 128,
    ) -> None:
        if not demo:
            raise RuntimeError("the demo's phones exist only in demo mode")
        self.name = kind.value
        self.capabilities = _CAPABILITIES[kind]
        self.deadline_s = deadline_s
        self.concurrency = concurrency
        self._kind = kind
        self._url = f"{base_url.rstrip('/')}/v1/{kind.value}s"
        self._authorization = f"Bearer {secret}"
        self._region, self._countries = region, countries
        self._http = http or HttpClient(connections=concurrency)

    def normalise(self, typed: str) -> str:
        return normalise_number(typed, self._region, self._countries)

    async def send(self, message: Outgoing) -> Receipt:
        if not E164.fullmatch(message.to):
            return Receipt(Fate.FAILED, why="not a phone number")
        try:
            reply = await self._http.post_json(
                self._url,
                self._payload(message),
                headers={
                    "Authorization": self._authorization,
                    "Idempotency-Key": one_line(message.key, 200),
                },
                deadline_s=self.deadline_s,
            )
        except NotSentError as error:
            return Receipt(Fate.BUSY, why=f"{NO_CONNECTION}: {error}")
        except NoAnswerError as error:
            return Receipt(Fate.UNKNOWN, why=f"no answer: {error}")
        return _verdict(reply)

    async def close(self) -> None:
        await self._http.close()

    def _payload(self, message: Outgoing) -> dict[str, object]:
        says = Outgoing(key="", to="", text=message.text) if self._kind is Kind.CALL else message
        return {
            "to": message.to,
            "text": text_with_link(says, MAX_TEXT),  # nobody listens to a web address
            "lang": one_line(message.lang, 16),
            "choices": {one_line(k, 8): one_line(v, 80) for k, v in message.choices.items()},
            "reply_ref": one_line(message.reply_ref, 128),
        }


def demo_phones(
    base_url: str,
    secret: str,
    *,
    demo: bool,
    region: str = "US",
    countries: Collection[str] | None = None,
) -> tuple[PhonesChannel, PhonesChannel]:
    """The text and the call channel of one provider, over one pool of connections."""
    build = partial(
        PhonesChannel,
        base_url=base_url,
        secret=secret,
        demo=demo,
        http=HttpClient(connections=256),
        region=region,
        countries=countries,
    )
    return build(Kind.TEXT), build(Kind.CALL)


def _verdict(reply: HttpReply) -> Receipt:
    ref = _ref((reply.json_object() or {}).get("id"))
    if 200 <= reply.status <= 299:
        if not ref:
            return Receipt(Fate.UNKNOWN, why="the provider answered with garbage")
        return Receipt(Fate.ACCEPTED, ref)
    if reply.status == 409:
        return Receipt(Fate.ACCEPTED, ref, "the provider had it already")
    if reply.status in _REFUSED_FOR_EVER:
        return Receipt(Fate.FAILED, ref, _REFUSED_FOR_EVER[reply.status])
    # 429 and 5xx pass; anything else (a wrong secret, a wrong path) is trouble of ours and says
    # nothing about the number.
    said = REFUSED if reply.status in REFUSALS else "the provider said"
    return Receipt(Fate.BUSY, ref, f"{said} {reply.status}", retry_after_s=reply.retry_after_s)


def _ref(value: object) -> str:
    return value if isinstance(value, str) and 0 < len(value) <= 128 else ""


def sign(secret: str, timestamp_ms: str, body: bytes) -> str:
    """The signature of a webhook: HMAC-SHA256 over timestamp and body, in hex."""
    signed = timestamp_ms.encode("utf-8", "replace") + b"." + body
    return hmac.new(secret.encode(), signed, "sha256").hexdigest()


def parse_webhook(
    headers: Mapping[str, str], body: bytes, secret: str, now_ms: int
) -> list[Inbound]:
    """What the provider tells us. ``now_ms`` is the real time, without a demo's offset or rate.

    Raises ``SignatureError`` for a wrong, old or future signature, before anything is read, and
    ``GarbageError`` when what was signed makes no sense.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get(TIMESTAMP_HEADER.lower(), "")
    signature = given.get(SIGNATURE_HEADER.lower(), "")
    expected = sign(secret, timestamp, body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        raise SignatureError("wrong signature")
    if not timestamp.isascii() or not timestamp.isdigit():
        raise SignatureError("no time in the signature")
    if abs(int(timestamp[:16]) - now_ms) > TOLERANCE_MS:
        raise SignatureError("signed too long ago, or by a clock that is wrong")
    if len(body) > MAX_WEBHOOK_BYTES:
        raise GarbageError("too long")
    try:
        events = json.loads(body)["events"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise GarbageError("not a list of events") from None
    if not isinstance(events, list) or len(events) > MAX_EVENTS:
        raise GarbageError("not a list of events")
    return [_inbound(event, now_ms) for event in events]


def _inbound(event: object, now_ms: int) -> Inbound:
    if not isinstance(event, dict):
        raise GarbageError("an event is not an object")
    kind = _word(event, "kind")
    provider_id = _word(event, "id")
    channel = _word(event, "channel")
    if not provider_id or channel not in set(Kind):
        raise GarbageError("an event without id or channel")
    receipt = None
    if kind == "receipt":
        status = _word(event, "status")
        if status not in _FATES:
            raise GarbageError("a receipt with an unknown status")
        receipt = Receipt(_FATES[status], _word(event, "message_id"), status)
    elif kind not in {"text", "key", "missed-call", "turn", "ended"}:
        raise GarbageError("an event of an unknown kind")
    turn = event.get("turn", 0)
    return Inbound(
        channel=channel,
        provider_id=provider_id,
        kind=kind,
        sender=_word(event, "from"),
        text=_word(event, "text", MAX_TEXT),
        reply_ref=_word(event, "reply_ref"),
        receipt=receipt,
        age_ms=_age_ms(event.get("at_ms"), now_ms),
        call=_word(event, "message_id"),
        at=_word(event, "at"),
        turn=turn if isinstance(turn, int) and 0 <= turn < 10_000 else 0,
    )


def _age_ms(at_ms: object, now_ms: int) -> int:
    """How long ago it happened, where that makes sense."""
    return max(0, now_ms - at_ms) if isinstance(at_ms, int) and 0 < at_ms < 10**15 else 0


def _word(event: Mapping[str, object], name: str, limit: int = 128) -> str:
    value = event.get(name, "")
    if not isinstance(value, str):
        raise GarbageError("a field is not text")
    return value[:limit]
