"""Django behind ASGI, with its middleware and the view in one turn of the page's thread.

Django's own handler goes to that thread and back for every middleware, about twenty times a page;
each time the event loop, and every check-in in it, waits for the interpreter's lock. Nothing of
ours waits inside a page without a thread, so there is nothing to go back for.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PageHandler(ASGIHandler):
    """All of a page in one turn."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Everything as for a server without an event loop."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Middleware, view and the line in the log."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
