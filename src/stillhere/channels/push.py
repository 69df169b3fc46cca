"""Notifications of a browser (Web Push): one subscription is one address.

Owns the encryption towards that browser (RFC 8291, so that the company in between reads nothing),
our signature towards that company (VAPID, RFC 8292), and what its statuses mean. A subscription
that is gone is final at once: the ladder must not wait for a phone that was reset. Refuses to speak
to an address inside a private network. A notification wakes nobody: it never claims to ring.

Sources: RFC 8030 (statuses, TTL, Urgency, Topic), RFC 8291, RFC 8292.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from stillhere.channels.base import AddressError, Capability, Outgoing, gettext_noop, one_line
from stillhere.channels.http import HttpClient, NoAnswerError, NotSentError
from stillhere.channels.network_policy import is_local_name, is_public
from stillhere.core.messages import Fate, Receipt

MAX_ENDPOINT = 1_500
MAX_TITLE, MAX_TEXT = 120, 300  # a push service takes 4,096 bytes in all (RFC 8030, 7.2)
SHOWN = 2  # so many buttons fit on a notification
KEPT_S = 4 * 3600  # a phone that is off this long is told by what comes after
SIGNED_S = 12 * 3600  # at most 24 h (RFC 8292, 2)
SIGN_AGAIN_S = 6 * 3600
GONE = (404, 410)
_ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

_NOT_ONE = gettext_noop("Your browser gave us nothing that we can send to. Try once more.")


@dataclass(frozen=True, slots=True)
class _Subscription:
    endpoint: str
    p256dh: bytes
    auth: bytes


class PushChannel:
    """One message to one browser. See ``Channel`` for the contract.

    ``secret`` (32 bytes) is what our key pair is made from, always the same one: browsers give
    their subscription to a key. ``subject`` is where a push service may complain (an https or
    mailto URL); ``clock`` gives ms UTC. ``allow_private`` lets it speak to one's own network.
    """

    name = "push"
    capabilities = frozenset({Capability.TWO_WAY, Capability.LINKS})
    concurrency = 100

    def __init__(
        self,
        secret: bytes,
        subject: str,
        *,
        clock: Callable[[], int],
        allow_private: bool = False,
        deadline_s: float = 10.0,
    ) -> None:
        self.deadline_s = deadline_s
        self._key = _private_key(secret)
        self._vapid = Vapid02(self._key, {"no-strict": True})
        self._subject = subject
        self._clock = clock
        self._allow_private = allow_private
        self._http = HttpClient(connections=self.concurrency, public_only=not allow_private)
        self._signed: dict[str, tuple[int, str]] = {}

    @property
    def public_key(self) -> str:
        """What a page gives to its browser, so that only we can send to it (base64url)."""
        return _to_text(_point(self._key.public_key()))

    def normalise(self, typed: str) -> str:
        """A subscription as browsers write it in JSON, in one form. Raises AddressError."""
        try:
            one = _read(typed)
        except ValueError:
            raise AddressError(_NOT_ONE) from None
        if not self._allowed(one.endpoint):
            raise AddressError(_NOT_ONE)
        keys = {"auth": _to_text(one.auth), "p256dh": _to_text(one.p256dh)}
        return json.dumps({"endpoint": one.endpoint, "keys": keys})

    async def send(self, message: Outgoing) -> Receipt:
        """Encrypt and hand over. Never raises; see ``Receipt``."""
        try:
            to = _read(message.to)
            body = http_ece.encrypt(
                _payload(message),
                private_key=ec.generate_private_key(ec.SECP256R1()),
                dh=to.p256dh,
                auth_secret=to.auth,
                salt=os.urandom(16),
            )
        except (ValueError, http_ece.ECEException):
            return Receipt(Fate.FAILED, why="not a subscription")
        if not self._allowed(to.endpoint):
            return Receipt(Fate.FAILED, why="private address")
        headers = {
            "Authorization": self._authorization(to.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_S),
            "Urgency": "high",
            # What comes later takes the place of what a phone that is off has not seen yet.
            "Topic": _to_text(hashlib.sha256(message.link.encode()).digest()[:24]),
        }
        try:
            reply = await self._http.send(
                "POST", to.endpoint, body, headers=headers, deadline_s=self.deadline_s
            )
        except NotSentError as error:
            return Receipt(Fate.BUSY, why=str(error))
        except NoAnswerError as error:
            return Receipt(Fate.UNKNOWN, why=str(error))
        return _receipt(reply.status, reply.retry_after_s)

    async def close(self) -> None:
        """Close all connections."""
        await self._http.close()

    def _allowed(self, endpoint: str) -> bool:
        try:
            parts = urlsplit(endpoint)
            host, _port = parts.hostname or "", parts.port
        except ValueError:
            return False
        plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint
        if not plain or not host or len(endpoint) > MAX_ENDPOINT or "@" in parts.netloc:
            return False
        if self._allow_private:
            return parts.scheme in ("http", "https")
        if "%" in parts.netloc or is_local_name(host):
            return False
        return parts.scheme == "https" and (not _is_numbers(host) or is_public(host))

    def _authorization(self, endpoint: str) -> str:
        """Our signature for this push service, made anew twice a day."""
        parts = urlsplit(endpoint)
        audience = f"{parts.scheme}://{parts.netloc}"
        now_s = self._clock() // 1000
        signed_at, header = self._signed.get(audience, (0, ""))
        if not header or not 0 <= now_s - signed_at < SIGN_AGAIN_S:
            claims = {"aud": audience, "exp": now_s + SIGNED_S, "sub": self._subject}
            header = self._vapid.sign(claims)["Authorization"]
            if len(self._signed) > 1000:  # strangers name the services
                self._signed.clear()
            self._signed[audience] = (now_s, header)
        return header


def _receipt(status: int, retry_after_s: int | None) -> Receipt:
    """A refusal of ours (bad signature, too large) is no fault of the address."""
    if status in (200, 201, 202, 204):
        return Receipt(Fate.ACCEPTED)
    if status in GONE:
        return Receipt(Fate.FAILED, why="this browser took its permission back")
    return Receipt(Fate.BUSY, why=f"status {status}", retry_after_s=retry_after_s)


def _payload(message: Outgoing) -> bytes:
    """What our service worker shows: a title, a line, where it leads, which buttons it has."""
    return json.dumps(
        {
            "title": one_line(message.subject, MAX_TITLE),
            "body": one_line(message.text, MAX_TEXT),
            "link": message.link,
            "ref": message.reply_ref,
            "lang": message.lang,
            "presses": list(message.choices.items())[:SHOWN],
        },
        ensure_ascii=False,
    ).encode("utf-8", "replace")


def _read(typed: str) -> _Subscription:
    """A subscription from its JSON. Raises ValueError for whatever is none."""
    try:
        given = json.loads(typed[: 2 * MAX_ENDPOINT])
        keys = given["keys"]
        one = _Subscription(given["endpoint"], _to_bytes(keys["p256dh"]), _to_bytes(keys["auth"]))
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), one.p256dh)
    except (TypeError, KeyError, RecursionError, AttributeError) as error:
        raise ValueError("not a subscription") from error
    if len(one.auth) != 16 or not isinstance(one.endpoint, str):
        raise ValueError("not a subscription")
    return one


def _private_key(secret: bytes) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(hashlib.sha512(secret).digest()) % (_ORDER_OF_P256 - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _to_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _is_numbers(host: str) -> bool:
    """Whether a host is an address itself, so that nothing is looked up for it."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # "127.1" and "0x7f000001" are read as addresses by some libraries.
        return host.rpartition(".")[2].isdigit() or host.lower().startswith("0x")
    return True
