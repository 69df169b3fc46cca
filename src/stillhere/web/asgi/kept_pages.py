"""Pages that are the same for everybody: made once by Django, kept, and sent without it.

Owns which pages these are, what a copy is known by, and for how long it counts. A copy is made from
a request that carries nothing of its reader but the language and the light, so that nothing else
can get into it, and it counts only while all it was made from stands as it was. Never keeps what
sets a cookie, holds a token or belongs to somebody; whoever may see something of their own on a
page gets it from Django, as does every request that is not plain.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from asgiref.typing import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
    Scope,
)
from django.conf import settings
from django.http import parse_cookie
from django.http.request import split_domain_port, validate_host

from stillhere.content import host_file, steps
from stillhere.content.helplines import FILE as LINES
from stillhere.web.access import cookies, readiness
from stillhere.web.asgi import language
from stillhere.web.asgi.responses import WholeAnswer, hand_on
from stillhere.web.site.preferences import LIGHTS

MOST = 64  # copies: five pages, two languages and a few lights are twenty
LARGEST = 200_000  # of one, in bytes
LOOK_MS = 1_000  # so old may be what we know of practice
PATIENCE_S = 0.2  # a database that is away holds up no steps
_FILES = (steps.FILE, steps.SIGNED, LINES)
_TOKEN = b"csrfmiddlewaretoken"


class SharedPage(NamedTuple):
    """What a page that is the same for everybody still shows: the light that a reader chose; what
    is ``personal``, for readers we know; the ``query`` of its address."""

    light: bool = False
    personal: bool = False
    query: bool = False


PAGES = {
    "/help-now": SharedPage(),
    "/steps": SharedPage(),
    "/sources": SharedPage(),
    "/after": SharedPage(personal=True),
    "/learn": SharedPage(light=True, personal=True, query=True),
}
# With one of these a page may show what is its reader's.
_KNOWN = {
    prefix + name
    for name in (cookies.SESSION, cookies.KEY, cookies.BORROWED)
    for prefix in ("", cookies.PREFIX)
}


class CopyKey(NamedTuple):
    """What a copy is known by: nothing else of a request can change the page."""

    path: str
    lang: str
    light: str


class PlainRequest(NamedTuple):
    """A plain request for one of these pages."""

    key: CopyKey
    zipped: bool
    tags: bytes


class PageCopy(NamedTuple):
    """One page, ready to be sent."""

    tag: bytes
    plain: WholeAnswer
    zipped: WholeAnswer
    same: WholeAnswer


class KeptPages:
    """Answers with copies, and hands on everything else. The other parameters are for tests."""

    def __init__(
        self,
        application: ASGI3Application,
        look: Callable[[], None] = readiness.look,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._app = application
        self._look = look
        self._patience_s = patience_s
        self._looks = ThreadPoolExecutor(1, "practice")
        self._looking: asyncio.Future[None] | None = None
        self._looked_ms = -LOOK_MS
        self._until = 0.0
        self._edition: object = None
        self._number = 0  # of the edition
        self._copies: OrderedDict[CopyKey, PageCopy] = OrderedDict()
        self._making: dict[tuple[CopyKey, int], asyncio.Task[PageCopy | WholeAnswer]] = {}

    @property
    def kept(self) -> int:
        """How many copies there are."""
        return len(self._copies)

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """WholeAnswer one request."""
        page = PAGES.get(scope["path"]) if scope["type"] == "http" else None
        asked = _plain(cast(HTTPScope, scope), page) if page is not None else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        await self._know()
        found = self._copy(asked.key, edition()) or await self._made(asked.key)
        answer = _fitting(found, asked) if isinstance(found, PageCopy) else found
        await hand_on(send, answer, body=cast(HTTPScope, scope)["method"] != "HEAD")

    async def _know(self) -> None:
        """Look at most once a second whether it is only practice. Where that cannot be read soon,
        what is known counts."""
        now, loop = settings.BOOT_MS(), asyncio.get_running_loop()
        if self._looking is None:
            if 0 <= now - self._looked_ms < LOOK_MS:
                return
            self._until = loop.time() + self._patience_s
            self._looking = loop.run_in_executor(self._looks, self._look)
            self._looking.add_done_callback(self._looked)
        if loop.time() < self._until:
            await asyncio.wait([self._looking], timeout=self._until - loop.time())

    def _looked(self, looking: asyncio.Future[None]) -> None:
        self._looking, self._looked_ms = None, settings.BOOT_MS()
        if not looking.cancelled():
            looking.exception()  # said in the log where it was met

    def _copy(self, key: CopyKey, now: object) -> PageCopy | None:
        """The copy, if all that it was made from stands as it was."""
        if now != self._edition:
            self._edition = now
            self._number += 1
            self._copies.clear()
        found = self._copies.get(key)
        if found is not None:
            self._copies.move_to_end(key)
        return found

    async def _made(self, key: CopyKey) -> PageCopy | WholeAnswer:
        """What Django makes of it: once for all who ask at the same time, also if the first of
        them goes away."""
        wanted = (key, self._number)
        making = self._making.get(wanted)
        if making is None:
            making = self._making[wanted] = asyncio.create_task(self._make(*wanted))
            making.add_done_callback(lambda _: self._making.pop(wanted))
        return await asyncio.shield(making)

    async def _make(self, key: CopyKey, number: int) -> PageCopy | WholeAnswer:
        answer = WholeAnswer()
        await self._app(_request_for(key), _nothing(), answer.take)
        if not _may_be_kept(answer):
            return answer
        made = _copy_of(answer)
        if number == self._number and edition() == self._edition:
            self._copies[key] = made
            while len(self._copies) > MOST:
                self._copies.popitem(last=False)
        return made


def edition() -> tuple[object, ...]:
    """All that these pages are made from and that changes while we run: the settings, what is
    proved of this installation, and the host's own files with the signature."""
    here = settings.STILLHERE
    files = [host_file.stamp(path) for path in _paths(here.data)]
    return here, settings.SPOKEN, readiness.proved(), files


@lru_cache(maxsize=4)
def _paths(data: Path) -> tuple[Path, ...]:
    return tuple(data / name for name in _FILES)


# --- what is asked --------------------------------------------------------------------------------


def _plain(scope: HTTPScope, page: SharedPage) -> PlainRequest | None:
    """What is asked for, or nothing where Django has to look at the request itself."""
    if scope["method"] not in ("GET", "HEAD") or (page.query and scope["query_string"]):
        return None
    headers: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in headers and name in (b"host", b"cookie"):
            return None
        headers[name] = value
    if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
        return None
    if not _is_ours(headers.get(b"host", b""), tuple(settings.ALLOWED_HOSTS)):
        return None
    light, sent = "", headers.get(b"cookie", b"")
    if sent and (page.light or page.personal):
        if len(sent) > language.MOST_COOKIES:
            return None
        told = parse_cookie(sent.decode("latin-1"))
        if page.personal and not _KNOWN.isdisjoint(told):
            return None
        light = told.get(cookies.LIGHT, "") if page.light else ""
    return PlainRequest(
        CopyKey(
            scope["path"],
            _language(sent[: language.MOST_COOKIES], headers.get(b"accept-language", b"")),
            light if light in LIGHTS else "",
        ),
        _takes_gzip(headers.get(b"accept-encoding", b"")),
        headers.get(b"if-none-match", b""),
    )


@lru_cache(maxsize=256)
def _language(cookie: bytes, accepted: bytes) -> str:
    return language.of({b"cookie": cookie, b"accept-language": accepted})


@lru_cache(maxsize=128)
def _is_ours(host: bytes, ours: tuple[str, ...]) -> bool:
    """Whether that is a name of ours, as Django judges it."""
    domain, _port = split_domain_port(host.decode("latin-1"))
    return bool(domain) and validate_host(domain, ours)


@lru_cache(maxsize=128)
def _takes_gzip(accepted: bytes) -> bool:
    for each in accepted.lower().split(b","):
        name, _, more = each.partition(b";")
        if name.strip() in (b"gzip", b"*"):
            quality = more.replace(b" ", b"").removeprefix(b"q=")
            return not more or quality.strip(b"0.") != b""
    return False


def _fitting(copy: PageCopy, asked: PlainRequest) -> WholeAnswer:
    """The copy in the form that was asked for; that it is the same where its reader has it."""
    if asked.tags and _has(asked.tags, copy.tag):
        return copy.same
    return copy.zipped if asked.zipped else copy.plain


def _has(tags: bytes, tag: bytes) -> bool:
    return tags.strip() == b"*" or tag in {each.strip() for each in tags[:4096].split(b",")}


# --- what Django is asked, and what is kept of it -------------------------------------------------


def _request_for(key: CopyKey) -> HTTPScope:
    """The request a copy is made from. Nothing of whoever asked first is in it but the key."""
    sent = {settings.LANGUAGE_COOKIE_NAME: key.lang, cookies.LIGHT: key.light}
    cookie = "; ".join(f"{name}={value}" for name, value in sent.items() if value)
    headers = [(b"host", b"localhost"), (b"cookie", cookie.encode())]
    if settings.STILLHERE.https:  # as the proxy in front of us says it of every request
        headers.append((b"x-forwarded-proto", b"https"))
    return cast(
        HTTPScope,
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": key.path,
            "raw_path": key.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": None,
            "server": ("localhost", 80),
        },
    )


def _nothing() -> ASGIReceiveCallable:
    """A request without a body, whose client does not go away."""
    told = False

    async def receive() -> ASGIReceiveEvent:
        nonlocal told
        if told:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
        told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive


def _may_be_kept(answer: WholeAnswer) -> bool:
    names = {name for name, _ in answer.headers}
    plain = answer.status == 200 and not names & {b"set-cookie", b"content-encoding"}
    return plain and len(answer.body) <= LARGEST and _TOKEN not in answer.body


def _copy_of(answer: WholeAnswer) -> PageCopy:
    """Once for all: the headers as Django sent them, and the body also compressed."""
    tag = b'W/"%s"' % hashlib.sha256(answer.body).hexdigest()[:20].encode()
    about = (b"content-type", b"content-length")
    common = [(n, v) for n, v in answer.headers if n not in (*about, b"vary")]
    common += [(b"vary", b"Accept-Language, Cookie, Accept-Encoding"), (b"etag", tag)]
    kind = [(n, v) for n, v in answer.headers if n == b"content-type"]

    def whole(body: bytes, *more: Any) -> WholeAnswer:
        length = (b"content-length", str(len(body)).encode())
        return WholeAnswer(200, [*common, *kind, length, *more], body)

    zipped = gzip.compress(answer.body, 9, mtime=0)
    encoded = (b"content-encoding", b"gzip")
    return PageCopy(tag, whole(answer.body), whole(zipped, encoded), WholeAnswer(304, common, b""))
