"""`stillhere demo`: the product in one minute, on drawn phones, ten times as fast.

Owns a throw-away installation: a data folder, a database and a provider of texts and calls of its
own, which is a page on this machine. None of a real installation's settings reach it, so nothing
can leave: no mail, no page to a coordinator, no heartbeat. Refuses a folder that is not a demo's.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from stillhere.cli import data_lock, supervise
from stillhere.cli.commands import up
from stillhere.cli.commands.migrate import prepare
from stillhere.config import databases, environment, keys
from stillhere.config.environment import DEFAULT_PORT, SettingError, Stillhere
from stillhere.config.wiring import derived_secret

RING_S = 10.0  # how long a drawn phone rings: time enough for a hand on a mouse
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
    """The folder that was named, if it may be used; else one that is gone afterwards."""
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
    """Only what the demo needs is left in the environment, for us and for the children."""
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
    """``wanted`` if nobody has it (a real one may be running), else any that is free."""
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
        translation.activate(_language())
        demo = importlib.import_module("stillhere.sim.demo")  # it needs Django to be set up
        key = demo.seed(_language())
        children = [_phones(stillhere, demo.cast()), *up.children("web", "engine")]
        story = None if no_story else demo.scenes(stillhere.base_url, stillhere.demo_url, key)
        up.run(stillhere, children, Teller(stillhere, key, story))


def _language() -> str:
    """The language of this terminal."""
    spoken = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "es" if spoken.startswith("es") else "en"


def _phones(stillhere: Stillhere, cast: object) -> supervise.Child:
    """The provider. Its secret is in a file, because other users can read a command line."""
    secret = stillhere.data / keys.FOLDER / "phones"
    secret.write_text(derived_secret(settings.STILLHERE, "demo-phones").hex())
    names = stillhere.data / "cast.json"
    names.write_text(json.dumps(cast))
    command = [sys.executable, "-m", "stillhere.sim.phones", "--cast", str(names)]
    command += ["--port", stillhere.demo_url.rpartition(":")[2], "--secret-file", str(secret)]
    command += ["--webhook", f"http://127.0.0.1:{stillhere.port}/hooks/phones"]
    return supervise.Child("phones", [*command, "--ring-s", str(RING_S)])


class Teller:
    """Called every round by the supervisor: goes on with the story by one step, never waits."""

    def __init__(self, stillhere: Stillhere, key: str, story: Iterator[Any] | None) -> None:
        """The story begins once everything is healthy and the newcomer has found the phones."""
        self.stillhere = stillhere
        self.key = key
        self.story = story
        self.rounds_to_read: int | None = None
        self.say: Callable[[str], None] = click.echo

    def __call__(self) -> bool:
        """Return whether everything is told. A story that got stuck never stops the demo."""
        if self.rounds_to_read is None:
            if up.health(self.stillhere)[0] == 200:
                self._welcome()
                self.rounds_to_read = 40
            return False
        if self.rounds_to_read > 0 and self.story is not None:
            self.rounds_to_read -= 1
            return False
        return self._goes_on()

    def _welcome(self) -> None:
        up.print_address(self.stillhere.base_url)
        page = f"{self.stillhere.base_url}/p/{self.key}"
        self.say(_("Everybody's phone: %(url)s") % {"url": self.stillhere.demo_url})
        self.say(_("Sam's page: %(url)s") % {"url": page} + "\n")
        self.say(
            _("A demo, ten times as fast. The phones are drawn; nobody real is called.") + "\n"
        )

    def _goes_on(self) -> bool:
        try:
            beat = next(self.story) if self.story is not None else None
        except StopIteration:
            beat = None
            self.story = None
        except (OSError, http.client.HTTPException, ValueError, RuntimeError) as error:
            self.say(_("The story got stuck (%(why)s). The phones go on.") % {"why": error})
            self.story = None
            return True
        if beat is not None:
            self.say(beat.says)
        if self.story is None:
            says = _("The rest is yours: answer, press keys, switch phones off. Ctrl-C ends it.")
            self.say("\n" + says)
        return self.story is None
