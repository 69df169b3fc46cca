"""`stillhere demo`: the product in one minute, on drawn phones, ten times as fast.

Owns a throw-away installation: a data folder, a database and its own provider of texts and calls,
which is a page on this machine. None of a real installation's settings reach it, so nothing can be
sent out: no mail, no page to a coordinator, no heartbeat. Refuses a folder that is not a demo's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from stillhere.cli import data_lock, loading
from stillhere.cli.commands.migrate import prepare
from stillhere.config import databases, environment, keys
from stillhere.config.environment import DEFAULT_PORT, SettingError, Stillhere

KEPT_SETTINGS = ("STILLHERE_PORT", "STILLHERE_LOG")


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="A folder to keep it in.")
@click.option("--no-story", is_flag=True, help="Only start; the phones are yours at once.")
def command(data: Path | None, *, no_story: bool) -> None:
    """Show the whole story on phones drawn on a page; nobody real is called."""
    with _folder(data) as kept:
        _run(_settings(kept), no_story=no_story)


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    """The folder that was named, if it may be used; else one that is removed afterwards."""
    if data is not None:
        data = data.expanduser().absolute()
        if data.exists() and any(data.iterdir()) and not keys.is_demo(data):
            raise SettingError(
                f"{data} is not a demo's folder. Name one that is empty or not there yet."
            )
        yield data
        return
    made = Path(tempfile.mkdtemp(prefix="stillhere-demo-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _settings(data: Path) -> Stillhere:
    """Leave only what the demo needs in the environment, for us and for the children."""
    for name in [name for name in os.environ if name.startswith("STILLHERE_")]:
        if name not in KEPT_SETTINGS:
            del os.environ[name]
    os.environ.setdefault("STILLHERE_LOG", "error")  # so that the story can be read
    os.environ.setdefault("STILLHERE_PORT", str(_free_port(DEFAULT_PORT)))
    os.environ["STILLHERE_DATA"] = str(data)
    os.environ["STILLHERE_HOST"] = "127.0.0.1"
    os.environ["STILLHERE_DEMO"] = f"http://127.0.0.1:{_free_port()}"
    return environment.read(os.environ)


def _free_port(wanted: int = 0) -> int:
    """``wanted`` if it is free (a real installation may be running), else any free port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return _free_port()
        return int(probe.getsockname()[1])


def _run(stillhere: Stillhere, *, no_story: bool) -> None:
    with data_lock.held(stillhere):
        for old in stillhere.data.glob(f"{databases.SQLITE_FILE}*"):
            old.unlink()  # of an earlier demo: its clock ran ahead
        prepare(stillhere)
        loading.action("demo").run(stillhere, no_story=no_story)
