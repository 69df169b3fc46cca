"""A provider may answer anything at all: each answer has its class, within the deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from stillhere.channels.base import Outgoing
from stillhere.channels.demo import Kind, PhonesChannel
from stillhere.channels.http import MAX_RETRY_AFTER_S
from stillhere.core.messages import Fate, Receipt

DEADLINE_S = 0.5
HANG = b""  # from here on: not a word, and no end
MESSAGE = Outgoing(key="w7-r1-c3-1", to="+12025550102", text="This is about Sam.")


def status(line: str, *headers: str, body: str = "") -> bytes:
    head = [f"HTTP/1.1 {line}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


OK = status("202 Accepted", body='{"id": "t-1"}')


async def answered(*answers: Sequence[bytes]) -> list[Receipt]:
    """What one channel makes of one answer after the other, each in pieces."""
    waiting = list(answers)
    over = asyncio.Event()
    talks: set[asyncio.Task[object]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = asyncio.current_task()
        assert mine is not None
        talks.add(mine)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].split()[0]
            await reader.readexactly(int(length))
            for piece in waiting.pop(0):
                if piece == HANG:
                    await over.wait()
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    channel = PhonesChannel(Kind.TEXT, url, "a secret", demo=True, deadline_s=DEADLINE_S)
    try:
        return [await channel.send(MESSAGE) for _ in answers]
    finally:
        over.set()
        await channel.close()
        server.close()
        await asyncio.gather(*talks)


@pytest.mark.parametrize(
    ("pieces", "fate"),
    [
        ([OK], Fate.ACCEPTED),
        ([OK[:20], OK[20:70], OK[70:]], Fate.ACCEPTED),
        # It may have been taken, and nobody told us: sent again with the same key.
        ([HANG], Fate.UNKNOWN),
        ([OK[:30], HANG], Fate.UNKNOWN),
        ([OK[:-4], HANG], Fate.UNKNOWN),
        ([OK[:-4]], Fate.UNKNOWN),
        ([], Fate.UNKNOWN),
        ([b"\x00\xff\xfe garbage\r\n\r\n"], Fate.UNKNOWN),
        ([b"HTTP/1.1 abc\r\n\r\n"], Fate.UNKNOWN),
        ([b"HTTP/1.1 202 Accepted\r\nX: " + b"y" * 200_000 + b"\r\n\r\n"], Fate.UNKNOWN),
        ([b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], Fate.UNKNOWN),
        ([status("202 Accepted", body="<html>good gateway</html>")], Fate.UNKNOWN),
        ([status("202 Accepted", body='{"id": 7}')], Fate.UNKNOWN),
        ([status("202 Accepted", body='{"id": ""}')], Fate.UNKNOWN),
        ([status("202 Accepted", body='["t-1"]')], Fate.UNKNOWN),
        ([status("200 OK", body="[" * 50_000)], Fate.UNKNOWN),
        ([b"HTTP/1.1 200 OK\r\n\r\n", *([b"x" * 65_536] * 20)], Fate.UNKNOWN),
        # Not now, and no word about the number.
        ([status("500 Internal Server Error", body="oh")], Fate.BUSY),
        ([status("502 Bad Gateway", body="<html>")], Fate.BUSY),
        ([status("503 Service Unavailable")], Fate.BUSY),
        ([status("599 Whatever")], Fate.BUSY),
        ([status("429 Too Many Requests")], Fate.BUSY),
        ([status("301 Moved", "Location: http://127.0.0.1:1/")], Fate.BUSY),
        ([status("401 Unauthorized")], Fate.BUSY),
        ([status("418 I'm a teapot")], Fate.BUSY),
        # For ever.
        ([status("404 Not Found", body="no such number")], Fate.FAILED),
        ([status("422 Unprocessable")], Fate.FAILED),
    ],
)
def test_every_answer_has_its_class(pieces: list[bytes], fate: Fate) -> None:
    bad, good = asyncio.run(answered(pieces, [OK]))
    assert bad.fate is fate
    assert good.fate is Fate.ACCEPTED, "and the next message is none the worse for it"
    assert "Sam" not in bad.why
    assert "555" not in bad.why


@pytest.mark.parametrize(
    ("wish", "waits_s"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999", MAX_RETRY_AFTER_S),
        ("-5", None),
        ("1e9", None),
        ("\u0663", None),
        ("soon", None),
        ("Wed, 25 Nov 2026 22:12:00 GMT", None),
    ],
)
@pytest.mark.parametrize("line", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_providers_wish_is_heard_and_never_longer_than_a_minute(
    line: str, wish: str, waits_s: int | None
) -> None:
    answer = status(line, f"Retry-After: {wish}")
    assert asyncio.run(answered([answer]))[0].retry_after_s == waits_s
