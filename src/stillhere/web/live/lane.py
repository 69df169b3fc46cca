"""The lane of pages that wait: ``/watch/live`` and ``/c/<key>/live``, as server-sent events.

In front of Django, which would hold a thread for each. Owns reading the request, whose key is asked
for once and then again with whatever changes, and the stream: ``data`` is what ``/state`` answers,
``beat`` says that the line is alive, ``behind`` whether nobody is watching, ``gone`` that the key
opens nothing any more, ``back`` in how many ms to come again. Whoever takes no stream is answered
by Django, at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from django.db import Error
from django.http import parse_cookie

from stillhere.web.access import cookies
from stillhere.web.access.rate_limit import GUESSES, Guesses, address_of
from stillhere.web.asgi import language
from stillhere.web.asgi.responses import closed, respond
from stillhere.web.live import states
from stillhere.web.live.hub import Hub
from stillhere.web.live.states import PageRef

OWN = "/watch/live"
CONTACT = re.compile(r"/c/([A-Za-z0-9_-]{8,64})/live")
RETRY_S = 5
LAST_S = 1.0  # how long the end of a stream may take
_BEGIN = b"retry: 10000\n\n"  # what a browser needs to know that it is here


class LiveLane:
    """Streams here, everything else to ``app``. The other parameters are for tests."""

    def __init__(self, app: ASGI3Application, hub: Hub, guesses: Guesses = GUESSES) -> None:
        self._app = app
        self._hub = hub
        self._guesses = guesses
        self._peers: dict[tuple[str, int], int] = {}

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        asked = _asked(scope) if scope["type"] == "http" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        assert scope["type"] == "http"
        find, by_key = asked
        if self._hub.full or self._hub.busy:
            await _refuse(send, 503)
            return
        try:
            ref = await self._hub.find(find)
        except Error:
            await _refuse(send, 503)
            return
        if self._hub.leaving:
            await _refuse(send, 503)
        elif ref is None:
            throttled = by_key and self._guesses.missed(_address(scope))
            await _refuse(send, 429 if throttled else 404)
        else:
            await self._stream(ref, scope, receive, send)

    def is_waiting(self, peer: tuple[str, int]) -> bool:
        """Whether a page waits on the connection from this address and port."""
        return peer in self._peers

    async def _stream(
        self, ref: PageRef, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        host, port = scope["client"] or ("", 0)
        peer = (host.removeprefix("::ffff:"), int(port or 0))  # granian says it as text
        await send({
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"text/event-stream; charset=utf-8"),
                (b"cache-control", b"no-store"),
                (b"x-accel-buffering", b"no"),  # nginx would keep it until it is a page's worth
                *closed(),
            ],
            "trailers": False,
        })  # fmt: skip
        await send({"type": "http.response.body", "body": _BEGIN, "more_body": True})
        page, leaving = self._hub.add(ref, send), asyncio.ensure_future(_gone(receive))
        self._peers[peer] = self._peers.get(peer, 0) + 1
        try:
            await asyncio.wait([leaving, page.over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.remove(page)
            left = self._peers.pop(peer) - 1
            if left:
                self._peers[peer] = left
            there, _ = not leaving.done(), leaving.cancel()
            page.drop()
        if there:
            with_end = send({"type": "http.response.body", "body": b"", "more_body": False})
            await asyncio.wait([asyncio.ensure_future(with_end)], timeout=LAST_S)


async def _gone(receive: ASGIReceiveCallable) -> None:
    """Done when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _asked(scope: HTTPScope) -> tuple[Callable[[], PageRef | None], bool] | None:
    """How the page is found, and whether by a key in its address; None for any other request."""
    path = scope["path"]
    contact = CONTACT.fullmatch(path)
    if (path != OWN and contact is None) or scope["method"] != "GET":
        return None
    headers = dict(scope["headers"])
    if b"text/event-stream" not in headers.get(b"accept", b""):
        return None
    if contact is not None:
        return partial(states.page_of_contact, contact[1]), True
    sent = headers.get(b"cookie", b"")[: language.MOST_COOKIES]
    token = parse_cookie(sent.decode("latin-1")).get(cookies.sent_as(cookies.SESSION), "")
    return partial(states.own_page, token[:64]), False


def _address(scope: HTTPScope) -> str:
    forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"")
    return address_of(str((scope["client"] or ("",))[0]), forwarded.decode("latin-1"))


async def _refuse(send: ASGISendCallable, status: int) -> None:
    later = [(b"retry-after", b"%d" % RETRY_S)] if status != 404 else []
    await respond(send, status, [(b"content-type", b"text/plain; charset=utf-8"), *later], b"")
