"""`stillhere web`: the web server, in one process.

Owns how granian is run: embedded, so that no worker can outlive its parent, and without an access
log, because addresses hold keys.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import django
import uvloop
from django.conf import settings
from django.contrib.staticfiles.management.commands import collectstatic
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.storage import storages
from django.core.management import call_command
from django.utils.module_loading import import_string
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from stillhere.cli import data_lock, life
from stillhere.cli.check import connections, damage, listening
from stillhere.config import gc_tuning, keys

BACKLOG = 4096  # connections the kernel keeps while we are busy
HEADERS_MS = 10_000  # a request whose head trickles in slower than this is nobody's
STAMP = ".made-from"
MOST_HEAD = 32 * 1024  # bytes: each connection may cost us this much


@click.command()
def command() -> None:
    """Run only the web server."""
    django.setup()
    listening.require(settings.STILLHERE)
    if settings.STILLHERE.database_url:  # loads its driver
        import_string("stillhere.cli.database.refuse_wrong")(settings.STILLHERE)
    import_string("stillhere.cli.check.key_fit.require_usable")(settings.STILLHERE)
    settings.DAMAGED = damage.look(settings.STILLHERE, damage.START_MS).damaged
    collect_static(Path(settings.STATICFILES_DIRS[0]), Path(settings.STATIC_ROOT))
    application = import_string("stillhere.config.asgi.application")
    writer = import_string("stillhere.store.watches.group_commit.WRITER")
    stillhere = settings.STILLHERE
    gc_tuning.seldom()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(
            serve(application, listening.address(stillhere.host), stillhere.port, writer.turns)
        )
    # The server's own threads may want Python once more while it is taken apart, and that ends in a
    # crash. Everything that was acknowledged is on the disk, so there is nothing to take apart.
    logging.shutdown()
    os._exit(0)


def collect_static(source: Path, target: Path) -> None:
    """Name, hash and compress the static files, once for each state they are in.

    Made aside and put in place whole: whoever is killed in the middle leaves nothing half, and of
    two web servers on a fresh folder one makes them and the other waits.
    """
    if _made_from(target) == _state_of(source):
        return
    with data_lock.turn(target.with_name(target.name + ".lock")):
        state = _state_of(source)
        if _made_from(target) == state:
            return
        fresh, old = (target.with_name(f"{target.name}.{name}") for name in ("new", "old"))
        for left_behind in (fresh, old):
            shutil.rmtree(left_behind, ignore_errors=True)
        making = collectstatic.Command()
        making.storage = _storage_at(fresh)
        call_command(making, interactive=False, verbosity=0)
        (fresh / STAMP).write_text(state)
        for path in (fresh, *sorted(fresh.rglob("*"))):  # a folder before what lies in it
            keys.own(path)
        os.sync()  # or after a power cut the names are there and the files are empty
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _storage_at(place: Path) -> StaticFilesStorage:
    """The configured storage, at another place."""
    made = storages.create_storage(
        {**settings.STORAGES["staticfiles"], "OPTIONS": {"location": str(place)}}
    )
    assert isinstance(made, StaticFilesStorage)
    return made


def _made_from(target: Path) -> str:
    """The state of the files that these were made from; nothing where there are none."""
    try:
        return (target / STAMP).read_text()
    except OSError:
        return ""


def _state_of(source: Path) -> str:
    digest = hashlib.sha256(django.__version__.encode())
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        facts = path.stat()
        digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


async def serve(
    application: Any, host: str, port: int, works: Callable[[], bool] = lambda: True
) -> None:
    """Serve until SIGTERM or SIGINT; what was accepted is answered first. ``works``: whether what
    stands behind the event loop goes round, too."""
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
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    beside = [
        asyncio.create_task(connections.watch(port, places)),
        asyncio.create_task(life.signs(works)),
    ]
    await server.serve()
    for task in beside:
        task.cancel()
