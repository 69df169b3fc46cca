"""The door to the pages: no request body larger or slower than any page of ours needs.

Stands in front of Django, which would otherwise write a body of any size to the disk and wait for
its end for ever. Reads nothing itself, and answers only what it refuses. The fast lane has bounds
of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 256 * 1024  # the longest thing anybody writes here is a story
READ_S = 20.0  # on a very poor line that is still a page of text
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
    """Lets requests through to ``app``. The other parameters are for tests."""

    def __init__(self, app: Application, most: int = MOST_BODY, read_s: float = READ_S) -> None:
        self._app = app
        self._most = most
        self._read_s = read_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 413 for a body too long, 408 too slow, 400 broken."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answered = False

        async def sending(message: Mapping[str, Any]) -> None:
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
    """``receive`` that counts and does not wait for ever. What comes after the body (the client
    goes away) may take as long as it likes."""

    def __init__(self, receive: Receive, most: int, read_s: float) -> None:
        self._receive = receive
        self._left = most
        self._until = asyncio.get_running_loop().time() + read_s
        self._complete = False

    async def __call__(self) -> Mapping[str, Any]:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise _Refused(408) from None
        if message["type"] == "http.disconnect":  # gone, or a body that makes no sense
            raise _Refused(400)
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise _Refused(413)
        self._complete = not message.get("more_body", False)
        return message


def _announced(scope: Scope) -> int:
    """What the request says its body's length is; 0 when it does not say."""
    length = dict(scope["headers"]).get(b"content-length", b"")
    return int(length[:12]) if length.isdigit() else 0


async def _refuse(status: int, send: Send) -> None:
    says = _SAYS.get(status, "").encode()
    headers = [
        (b"content-length", str(len(says)).encode()),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": says})
