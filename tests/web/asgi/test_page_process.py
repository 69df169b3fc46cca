"""What crosses from the web server to the process that makes the pages, and what never does."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import pytest
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

from stillhere.cli.actions.lasting.pages import server_at
from stillhere.programs import short_name
from stillhere.store.watches.group_commit import WRITER
from stillhere.web.asgi import page_process
from stillhere.web.asgi.page_handler import PageHandler
from stillhere.web.asgi.page_process import PagesBeside
from stillhere.web.asgi.responses import respond
from tests.web.lane import PAGE, Answered, ask

VARIES = ("set-cookie", "content-length", "x-request")
Story = Callable[[PagesBeside], Awaitable[Answered]]


async def listening(path: str) -> None:
    """Wait until somebody listens there."""
    while True:
        with suppress(OSError):
            _reader, writer = await asyncio.open_unix_connection(path)
            writer.close()
            return
        await asyncio.sleep(0.01)


@asynccontextmanager
async def served(folder: Path, app: ASGI3Application) -> AsyncIterator[None]:
    """``app`` in the place of the pages' process, behind its real server."""
    with short_name(folder) as named:
        server = server_at(folder, named, app)
        serving = asyncio.create_task(server.serve())
        try:
            await listening(f"{named}/{page_process.FILE}")
            yield
        finally:
            server.stop()  # type: ignore[no-untyped-call]  # the library has no types
            await serving


@asynccontextmanager
async def hop(folder: Path, **more: Any) -> AsyncIterator[ASGI3Application]:
    """The web server's end."""
    beside = PagesBeside(folder, cast(ASGI3Application, itself), **more)
    try:
        yield beside
    finally:
        await beside.close()


async def itself(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """The web server's own pages, which say the body they were asked with."""
    message = await receive()
    assert message["type"] == "http.request"
    await respond(send, 200, [(b"made", b"here")], message["body"])


async def mirror(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Says what it was asked, as it came."""
    assert scope["type"] == "http"
    body = b""
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        body += message["body"]
        if not message["more_body"]:
            break
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "client": scope["client"] and scope["client"][0],
        "headers": [(name.decode(), value.hex()) for name, value in scope["headers"]],
        "body": body.decode(),
    }
    headers = [
        (b"content-type", b"application/json"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    await send(
        {"type": "http.response.start", "status": 200, "headers": headers, "trailers": False}
    )
    await send(
        {"type": "http.response.body", "body": json.dumps(told).encode(), "more_body": False}
    )


def crossed(folder: Path, path: str, **asked: Any) -> dict[str, Any]:
    """What arrives at the other end of one request."""

    async def story() -> Answered:
        async with served(folder, cast(ASGI3Application, mirror)), hop(folder) as beside:
            return await ask(beside, path, **asked)

    found = asyncio.run(story()).json
    found["headers"] = [(name, bytes.fromhex(value)) for name, value in found["headers"]]
    return found


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/help-now", "GET"), ("/", "GET"), ("/", "HEAD"), ("/nothing", "GET"), ("/pin", "POST"),
        ("/help-now", "POST"), ("/c/nothing", "GET"), ("/watch", "GET"), ("//elsewhere/", "GET"),
    ],
)  # fmt: skip
def test_every_answer_is_the_same_as_without_the_hop(
    database: None, tmp_path: Path, path: str, method: str
) -> None:
    pages = cast(ASGI3Application, PageHandler())

    async def both() -> tuple[Answered, Answered]:
        async with served(tmp_path, pages), hop(tmp_path) as beside:
            one = await ask(beside, path, method=method)
            return one, await ask(pages, path, method=method)

    beside, within = asyncio.run(both())
    assert beside.status == within.status
    kept = [{k: v for k, v in a.headers.items() if k not in VARIES} for a in (beside, within)]
    assert kept[0] == kept[1]
    assert beside.headers.keys() == within.headers.keys()
    if "set-cookie" not in within.headers:
        assert beside.body == within.body


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/a", ""), ("/a", "b=%2F&c=%20+d"), ("//elsewhere/x", "y"), ("/a;b=c/@d:80", ""),
        ("/..%2f../x", ""), ("/%E2%9C%93", "%E2%9C%93"), ("/a%0d%0ax", ""), ("/#no-fragment", ""),
    ],
)  # fmt: skip
def test_an_address_arrives_as_it_came(tmp_path: Path, path: str, query: str) -> None:
    raw = path.replace("#", "%23")
    found = crossed(tmp_path, raw, method="GET", query=query)
    assert (found["path"], found["query"]) == (unquote(raw), query)


def test_the_client_is_who_the_web_server_saw(tmp_path: Path) -> None:
    """Whoever sends our own lines does not become somebody else."""
    forged = [
        (b"x-stillhere-peer", b"203.0.113.9"), (b"x-stillhere-wrote", b"99999999999999"),
        (b"x-forwarded-for", b"198.51.100.4"), (b"x-forwarded-proto", b"https"),
    ]  # fmt: skip
    before = WRITER.wrote_ms
    found = crossed(tmp_path, "/a", headers=forged, client=("192.0.2.7", 5000))
    assert found["client"] == "192.0.2.7"
    named = dict(found["headers"])
    assert named["x-forwarded-for"] == b"198.51.100.4", "what proxies say is judged by rule, there"
    assert named["x-forwarded-proto"] == b"https"
    assert not {name for name in named if name.startswith("x-stillhere")}
    assert WRITER.wrote_ms == before
    assert crossed(tmp_path, "/a", client=None)["client"] is None


def test_a_body_and_its_cookies_arrive_whole(tmp_path: Path) -> None:
    sent = [
        (b"cookie", "k=v; n=Łucja".encode()), (b"transfer-encoding", b"chunked"),
        (b"content-type", b"text/plain"), (b"connection", b"close, x-a"),
        (b"expect", b"100-continue"),
    ]  # fmt: skip
    found = crossed(tmp_path, "/a", chunks=["Łu".encode(), b"cja"], headers=sent)
    assert (found["method"], found["body"]) == ("POST", "Łucja")
    named = dict(found["headers"])
    assert named["cookie"] == "k=v; n=Łucja".encode()
    assert named["content-type"] == b"text/plain"
    assert not {"transfer-encoding", "expect", "connection"} & named.keys()


def test_when_the_web_server_last_wrote_is_known_to_the_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WRITER, "wrote_ms", None)

    async def story() -> Answered:
        pages = served(tmp_path, cast(ASGI3Application, mirror))
        async with pages, hop(tmp_path, wrote_ms=lambda: 4711) as beside:
            return await ask(beside, "/a")

    assert asyncio.run(story()).status == 200
    assert WRITER.wrote_ms == 4711


def cut_off(folder: Path, method: str) -> tuple[Answered, int]:
    """A process that dies in the middle of whatever it is asked; how often it was asked."""
    asked = 0

    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.readuntil(b"\r\n\r\n")
        asked += 1
        writer.close()

    async def story() -> Answered:
        with short_name(folder) as named:
            server = await asyncio.start_unix_server(dies, f"{named}/{page_process.FILE}")
            async with server, hop(folder) as beside:
                return await ask(beside, "/c/a-key", [b"do=going"], PAGE, method=method)

    return asyncio.run(story()), asked


def test_a_press_crosses_once_and_whoever_pressed_hears_that_it_is_not_known(
    database: None, tmp_path: Path
) -> None:
    answer, asked = cut_off(tmp_path, "POST")
    assert (answer.status, asked) == (503, 1)
    assert answer.headers["retry-after"]
    assert "made" not in answer.headers
    assert "911" in answer.text


def test_a_page_that_was_not_answered_is_made_here(database: None, tmp_path: Path) -> None:
    answer, asked = cut_off(tmp_path, "GET")
    assert (answer.status, answer.headers["made"]) == (200, "here")
    assert asked > 0


@pytest.mark.parametrize("left_behind", [False, True])
def test_while_the_process_is_away_pages_and_presses_are_taken_here(
    tmp_path: Path, left_behind: bool
) -> None:
    """At a start there is no socket, and after a SIGKILL one that nobody listens to."""
    if left_behind:
        with socket.socket(socket.AF_UNIX) as dead, short_name(tmp_path) as named:
            dead.bind(f"{named}/{page_process.FILE}")

    async def story() -> Answered:
        async with hop(tmp_path) as beside:
            return await ask(beside, "/c/a-key", [b"do=", b"going"], PAGE)

    answer = asyncio.run(story())
    assert (answer.status, answer.headers["made"], answer.text) == (200, "here", "do=going")


def test_the_socket_is_for_nobody_else(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 6)
    deep.mkdir(parents=True)

    async def story() -> int:
        async with served(deep, cast(ASGI3Application, mirror)), hop(deep) as beside:
            assert (await ask(beside, "/a")).status == 200
            return (deep / page_process.FILE).stat().st_mode & 0o777

    assert asyncio.run(story()) == 0o600
