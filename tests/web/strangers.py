"""A town in which every phone and mailbox takes what it gets, and visitors nobody knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Installation, Message, Person, sealed_columns
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change, CheckIn
from stillhere.store.watches.group_commit import WRITER
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import Hook
from tests.web.conftest import browser, post

VICTIM = "+12025550150"


@dataclass
class Town:
    """Every phone and mailbox there is: what reached them, in the order it did."""

    clock: Clock
    hook: Hook
    got: list[tuple[str, str, str, str]] = field(default_factory=list)

    def deliver(self) -> None:
        """Everything that is due leaves, and is taken."""
        now = self.clock.now
        for channel in ("text", "call", "email"):
            for m in delivery.lease(channel, now, 200, 20):
                sent = render.render(m, m.to)
                self.got.append((m.to, channel, m.word, f"{sent.text} {sent.link}"))
                ref = f"p-{m.id}-{m.attempts}"
                fate = Fate.ACCEPTED if channel == "text" else Fate.DELIVERED
                delivery.record([m.result(Receipt(fate, ref))], now)

    def live(self, seconds: int) -> None:
        for second in range(seconds):
            self.clock.advance(1)
            Installation.objects.update(beat_at=self.clock.now)
            tick_all()
            if second % 5 == 4:
                self.deliver()

    def counted(self, number: str = "") -> Counter[str]:
        """How many of each channel came, to this number or to all."""
        return Counter(channel for to, channel, *_ in self.got if number in ("", to))

    def words(self, number: str) -> list[str]:
        return [word for to, _channel, word, _text in self.got if to == number]

    def last(self, number: str) -> str:
        """The newest message to a number, with its link."""
        return next(text for to, _c, _w, text in reversed(self.got) if to == number)

    def link(self, number: str) -> str:
        """The path of the newest link that a number was sent."""
        return self.last(number).rpartition(" http://localhost:8420")[2]


@pytest.fixture
def town(clock: Clock, settings: Settings) -> Iterator[Town]:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    WRITER.start()
    yield Town(clock, Hook(Client(), clock))
    WRITER.stop()


def visitor(lang: str = "en") -> tuple[Client, Person]:
    """Somebody who has just arrived: no account, no number."""
    client = browser(lang=lang, stranger=True)
    post(client, "/", tz="America/Denver")
    return client, Person.objects.latest("id")


def add(client: Client, number: str, name: str = "Maya", **more: Any) -> Any:
    return post(client, "/people", do="add", name=name, phone=number, **more)


def page_of(contact: Contact) -> str:
    return f"/c/{sealed_columns.contact_key(contact)}"


def alarm(client: Client) -> None:
    """Start a watch, call for help, and give it up again."""
    post(client, "/watch", profile="injected", tz="America/Denver")
    key = str(client.get("/watch").context["shown"].key)
    client.post(f"/k/{key}/help", {"back": "watch"})


def watched_night(town: Town, *rungs: tuple[str, ...], seconds: int) -> SamsNight:
    """Sam has used so many seconds ago, and nobody has heard of Sam since."""
    night = sams_night(*(rungs or (("Leo",), ("Maya",))))
    Message.objects.update(status="sent")
    night.start()
    night.does(ev.Marked())
    town.live(seconds)
    return night


def answers(client: Client, town: Town) -> None:
    """Twice, a minute apart: the alarm is over, and the next one is a new one."""
    watch = client.get("/watch").context["shown"].row.id
    for seconds in (70, 10):
        apply.apply(Change(CheckIn(), watch=watch))
        town.live(seconds)
