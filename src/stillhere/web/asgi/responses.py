"""One whole answer to one request, where Django is not asked. Owns no word of it."""

from __future__ import annotations

from collections.abc import Iterable

from asgiref.typing import ASGISendCallable


async def respond(
    send: ASGISendCallable, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> None:
    """Say it all, and how long it is."""
    length = (b"content-length", str(len(body)).encode())
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, length],
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
