"""Carriers' webhooks for texts and receipts, in front of Django.

``POST /in/<carrier>/text``, ``/status`` and ``/event`` (an Android phone, a bot). Owns the step
from a signed request to a stored ``Inbound``; requests that wait at the same moment share one
commit. An unsigned request is never believed. The carrier gets 200 only after the commit, and 503
when there was none, so that it tells us again; a repeat stops at the arrival row. Calls need an
answer and are handled in ``web/hooks/calls.py``.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from django.conf import settings

from stillhere.channels.base import GarbageError, SignatureError
from stillhere.channels.carriers import android, numbers, telegram, twilio
from stillhere.channels.carriers.carrier import MOST_PICTURE, Carrier
from stillhere.core.messages import Inbound
from stillhere.store.inbound.inbox import take_all
from stillhere.store.watches.group_commit import Full, GroupCommit, NotStored
from stillhere.web.asgi.body_limits import WEBHOOK
from stillhere.web.asgi.responses import respond

log = logging.getLogger("stillhere.webhooks")

PREFIX = "/in/"
KINDS = ("text", "status", "event")
DEADLINE_S = 8.0
# Bytes of a body, where one may be longer than carriers' usual ones.
LONGEST = {"android": MOST_PICTURE, "telegram": telegram.MOST_UPDATE}
SHORT = 4096  # bytes: read in a millisecond or two
REST_S = 0.05  # twenty long ones a second: whoever writes so much can wait
MOST_READING = 32  # longer ones that wait to be read
MOST_HELD = 4 * MOST_PICTURE  # bytes of bodies at one time, signed or not
_NOTHING_TO_SAY = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
# why: (status, what is said). Carriers log it; a person may read it there.
_NO: Mapping[str, tuple[int, str]] = {
    "unknown": (404, "There is no such carrier here."),
    "signature": (403, "The signature is wrong. Look at the token and at STILLHERE_BASE_URL."),
    "garbage": (400, "This makes no sense."),
    "too-long": (413, "This is too long."),
    "not-stored": (503, "It could not be stored. Tell us again."),
}

INBOX: GroupCommit[Inbound, None] = GroupCommit(take_all, proves=False)


class _No(Exception):
    """The request is not accepted; the word says why."""


class _Gone(Exception):
    """The carrier disconnected before it had sent everything."""


Asked = tuple[Carrier, str, str, bytes, Mapping[str, str], bytes]  # as ``read`` takes it


class WebhookLane:
    """Texts and receipts here, everything else to ``app``."""

    def __init__(
        self,
        app: ASGI3Application,
        carriers: Sequence[Carrier] = (),
        inbox: GroupCommit[Inbound, None] = INBOX,
    ) -> None:
        self._app = app
        self._carriers = {carrier.name: carrier for carrier in carriers}
        self._inbox = inbox
        self._reader = ThreadPoolExecutor(1, "webhook")
        self._reading = self._held = 0
        self._one = asyncio.Lock()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            before, _, rest = scope["path"].partition(PREFIX)
            name, _, kind = rest.partition("/")
            if not before and kind in KINDS:
                try:
                    await self._take(name, kind, scope, receive, send)
                except _Gone:
                    return
                except _No as no:
                    status, says = _NO[str(no)]
                    log.info("not taken carrier=%s kind=%s why=%s", name[:20], kind, no)
                    body = json.dumps({"error": says}).encode()
                    await _send(send, status, body, b"application/json")
                return
        await self._app(scope, receive, send)

    async def _take(
        self,
        name: str,
        kind: str,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        carrier = self._carriers.get(name)
        if carrier is None:
            raise _No("unknown")
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        try:
            if carrier.kind == "telegram":  # a bot shows its secret before anything is read
                telegram.verify(carrier, headers)
            with self._room(carrier) as count:
                body = await _body(receive, count)
                inbound = await self._read(
                    (carrier, kind, scope["path"], scope["query_string"], headers, body)
                )
        except SignatureError:
            raise _No("signature") from None
        except GarbageError:
            raise _No("garbage") from None
        if inbound is not None:
            await self._store(inbound)
        if kind == "text":
            await _send(send, 200, _NOTHING_TO_SAY, b"text/xml; charset=utf-8")
        else:
            await _send(send, 204, b"", b"text/plain; charset=utf-8")

    @contextmanager
    def _room(self, carrier: Carrier) -> Iterator[Callable[[int], None]]:
        """What counts the bytes of a body as they come, and raises ``_No``. A phone sends the
        pictures of a message along: what all bodies hold together is bounded, so that one that
        trickles keeps no other out, and a short one is always let in."""
        most = LONGEST.get(carrier.kind, WEBHOOK.most)
        mine = 0

        def count(length: int) -> None:
            nonlocal mine
            mine += length
            self._held += length
            if mine > most:
                raise _No("too-long")
            if mine > WEBHOOK.most and self._held > MOST_HELD:
                raise _No("not-stored")

        try:
            yield count
        finally:
            self._held -= mine

    async def _read(self, asked: Asked) -> Inbound | None:
        carrier, *_, headers, body = asked
        if len(body) <= SHORT:
            return read(*asked)
        if carrier.kind == "android":  # what nobody signed keeps no place from what is
            android.check_signature(carrier, headers, body)
        return await self._read_apart(*asked)

    async def _read_apart(self, *asked: *Asked) -> Inbound | None:
        """A long one is read in a thread, one at a time and after a rest: it takes tens of
        milliseconds of the interpreter before we know who sent it, and some more if it is a text,
        and check-ins are answered here meanwhile."""
        if self._reading >= MOST_READING:
            raise _No("not-stored")
        self._reading += 1
        try:
            async with self._one:
                await asyncio.sleep(REST_S)
                return await asyncio.get_running_loop().run_in_executor(self._reader, read, *asked)
        finally:
            self._reading -= 1

    async def _store(self, inbound: Inbound) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._inbox.soon(inbound)
        except (Full, NotStored, TimeoutError):
            raise _No("not-stored") from None


def read(
    carrier: Carrier,
    kind: str,
    path: str,
    query: bytes,
    headers: Mapping[str, str],
    body: bytes,
) -> Inbound | None:
    """What a webhook says, None for what is no news. Raises ``SignatureError``, ``GarbageError``.

    The carrier signed our public address, which a proxy may have shortened.
    """
    now_ms = settings.WALL_MS()
    if carrier.kind == "android":
        if kind != "event":
            raise GarbageError("an Android phone tells events")
        told = android.verify(carrier, headers, body, now_ms)
        return _numbered(android.inbound_of(carrier, told, now_ms))
    if carrier.kind == "telegram":
        telegram.verify(carrier, headers)
        if kind != "event":
            raise GarbageError("a bot tells events")
        return telegram.inbound_of(carrier, body, now_ms)
    asked = query.decode("latin-1")
    url = f"{settings.STILLHERE.base_url}{path}{f'?{asked}' if asked else ''}"
    fields = twilio.verify(carrier, url, headers, body, now_ms)
    if kind == "text":
        return _numbered(twilio.text_of(carrier, fields))
    if kind == "status":
        message = parse_qs(asked).get("m", [""])[0]
        return twilio.receipt_of(carrier, fields, message)
    raise GarbageError("this carrier tells no events")


def _numbered(inbound: Inbound | None) -> Inbound | None:
    """The same with its sender as we store numbers: carriers write them in many ways."""
    if inbound is None or not inbound.sender:
        return inbound
    sender = numbers.of_sender(inbound.sender, settings.STILLHERE.country)
    return inbound if sender == inbound.sender else replace(inbound, sender=sender)


async def _body(receive: ASGIReceiveCallable, count: Callable[[int], None]) -> bytes:
    """The whole body, bounded in time, and in size by ``count``. Raises ``_No``."""
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(WEBHOOK.read_s):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise _Gone
                chunks.append(message.get("body", b""))
                count(len(chunks[-1]))
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise _No("not-stored") from None


async def _send(send: ASGISendCallable, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind)]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await respond(send, status, headers, body)
