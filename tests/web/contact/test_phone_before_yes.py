"""A wrong code on a passed-on link makes no phone its contact's, before the yes or after."""

from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client

from stillhere.store.models import Contact, Message
from stillhere.store.models.sealed_columns import contact_key
from stillhere.store.people import invitations
from stillhere.store.problems import Reached
from stillhere.store.watches.apply import CallForHelp
from stillhere.web.access import contact_device
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import Hook
from tests.web.conftest import browser
from tests.web.pages import text_of

RUTH = "+12025550188"


@pytest.fixture
def asked(night: SamsNight) -> Contact:
    """Invited by text, and not in yet."""
    way = Reached("text", RUTH, rings=False)
    return invitations.add_contact(night.person, "Ruth", [way], rung=0)


def says_yes(contact: Contact, clock: Clock) -> None:
    """By text, from their own phone."""
    Message.objects.filter(contact=contact).update(status="sent", attempts=1)
    Hook(Client(), clock).text(RUTH, "1")
    contact.refresh_from_db()
    assert contact.status == Contact.Status.CONFIRMED


def test_a_wrong_code_before_the_yes_makes_no_phone_theirs(asked: Contact) -> None:
    mallory = browser(stranger=True)
    mallory.post(f"/c/{contact_key(asked)}/answer", {"do": "code", "code": "x"})
    assert contact_device.cookie(asked)[0] not in mallory.cookies


def test_after_the_yes_that_phone_reads_no_door_and_ends_no_alarm(
    night: SamsNight, asked: Contact, clock: Clock
) -> None:
    mallory, page = browser(stranger=True), f"/c/{contact_key(asked)}"
    mallory.post(f"{page}/answer", {"do": "code", "code": "x"})
    says_yes(asked, clock)
    night.start()
    night.does(CallForHelp())
    mallory.post(f"{page}/answer", {"do": "claim", "soon": "5"})
    says = text_of(mallory.get(page))
    mallory.post(f"{page}/answer", {"do": "arrived"})
    mallory.post(f"{page}/answer", {"do": "resolve", "outcome": "hospital"})
    assert [secret for secret in ("12 Elm Street", "4711", "Leo") if secret in says] == []
    assert (night.row().state, night.row().outcome) == ("alarm", "")


def test_a_cookie_of_the_time_when_a_wrong_code_was_enough_opens_nothing(
    alarm: SamsNight, leo: str
) -> None:
    contact = alarm.contacts["Leo"]
    name, _ = contact_device.cookie(contact)
    mallory = browser(stranger=True)
    mallory.cookies[name] = signing.Signer(salt="whose").sign(bytes(contact.key_hash).hex())
    assert "12 Elm" not in text_of(mallory.get(leo))
