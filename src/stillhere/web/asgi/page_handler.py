"""Django behind ASGI, with everything of a page in one turn of the page's thread.

Django's own handler goes to that thread and back for every middleware and signal, about twenty
times a page; each time the event loop, and every check-in in it, waits for the interpreter's lock.
Nothing of ours waits inside a page without a thread, so there is nothing to go back for. Nor is a
page given up because its reader went away: it takes milliseconds, and a press is carried out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix


class PageHandler(ASGIHandler):
    """All of a page in one turn."""

    def load_middleware(self, is_async: bool = False) -> None:
        """Everything as for a server without an event loop."""
        super().load_middleware(is_async=False)

    async def handle(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Answer one request, which has been heard by then."""
        try:
            body: IO[bytes] = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            response = await sync_to_async(self._response)(scope, body)
            await self.send_response(response, send)
            if response.streaming:
                await sync_to_async(response.close)()

    def _response(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """Signals, middleware, view and the line in the log; done with, unless it is sent in
        parts."""
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, refused = self.create_request(scope, body)
        response: Any = refused if request is None else self.get_response(request)
        response._handler_class = self.__class__
        if not response.streaming:
            response.close()
        return response  # type: ignore[no-any-return]
