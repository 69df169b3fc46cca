"""One whole answer to one request, where Django is not asked.

Owns what stands on every one of them, so that no lane can forget it: nobody keeps it, frames it or
guesses what it is, and a browser that reached us over https comes no other way. Owns no word of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from asgiref.typing import ASGISendCallable, ASGISendEvent
from django.conf import settings

from stillhere.web.site.headers import FORBIDS

_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_NEVER_KEPT = (b"cache-control", b"no-store")


@dataclass(slots=True)
class WholeAnswer:
    """An answer as a page made it: ``take`` is its ``send``."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: ASGISendEvent) -> None:
        """Hear one part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [(name.lower(), value) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            self.body += message["body"]


@cache
def closed() -> tuple[tuple[bytes, bytes], ...]:
    """What every answer forbids a browser; the settings are read at the first one."""
    hsts_s = settings.SECURE_HSTS_SECONDS
    headers = {
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Content-Security-Policy": _CSP,
        **FORBIDS,
        **({"Strict-Transport-Security": f"max-age={hsts_s}"} if hsts_s else {}),
    }
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


async def respond(
    send: ASGISendCallable, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> None:
    """Say it all, and how long it is."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, length, _NEVER_KEPT, *closed()],
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def hand_on(send: ASGISendCallable, answer: WholeAnswer, *, body: bool = True) -> None:
    """Send what a page made, with the headers that it gave; HEAD gets no ``body``."""
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": answer.headers,
            "trailers": False,
        }
    )
    sent = answer.body if body else b""
    await send({"type": "http.response.body", "body": sent, "more_body": False})
