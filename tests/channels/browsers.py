"""A push service on loopback and the browsers behind it, decrypting as RFC 8291 says.

Independent of the library that encrypts: the few steps of the RFC, on plain primitives.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from stillhere.channels.push import PushChannel
from stillhere.core.messages import Fate
from tests.channels.rigs import NOW_MS, Received, Rig

SECRET = b"a secret of the installation...."


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@dataclass
class BrowserKeys:
    """One browser's subscription: what it gives away, and what it keeps to read."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> str:
        """What the browser's JSON says, in the form that we store."""
        keys = {"auth": text_of(self.auth), "p256dh": text_of(self.point)}
        return json.dumps({"endpoint": self.endpoint, "keys": keys})

    def read(self, body: bytes) -> dict[str, Any]:
        """Decrypt one record of aes128gcm (RFC 8188, 2; RFC 8291, 3.4)."""
        salt, size, length = body[:16], *struct.unpack("!IB", body[16:21])
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self.key.exchange(ec.ECDH(), point)
        first = derive(shared, self.auth, b"WebPush: info\0" + self.point + theirs, 32)
        key = derive(first, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derive(first, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        said, mark = plain.rstrip(b"\0")[:-1], plain.rstrip(b"\0")[-1:]
        assert mark == b"\x02"  # the last record
        read: dict[str, Any] = json.loads(said)
        return read


def derive(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


class PushRig(Rig):
    """A push service: Maya's browser is there, Leo's took its permission back."""

    id = "push"
    garbage_fate = Fate.ACCEPTED  # its status is all we read
    knows_repeats = False  # what comes later takes the place of what was not seen

    def __init__(self) -> None:
        super().__init__()
        self.got: list[Received] = []
        self.payloads: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/{who}", self._take)])
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self.runner.setup()
        self.stack.push_async_callback(self.stop_listening)
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.maya, leo = BrowserKeys(f"{url}/maya"), BrowserKeys(f"{url}/leo")
        self.good, self.dead = self.maya.subscription, leo.subscription

    async def stop_listening(self) -> None:
        await self.runner.cleanup()

    def make(self, deadline_s: float) -> PushChannel:
        return PushChannel(
            SECRET,
            "https://lamp.example.org",
            clock=lambda: NOW_MS,
            allow_private=True,
            deadline_s=deadline_s,
        )

    def received(self) -> list[Received]:
        return self.got

    async def _take(self, request: web.Request) -> web.Response:
        fault = self.take_fault()
        if request.match_info["who"] == "leo":
            return web.Response(status=410)
        if fault == "refuse":
            return web.Response(status=503)
        assert Vapid02.verify(request.headers["Authorization"])
        self.headers.append(dict(request.headers))
        said = self.maya.read(await request.read())
        self.payloads.append(said)
        shown = said["body"] if said["link"] in said["body"] else f"{said['body']}\n{said['link']}"
        self.got.append(Received(self.good, shown, subject=said["title"]))
        if fault == "hang":
            await self.let_go.wait()
        return web.Response(status=201, text="\x00<html>" if fault == "garbage" else "")
