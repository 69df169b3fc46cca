"""The web server in one process: the pages, and the lanes in front of them.

Owns how granian is run: embedded, so that no worker can outlive its parent, and without an access
log, because addresses hold keys.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from stillhere.cli import life, mending
from stillhere.cli.check import connections, listening
from stillhere.config import gc_tuning
from stillhere.config.asgi import HUB, LIVE, application
from stillhere.store.watches.group_commit import WRITER

BACKLOG = 4096  # connections the kernel keeps while we are busy
HEADERS_MS = 10_000  # a request whose head trickles in slower than this is nobody's
MOST_HEAD = 32 * 1024  # bytes: each connection may cost us this much


def run() -> None:
    """Serve until SIGTERM or SIGINT, and end this process."""
    stillhere = settings.STILLHERE
    gc_tuning.seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            serve(
                application,
                listening.address(stillhere.host),
                stillhere.port,
                WRITER.turns,
                HUB.leave,
                LIVE.is_waiting,
            )
        )
    # The server's own threads may want Python once more while it is taken apart, and that ends in a
    # crash. Everything that was acknowledged is on the disk, so there is nothing to take apart.
    logging.shutdown()
    os._exit(0)


async def serve(
    application: Any,
    host: str,
    port: int,
    works: Callable[[], bool] = lambda: True,
    leave: Callable[[], Awaitable[None]] | None = None,
    waits: Callable[[connections.Peer], bool] = lambda _: False,
) -> None:
    """Serve until SIGTERM or SIGINT; requests already accepted are answered first. ``works``:
    whether what runs behind the event loop is alive, too. ``leave`` tells pages that wait to come
    back, and ``waits`` is whether one waits on the connection of this peer."""
    places = connections.room()
    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        backpressure=places,  # without it the server takes as many as wait in the kernel, no more
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_MS, max_buffer_size=MOST_HEAD),
        websockets=False,
        log_enabled=False,
        log_access=False,
    )
    loop, ending = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def stop() -> None:
        if not ending:
            ending.add(asyncio.create_task(_end(server, leave)))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    beside = [
        asyncio.create_task(connections.watch(port, places, waits)),
        asyncio.create_task(life.signs(works)),
        asyncio.create_task(mending.rounds()),
    ]
    await server.serve()
    for task in beside:
        task.cancel()


async def _end(server: Any, leave: Callable[[], Awaitable[None]] | None) -> None:
    try:
        if leave is not None:
            await leave()
    finally:
        server.stop()
