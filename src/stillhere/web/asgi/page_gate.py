"""The gate to Django's pages: a limited number is built at once; the others wait their turn, for a
limited time.

Each page takes a thread and the interpreter's one lock. Three hundred links opened at once took a
thread and a connection each, and for a long time nobody got an answer, including people who checked
in meanwhile. Here the pages of an alarm and of a watch go before polls and quiet pages, and presses
have a few threads of their own, in which they mostly wait for the same commit. A waiting request
costs a few kilobytes; a client that disconnects gives up its place. Whoever cannot be served in
time gets a kind page that says so, reloads itself and needs no database.

Never drops a press that was received completely: it is carried out even if the phone has gone. The
fast lane and static files never come here.
"""

from __future__ import annotations

import asyncio
from enum import IntEnum
from functools import lru_cache
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)
from django.utils import translation

from stillhere.content import helplines
from stillhere.web.access import readiness
from stillhere.web.asgi import language
from stillhere.web.asgi.body_limits import PRESS
from stillhere.web.asgi.page_queue import Slot, Turns
from stillhere.web.asgi.responses import respond
from stillhere.web.site.context import without_request

PAGES = 2  # made at once: more only take the interpreter from each other (benchmarks/links.py)
PRESSES = 16  # at once: they wait for the disk, and share what one commit costs
FORMS = 4  # at once: what a person fills in on a quiet day, which may take the processor for long
PLACES = 1_000  # who waits, of each kind
WAIT_S = 8.0  # longer than a page of ours waits for an answer
RETRY_S = 5
SAFE = ("GET", "HEAD", "OPTIONS")
# Pages on which somebody acts in an alarm or on a watch; of the first ones 503 names whom to call.
HEALTH = "/healthz"
ALARMING = ("/c/", "/k/", "/watch", "/desk", "/r/")
QUIET_FORMS = (
    "/p", "/mine", "/routine", "/kit", "/try", "/forget", "/language", "/light",
)  # fmt: skip
ACTED_ON = (*ALARMING, "/help-now", "/steps", "/lines")


class Rank(IntEnum):
    """Who goes first. A press may be "I'm going" or "Need help now"; whoever is going reads a page
    of an alarm. A poll comes again by itself, and no life depends on the rest. A form is a press
    that can wait, in threads of its own: sixteen connections that post one after the other take
    the interpreter from nobody."""

    PRESS = 0
    ACTED_ON = 1
    QUIET = 2
    FORM = 3


class Gate:
    """Lets requests through to ``app``. The other parameters are for tests."""

    def __init__(
        self,
        app: ASGI3Application,
        pages: int = PAGES,
        presses: int = PRESSES,
        forms: int = FORMS,
        places: int = PLACES,
        wait_s: float = WAIT_S,
    ) -> None:
        self._app = app
        self._wait_s = wait_s
        self.pages = Turns(pages, places, Rank.ACTED_ON)
        self.presses = Turns(presses, places, Rank.PRESS)
        self.forms = Turns(forms, places, Rank.FORM)

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request: with a page, or 503 where its turn does not come."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        rank, heard = rank_of(scope), _Heard(receive)
        if not _long(scope) and not await heard.all_of_it():
            return
        pressed = rank in (Rank.PRESS, Rank.FORM)
        turns = {Rank.PRESS: self.presses, Rank.FORM: self.forms}.get(rank, self.pages)
        gone = heard.gone() if heard.whole and not pressed else None
        try:
            slot = await turns.wait(rank, self._wait_s, gone)
            if slot is not None:
                await self._make(scope, heard.kept if pressed else heard, send, turns, slot)
            elif gone is None or not gone.done():
                await busy(scope, send)
        finally:
            heard.close()

    async def _make(
        self,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        turns: Turns,
        slot: Slot,
    ) -> None:
        """The page itself. Its slot is free as soon as it is made: whoever never reads what they
        asked for holds none."""
        made = False

        async def sending(message: ASGISendEvent) -> None:
            nonlocal made
            if not made:
                made = True
                turns.done(slot)
            await send(message)

        try:
            async with ThreadSensitiveContext(executor=slot):
                await self._app(scope, receive, sending)
        finally:
            if not made:
                turns.done(slot)


class _Heard:
    """A ``receive`` that can read the body, or notice that the client disconnected, before the page
    asks."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._before: list[ASGIReceiveEvent] = []
        self._leaving: asyncio.Future[ASGIReceiveEvent] | None = None
        self.whole = False

    async def all_of_it(self) -> bool:
        """Hear a small body to its end; False when the client goes away in the middle. The door
        before us bounds how long it may take."""
        while not self.whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return False
            self._before.append(message)
            self.whole = not message.get("more_body", False)
        return True

    def gone(self) -> asyncio.Future[ASGIReceiveEvent]:
        """Done when the client has gone away."""
        if self._leaving is None:
            self._leaving = asyncio.ensure_future(self._receive())
        return self._leaving

    async def __call__(self) -> ASGIReceiveEvent:
        if self._before:
            return self._before.pop(0)
        return await (asyncio.shield(self.gone()) if self.whole else self._receive())

    async def kept(self) -> ASGIReceiveEvent:
        """The same for a press: it is carried out, whether or not somebody waits for the answer."""
        if self._before:
            return self._before.pop(0)
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Nobody asks any more."""
        if self._leaving is not None:
            self._leaving.cancel()


def rank_of(scope: HTTPScope) -> Rank:
    """Who goes first, by method, address and length alone: no database is asked here."""
    path = scope["path"]
    if path == HEALTH:
        return Rank.PRESS
    if scope["method"] not in SAFE and not _long(scope):
        return Rank.FORM if path == "/" or path.startswith(QUIET_FORMS) else Rank.PRESS
    if path.startswith(ACTED_ON) and not path.endswith("/state"):
        return Rank.ACTED_ON
    return Rank.QUIET


def _long(scope: HTTPScope) -> bool:
    """Whether its body may take long: larger than a press, or of unknown size."""
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"")
    if length.isdigit():
        return len(length) > 6 or int(length) > PRESS
    return b"transfer-encoding" in headers


async def busy(scope: HTTPScope, send: ASGISendCallable) -> None:
    """Not now: what that means, and when to come back."""
    look = scope["method"] in SAFE
    lang, alarming = language.of(dict(scope["headers"])), scope["path"].startswith(ALARMING)
    body = _says(lang, look, alarming, bool(readiness.practice()))
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"retry-after", str(RETRY_S).encode()),
    ]
    await respond(send, 503, headers, body)


@lru_cache(maxsize=32)
def _says(lang: str, look: bool, alarming: bool, practice: bool) -> bytes:
    """The page, built once per language, and again when ``practice`` begins or ends. It reloads
    itself; what was pressed is pressed again."""
    with translation.override(lang):
        given: dict[str, Any] = {"look": look, "refresh": RETRY_S if look else None}
        if alarming:
            given |= {"emergency": helplines.emergency(), "lines": helplines.staffed(None)}
        return without_request("site/busy.html", given).encode()
