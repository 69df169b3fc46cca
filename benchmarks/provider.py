"""A loopback provider that does nothing but take messages: ``python -m benchmarks.provider PORT``.

Speaks the demo phones' protocol (POST /v1/texts, /v1/calls -> 202 with an id) as cheaply as it can,
because it shares the machine with what is measured. ``--latency-ms`` makes it slow. GET /log gives
one line a message: when it came (ms UTC), its key, its path.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import cast

import uvloop


class Line(asyncio.Protocol):
    """One kept connection: one answer a request."""

    log: list[str] = []  # noqa: RUF012  one for all
    latency_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            lower = head.lower()
            length = int(_field(lower, b"content-length:") or 0)
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.answer(head, lower)

    def answer(self, head: bytes, lower: bytes) -> None:
        method, path, _ = head.split(b"\r\n", 1)[0].split(b" ")
        if method == b"GET":
            lines = "\n".join(self.log).encode()
            self.write(b"200 OK", lines)
            return
        key = _field(head, b"Idempotency-Key:") or _field(lower, b"idempotency-key:")
        self.log.append(f"{time.time_ns() // 1_000_000} {key.decode()} {path.decode()}")
        body = b'{"id": "b-%d"}' % len(self.log)
        if self.latency_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self.latency_s, self.write, b"202 Accepted", body)
        else:
            self.write(b"202 Accepted", body)

    def write(self, status: bytes, body: bytes) -> None:
        if not self.transport.is_closing():
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            self.transport.write(head % (status, len(body)) + body)


def _field(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    return head[at + len(name) :].split(b"\r\n", 1)[0].strip() if at >= 0 else b""


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Line, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("port", type=int)
    args.add_argument("--latency-ms", type=float, default=0)
    given = args.parse_args()
    Line.latency_s = given.latency_ms / 1000
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(given.port))


if __name__ == "__main__":
    main()
