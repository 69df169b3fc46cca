"""The fast lane: ``POST /k/<key>`` is a check-in, and "ok" is said only after the commit.

Runs in front of Django and passes everything else on. Owns reading one small request, the one
question it puts to the group commit, and the answer. Does not decrypt, takes no action other than a
plain check-in, never says "got it" for something that is not durable, and uses no threads and no
ORM unless damage was met.
"""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from django.db import DatabaseError, Error, connection
from django.utils import translation
from django.utils.translation import gettext_noop

from stillhere.core.events import State
from stillhere.store.db import encryption
from stillhere.store.watches import damage
from stillhere.store.watches.apply import Change, ChangeResult, CheckIn
from stillhere.store.watches.group_commit import WRITER, Full, GroupCommit, NotStored
from stillhere.web.access.rate_limit import GUESSES, Guesses, address_of
from stillhere.web.asgi import language
from stillhere.web.asgi.body_limits import CHECK_IN
from stillhere.web.asgi.responses import respond
from stillhere.web.site.context import without_request

PREFIX, WATCH = "/k/", b"/watch"  # as in urls.py; that one is asked only by pages
KEY = re.compile(r"[A-Za-z0-9_-]{27}")
MOST_AGE_MS = 7 * 24 * 3600 * 1000  # a check-in kept longer than this says nothing about now
MOST_SEQ = 2**53  # what a page can count to
DEADLINE_S = 8.0  # then we say honestly that we do not know whether it was kept
ASIDE_S = 1.0  # how long we ask whether a watch is beyond keeping anything
# In a body that we do not read: something else than a check-in is wanted.
_ELSE = re.compile(rb"""\bdo\b["']?\s*[=:](?!\s*["']?here\b)|\b(?:help|sos)\b""", re.IGNORECASE)
JSON, FORM, PARTS = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"

_MALFORMED = gettext_noop("We could not read that. Nothing was counted. Press the button again.")
_TOO_LONG = gettext_noop(
    "That was too long for a check-in. Nothing was counted. Press the button again."
)
_UNKNOWN = gettext_noop(
    "This link opens nothing. Nothing was counted. Look for a newer link, or start again."
)
_THROTTLED = gettext_noop("Too many links that open nothing. Wait a minute, then try again.")
_FAULT = gettext_noop(
    "Something is wrong with this watch, and nothing is counted. "
    "The people on your list were asked to look after you. Call someone."
)
_NOT_STORED = gettext_noop(
    "We could not keep that. It is not counted yet. Your page keeps trying; press again."
)
_ASIDE = gettext_noop("We cannot keep this. Nobody is watching you now. Phone somebody.")
# why: (status, seconds until another try makes sense, what is said)
_NOT_COUNTED: dict[str, tuple[int, int | None, str]] = {
    "malformed": (400, None, _MALFORMED),
    "too-long": (413, None, _TOO_LONG),
    "unknown": (404, None, _UNKNOWN),
    "throttled": (429, 60, _THROTTLED),
    "fault": (503, 60, _FAULT),
    "aside": (503, 60, _ASIDE),
    "not-stored": (503, 1, _NOT_STORED),
}


class _Bad(Exception):
    """The request makes no sense; the word says why."""


class FastLane:
    """Check-ins here, everything else to ``app``. The other parameters are for tests."""

    def __init__(
        self,
        app: ASGI3Application,
        writer: GroupCommit[Change, ChangeResult] = WRITER,
        guesses: Guesses = GUESSES,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._app = app
        self._writer = writer
        self._guesses = guesses
        self._deadline_s = deadline_s

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            before, _, key = scope["path"].partition(PREFIX)
            if not before and "/" not in key:  # what else a person can do is Django's
                await self._check_in(key, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _check_in(
        self, key: str, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        asked = _Request(scope)
        try:
            what, back = _read(asked.kind, await _body(asked, receive), scope["query_string"])
            answer = await self._ask(key, what)
        except _Bad as bad:
            await _not_counted(str(bad), asked, send)
            return
        why = self._why_not(answer, asked)
        if why:
            await _not_counted(why, asked, send)
        elif answer is not None and answer.refused is not None:
            if asked.page:  # the page of this key says in words when it ended
                await self._app({**scope, "method": "GET"}, _emptied(receive), send)
            else:
                await _send(send, 410, _over(answer, asked.lang), JSON)
        elif asked.page:
            where = WATCH if back == "watch" else scope["path"].encode()
            await _send(send, 303, b"", "text/plain; charset=utf-8", (b"location", where))
        elif answer is not None:
            await _send(send, 200, _got_it(answer), JSON)

    async def _ask(self, key: str, what: CheckIn) -> ChangeResult | None:
        """The answer of the store, after the commit; None if it was not stored, or not yet."""
        if not KEY.fullmatch(key):
            return ChangeResult(0)
        try:
            future = self._writer.soon(Change(what, key_hash=encryption.key_hash(key)))
        except Full:
            return None
        timer = future.get_loop().call_later(self._deadline_s, _give_up, future)
        try:
            return await future
        except NotStored as failure:
            if str(failure) == DatabaseError.__name__ and await _aside(key):
                raise _Bad("aside") from None
            return None
        except TimeoutError:
            return None
        finally:
            timer.cancel()

    def _why_not(self, answer: ChangeResult | None, asked: _Request) -> str:
        """Why this was not counted, or nothing."""
        if answer is None:
            return "not-stored"
        if answer.watch is None:
            return "throttled" if self._guesses.missed(asked.address) else "unknown"
        # Set aside because our own code failed on it: nobody looks at this watch but a person.
        return "fault" if answer.quarantined and answer.refused is None else ""


async def _aside(key: str) -> bool:
    """Whether this can never be stored: its watch is on a damaged page, and was set aside."""

    def look() -> bool:
        try:
            return damage.is_aside_by_key(encryption.key_hash(key))
        except Error:
            return False
        finally:
            connection.close()  # of a thread that asks once

    try:
        return await asyncio.wait_for(asyncio.to_thread(look), ASIDE_S)
    except TimeoutError:
        return False


def _give_up(future: asyncio.Future[ChangeResult]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())


# --- what came in ---------------------------------------------------------------------------------


class _Request:
    """What the headers say: what the body is, and in which form an answer is wanted."""

    __slots__ = ("_headers", "_scope", "kind")

    def __init__(self, scope: HTTPScope) -> None:
        self._scope = scope
        self._headers: dict[bytes, bytes] = dict(scope["headers"])
        self.kind = self._header(b"content-type").partition(";")[0].strip().lower()
        if sum(name == b"content-type" for name, _ in scope["headers"]) > 1:
            self.kind = ""  # which of them is meant?

    def _header(self, name: bytes) -> str:
        return self._headers.get(name, b"").decode("latin-1")

    @property
    def length(self) -> int | None:
        """How many bytes are announced, where a number is."""
        announced = self._headers.get(b"content-length", b"")
        return int(announced.lstrip(b"0")[:18] or 0) if announced.isdigit() else None

    @property
    def silent(self) -> bool:
        """Whether it says nothing of a body, as only HTTP/1 does when none will come."""
        old = str(self._scope.get("http_version", "")).startswith("1")
        return old and b"transfer-encoding" not in self._headers

    @property
    def page(self) -> bool:
        """Whether a person sees the answer: a plain form, not a script or a button on a wall."""
        accept = self._header(b"accept")
        if JSON in accept or self._header(b"x-requested-with"):
            return False
        if self._header(b"sec-fetch-mode") in ("cors", "same-origin", "no-cors"):
            return False
        return "text/html" in accept or self.kind == FORM

    @property
    def lang(self) -> str:
        return language.of(self._headers)

    @property
    def address(self) -> str:
        peer = str((self._scope.get("client") or ("",))[0])
        return address_of(peer, self._header(b"x-forwarded-for"))


async def _body(asked: _Request, receive: ASGIReceiveCallable) -> bytes:
    """The whole body, bounded in size and time. Raises ``_Bad``."""
    length = asked.length
    if length == 0 or (length is None and asked.silent):
        return b""
    if length is not None and length > CHECK_IN.most:
        raise _Bad("too-long")
    # A plain timer costs a tenth of what `asyncio.timeout` does, and this is the hot path.
    task, late = asyncio.current_task(), False
    assert task is not None

    def give_up() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = task.get_loop().call_later(CHECK_IN.read_s, give_up)
    try:
        return await _all_of_it(receive)
    except asyncio.CancelledError:
        if late and task.uncancel() == 0:
            # It trickles, or we were stopped for a while: the page must try again.
            raise _Bad("not-stored") from None
        raise
    finally:
        timer.cancel()


async def _all_of_it(receive: ASGIReceiveCallable) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Bad("malformed")  # gone before all was said, or what came makes no sense
        body += message.get("body", b"")
        if len(body) > CHECK_IN.most:
            raise _Bad("too-long")
        if not message.get("more_body", False):
            return bytes(body)


def _read(kind: str, body: bytes, query: bytes = b"") -> tuple[CheckIn, str]:
    """The check-in in a body, and where a form wants to return to. Raises ``_Bad``.

    A body of a kind we do not read is no reason to miss a sign of life: the tap is what counts. But
    "help" sent to the wrong place, in whatever form, must never read as "I'm fine".
    """
    if query:
        _fields(FORM, query)
    if not body.strip():
        return CheckIn(), ""
    if kind not in (JSON, FORM, PARTS):
        if _ELSE.search(body):
            raise _Bad("malformed")
        return CheckIn(), ""
    fields = _fields(kind, body)
    age_ms, least_ms = (
        min(max(_whole(fields.get(name), 0), 0), MOST_AGE_MS) for name in ("age_ms", "least_ms")
    )
    seq = _whole(fields.get("seq"), -1)
    if not -1 <= seq <= MOST_SEQ:
        raise _Bad("malformed")
    return CheckIn(age_ms, seq if seq >= 0 else None, least_ms), str(fields.get("back", ""))


def _fields(kind: str, body: bytes) -> dict[str, Any]:
    """The fields, each of them once. Raises ``_Bad``, also if anything but "here" is requested."""
    try:
        text = body.decode("utf-8")
        if kind == JSON:
            fields = json.loads(text, object_pairs_hook=_once)
        else:
            fields = _once(parse_qsl(text, max_num_fields=20))
    except (ValueError, RecursionError):
        raise _Bad("malformed") from None
    if not isinstance(fields, dict) or kind == PARTS or fields.get("do", "here") != "here":
        raise _Bad("malformed")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if any(name == "do" and value != "here" for name, value in pairs):
        raise ValueError("something else is to be done")
    return dict(pairs)


def _whole(value: object, default: int) -> int:
    """A whole number from JSON or a form."""
    if value is None or value == "":
        return default
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**18:
        return int(value)
    raise _Bad("malformed")


def _emptied(receive: ASGIReceiveCallable) -> ASGIReceiveCallable:
    """The rest of a request whose body has been read: nothing, and then whatever follows."""
    over = False

    async def rest() -> ASGIReceiveEvent:
        nonlocal over
        if over:
            return await receive()
        over = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return rest


# --- what goes out --------------------------------------------------------------------------------


def _got_it(answer: ChangeResult) -> bytes:
    watch = answer.watch
    assert watch is not None
    next_ask_at = "null" if watch.next_ask_at is None else watch.next_ask_at
    return (
        f'{{"ok": true, "state": "{watch.state}", "now": {answer.now}, '
        f'"next_ask_at": {next_ask_at}}}'
    ).encode()


def _over(answer: ChangeResult, lang: str) -> bytes:
    watch = answer.watch
    assert watch is not None
    at = datetime.fromtimestamp((watch.closed_at or answer.now) / 1000, UTC)
    with translation.override(lang):
        says = translation.gettext("This watch ended at %(time)s. It asks nothing more.")
    facts = {
        "ok": False,
        "state": State.CLOSED,
        "closed_at": watch.closed_at,
        "now": answer.now,
        "says": says % {"time": f"{at:%H:%M} UTC"},
    }
    return json.dumps(facts, ensure_ascii=False).encode()


async def _not_counted(why: str, asked: _Request, send: ASGISendCallable) -> None:
    status, retry_s, _ = _NOT_COUNTED[why]
    kind = "text/html; charset=utf-8" if asked.page else JSON
    later = ((b"retry-after", str(retry_s).encode()),) if retry_s else ()
    await _send(send, status, _said(why, asked.lang, asked.page), kind, *later)


@lru_cache(maxsize=64)
def _said(why: str, lang: str, page: bool) -> bytes:
    """The page, or the JSON, for a check-in that was not counted: built once per language, for
    everyone."""
    with translation.override(lang):
        says = translation.gettext(_NOT_COUNTED[why][2])
        if page:
            again = why not in ("unknown", "fault", "aside")
            return without_request("site/not_counted.html", {"says": says, "again": again}).encode()
        return json.dumps({"ok": False, "why": why, "says": says}, ensure_ascii=False).encode()


async def _send(
    send: ASGISendCallable, status: int, body: bytes, kind: str, *more: tuple[bytes, bytes]
) -> None:
    headers = [
        (b"content-type", kind.encode()),
        *more,
    ]
    await respond(send, status, headers, body)
