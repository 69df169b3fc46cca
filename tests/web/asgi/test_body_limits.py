"""The door to the pages: what is too long or too slow is refused, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from stillhere.web.asgi import body_limits
from stillhere.web.asgi.body_limits import PAGE, Door

END: dict[str, Any] = {"type": "http.disconnect"}


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Reads everything, and says how much it was."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body", False):
            break
    after = await receive()
    await send({"type": "http.response.start", "status": 200, "size": size, "after": after})
    await send({"type": "http.response.body", "body": b""})


def answered(
    parts: Sequence[bytes], *, announced: bytes = b"", read_s: float = 5.0, rest: str = "over"
) -> Mapping[str, Any]:
    """What a request of these parts is answered with."""

    async def ask() -> Mapping[str, Any]:
        said: list[Mapping[str, Any]] = []
        waiting = list(parts)

        async def receive() -> Any:
            if waiting:
                more = len(waiting) > 1 or rest == "never"
                return {"type": "http.request", "body": waiting.pop(0), "more_body": more}
            if rest == "never":
                await asyncio.Event().wait()
            return END

        async def send(message: Any) -> None:
            said.append(message)

        headers = [(b"content-length", announced)] if announced else []
        door = Door(page, most=10, read_s=read_s)
        scope: Any = {"type": "http", "headers": headers}
        await door(scope, receive, send)
        return said[0]

    return asyncio.run(ask())


def test_what_fits_goes_through_and_so_does_what_comes_after_it() -> None:
    answer = answered([b"12345", b"67890"], announced=b"10")
    assert (answer["status"], answer["size"], answer["after"]) == (200, 10, END)


@pytest.mark.parametrize("announced", [b"11", b"1073741824", b"9" * 40])
def test_what_is_announced_as_too_long_is_not_even_read(announced: bytes) -> None:
    assert answered([], announced=announced, rest="never")["status"] == 413


def test_what_grows_too_long_is_refused_where_it_does() -> None:
    assert answered([b"123456"] * 2, rest="never")["status"] == 413


def test_what_trickles_is_refused_in_the_end() -> None:
    assert answered([b"1"], rest="never", read_s=0.01)["status"] == 408


def test_what_is_too_long_is_told_so() -> None:
    start = answered([b"x" * 2_000_000])
    length = dict(start["headers"])[b"content-length"]
    assert int(length) > 100, "a sentence in two languages, not an empty page"


@pytest.mark.parametrize("announced", [b"-1", b"ten", b"\xb2"])
def test_a_length_that_is_no_number_promises_nothing(announced: bytes) -> None:
    assert answered([b"123"], announced=announced)["status"] == 200


def test_django_and_the_door_know_the_same_limit() -> None:
    assert PAGE.most == settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def test_no_limit_of_a_body_is_spelt_elsewhere() -> None:
    source = Path(body_limits.__file__).parent
    spelt = {path.name for path in source.glob("*.py") if "* 1024" in path.read_text()}
    assert spelt == {"body_limits.py"}
