"""One HTTP client for every provider that is spoken to by JSON.

Owns the connection pool, the deadline and the one distinction that matters afterwards: a request
that never left (``NotSentError``) and one whose answer never came (``NoAnswerError``). Follows no
redirect, keeps no cookie, reads no proxy from the environment, and reads at most
``MAX_REPLY_BYTES`` of an answer, unless told otherwise. Gives no meaning to a status: that is each
channel's own.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from stillhere.channels.network_policy import is_public

MAX_REPLY_BYTES = 64 * 1024
MAX_RETRY_AFTER_S = 60
IDLE_S = 2.0  # see the class
_JSON = {"Content-Type": "application/json"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class NotSentError(Exception):
    """No connection in time, or none to be had: the provider knows nothing of this request."""


class NoAnswerError(Exception):
    """The request was on its way when the time ran out or the connection broke."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What a provider answered. ``retry_after_s`` is its wish, never more than a minute."""

    status: int
    body: bytes
    retry_after_s: int | None

    def json_object(self) -> dict[str, object] | None:
        """The body as a JSON object, or ``None`` when it is anything else."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class _PublicOnly(ThreadedResolver):
    """Names, looked up as always, without what lies inside a private network."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        public = [each for each in found if is_public(each["host"])]
        if not public:
            raise OSError("private address")
        return public


class HttpClient:
    """One pool of connections, opened at the first request, for one event loop.

    Requests take idle connections in turn, so that a steady trickle would keep all that a burst
    has opened: they are closed soon, and about as many stay as there are requests in ``IDLE_S``.
    """

    def __init__(self, *, connections: int = 64, public_only: bool = False) -> None:
        """``public_only``: names lead to addresses of the internet alone, looked at for each
        connection. An address written as numbers is the caller's to check."""
        self._connections = connections
        self._public_only = public_only
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def post_json(
        self,
        url: str,
        payload: Mapping[str, object],
        *,
        headers: Mapping[str, str],
        deadline_s: float,
    ) -> HttpReply:
        """POST the payload as JSON. A lone surrogate in a name becomes ``?``."""
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
        return await self.send(
            "POST", url, body, headers={**_JSON, **headers}, deadline_s=deadline_s
        )

    async def post_form(
        self,
        url: str,
        fields: Sequence[tuple[str, str]],
        *,
        headers: Mapping[str, str],
        deadline_s: float,
    ) -> HttpReply:
        """POST the fields as a form; a name may come more than once."""
        body = urlencode(fields, errors="replace").encode("ascii")
        return await self.send(
            "POST", url, body, headers={**_FORM, **headers}, deadline_s=deadline_s
        )

    async def send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        *,
        headers: Mapping[str, str],
        deadline_s: float,
        most_bytes: int = MAX_REPLY_BYTES,
    ) -> HttpReply:
        """One request. Raises ``NotSentError`` or ``NoAnswerError``; any status is a reply."""
        # A wait for a free connection counts as connecting: nothing has left by then.
        limits = aiohttp.ClientTimeout(total=deadline_s, connect=deadline_s * 0.9)
        try:
            async with self._open().request(
                method, url, data=body, headers=headers, timeout=limits, allow_redirects=False
            ) as response:
                wish = response.headers.get("Retry-After", "")
                body = await _bounded(response.content, most_bytes)
                return HttpReply(response.status, body, _seconds(wish))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSentError(type(error).__name__) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoAnswerError(type(error).__name__) from error

    async def close(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise NotSentError("client closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections,
                    keepalive_timeout=IDLE_S,
                    resolver=_PublicOnly() if self._public_only else None,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


async def _bounded(content: aiohttp.StreamReader, most_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > most_bytes:
            break
    return bytes(body[:most_bytes])


def _seconds(retry_after: str) -> int | None:
    """Only the form in seconds: the other one is a date, and nothing here reads a clock."""
    if not retry_after.isascii() or not retry_after.isdigit():
        return None
    return min(int(retry_after[:9]), MAX_RETRY_AFTER_S)
