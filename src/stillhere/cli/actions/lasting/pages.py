"""The pages in a process of their own, behind the web server on a unix socket.

Owns that check-ins go first: this process has a lower priority, and no address that others reach.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import cast

import uvloop
from asgiref.typing import ASGI3Application
from django.conf import settings
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from stillhere.cli import life, mending
from stillhere.config import gc_tuning
from stillhere.programs import short_name
from stillhere.store.db.timeouts import be_impatient
from stillhere.store.watches.group_commit import WRITER
from stillhere.web.asgi import page_process
from stillhere.web.asgi.page_handler import PageHandler

LOWER = 5  # a third of a processor where check-ins want all of it
OURS_ALONE = 0o600


def run() -> None:
    """Serve until SIGTERM or SIGINT, and end this process."""
    gc_tuning.seldom()
    be_impatient()
    os.nice(LOWER)
    WRITER.proves = False  # the web server's does
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings.STILLHERE.data))
    logging.shutdown()
    os._exit(0)  # as the web server: nothing is left to take apart


async def serve(folder: Path) -> None:
    """Serve on the socket of ``folder`` until SIGTERM or SIGINT; what was asked is answered."""
    with short_name(folder) as named:
        server = server_at(folder, named, cast(ASGI3Application, PageHandler()))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        beside = [
            asyncio.create_task(life.signs(WRITER.turns)),
            asyncio.create_task(mending.rounds()),
        ]
        await server.serve()
        for task in beside:
            task.cancel()


def server_at(folder: Path, named: str, app: ASGI3Application) -> Server:
    """A server for ``app`` on the socket of ``folder``, which is also ``named`` so, for our own
    user alone."""
    (folder / page_process.FILE).unlink(missing_ok=True)
    server = Server(
        page_process.PageServer(app),
        uds=folder / page_process.FILE,
        interface=Interfaces.ASGINL,
        backpressure=4 * page_process.MOST,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
        log_access=False,
    )
    server.bind_uds = Path(named) / page_process.FILE  # it would write the name out
    server.uds_permissions = OURS_ALONE
    return server
