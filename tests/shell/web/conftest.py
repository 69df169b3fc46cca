"""What tests of pages share: the night of Sam, browsers, and a writer that ends with the test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.store.group import WRITER
from stillhere.store.models import Installation
from stillhere.web.throttle import GUESSES, INVITATIONS, PERSONS
from tests.conftest import Clock
from tests.shell.circle import SamsNight, sams_night


@pytest.fixture(autouse=True)
def clean(clock: Clock, database: object) -> Iterator[None]:
    """Nothing of one test is left for the next: no guesses, no writer thread, no language."""
    for each in (GUESSES, PERSONS, INVITATIONS):
        each.forget()
    WRITER.wrote_ms = None
    Installation.objects.create(id=1, beat_at=clock.now, proof_at=clock.now)
    yield
    WRITER.stop()
    translation.activate("en")


@pytest.fixture(autouse=True)
def ways_to_reach(settings: Settings) -> None:
    """An installation with every kind of address; none of them is ever used to send."""
    settings.STILLHERE = replace(
        settings.STILLHERE,
        smtp_url="smtp://127.0.0.1:1",
        mail_from="Lamp <lamp@example.org>",
        demo_url="http://127.0.0.1:1",
        exit_url="",
    )


@pytest.fixture
def night() -> SamsNight:
    """Sam with Leo and Maya, both confirmed; no watch yet."""
    return sams_night(("Leo",), ("Maya",))


@pytest.fixture
def sam(night: SamsNight) -> Client:
    """Sam's browser."""
    return browser(night.key)


def browser(key: str = "", lang: str = "en") -> Client:
    """A browser that insists on CSRF, as real ones are treated; ``key`` is its person's."""
    client = Client(enforce_csrf_checks=True, headers={"Accept-Language": lang})
    if key:
        client.cookies["lamp"] = key
    return client


def post(client: Client, path: str, /, **fields: Any) -> Any:
    """Fill in a form of the page ``path`` and press its button."""
    client.get(path)
    token = client.cookies["csrftoken"].value
    return client.post(path, {"csrfmiddlewaretoken": token, **fields})
