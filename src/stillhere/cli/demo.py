"""`stillhere demo`: the product in one minute, on drawn phones, ten times as fast.

Owns a throw-away installation: a folder that is gone afterwards, a database of its own, a provider
of texts and calls that is a page on this machine. None of a real installation's settings reach it,
so nothing can leave: no mail, no page to a coordinator, no heartbeat.
"""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import click
from django.conf import settings

from stillhere.cli import folder, supervise, up
from stillhere.cli.migrate import prepare
from stillhere.config import environment, keys
from stillhere.config.environment import Stillhere
from stillhere.config.wiring import derived_secret

RATE = 10.0
RING_S = 4.0  # how long a drawn phone rings: forty seconds at this rate
KEPT_SETTINGS = ("STILLHERE_PORT", "STILLHERE_LOG")


@click.command()
def command() -> None:
    """Show the whole story on phones drawn on a page; nobody real is called."""
    data = Path(tempfile.mkdtemp(prefix="stillhere-demo-"))
    try:
        _run(_settings(data))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _settings(data: Path) -> Stillhere:
    """Only what the demo needs is left in the environment, for us and for the children."""
    for name in [name for name in os.environ if name.startswith("STILLHERE_")]:
        if name not in KEPT_SETTINGS:
            del os.environ[name]
    os.environ.setdefault("STILLHERE_LOG", "error")  # so that the story can be read
    os.environ["STILLHERE_DATA"] = str(data)
    os.environ["STILLHERE_HOST"] = "127.0.0.1"
    os.environ["STILLHERE_DEMO"] = f"http://127.0.0.1:{_free_port()}"
    return environment.read(os.environ)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(stillhere: Stillhere) -> None:
    with folder.held(stillhere):
        prepare(stillhere)
        story = importlib.import_module("stillhere.cli.story")  # it needs Django to be set up
        sam, key = story.prepare(RATE)
        children = [_phones(stillhere), *up.children("web", "engine")]
        up.run(stillhere, children, story.Teller(stillhere, sam, key))


def _phones(stillhere: Stillhere) -> supervise.Child:
    """The provider. Its secret is in a file, because other users can read a command line."""
    secret = stillhere.data / keys.FOLDER / "phones"
    secret.write_text(derived_secret(settings.STILLHERE, "demo-phones").hex())
    command = [sys.executable, "-m", "stillhere.sim.phones"]
    command += ["--port", stillhere.demo_url.rpartition(":")[2], "--secret-file", str(secret)]
    command += ["--webhook", f"http://127.0.0.1:{stillhere.port}/hooks/phones"]
    return supervise.Child("phones", [*command, "--ring-s", str(RING_S)])
