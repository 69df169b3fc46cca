"""What tests of pages share: the night of Sam, browsers, and a writer that ends with the test."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from django.db import Error
from django.http import HttpResponse
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from stillhere.channels.base import Channel
from stillhere.config import wiring
from stillhere.config.environment import Stillhere
from stillhere.store.db import encryption
from stillhere.store.installation import desk_key
from stillhere.store.models import Installation
from stillhere.store.people import persons, records
from stillhere.store.watches.apply import CallForHelp, Change, ChangeResult, apply_batch
from stillhere.store.watches.group_commit import WRITER, GroupCommit
from stillhere.web.access import contact_device, desk_session
from stillhere.web.access.rate_limit import GUESSES, INVITATIONS, PERSONS, PROOFS
from tests.circle import SamsNight, sams_night, session_of
from tests.conftest import Clock

_BUILT: list[tuple[Stillhere, dict[str, Channel]]] = []


def _built(here: Stillhere) -> dict[str, Channel]:
    if not _BUILT or _BUILT[0][0] != here:
        _BUILT[:] = [(here, wiring.build_channels(here))]
    return _BUILT[0][1]


@pytest.fixture(autouse=True)
def clean(clock: Clock, database: object) -> Iterator[None]:
    """Nothing of one test is left for the next: no guesses, no writer thread, no language."""
    for each in (GUESSES, PERSONS, INVITATIONS, PROOFS):
        each.forget()
    WRITER.wrote_ms = None
    Installation.objects.create(id=1, beat_at=clock.now, proof_at=clock.now)
    yield
    WRITER.stop()
    translation.activate("en")


@pytest.fixture(autouse=True)
def ways_to_reach(settings: Settings) -> None:
    """An installation with every kind of address; none of them is ever used to send, so they are
    built once: an e-mail channel reads all certificates of the machine."""
    settings.BUILD_CHANNELS = _built
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


class Phone(Client):
    """A browser that is known as the phone of whichever contact's page it opens, and led from the
    desk's link to the desk."""

    def request(self, **request: Any) -> Any:
        if opened := re.fullmatch(r"/desk/([\w-]{27})(/.*)?", str(request.get("PATH_INFO", ""))):
            request |= self._led_to_the_desk(opened[1], opened[2] or "")
        start, _, rest = str(request.get("PATH_INFO", "")).partition("/c/")
        contact = None
        with contextlib.suppress(Error):  # some tests take the database away
            contact = records.contact_by_key(rest.partition("/")[0]) if not start and rest else None
        if contact is not None:
            name, value = contact_device.cookie(contact)
            self.cookies[name] = value
        return super().request(**request)

    def _led_to_the_desk(self, key: str, page: str) -> dict[str, str]:
        if not desk_key.opens(key):
            return {}
        answer = HttpResponse()
        desk_session.begin(answer)
        self.cookies["desk"] = answer.cookies["desk"].value
        if "csrftoken" not in self.cookies:
            self.cookies["csrftoken"] = "a" * 32
        return {"PATH_INFO": f"/desk{page}", "HTTP_X_CSRFTOKEN": self.cookies["csrftoken"].value}


def browser(key: str = "", lang: str = "en", *, stranger: bool = False) -> Client:
    """A browser that insists on CSRF, as real ones are treated; ``key`` is its person's. Contacts'
    pages it opens are of its own phone, unless it is a ``stranger``'s."""
    kind = Client if stranger else Phone
    client = kind(enforce_csrf_checks=True, headers={"Accept-Language": lang})
    if key:
        with contextlib.suppress(Error):
            client.cookies["session"] = session_of(key)
    return client


def post(client: Client, path: str, /, **fields: Any) -> Any:
    """Fill in a form of the page ``path`` and press its button."""
    client.get(path)
    return post_again(client, path, **fields)


def post_again(client: Client, path: str, /, **fields: Any) -> Any:
    """Press a button of a page that this browser has opened before, without looking at it anew."""
    token = client.cookies["csrftoken"].value
    return client.post(path, {"csrfmiddlewaretoken": token, **fields})


@pytest.fixture
def brittle() -> Iterator[tuple[GroupCommit[Change, ChangeResult], list[Exception]]]:
    """A writer whose database does what is in the list, until the list is empty."""
    trouble: list[Exception] = []

    def apply(changes: Sequence[Change]) -> list[ChangeResult]:
        if trouble:
            raise trouble[0]
        return apply_batch(changes)

    writer = GroupCommit(apply)
    yield writer, trouble
    writer.stop()


def _path(night: SamsNight, name: str) -> str:
    return f"/c/{encryption.key_for('contact', night.contacts[name].nonce)}"


@pytest.fixture
def alarm(night: SamsNight) -> SamsNight:
    """The same with a plan, asking for help."""
    persons.set_plan(
        night.person,
        place="12 Elm Street",
        entry="code 4711",
        town="Denver",
        dispatch="303-555-0100",
    )
    night.start()
    night.does(CallForHelp())
    return night


@pytest.fixture
def leo(alarm: SamsNight) -> str:
    return _path(alarm, "Leo")


@pytest.fixture
def maya(alarm: SamsNight) -> str:
    return _path(alarm, "Maya")
