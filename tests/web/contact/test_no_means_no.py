"""Nobody who said no is reached again, whoever asks: attacked over HTTP, with a carrier's webhooks
and with browsers."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from stillhere.core.messages import Fate, Receipt
from stillhere.engine.erasure import erase_once
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Suppression
from stillhere.store.people import address_book
from stillhere.store.privacy import erasure
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, ways
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, MAYA, SAM, Hook, deliver, last
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, press, text_of
from tests.web.refusing import REFUSED, STRANGER, adds, handed_over, somebody_else, status_of


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


# --- a no from the number itself ------------------------------------------------------------------


@pytest.mark.parametrize("words", ["STOP", "stop texting me", "wrong number", "delete me"])
def test_after_stop_nobody_can_add_that_number_again(
    night: SamsNight, hook: Hook, clock: Clock, words: str
) -> None:
    hook.text(LEO, words)
    assert status_of(night, "Leo") == "left"
    for client in (browser(night.key), somebody_else()):
        answer = adds(client, LEO)
        assert answer.status_code == 422
        assert REFUSED in text_of(answer)
    assert not handed_over(clock, 120, LEO)


def test_what_is_said_to_who_adds_tells_neither_when_nor_to_whom(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(LEO, "STOP")
    clock.advance(86_400)
    says = text_of(adds(somebody_else(), LEO))
    assert REFUSED in says
    assert "texting START to us" in says
    assert "Sam" not in says


def test_the_same_is_said_in_spanish(night: SamsNight, hook: Hook) -> None:
    hook.text(LEO, "STOP")
    spanish = browser(night.key, "es")
    assert "nos pidió que no lo contactemos" in text_of(adds(spanish, LEO))


def test_the_same_is_said_by_text(night: SamsNight, hook: Hook, clock: Clock) -> None:
    hook.text(LEO, "STOP")
    hook.text(SAM, f"ADD Leo {LEO}")
    assert last(SAM, "text").word == "reply-add-stopped"
    assert not Contact.objects.filter(status="invited").exists()


def test_a_stop_ends_it_on_every_list(night: SamsNight, hook: Hook, clock: Clock) -> None:
    other = sams_night(("Leo",))  # the same number on somebody else's list
    hook.text(LEO, "STOP")
    assert {status_of(each, "Leo") for each in (night, other)} == {"left"}
    other.start()
    other.does(CallForHelp())
    assert not handed_over(clock, 240, LEO)


def test_stop_counts_from_a_number_that_is_on_no_list(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(STRANGER, "STOP")
    assert adds(browser(night.key), STRANGER).status_code == 422
    assert not handed_over(clock, 60, STRANGER)


def test_nobody_can_type_such_a_number_as_their_own_or_as_a_contact_s(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(STRANGER, "STOP")
    client = somebody_else()
    for fields in (
        {"do": "own"},
        {"path": "/routine", "do": "add", "at": "22:00", "day": "0", "tz": "America/Denver"},
    ):
        path = fields.pop("path", "/people")
        answer = post(client, path, phone=STRANGER, **fields)
        assert (answer.status_code, REFUSED in text_of(answer)) == (422, True)
    answer = browser().post(
        f"{contact_path(night, 'Maya')}/answer", {"do": "number", "phone": STRANGER}
    )
    assert (answer.status_code, REFUSED in text_of(answer)) == (422, True)
    assert not Address.objects.filter(state="ok", contact=None).exclude(person=night.person)


def test_a_volunteer_who_said_stop_is_on_nobody_s_list_until_they_say_start(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    ana = shifts.add("Ana", MALLORY, "en")
    hook.text(MALLORY, "STOP")
    hook.text(STRANGER, "STOP")
    with pytest.raises(Problem, match="suppressed"):
        shifts.add("Leo", STRANGER, "en")
    shifts.begin(ana, 4)
    assert not shifts.stand_by(night.person)
    hook.text(MALLORY, "START")
    assert shifts.stand_by(night.person)


def test_the_no_outlives_everything_that_is_erased(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(LEO, "STOP")
    erasure.erase_person(night.person)
    assert not Contact.objects.exists()
    assert adds(somebody_else(), LEO).status_code == 422
    row = Suppression.objects.get()
    assert LEO.encode() not in bytes(row.lookup)


def test_a_carrier_that_says_they_opted_out_is_believed_for_texts_and_calls(
    night: SamsNight, clock: Clock
) -> None:
    night.start()
    night.does(CallForHelp())
    text, *_ = [m for m in delivery.lease("text", clock.now, 50, 20) if m.to == LEO]
    delivery.record([text.result(Receipt(Fate.OPTED_OUT, why="said stop"))], clock.now)
    assert status_of(night, "Leo") == "left"
    assert not handed_over(clock, 240, LEO)
    assert adds(somebody_else(), LEO).status_code == 422


def test_an_alarm_moves_on_at_once_past_a_row_that_does_not_know_of_the_no(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    """Two engines, and a row that was made while its number said stop."""
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status="removed")
    hook.text(LEO, "STOP")
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status="confirmed")
    Address.objects.filter(contact=night.contacts["Leo"]).update(state="ok")
    night.start()
    night.does(CallForHelp())
    assert not handed_over(clock, 1, LEO)
    assert handed_over(clock, 1, MAYA)


def test_who_opted_out_before_there_was_a_list_is_put_on_it(night: SamsNight, clock: Clock) -> None:
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status="left")
    Address.objects.filter(contact=night.contacts["Leo"]).update(state="opted-out", why="said stop")
    erase_once(clock.now)
    assert adds(somebody_else(), LEO).status_code == 422


# --- no on the page -------------------------------------------------------------------------------


def test_who_leaves_on_the_page_is_not_added_again_by_anybody(
    night: SamsNight, clock: Clock
) -> None:
    assert "off the list" in press(browser(), contact_path(night, "Leo"), "leave")
    for client in (browser(night.key), somebody_else()):
        assert adds(client, LEO).status_code == 422
    assert not handed_over(clock, 120, LEO)


def test_a_link_that_mallory_holds_silences_nobody_on_sams_list(
    night: SamsNight, clock: Clock
) -> None:
    """Whoever invites a number has the link too: they must not be able to take it off others."""
    mallory = sams_night(("Maya's number",))
    number = mallory.contacts["Maya's number"]
    Address.objects.filter(contact=number).delete()
    for way in ways(101):
        address_book.add_address(way, contact=number, now=clock.now)
    press(browser(), contact_path(mallory, "Maya's number"), "leave")
    assert status_of(night, "Leo") == "confirmed"
    night.start()
    night.does(CallForHelp())
    assert handed_over(clock, 2, LEO)


def test_a_no_to_one_invitation_keeps_that_person_away_and_nobody_else(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    adds(browser(night.key), STRANGER)
    deliver(clock)
    hook.text(STRANGER, "2")
    assert adds(browser(night.key), STRANGER).status_code == 422
    assert adds(somebody_else(), STRANGER).status_code == 302


# --- START ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["START", "unstop", " Start "])
def test_start_from_the_number_lets_everybody_ask_again(
    night: SamsNight, hook: Hook, clock: Clock, word: str
) -> None:
    hook.text(LEO, "STOP")
    hook.text(LEO, word)
    assert not handed_over(clock, 60, LEO), "nobody asked yet"
    assert adds(somebody_else(), LEO).status_code == 302
    assert ("text", "invite") in handed_over(clock, 2, LEO)
    assert status_of(night, "Leo") == "left", "off Sam's list until Sam asks again"


@pytest.mark.parametrize("words", ["yes", "ok", "go", "1", "start?", "do not start", "hello"])
def test_nothing_else_lifts_it(night: SamsNight, hook: Hook, clock: Clock, words: str) -> None:
    hook.text(LEO, "STOP")
    hook.text(LEO, words)
    assert adds(somebody_else(), LEO).status_code == 422
    assert not handed_over(clock, 240, LEO)


def test_a_start_that_is_not_signed_lifts_nothing(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    hook.text(LEO, "STOP")
    body = json.dumps({"events": [hook.event(LEO, "text", "text", text="START")]}).encode()
    assert hook.post(body, secret="guessed")[0] == 403
    assert adds(somebody_else(), LEO).status_code == 422
