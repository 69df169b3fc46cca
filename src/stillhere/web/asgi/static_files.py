"""Static files, answered before Django is asked.

Owns the step from WhiteNoise's table of files (names with hashes, compressed versions, cache
headers) to ASGI. A file is sent at once: they are small, and Django's way through threads costs far
more.
"""

from __future__ import annotations

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from whitenoise.middleware import WhiteNoiseMiddleware

from stillhere.web.asgi.responses import closed

# What WhiteNoise looks at in a request.
_HEADERS = {
    b"accept-encoding": "HTTP_ACCEPT_ENCODING",
    b"if-none-match": "HTTP_IF_NONE_MATCH",
    b"if-modified-since": "HTTP_IF_MODIFIED_SINCE",
    b"range": "HTTP_RANGE",
}


class StaticLane:
    """Answers the addresses of static files, and hands on everything else."""

    def __init__(self, application: ASGI3Application) -> None:
        """Read the table of files once."""
        self.application = application
        self.files = WhiteNoiseMiddleware().files

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        """Answer one request."""
        file = self.files.get(scope["path"]) if scope["type"] == "http" else None
        if file is None or scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        asked = {
            _HEADERS[name]: value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _HEADERS
        }
        answer = file.get_response(scope["method"], asked)
        body = b""
        if answer.file is not None:
            with answer.file:
                body = answer.file.read()
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers]
        headers += closed()
        await send(
            {
                "type": "http.response.start",
                "status": int(answer.status),
                "headers": headers,
                "trailers": False,
            }
        )
        await send({"type": "http.response.body", "body": body, "more_body": False})
