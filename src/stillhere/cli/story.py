"""The story the demo tells: journey 4, "nobody answers at first".

Owns the plot and the words on the terminal. It does only what people could do: keep a plan, start a
watch, switch a phone, answer a call, press a key. What the phones show is the product's own doing.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import click
from django.db import connection

from stillhere.channels.phones import Kind
from stillhere.cli.up import health, print_address
from stillhere.config.environment import Stillhere
from stillhere.config.wiring import boot_ms, raw_now_ms
from stillhere.core.events import Marked
from stillhere.store import apply, services
from stillhere.store.models import Installation, Person
from stillhere.store.services import Reached

SAM, LEO, ANA, MAYA = "+12025550101", "+12025550103", "+12025550104", "+12025550102"
PATIENCE_MS = 60_000  # for any one scene, in real time


def prepare(rate: float) -> tuple[Person, str]:
    """Let the installation's clock run ``rate`` times as fast; give Sam a plan and a key."""
    Installation.objects.update_or_create(
        id=1, defaults={"clock_rate": rate, "clock_anchor_at": raw_now_ms(connection)}
    )
    sam, key = services.new_person("en")
    services.set_plan(sam, name="Sam", place="12 Example Street, second floor")
    services.set_own_addresses(sam, _ways(SAM))
    for rung, name, number in [(0, "Leo", LEO), (0, "Ana", ANA), (1, "Maya", MAYA)]:
        services.join(services.add_contact(sam, name, _ways(number), rung=rung))
    return sam, key


def _ways(number: str) -> list[Reached]:
    return [Reached(Kind.TEXT, number, rings=False), Reached(Kind.CALL, number, rings=True)]


class StuckError(RuntimeError):
    """A scene did not come."""


class Phones:
    """Hands and eyes on the drawn phones."""

    def __init__(self, url: str) -> None:
        """``url`` is the provider's; nothing is asked yet."""
        self.address = url.removeprefix("http://")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection(self.address, timeout=2)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise StuckError(f"the phones said {answer.status}")
            return json.loads(answer.read())
        finally:
            connection.close()

    def do(self, phone: str, action: str, **more: str) -> None:
        """What a hand on a phone would do: ``answer``, ``key``, ``text``, ``dead``..."""
        self._ask("POST", "/act", {"phone": phone, "action": action, **more})

    def see(self, phone: str) -> Any:
        """What a phone shows."""
        phones = self._ask("GET", "/state")["phones"]
        return next(shown for shown in phones if shown["name"] == phone)

    def reads(self, phone: str, words: str) -> bool:
        """Whether something with these words was written on a phone's screen."""
        return any(words in entry["text"] for entry in self.see(phone)["entries"])

    def rings(self, phone: str) -> bool:
        """Whether a call rings there, not yet answered."""
        call = self.see(phone)["call"]
        return call is not None and not call["answered"]


class Teller:
    """Called every round by the supervisor: goes on with the story by one step, never waits."""

    def __init__(self, stillhere: Stillhere, sam: Person, key: str) -> None:
        """The story begins once everything is healthy."""
        self.stillhere = stillhere
        self.scenes = _story(stillhere, sam, key)

    def __call__(self) -> bool:
        """Return whether the story is over. A story that got stuck never stops the demo."""
        try:
            next(self.scenes)
        except StopIteration:
            return True
        except (OSError, http.client.HTTPException, ValueError, StuckError) as error:
            click.echo(f"The story got stuck ({type(error).__name__}); the phones go on.")
            return True
        return False


def _until(what: Callable[[], bool]) -> Iterator[None]:
    end_ms = boot_ms() + PATIENCE_MS
    while not what():
        if boot_ms() > end_ms:
            raise StuckError
        yield


def _pause(seconds: float) -> Iterator[None]:
    end_ms = boot_ms() + round(seconds * 1000)
    yield from _until(lambda: boot_ms() >= end_ms)


def _story(stillhere: Stillhere, sam: Person, key: str) -> Iterator[None]:
    phones = Phones(stillhere.demo_url)
    yield from _until(lambda: health(stillhere)[0] == 200)
    print_address(stillhere.base_url)
    click.echo(f"Look at the phones: {stillhere.demo_url}")
    click.echo(f"Look at Sam's page:  {stillhere.base_url}/p/{key}\n")
    click.echo("A demo, ten times as fast. The phones are drawn; nobody real is called.\n")
    yield from _pause(4)
    phones.do("Leo", "dead")
    click.echo("Sam is alone and starts a watch. After a minute it asks: still here?")
    watch = apply.start(sam.pk, "injected")
    apply.apply(apply.Change(Marked(), watch=watch))
    yield from _until(lambda: phones.rings("Sam"))
    click.echo("Sam does not answer the text. The phone rings. Nobody picks it up.")
    yield from _until(lambda: phones.rings("Ana"))
    click.echo("The alarm: Leo, the roommate, and Ana, next door.")
    yield from _until(lambda: phones.rings("Maya"))
    click.echo("Leo's number is dead, so the ladder goes on at once: Sam's mother, Maya.")
    yield from _pause(3)
    phones.do("Ana", "answer")
    yield from _pause(1.5)
    phones.do("Ana", "key", key="1")
    click.echo('Ana picks up and presses 1: "I\'m going."')
    yield from _until(lambda: phones.reads("Maya", "Ana"))
    click.echo("Maya reads that Ana is going, and that it is not over.")
    yield from _pause(5)
    phones.do("Sam", "text", text="OK")
    click.echo("Sam wakes and texts OK.")
    yield from _until(lambda: phones.reads("Maya", "was answered"))
    click.echo("Everybody who was told hears what is known, and Sam is asked again, twice.")
    click.echo("\nThe rest is yours: answer, press keys, switch phones off. Ctrl-C ends it.")
