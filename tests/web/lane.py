"""One request to the ASGI application and what came back, without a server between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from asgiref.typing import ASGI3Application
from django.core.asgi import get_asgi_application

from stillhere.store.watches.apply import Change, ChangeResult
from stillhere.store.watches.group_commit import WRITER, GroupCommit
from stillhere.web.asgi.check_in import FastLane

FORM = "application/x-www-form-urlencoded"
PAGE = {"Accept": "text/html,*/*", "Content-Type": FORM}


@dataclass
class Answered:
    """What came back; status 0 when nothing did."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def text(self) -> str:
        return self.body.decode()


def lane(writer: GroupCommit[Change, ChangeResult] = WRITER, **more: Any) -> FastLane:
    """The fast lane in front of the real pages."""
    return FastLane(cast(ASGI3Application, get_asgi_application()), writer, **more)


async def ask(
    app: ASGI3Application,
    path: str,
    chunks: Sequence[bytes | None] = (),
    headers: Mapping[str, str] | Sequence[tuple[bytes, bytes]] = (),
    method: str = "POST",
    client: Sequence[Any] | None = ("192.0.2.7", 5000),
    query: str = "",
) -> Answered:
    """Send one request; a chunk of None is a client that goes away."""
    raw = headers.items() if isinstance(headers, Mapping) else ()
    sent = [(name.lower().encode(), value.encode()) for name, value in raw]
    sent += [] if isinstance(headers, Mapping) else list(headers)
    if not any(name == b"host" for name, _ in sent):
        sent.append((b"host", b"localhost"))
    if chunks and not any(name in (b"content-length", b"transfer-encoding") for name, _ in sent):
        sent.append((b"transfer-encoding", b"chunked"))
    waiting, got = list(chunks) or [b""], Answered()

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        chunk = waiting.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            got.status = message["status"]
            got.headers = {k.decode().lower(): v.decode() for k, v in message["headers"]}
        else:
            got.body += message.get("body", b"")

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": sent,
        "client": client,
        "server": ("localhost", 8420),
    }
    await app(scope, receive, send)
    return got


def tap(
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    writer: GroupCommit[Change, ChangeResult] = WRITER,
    **more: Any,
) -> Answered:
    """One check-in. A dict goes as JSON unless the headers say it is a form."""
    given = dict(headers or {})
    chunks: list[bytes | None] = []
    if isinstance(body, bytes):
        chunks = [body]
    elif body is not None:
        given.setdefault("Content-Type", "application/json")
        chunks = [json.dumps(body).encode()]
    return asyncio.run(ask(lane(writer, **more), path, chunks, given))
