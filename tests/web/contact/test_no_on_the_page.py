"""A no on a contact's page is pressed by whoever holds the link, and Mallory holds hers: it keeps
Mallory from adding the number anew. From the link in our own message it keeps everybody from that,
and does nothing to those who have the number."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.store.models import Address, Contact
from stillhere.store.people.numbers import address_proof
from stillhere.store.program import shifts
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, deliver
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, press
from tests.web.refusing import STRANGER, adds, somebody_else
from tests.web.strangers import page_of

pytestmark = pytest.mark.usefixtures("database")
VERA = "+12025550150"
LINK = re.compile(r"/c/[A-Za-z0-9_-]{27}")


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


def mallory_says_no_for(number: str) -> None:
    mallory = somebody_else()
    assert adds(mallory, number).status_code == 302
    theirs = Contact.objects.latest("id")
    page = page_of(theirs)
    way = theirs.addresses.get(channel="text")
    client = browser(stranger=True)
    client.get(page, {"c": address_proof.link_part(way.nonce)})
    client.post(f"{page}/answer", {"do": "leave"})
    assert adds(somebody_else(), number).status_code == 422


def test_a_number_is_not_blocked_by_the_link_of_whoever_typed_it(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    """The ex adds Mom, takes her link from the list and leaves for her, before she reads of it."""
    ex = somebody_else()
    assert adds(ex, VERA, email="ex@example.org").status_code == 302
    page = LINK.search(ex.get("/people").content.decode())
    assert page is not None
    mom = Contact.objects.latest("id")
    own_mail = mom.addresses.get(channel="email")
    partner = browser(stranger=True)
    partner.get(page[0], {"c": address_proof.link_part(own_mail.nonce)})  # reached the ex alone
    partner.post(f"{page[0]}/answer", {"do": "leave"})
    assert adds(ex, VERA).status_code == 422, "this list asks no more"
    assert adds(sam, VERA).status_code == 302
    assert post(somebody_else(), "/people", do="own", phone=VERA).status_code == 302


def test_nor_by_a_yes_on_that_link_before_the_no(night: SamsNight, sam: Client) -> None:
    ex, partner = somebody_else(), browser(stranger=True)
    assert adds(ex, VERA).status_code == 302
    page = page_of(Contact.objects.latest("id"))
    for do in ("join", "leave"):
        partner.post(f"{page}/answer", {"do": do})
    assert adds(sam, VERA).status_code == 302


def test_a_volunteer_still_stands_by(night: SamsNight) -> None:
    vera = shifts.add("Vera", VERA, "en")
    shifts.begin(vera, 4)
    mallory_says_no_for(VERA)
    assert not shifts.stopped(vera)
    assert shifts.stand_by(night.person)
    assert Address.objects.filter(contact__responder=vera, state="ok").count() == 2


def test_a_volunteer_can_still_be_taken_on() -> None:
    mallory_says_no_for(VERA)
    assert shifts.add("Vera", VERA, "en").id


def test_sams_own_number_is_kept_when_sam_adds_a_mail_address(
    night: SamsNight, sam: Client
) -> None:
    mallory_says_no_for(SAM)
    typed = {"phone": SAM, "email": "sam@example.org"}
    assert post(sam, "/people", do="own", **typed).status_code == 302
    mine = Address.objects.filter(person=night.person)
    assert sorted(mine.values_list("channel", "state")) == [
        ("call", "ok"), ("email", "ok"), ("text", "ok"),
    ]  # fmt: skip
    assert mine.filter(proved_at__gt=0).count() == 2


def test_leo_keeps_his_number_when_he_adds_a_mail_address(night: SamsNight) -> None:
    mallory_says_no_for(LEO)
    typed = {"do": "number", "phone": LEO, "email": "leo@example.org"}
    press(browser(), contact_path(night, "Leo"), **typed)
    states = night.contacts["Leo"].addresses.values_list("channel", "state")
    assert sorted(states) == [("call", "ok"), ("email", "ok"), ("text", "ok")]


def test_whoever_texts_go_for_the_first_time_can_be_asked(hook: Hook) -> None:
    mallory_says_no_for(STRANGER)
    hook.text(STRANGER, "GO")
    mine = Address.objects.filter(person__caller=True)
    assert list(mine.values_list("state", flat=True)) == ["ok", "ok"]


def test_a_stop_of_sams_own_is_kept_when_sam_adds_a_mail_address(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock
) -> None:
    deliver(clock)
    hook.text(SAM, "STOP")
    typed = {"phone": SAM, "email": "sam@example.org"}
    assert post(sam, "/people", do="own", **typed).status_code == 302
    mine = Address.objects.filter(person=night.person, channel__in=("text", "call"))
    assert set(mine.values_list("state", flat=True)) == {"opted-out"}
