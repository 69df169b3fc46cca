"""A no on a contact's page is pressed by whoever holds the link, and Mallory holds hers: it keeps
anybody from adding the number anew, and does nothing to those who have it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.store.models import Address
from stillhere.store.program import shifts
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, deliver
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, press
from tests.web.refusing import STRANGER, adds, somebody_else

pytestmark = pytest.mark.usefixtures("database")
VERA = "+12025550150"
LINK = re.compile(r"/c/[A-Za-z0-9_-]{27}")


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


def mallory_says_no_for(number: str) -> None:
    mallory = somebody_else()
    assert adds(mallory, number).status_code == 302
    link = LINK.search(mallory.get("/people").content.decode())
    assert link is not None
    browser(stranger=True).post(f"{link[0]}/answer", {"do": "leave"})
    assert adds(somebody_else(), number).status_code == 422


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
