"""The demo itself: its phones, its story, and the narrator."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Callable, Iterator

import click
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from stillhere.cli import supervise
from stillhere.cli.commands.lasting import up
from stillhere.config import keys
from stillhere.config.environment import Stillhere
from stillhere.config.wiring import derived_secret
from stillhere.sim import demo
from stillhere.sim.demo import Beat

RING_S = 10.0  # how long a drawn phone rings: time enough for a hand on a mouse


def run(stillhere: Stillhere, *, no_story: bool) -> None:
    """Start everything with the phones, and tell the story, until we are told to stop. The caller
    holds the data folder and has made the tables."""
    translation.activate(_language())
    key = demo.seed(_language())
    children = [_phones(stillhere, demo.cast()), *up.children("web", "pages", "engine")]
    story = None if no_story else demo.scenes(stillhere.base_url, stillhere.demo_url, key)
    up.run(stillhere, children, Teller(stillhere, key, story))


def _language() -> str:
    """The language of this terminal."""
    spoken = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return settings.SPOKEN.of(spoken).code


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
    """Called by the supervisor every round: tells the next step of the story and never waits."""

    def __init__(self, stillhere: Stillhere, key: str, story: Iterator[Beat | None] | None) -> None:
        """The story begins once everything is healthy and the viewer has had time to find the
        phones."""
        self.stillhere = stillhere
        self.key = key
        self.story = story
        self.rounds_to_read: int | None = None
        self.say: Callable[[str], None] = click.echo

    def __call__(self) -> bool:
        """Return whether the story is over. A story that gets stuck never stops the demo."""
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
