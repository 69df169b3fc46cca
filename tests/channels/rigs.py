"""A real counterpart for every adapter, each with the same few ways to go wrong.

A rig is what the contract tests know: one address that works, one that is dead, the faults, and
what arrived. E-mail meets a real SMTP server, chat a loopback HTTP server, texts and calls the
demo's provider.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
from abc import ABC, abstractmethod
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from stillhere.channels.base import Channel
from stillhere.channels.chat import ChatChannel
from stillhere.channels.demo import Kind, PhonesChannel
from stillhere.channels.email import EmailChannel
from stillhere.core.messages import Fate
from stillhere.sim.phones.exchange import LineState
from stillhere.sim.phones.provider import Provider

NOW_MS = 1_795_212_720_000
SECRET = "a secret of the demo's phones"
MAIL_FROM = "Lamp <lamp@example.org>"


@dataclass(frozen=True, slots=True)
class Received:
    """What the other side got; ``name`` is how it would know the same message again."""

    to: str
    text: str
    name: str = ""
    subject: str = ""
    raw: bytes = b""


class Rig(ABC):
    """One adapter with its real counterpart, and one fault at a time (``fault``)."""

    id: ClassVar[str]
    good: str
    dead: str
    dead_fate: ClassVar[Fate] = Fate.FAILED
    garbage_fate: ClassVar[Fate] = Fate.UNKNOWN
    knows_repeats: ClassVar[bool] = True

    def __init__(self) -> None:
        self.fault = ""
        self.let_go = asyncio.Event()
        self.stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.let_go.set()
        await self.stack.aclose()

    def channel(self, *, deadline_s: float = 5.0) -> Channel:
        """A channel to the counterpart, closed at the end."""
        channel = self.make(deadline_s)
        self.stack.push_async_callback(channel.close)
        return channel

    def take_fault(self) -> str:
        fault, self.fault = self.fault, ""
        return fault

    @abstractmethod
    async def start(self) -> None: ...

    @abstractmethod
    async def stop_listening(self) -> None:
        """From now on nothing answers at the counterpart's port."""

    @abstractmethod
    def make(self, deadline_s: float) -> Channel: ...

    @abstractmethod
    def received(self) -> list[Received]: ...

    def refuse_once(self) -> None:
        self.fault = "refuse"

    def hang_once(self) -> None:
        self.fault = "hang"

    def garbage_once(self) -> None:
        self.fault = "garbage"


class EmailRig(Rig):
    """A real SMTP server on loopback. It refuses Leo's mailbox for ever."""

    id = "email"
    good = "maya@example.org"
    dead = "leo@example.org"

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Received] = []
        self.connections = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(self._accept, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.stack.push_async_callback(self.stop_listening)

    def _accept(self) -> asyncio.BaseProtocol:
        self.connections += 1
        protocol: asyncio.BaseProtocol = SMTP(self, hostname="mail.example.org", timeout=5)
        return protocol

    async def stop_listening(self) -> None:
        self.server.close()

    def make(self, deadline_s: float) -> EmailChannel:
        return EmailChannel(
            f"smtp://127.0.0.1:{self.port}",
            MAIL_FROM,
            clock=lambda: NOW_MS,
            secret=SECRET.encode(),
            deadline_s=deadline_s,
        )

    def received(self) -> list[Received]:
        return self.mails

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == self.dead:
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if self.fault == "refuse":
            self.fault = ""
            return f"451 4.7.1 <{address}>: Greylisted, come back in a minute"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        fault = self.take_fault()
        raw = envelope.content
        assert isinstance(raw, bytes)
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        body = mail.get_body()
        assert body is not None
        for to in envelope.rcpt_tos:
            self.mails.append(
                Received(to, body.get_content(), mail["Message-ID"], mail["Subject"], raw)
            )
        if fault == "hang":
            await self.let_go.wait()
        return "certainly" if fault == "garbage" else "250 2.0.0 Ok: queued as 4F1A2B"


class ChatRig(Rig):
    """A loopback HTTP server behind ``gotify://``. Apprise reads nothing but its status."""

    id = "chat"
    dead_fate = Fate.BUSY  # Apprise does not say why, so nothing is ever known to be for ever
    garbage_fate = Fate.ACCEPTED  # nor does it read the answer's body
    knows_repeats = False

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Received] = []

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/{at}", self._take)])
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self.runner.setup()
        self.stack.push_async_callback(self.stop_listening)
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.port = self.runner.addresses[0][1]
        self.good = f"gotify://127.0.0.1:{self.port}/maya"
        self.dead = f"gotify://127.0.0.1:{self.port}/leo"

    async def stop_listening(self) -> None:
        await self.runner.cleanup()

    def make(self, deadline_s: float) -> ChatChannel:
        return ChatChannel(hosts=["127.0.0.1"], allow_private=True, deadline_s=deadline_s)

    def received(self) -> list[Received]:
        return self.messages

    async def _take(self, request: web.Request) -> web.Response:
        fault = self.take_fault()
        if request.headers["X-Gotify-Key"] == "leo":
            return web.Response(status=404)
        if fault == "refuse":
            return web.Response(status=503)
        sent: dict[str, Any] = await request.json()
        self.messages.append(Received(self.good, sent["message"], subject=sent["title"]))
        if fault == "hang":
            await self.let_go.wait()
        return web.Response(text="\x00<html>" if fault == "garbage" else "{}")


class PhonesRig(Rig):
    """The demo's provider in this process. It refuses Leo's number at once."""

    kind: ClassVar[Kind]
    good = "+12025550102"
    dead = "+12025550103"

    async def start(self) -> None:
        self.provider = Provider(secret=SECRET, webhook="", clock=lambda: NOW_MS)
        self.provider.exchange.find("Leo").line = LineState.REFUSED
        self.server = AsyncExitStack()
        self.url = await self.server.enter_async_context(self.provider.serving())
        self.stack.push_async_callback(self.stop_listening)

    async def stop_listening(self) -> None:
        await self.server.aclose()

    def make(self, deadline_s: float) -> PhonesChannel:
        return PhonesChannel(self.kind, self.url, SECRET, demo=True, deadline_s=deadline_s)

    def received(self) -> list[Received]:
        return [Received(sent.to, sent.text, sent.id) for sent in self.provider.log]

    def refuse_once(self) -> None:
        self.provider.faults.unavailable = 1

    def hang_once(self) -> None:
        self.provider.faults.hang = 1

    def garbage_once(self) -> None:
        self.provider.faults.garbage = 1


class TextRig(PhonesRig):
    id = "text"
    kind = Kind.TEXT


class CallRig(PhonesRig):
    id = "call"
    kind = Kind.CALL


RIGS: list[type[Rig]] = [EmailRig, ChatRig, TextRig, CallRig]
