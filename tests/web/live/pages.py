"""A page that waits, without a server between: what it was told so far."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asgiref.typing import ASGI3Application

WAITED_S = 5.0  # real time: a hub answers in milliseconds


@dataclass
class Page:
    """One stream; ``said`` are its events in order, as (event, data)."""

    said: list[tuple[str, str]] = field(default_factory=list)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    over: bool = False
    takes: asyncio.Event = field(default_factory=asyncio.Event)  # cleared: it reads nothing
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    @property
    def states(self) -> list[dict[str, Any]]:
        return [json.loads(data) for event, data in self.said if event == "message"]

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.said]

    def open(self, app: ASGI3Application, path: str, port: int = 5000, **headers: str) -> None:
        """Ask for the stream; it goes on beside the test."""
        self.takes.set()
        sent = {"accept": "text/event-stream", "host": "localhost"} | headers
        scope: Any = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("192.0.2.7", str(port)),  # as the server says it
        }
        self._task = asyncio.create_task(self._run(app, scope))

    async def _run(self, app: ASGI3Application, scope: Any) -> None:
        asked = False

        async def receive() -> Any:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._left.wait()
            return {"type": "http.disconnect"}

        await app(scope, receive, self._send)
        self.over = True
        self._news.set()

    async def _send(self, message: Any) -> None:
        await self.takes.wait()
        self._news.set()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            return
        for block in message["body"].decode().split("\n\n"):
            lines = dict(line.split(":", 1) for line in block.splitlines() if line[:1] != ":")
            if "data" in lines:
                event = lines.get("event", "message").strip()
                self.said.append((event, lines["data"].strip()))

    def leave(self) -> None:
        """The phone goes away."""
        self._left.set()

    async def until(self, true: Callable[[Page], object]) -> None:
        """Wait for it, or fail with what was said."""
        async with asyncio.timeout(WAITED_S):
            while not true(self):
                self._news.clear()
                await self._news.wait()
