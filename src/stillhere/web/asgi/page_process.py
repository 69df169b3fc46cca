"""The hop between the web server and the process that makes the pages, both ends of it.

Pages and check-ins in one process wait for the same interpreter: a few people who open pages made a
press wait ten times as long. So Django runs beside it, at a lower priority, behind a unix socket in
the data folder that only our own user may open.

What crosses is the request as it came, without what belongs to one connection, and two lines of
ours, which nobody else can send: the client's address, and when the web server's own writer last
wrote, because ``/healthz`` speaks for both. A press crosses once: where nobody knows whether it was
carried out, whoever pressed is asked to do so again. While the process is away, at a start or after
it died, the web server makes the pages itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import aiohttp
from aiohttp.hdrs import ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, USER_AGENT
from asgiref.sync import ThreadSensitiveContext
from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from yarl import URL

from stillhere.programs import PAGES_BESIDE, short_name
from stillhere.store.watches.group_commit import WRITER
from stillhere.web.asgi.page_gate import FORMS, PAGES, PRESSES, SAFE, busy
from stillhere.web.asgi.page_queue import Turns
from stillhere.web.asgi.responses import WholeAnswer, hand_on

FILE = "pages.sock"
MOST = PAGES + PRESSES + FORMS  # at once, as the gate in front lets through
TAKES_S = 40.0  # longer than the longest page, a sheet of paper
_PEER, _WROTE = b"x-stillhere-peer", b"x-stillhere-wrote"
_OF_ONE_CONNECTION = frozenset({
    b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
    b"upgrade", b"expect", b"content-length", _PEER, _WROTE,
})  # fmt: skip


class PagesBeside:
    """Django's place in the web server: asks the process at ``folder``'s socket, or where that is
    away ``app`` in this one. ``wrote_ms`` is when this process last wrote, on the boot clock."""

    def __init__(
        self,
        folder: Path,
        app: ASGI3Application,
        wrote_ms: Callable[[], int | None] = lambda: WRITER.wrote_ms,
    ) -> None:
        self._folder = folder
        self._app = app
        self._wrote_ms = wrote_ms
        self._held = contextlib.ExitStack()
        self._session: aiohttp.ClientSession | None = None

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request as Django does, or with 503 where it is not known what became of a
        press."""
        assert scope["type"] == "http"
        body = await _whole(receive)
        if body is None:
            return
        try:
            answer = await self._asked(scope, body)
        except (aiohttp.ClientError, OSError, TimeoutError) as failure:
            unsent = isinstance(failure, aiohttp.ClientConnectorError | FileNotFoundError)
            if unsent or scope["method"] in SAFE:
                await self._app(scope, _once_more(body, receive), send)
            else:
                await busy(scope, send)
            return
        await hand_on(send, answer)

    async def _asked(self, scope: HTTPScope, body: bytes) -> WholeAnswer:
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        async with self._open().request(
            scope["method"],
            URL(f"http://pages{_text(target)}", encoded=True),
            headers=[(_text(name), _text(value)) for name, value in self._headers(scope)],
            data=body or None,
            allow_redirects=False,
        ) as got:
            return WholeAnswer(
                got.status,
                [(name.lower(), value) for name, value in got.raw_headers if _crosses(name)]
                + _length(scope, got),
                await got.read(),
            )

    def _headers(self, scope: HTTPScope) -> Iterable[tuple[bytes, bytes]]:
        for name, value in scope["headers"]:
            if name not in _OF_ONE_CONNECTION:
                yield name, value
        if scope["client"]:
            yield _PEER, scope["client"][0].encode()
        if (wrote_ms := self._wrote_ms()) is not None:
            yield _WROTE, str(wrote_ms).encode()

    def _open(self) -> aiohttp.ClientSession:
        """The connections that are kept."""
        if self._session is None:
            folder = self._held.enter_context(short_name(self._folder))
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(f"{folder}/{FILE}", limit=0, keepalive_timeout=30),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=[USER_AGENT, ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE],
                timeout=aiohttp.ClientTimeout(total=TAKES_S),
            )
        return self._session

    async def close(self) -> None:
        """End them. The web server never does: they end with it."""
        if self._session is not None:
            await self._session.close()
        self._held.close()


class PageServer:
    """The other end: ``app`` makes the pages, each on a thread of a few, as they come in."""

    def __init__(self, app: ASGI3Application) -> None:
        self._app = app
        self._threads = Turns(MOST, 10 * MOST, 0)

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request of the web server's."""
        assert scope["type"] == "http"
        thread = await self._threads.wait(0, TAKES_S, None)
        if thread is None:
            await busy(scope, send)
            return
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._app(_as_it_came(scope), receive, send)
        finally:
            self._threads.done(thread)


def _as_it_came(scope: HTTPScope) -> HTTPScope:
    """The request as the web server heard it; what it says of itself is written down."""
    ours = {name: value for name, value in scope["headers"] if name in (_PEER, _WROTE)}
    wrote_ms = int(ours.get(_WROTE, b"0"))
    WRITER.wrote_ms = max(wrote_ms, WRITER.wrote_ms or 0) or None
    peer = ours.get(_PEER, b"").decode()
    headers = [(name, value) for name, value in scope["headers"] if name not in ours]
    changed: Any = {**scope, "client": (peer, 0) if peer else None, "headers": headers}
    return cast(HTTPScope, changed)


async def _whole(receive: ASGIReceiveCallable) -> bytes | None:
    """The body; None where the client went away in the middle. The door in front bounds it."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        assert message["type"] == "http.request"
        parts.append(message["body"])
        if not message["more_body"]:
            return b"".join(parts)


def _once_more(body: bytes, receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """A ``receive`` that tells this body, which was heard already, and then goes on."""
    told = False

    async def again() -> ASGIReceiveEvent:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _crosses(name: bytes) -> bool:
    return name.lower() not in _OF_ONE_CONNECTION and name.lower() not in (b"server", b"date")


def _length(scope: HTTPScope, got: aiohttp.ClientResponse) -> list[tuple[bytes, bytes]]:
    """How long the body is, where Django said so: HEAD has none, and is told of it all the same."""
    said = got.headers.get("Content-Length")
    return [(b"content-length", said.encode())] if said is not None else []


def _text(raw: bytes) -> str:
    """As it will be written again."""
    return raw.decode("utf-8", "replace")


def is_beside() -> bool:
    """Whether the supervisor runs the pages beside this process."""
    return bool(os.environ.get(PAGES_BESIDE))
