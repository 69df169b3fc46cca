"""A load generator: many connections that check in over HTTP, or open pages, as fast as they are
answered.

A process of its own (``python -m benchmarks.load``), because a client inside the server's process
would measure itself. Speaks just enough HTTP/1.1. Prints one JSON line: answered, seconds, and
latencies in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import uvloop


class Visitor(asyncio.Protocol):
    """One connection: sends a request, waits for the whole answer, sends the next."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.sent_at = 0.0
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        if self.crowd.over():
            self.transport.close()
            return
        wait_s = self.crowd.wait_s()
        if wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self.send_now)
        else:
            self.send_now()

    def send_now(self) -> None:
        assert self.transport is not None
        self.sent_at = time.perf_counter()
        self.transport.write(self.crowd.next_request())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.crowd.answered(head[9:12], time.perf_counter() - self.sent_at)
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.left()


class Crowd:
    """All visitors, and what they were answered."""

    def __init__(
        self, requests: Sequence[bytes], seconds: float, visitors: int, rate: float
    ) -> None:
        self.pace_s = 1 / rate if rate else 0.0
        self.next_at = time.perf_counter()
        self.requests = requests
        self.random = random.Random(7)
        self.ends_at = time.perf_counter() + seconds
        self.took: list[float] = []
        self.codes: dict[str, int] = {}
        self.here = visitors
        self.done = asyncio.Event()

    def over(self) -> bool:
        return time.perf_counter() >= self.ends_at

    def wait_s(self) -> float:
        """How long until the next turn, where only so many a second are wanted."""
        if not self.pace_s:
            return 0.0
        now = time.perf_counter()
        self.next_at = max(self.next_at, now - 1.0) + self.pace_s
        return self.next_at - now

    def next_request(self) -> bytes:
        return self.random.choice(self.requests)

    def answered(self, code: bytes, took_s: float) -> None:
        self.took.append(took_s)
        self.codes[code.decode()] = self.codes.get(code.decode(), 0) + 1

    def left(self) -> None:
        self.here -= 1
        if self.here == 0:
            self.done.set()


def check_ins(keys: Sequence[str], host: str) -> list[bytes]:
    """A check-in with each of these keys."""
    return [
        f"POST /k/{key} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n"
        "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
        for key in keys
    ]


def pages(lines: Sequence[str], host: str) -> list[bytes]:
    """A page for each line: its address and, after a space, the cookies of whoever opens it. The
    other headers are those of a phone."""
    found = []
    for line in lines:
        path, _, cookie = line.partition(" ")
        sent = f"Cookie: {cookie}\r\n" if cookie else ""
        found.append(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{sent}User-Agent: Mozilla/5.0 (Linux)\r\n"
            "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
            "Accept-Language: en-US,en;q=0.9,es;q=0.7\r\nAccept-Encoding: gzip, deflate, br\r\n"
            "Sec-Fetch-Mode: navigate\r\n\r\n".encode()
        )
    return found


async def visit(
    requests: Sequence[bytes], host: str, port: int, seconds: float, visitors: int, rate: float
) -> dict[str, object]:
    crowd = Crowd(requests, seconds, visitors, rate)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    for _ in range(visitors):
        await loop.create_connection(lambda: Visitor(crowd), host, port)
    await asyncio.wait_for(crowd.done.wait(), seconds + 30)
    took = sorted(crowd.took)
    at = {f"p{q}_ms": round(took[int(len(took) * q / 100)] * 1000, 1) for q in (50, 99)}
    lasted = time.perf_counter() - began
    kept = crowd.codes.get("200", 0)
    return {"answered": kept, "other": len(took) - kept, "seconds": lasted, **at}


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("--keys", help="a file of keys, to check in with")
    args.add_argument("--pages", help="a file of addresses, to open instead")
    args.add_argument("--port", type=int, required=True)
    args.add_argument("--seconds", type=float, default=10)
    args.add_argument("--visitors", type=int, default=256)
    args.add_argument("--rate", type=float, default=0, help="a second in all; 0: no limit")
    given = args.parse_args()
    host = f"127.0.0.1:{given.port}"
    requests = (
        pages(Path(given.pages).read_text().splitlines(), host)
        if given.pages
        else check_ins(Path(given.keys).read_text().split(), host)
    )
    shape = (given.seconds, given.visitors, given.rate)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        said = runner.run(visit(requests, "127.0.0.1", given.port, *shape))
    print(json.dumps(said))


if __name__ == "__main__":
    main()
