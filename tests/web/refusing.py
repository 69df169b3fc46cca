"""What tests of a no share: somebody else's list, and what is handed over while time passes."""

from __future__ import annotations

from typing import Any

from django.test import Client

from stillhere.core.messages import Fate, Receipt
from stillhere.store.messages import delivery
from stillhere.store.models import Contact
from stillhere.store.people import persons
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post

STRANGER = "+12025550188"
REFUSED = "This number or address asked us not to contact it."


def somebody_else() -> Client:
    """Somebody with a list of their own, who has never heard of Sam."""
    person, key = persons.new_person("en")
    persons.set_plan(person, name="Mallory")
    return browser(key)


def adds(client: Client, number: str, **more: str) -> Any:
    return post(client, "/people", do="add", name="Leo", phone=number, **more)


def handed_over(clock: Clock, seconds: int, *numbers: str) -> list[tuple[str, str]]:
    """What is handed to a carrier for these numbers while time passes: (channel, word). Nobody
    ever picks up."""
    found = []
    for _ in range(seconds):
        clock.advance(1)
        tick_all()
        for channel in ("text", "call"):
            for m in delivery.lease(channel, clock.now, 50, 20):
                found += [(m.channel, m.word)] if m.to in numbers else []
                silent = Fate.BUSY if channel == "call" else Fate.ACCEPTED
                delivery.record([m.result(Receipt(silent, provider_ref=f"p-{m.id}"))], clock.now)
    return found


def status_of(night: SamsNight, name: str) -> str:
    return Contact.objects.get(id=night.contacts[name].id).status
