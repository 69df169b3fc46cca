"""The door to the pages: no request body that is larger or slower than any page of ours needs.

Runs in front of Django, which would otherwise write a body of any size to the disk and wait forever
for its end. Reads nothing itself, and answers only what it refuses. The fast lane has its own
limits.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)

from stillhere.channels.carriers.carrier import MOST_WEBHOOK
from stillhere.web.asgi.responses import respond


class Limit(NamedTuple):
    """How long a body may be, in bytes, and how long it may take, in seconds."""

    most: int
    read_s: float


PAGE: Limit = Limit(256 * 1024, 20.0)  # a story; on a very poor line that is still a page of text
WEBHOOK: Limit = Limit(MOST_WEBHOOK, 8.0)
CHECK_IN: Limit = Limit(4096, 8.0)  # what trickles in slower is nobody's tap
PRESS = 4096  # bytes: any press is shorter, and what is longer may take its time

# Said before anybody's language is known.
_SAYS = {
    413: "This is too long for us: at most 250 KB at once. Nothing was kept. Send it in parts.\n"
    "Es demasiado largo: 250 KB como máximo. No se guardó nada. Envíalo por partes.\n",
    408: "It came too slowly, and nothing was kept. Try again.\n"
    "Llegó muy despacio y no se guardó nada. Inténtalo otra vez.\n",
}


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Door:
    """Passes requests on to ``app``. The other parameters are for tests."""

    def __init__(
        self, app: ASGI3Application, most: int = PAGE.most, read_s: float = PAGE.read_s
    ) -> None:
        self._app = app
        self._most = most
        self._read_s = read_s

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request: 413 for a body too long, 408 too slow, 400 broken."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def sending(message: ASGISendEvent) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            if _announced(scope) > self._most:
                raise _Refused(413)
            await self._app(scope, _Reading(receive, self._most, self._read_s), sending)
        except _Refused as refused:
            if not answered:
                await _refuse(refused.status, send)


class _Reading:
    """A ``receive`` that counts, and does not wait forever. What comes after the body (the client
    disconnecting) may take as long as it likes."""

    def __init__(self, receive: ASGIReceiveCallable, most: int, read_s: float) -> None:
        self._receive = receive
        self._left = most
        self._until = asyncio.get_running_loop().time() + read_s
        self._complete = False

    async def __call__(self) -> ASGIReceiveEvent:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise _Refused(408) from None
        if message["type"] == "http.disconnect":  # gone, or a body that makes no sense
            raise _Refused(400)
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise _Refused(413)
            self._complete = not message.get("more_body", False)
        return message


def _announced(scope: HTTPScope) -> int:
    """The length of the body according to the request; 0 if it does not say."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length[:12]) if length.isdigit() else 0


async def _refuse(status: int, send: ASGISendCallable) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await respond(send, status, headers, _SAYS.get(status, "").encode())
