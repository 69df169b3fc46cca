"""Somebody who forges Sam's number, or Leo's: what they reach, and what they do not."""

from __future__ import annotations

import re

import pytest

from stillhere.core import events as ev
from stillhere.store.models import Contact, Message, Suppression
from stillhere.store.people.numbers import address_proof
from stillhere.store.people.numbers.strangers import TRIED_BY_OWNER
from tests.circle import SamsNight, sams_night
from tests.hook import LEO, MALLORY, MAYA, SAM, last
from tests.web.conftest import browser, post
from tests.web.pages import contact_key
from tests.web.strangers import Town, town

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]
DAY_S = 86_400


def mallory_is_added(town: Town) -> SamsNight:
    """By a forged text; then Mallory's own phone says yes."""
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    town.hook.text(SAM, "ADD Mike 202 555 0199")
    town.live(6)
    assert "They hear where you are from tomorrow on" in town.last(SAM), "Sam reads of it"
    town.hook.text(MALLORY, "1")
    town.live(6)
    return night


def goes(town: Town) -> None:
    town.hook.text(MALLORY, "1")
    town.live(5)
    town.hook.text(MALLORY, "WHERE")
    town.live(5)


def page_of_mallory() -> str:
    page = browser().get(f"/c/{contact_key(Contact.objects.latest('id'))}")
    return str(page.content.decode())


def read_by_mallory(town: Town) -> bool:
    return any("12 Elm" in text for to, _c, _w, text in town.got if to == MALLORY)


def test_whoever_forges_sams_number_once_does_not_read_where_sam_lives(town: Town) -> None:
    mallory_is_added(town)
    town.hook.text(SAM, "HELP ME")
    town.live(150)
    goes(town)
    assert town.last(MALLORY).startswith("We have no place to tell you. Phone Sam.")
    spoken = town.hook.key(last(MALLORY, "call"), "1")
    town.live(10)
    town.hook.text(SAM, "ADDRESS 12 Elm Street, apt 3")
    town.live(10)
    assert not any("12 Elm" in told or "4711" in told for told in (spoken, page_of_mallory()))
    assert not read_by_mallory(town)
    Contact.objects.update(door_at=0)
    assert "4711" in page_of_mallory(), "it is this alone that stands before it"


def test_in_silence_that_nobody_can_forge_whoever_goes_hears_where(town: Town) -> None:
    night = mallory_is_added(town)
    night.start()
    night.does(ev.Marked())
    town.live(280)
    goes(town)
    assert read_by_mallory(town)


def test_whom_sam_keeps_on_the_page_hears_where_at_once(town: Town) -> None:
    night = mallory_is_added(town)
    mike = Contact.objects.latest("id")
    post(browser(night.key), "/people", do="keep", contact=str(mike.id), door="on")
    town.hook.text(SAM, "HELP ME")
    town.live(150)
    goes(town)
    assert read_by_mallory(town)


def test_after_a_day_in_which_sam_left_them_there_they_hear_where(town: Town) -> None:
    mallory_is_added(town)
    town.clock.advance(DAY_S)
    town.hook.text(SAM, "HELP ME")
    town.live(150)
    goes(town)
    assert read_by_mallory(town)


def test_a_forged_stop_silences_leo_and_sam_reads_of_it(town: Town) -> None:
    """What does not hold, as docs/defenses.md says."""
    sams_night(("Leo",))
    Message.objects.update(status="sent")
    town.hook.text(LEO, "STOP")
    town.live(10)
    assert Suppression.objects.exists()
    assert "Leo" in town.last(SAM)


def the_code(town: Town) -> str:
    """What Sam's phone alone reads."""
    told = " ".join(text for to, _c, _w, text in town.got if to == SAM)
    [code] = re.findall(r"reply ([0-9]{6})\.", told)
    return str(code)


def test_sam_shows_the_door_tonight_by_the_code_that_only_their_phone_reads(town: Town) -> None:
    mallory_is_added(town)
    town.hook.text(SAM, the_code(town))
    town.live(5)
    assert town.last(SAM).startswith("Thank you. From now on Mike hears where you are")
    town.hook.text(SAM, "HELP ME")
    town.live(150)
    goes(town)
    assert read_by_mallory(town), "they are a contact like any other"


def test_the_code_shows_the_door_in_an_alarm_that_is_open(town: Town) -> None:
    mallory_is_added(town)
    code = the_code(town)
    town.hook.text(SAM, "HELP ME")
    town.live(150)
    goes(town)
    assert not read_by_mallory(town)
    town.hook.text(SAM, code)
    town.live(10)
    assert read_by_mallory(town), "whoever came reads it at once"


def test_whoever_guesses_the_code_tries_ten_times_a_day(town: Town) -> None:
    mallory_is_added(town)
    code = the_code(town)
    for no in range(TRIED_BY_OWNER):
        town.hook.text(SAM, f"{(int(code) + 1 + no) % 10**6:06}")
    town.hook.text(SAM, code)
    town.live(5)
    assert Contact.objects.latest("id").door_at > 0
    assert not any("From now on" in text for to, _c, _w, text in town.got if to == SAM)


def test_nothing_that_the_added_phone_gets_tells_the_code(town: Town) -> None:
    """Mallory's link and the number of the contact, which a cookie names, are all they have."""
    mallory_is_added(town)
    contact = Contact.objects.latest("id")
    key = contact_key(contact)
    guesses = {key, f"{contact.id} {key}", f"door {key}", f"door {contact.id} {key}"}
    assert the_code(town) not in map(address_proof.code_from, guesses)


def test_a_no_in_the_name_of_who_was_not_called_yet_takes_nobody_out(town: Town) -> None:
    night = sams_night(("Leo",), ("Maya",))
    night.start()
    town.hook.text(SAM, "HELP ME")
    town.hook.text(MAYA, "no")
    assert '"out":[]' in night.row().alarm
    town.live(60)
    assert "Sam asks for help NOW" in town.last(MAYA)
