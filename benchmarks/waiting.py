"""Pages that wait in thousands, told over a connection each: a process of its own, which counts.

``python -m benchmarks.waiting``. Holds one connection for each line of a file (address, a space,
cookies, a space, whose), and prints when each of them heard something other than a beat, as JSON
lines ``[whose, ms]`` in a file of their own; on standard output how many are connected, then, when
its standard input ends, how many were hung up on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast

import uvloop

AT_ONCE = 200


class WaitingConnection(asyncio.Protocol):
    """One page: asks once and hears."""

    def __init__(self, request: bytes, whose: str, heard: list[tuple[str, float]]) -> None:
        self._request = request
        self._whose = whose
        self._heard = heard
        self.first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.lost = False
        self.bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if b"data: {" in data:
            if not self.first.done():
                self.first.set_result(True)
            else:
                self._heard.append((self._whose, time.time() * 1000))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self.first.done():
            self.first.set_result(False)


async def wait(lines: list[str], host: str, port: int, heard: list[tuple[str, float]]) -> None:
    """Until standard input ends."""
    pages: list[WaitingConnection] = []
    loop = asyncio.get_running_loop()
    for start in range(0, len(lines), AT_ONCE):
        some = []
        for line in lines[start : start + AT_ONCE]:
            path, cookie, whose = line.split(" ")
            request = (
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n"
                f"Cookie: {cookie}\r\n\r\n"
            ).encode()
            page = WaitingConnection(request, whose, heard)
            await loop.create_connection(lambda page=page: page, "127.0.0.1", port)  # type: ignore[misc]
            some.append(page)
        await asyncio.gather(*(page.first for page in some))
        pages += some
    print(json.dumps({"connected": sum(page.first.result() for page in pages)}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps({"lost": sum(page.lost for page in pages)}), flush=True)


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("--pages", required=True)
    args.add_argument("--port", type=int, required=True)
    args.add_argument("--out", required=True)
    given = args.parse_args()
    lines = Path(given.pages).read_text().splitlines()
    heard: list[tuple[str, float]] = []
    host = f"127.0.0.1:{given.port}"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(wait(lines, host, given.port, heard))
    Path(given.out).write_text("\n".join(json.dumps(each) for each in heard))


if __name__ == "__main__":
    main()
