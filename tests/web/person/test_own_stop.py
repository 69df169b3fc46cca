"""STOP from the person's own number: nothing asks them by it, the watch goes on, and nobody is rung
instead."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.store.models import Message
from stillhere.store.people import address_book, invitations
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Reached
from tests.channels.accounts import carrier_of
from tests.circle import SamsNight, sams_night, tick_all, ways
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, last
from tests.web.conftest import browser, post
from tests.web.hooks.test_calls import Line
from tests.web.pages import contact_path, read
from tests.web.refusing import STRANGER, handed_over

MAIL = Reached("email", "sam@example.org", rings=False)


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


@pytest.fixture
def lines(settings: Settings) -> None:
    """A carrier that tells us what happens in a call, turn by turn."""
    ours = (carrier_of("twilio", "https://api.example.org"),)
    settings.STILLHERE = replace(settings.STILLHERE, carriers=ours)


def test_stop_from_a_number_that_sam_typed_causes_no_call(hook: Hook, clock: Clock) -> None:
    """Mallory types a stranger's number as her own and begins a watch; the stranger says STOP."""
    mallory = sams_night(("Leo",))
    address_book.set_own_addresses(mallory.person, ways(188))
    address_proof.vouch(mallory.person)  # as numbers are that were there before they had to prove
    mallory.start()
    mallory.does(ev.Marked())
    assert handed_over(clock, 70, STRANGER) == [("text", "ask")]
    hook.text(STRANGER, "STOP")
    assert not handed_over(clock, 400, STRANGER)


def test_after_stop_sam_is_asked_and_told_by_another_way(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock
) -> None:
    address_book.add_own_addresses(night.person, [MAIL])
    address_proof.vouch(night.person)
    night.start()
    night.does(ev.Marked())
    hook.text(SAM, "STOP")
    told = Message.objects.filter(person=night.person, word="way-stopped")
    assert [m.channel for m in told] == ["email"]
    assert not handed_over(clock, 70, SAM)
    assert {m.channel for m in night.queued("ask", "ask-ring")} == {"email"}
    says = read(sam, "/watch")
    assert "Your phone texted us STOP" in says
    assert "Nothing else can ask you" not in says


def test_an_open_ask_goes_by_another_way_at_once(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    address_book.add_own_addresses(night.person, [MAIL])
    address_proof.vouch(night.person)
    night.start()
    night.does(ev.Marked())
    clock.advance(61)
    tick_all()
    grace_at = night.row().grace_at
    hook.text(SAM, "STOP")
    assert [m.channel for m in night.queued("ask-ring")] == ["email"]
    assert night.row().grace_at == grace_at


def test_without_another_way_the_page_says_what_that_means_and_the_alarm_keeps_its_time(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    hook.text(SAM, "STOP")
    assert "Nothing else can ask you: answer on this page" in read(sam, "/watch")
    assert not handed_over(clock, 90, SAM)
    assert night.row().state == "asking", "no sooner than for anybody else"
    assert ("text", "alarm") in handed_over(clock, 60, LEO)


def test_sams_own_check_in_counts_after_stop(night: SamsNight, hook: Hook, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    hook.text(SAM, "STOP")
    handed_over(clock, 61, SAM)
    assert night.row().state == "asking"
    hook.text(SAM, "ok")
    assert night.row().state == "open"


def test_start_gives_sam_the_phone_back(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    hook.text(SAM, "STOP")
    assert "Text START from it" in read(sam, "/people")
    post(sam, "/people", do="own", phone=SAM)  # what was theirs may stand there, and is not used
    assert {a.state for a in night.person.addresses.all()} == {"opted-out"}
    hook.text(SAM, "START")
    assert {a.state for a in night.person.addresses.all()} == {"ok"}
    assert last(SAM, "text").word == "reply-unblocked"
    assert ("text", "ask") in handed_over(clock, 90, SAM)


@pytest.mark.usefixtures("lines")
def test_who_said_stop_and_rings_us_hears_that_we_cannot_ring(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(SAM, "STOP")
    line = Line(Client(), SAM)
    assert "this phone told us to stop" in line.press("1")
    assert not handed_over(clock, 300, SAM)


def test_renewing_a_link_testing_and_drilling_reach_nobody_who_said_no(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock
) -> None:
    contact = night.contacts["Leo"]
    path = contact_path(night, "Leo")
    hook.text(LEO, "STOP")
    post(sam, "/people", do="renew", contact=str(contact.id))
    post(sam, "/people", do="drill")
    assert browser().post(f"{path}/answer", {"do": "test"}).status_code in (404, 410)
    assert not handed_over(clock, 300, LEO)


def test_somebody_without_an_address_is_still_added_by_hand(night: SamsNight, hook: Hook) -> None:
    hook.text(LEO, "STOP")
    added = invitations.add_contact(night.person, "Leo", [])
    assert added.status == "invited"
