"""Django answers the same through our handler as through its own, in one turn of its thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import pytest
from asgiref.typing import ASGI3Application
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse
from pytest_django.fixtures import Settings

from stillhere.web.asgi.page_handler import PageHandler
from tests.web.lane import ask

VARIES = ("set-cookie", "content-length")  # a token of its own each time


class Noting:
    """A middleware that notes on which threads it ran."""

    threads: list[int] = []  # noqa: RUF012

    def __init__(self, get_response: Any) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.threads.append(threading.get_ident())
        response: HttpResponse = self._get_response(request)
        return response


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/help-now", "GET"), ("/", "GET"), ("/", "HEAD"), ("/nothing", "GET"), ("/pin", "POST"),
        ("/help-now", "POST"), ("/c/nothing", "GET"), ("/watch", "GET"),
    ],
)  # fmt: skip
def test_every_answer_is_django_s(database: None, path: str, method: str) -> None:
    theirs, ours = (
        asyncio.run(ask(cast(ASGI3Application, handler), path, method=method))
        for handler in (ASGIHandler(), PageHandler())
    )
    assert ours.status == theirs.status
    kept = [{k: v for k, v in a.headers.items() if k not in VARIES} for a in (ours, theirs)]
    assert kept[0] == kept[1]
    assert ours.headers.keys() == theirs.headers.keys()
    if "set-cookie" not in ours.headers:
        assert ours.body == theirs.body


def test_all_of_a_page_is_made_on_one_thread_beside_the_loop(settings: Settings) -> None:
    name = f"{__name__}.{Noting.__name__}"
    settings.MIDDLEWARE = [name, *settings.MIDDLEWARE, name]
    Noting.threads.clear()
    handler = PageHandler()
    assert not asyncio.iscoroutinefunction(getattr(handler, "_middleware_chain"))  # noqa: B009
    asyncio.run(ask(cast(ASGI3Application, handler), "/steps", method="GET"))
    assert len(Noting.threads) == 2
    assert len({*Noting.threads}) == 1
    assert threading.get_ident() not in Noting.threads
