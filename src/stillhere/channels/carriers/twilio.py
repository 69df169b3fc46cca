"""Twilio's REST API, as texts and calls share it, and as others speak it too.

Owns where an account's resources live, what every word and number of the provider means to us, and
what a webhook says. SignalWire and Telnyx (TeXML) speak the same with another beginning. The
vendor's own library checks signatures and writes TwiML; requests go by our one HTTP client.

Sources (read 2026-11): https://www.twilio.com/docs/api/errors,
https://www.twilio.com/docs/messaging/api/message-resource,
https://www.twilio.com/docs/voice/api/call-resource,
https://www.twilio.com/docs/usage/webhooks/webhooks-security,
https://www.twilio.com/docs/messaging/guides/webhook-request,
https://www.twilio.com/docs/whatsapp/tutorial/error-codes,
https://developers.telnyx.com/docs/voice/programmable-voice/texml-setup
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from stillhere.channels.base import (
    NO_CONNECTION,
    REFUSALS,
    REFUSED,
    GarbageError,
    SignatureError,
    one_line,
)
from stillhere.channels.carriers.carrier import ACCOUNTS, MOST_WEBHOOK, Carrier
from stillhere.channels.carriers.numbers import WITHHELD
from stillhere.channels.http import HttpClient, HttpReply, NoAnswerError, NotSentError
from stillhere.core.messages import Cost, Fate, Inbound, Receipt

TOLERANCE_MS = 5 * 60 * 1000
MOST_FIELDS = 200
MOST_MEDIA = 1_000_000
MOST_TEXT = 1_600
WHATSAPP = "whatsapp:"  # how an address begins there, theirs and ours
DEADLINE_S = 10.0

# What became of a text or a call, in the provider's words. A word that is not here says nothing.
STATUSES: Mapping[str, Fate] = {
    "accepted": Fate.ACCEPTED,
    "scheduled": Fate.ACCEPTED,
    "queued": Fate.ACCEPTED,
    "sending": Fate.ACCEPTED,
    "sent": Fate.ACCEPTED,
    "initiated": Fate.ACCEPTED,
    "ringing": Fate.ACCEPTED,
    "in-progress": Fate.ANSWERED,
    "answered": Fate.ANSWERED,
    "completed": Fate.ANSWERED,
    "delivered": Fate.DELIVERED,
    "read": Fate.DELIVERED,
    "undelivered": Fate.BUSY,
    "failed": Fate.BUSY,
    "busy": Fate.BUSY,
    "no-answer": Fate.BUSY,
    "canceled": Fate.BUSY,
}
# What the provider's error numbers say about the address. Any other is trouble of theirs or ours
# and says nothing about it: tried again, by another carrier first.
CODES: Mapping[str, tuple[Fate, str]] = {
    "13224": (Fate.FAILED, "not a number that can be called"),
    "21211": (Fate.FAILED, "not a number"),
    "21214": (Fate.FAILED, "cannot be reached"),
    "21217": (Fate.FAILED, "not a number"),
    "21401": (Fate.FAILED, "not a number"),
    "21421": (Fate.FAILED, "not a number"),
    "21610": (Fate.OPTED_OUT, "said stop to the carrier"),
    "21614": (Fate.FAILED, "takes no texts"),
    "30004": (Fate.FAILED, "blocks us"),
    "30005": (Fate.FAILED, "unknown number"),
    "30006": (Fate.FAILED, "takes no texts"),
    "63003": (Fate.FAILED, "has no WhatsApp"),
    "63013": (Fate.NOWHERE, "WhatsApp does not take this"),
    "63014": (Fate.OPTED_OUT, "said stop to the carrier"),
    "63016": (Fate.NOWHERE, "they wrote too long ago, and no template is set"),
    "63021": (Fate.NOWHERE, "WhatsApp does not take this"),
    "63024": (Fate.FAILED, "cannot be reached by WhatsApp"),
    "63032": (Fate.NOWHERE, "WhatsApp does not take this to them"),
}

# Trouble of our own account, whatever the status: unknown, suspended, closed, no such sender.
OUR_ACCOUNT = frozenset({"20003", "20005", "20404", "30002", "63007"})


class Account:
    """One account at one provider: what is asked of it, with the credentials in place."""

    def __init__(self, carrier: Carrier, http: HttpClient, deadline_s: float = DEADLINE_S) -> None:
        self.carrier = carrier
        self._deadline_s = deadline_s
        path = ACCOUNTS[carrier.kind].format(carrier.account)
        self._base = f"{carrier.base_url}{path}"
        self._http = http
        if carrier.kind == "telnyx":
            self._headers = {"Authorization": f"Bearer {carrier.secret}"}
        else:
            pair = f"{carrier.account}:{carrier.secret}".encode()
            self._headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}

    async def create(self, what: str, fields: Sequence[tuple[str, str]]) -> Receipt:
        """Make a text (``Messages``) or a call (``Calls``). The form has no key of ours: what was
        on its way when the time ran out may have arrived, and is ``UNKNOWN``."""
        try:
            reply = await self._http.post_form(
                f"{self._base}/{what}.json",
                fields,
                headers=self._headers,
                deadline_s=self._deadline_s,
            )
        except NotSentError as error:
            return self._receipt(Fate.BUSY, why=f"{NO_CONNECTION}: {error}")
        except NoAnswerError as error:
            return self._receipt(Fate.UNKNOWN, why=f"no answer: {error}")
        return self._verdict(reply)

    async def look(self, path: str) -> dict[str, object] | None:
        """A resource, or None when there was none to be had."""
        return await self._ask("GET", path)

    async def erase(self, what: str, ref: str) -> bool:
        """Delete a text, a call or a recording there; True once it is gone."""
        try:
            reply = await self._http.send(
                "DELETE",
                f"{self._base}/{what}/{ref}.json",
                None,
                headers=self._headers,
                deadline_s=DEADLINE_S,
            )
        except (NotSentError, NoAnswerError):
            return False
        return reply.status in (200, 202, 204, 404)

    async def media(self, path: str) -> bytes | None:
        """A sound or picture that lies there; None where it is not to be had (yet)."""
        try:
            reply = await self._http.send(
                "GET",
                f"{self._base}/{path}",
                None,
                headers=self._headers,
                deadline_s=DEADLINE_S,
                most_bytes=MOST_MEDIA,
            )
        except (NotSentError, NoAnswerError):
            return None
        return reply.body if reply.status == 200 and reply.body else None

    async def price(self, what: str, ref: str) -> Cost | None:
        """What a text or call took, once the provider knows."""
        return cost_of(await self.look(f"{what}/{ref}.json") or {})

    async def balance(self) -> Cost | None:
        """What is left, where the provider says so."""
        found = await self.look("Balance.json") or {}
        return _cost(found.get("balance"), found.get("currency"))

    async def close(self) -> None:
        await self._http.close()

    async def _ask(self, method: str, path: str) -> dict[str, object] | None:
        try:
            reply = await self._http.send(
                method,
                f"{self._base}/{path}",
                None,
                headers=self._headers,
                deadline_s=DEADLINE_S,
            )
        except (NotSentError, NoAnswerError):
            return None
        return reply.json_object() if reply.status == 200 else None

    def _verdict(self, reply: HttpReply) -> Receipt:
        told = reply.json_object() or {}
        if 200 <= reply.status <= 299:
            ref = told.get("sid")
            if not isinstance(ref, str) or not 0 < len(ref) <= 80:
                return self._receipt(Fate.UNKNOWN, why="the provider answered with garbage")
            return self._receipt(Fate.ACCEPTED, ref)
        fate, why = CODES.get(str(told.get("code", "")), (Fate.BUSY, ""))
        said = REFUSED if _is_ours(reply.status, str(told.get("code", ""))) else "the provider said"
        why = why or f"{said} {reply.status}, {one_line(str(told.get('code')), 12)}"
        return self._receipt(fate, why=why, retry_after_s=reply.retry_after_s)

    def _receipt(
        self, fate: Fate, ref: str = "", why: str = "", retry_after_s: int | None = None
    ) -> Receipt:
        name = self.carrier.name
        return Receipt(fate, f"{name}:{ref}" if ref else "", why, retry_after_s, name)


def _is_ours(status: int, code: str) -> bool:
    """Whether a refusal is about our account: wrong or closed, empty, or not there at all."""
    return status in REFUSALS or code in OUR_ACCOUNT


# --- webhooks -------------------------------------------------------------------------------------


def verify(
    carrier: Carrier, url: str, headers: Mapping[str, str], body: bytes, now_ms: int
) -> dict[str, str]:
    """The fields of a webhook that really came from ``carrier``. ``url`` is the public address it
    was sent to, query included.

    Raises ``SignatureError`` before anything is read, ``GarbageError`` for what makes no sense.
    """
    if len(body) > MOST_WEBHOOK:
        raise GarbageError("too long")
    if carrier.kind == "telnyx":
        _verify_telnyx(carrier, headers, body, now_ms)
    fields = _fields(body)
    if carrier.kind != "telnyx":
        _verify_twilio(carrier, url, headers, fields)
    return fields


def _verify_twilio(
    carrier: Carrier, url: str, headers: Mapping[str, str], fields: Mapping[str, str]
) -> None:
    from twilio.request_validator import RequestValidator  # noqa: PLC0415  a tenth of a second

    given = headers.get("x-twilio-signature") or headers.get("x-signalwire-signature") or ""
    if not given or not RequestValidator(carrier.secret).validate(url, dict(fields), given):
        raise SignatureError("wrong signature")


def _verify_telnyx(carrier: Carrier, headers: Mapping[str, str], body: bytes, now_ms: int) -> None:
    stamp = headers.get("telnyx-timestamp", "")
    try:
        key = Ed25519PublicKey.from_public_bytes(
            base64.b64decode(carrier.options.get("public_key", ""), validate=True)
        )
        given = base64.b64decode(headers.get("telnyx-signature-ed25519", ""), validate=True)
        key.verify(given, stamp.encode("utf-8", "replace") + b"|" + body)
    except (InvalidSignature, ValueError, binascii.Error):
        raise SignatureError("wrong signature") from None
    if not stamp.isascii() or not stamp.isdigit():
        raise SignatureError("no time in the signature")
    if abs(int(stamp[:12]) * 1000 - now_ms) > TOLERANCE_MS:
        raise SignatureError("signed too long ago, or by a clock that is wrong")


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS,
            errors="strict",
        )  # fmt: skip
    except ValueError:
        raise GarbageError("not a form") from None
    return dict(pairs)


def text_of(carrier: Carrier, fields: Mapping[str, str]) -> Inbound:
    """A text that came in, by whichever way its sender is written: one by WhatsApp is never taken
    for a text from that number. Raises ``GarbageError``."""
    ref, told = fields.get("MessageSid", "")[:80], fields.get("From", "")[:42]
    sender = told.removeprefix(WHATSAPP)[:32]
    if not ref or not sender:
        raise GarbageError("a text without id or sender")
    pictures = fields.get("NumMedia", "0")
    return Inbound(
        channel=_written_by(told),
        provider_id=f"{carrier.name}:{ref}",
        kind="text",
        sender="" if sender in WITHHELD else sender,
        text=fields.get("Body", "").replace("\x00", " ")[:MOST_TEXT],
        called=fields.get("To", "").removeprefix(WHATSAPP)[:32],
        opted_out=fields.get("OptOutType", "").upper() == "STOP",
        pictures=int(pictures) if pictures.isdecimal() and len(pictures) < 4 else 0,
    )


def _written_by(address: str) -> str:
    return "whatsapp" if address.startswith(WHATSAPP) else "text"


def receipt_of(carrier: Carrier, fields: Mapping[str, str], message: str) -> Inbound:
    """What became of a text or a call of ours. ``message`` is our own id for it, from the address.

    Raises ``GarbageError`` for a word the provider does not document: better a webhook that comes
    again than a fate made up.
    """
    call = "CallSid" in fields
    ref = (fields.get("CallSid") or fields.get("MessageSid", ""))[:80]
    status = (fields.get("CallStatus") or fields.get("MessageStatus", "")).lower()
    if not ref or status not in STATUSES:
        raise GarbageError("a receipt without id or known status")
    code = fields.get("ErrorCode", "")[:12]
    fate, why = STATUSES[status], status
    if fate is Fate.BUSY:
        fate, why = CODES.get(code, (Fate.BUSY, f"{status} {code}".strip()))
    return Inbound(
        channel="call" if call else _written_by(fields.get("To", "")),
        provider_id=f"{carrier.name}:{ref}:{status}",
        kind="receipt",
        reply_ref=message[:32],
        receipt=Receipt(
            fate, f"{carrier.name}:{ref}", one_line(why, 80), None, carrier.name, cost_of(fields)
        ),
    )


def cost_of(told: Mapping[str, object]) -> Cost | None:
    """The price in a resource or a receipt: the provider writes what it took as a negative."""
    price = told.get("price") or told.get("Price") or told.get("CallPrice")
    return _cost(price, told.get("price_unit") or told.get("PriceUnit"))


def _cost(amount: object, currency: object) -> Cost | None:
    try:
        micros = int(abs(Decimal(str(amount))) * 1_000_000)
    except (InvalidOperation, ValueError, OverflowError):
        return None
    unit = str(currency or "USD").upper()[:3]
    return Cost(micros, unit) if unit.isascii() and unit.isalpha() and micros < 10**12 else None
