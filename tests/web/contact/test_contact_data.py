"""A contact sees, takes and erases what is kept about them, on their own phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.engine.erasure import erase_once
from stillhere.store.kits import kits
from stillhere.store.kits.kits import Inside
from stillhere.store.models import Address, Contact, Kit, Message
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO, MAYA, deliver
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, press, read, text_of


def erases(path: str, client: Client | None = None) -> Any:
    return (client or browser()).post(f"{path}/mine", {"sure": "1"})


def test_leo_sees_all_of_it_in_words(alarm: SamsNight, leo: str, clock: Clock) -> None:
    kits.add(Inside("nasal", 2, "2031-05"), contact=alarm.contacts["Leo"])
    deliver(clock)
    press(browser(), leo, "claim", soon="3")
    says = read(browser(), f"{leo}/mine")
    for part in ("Leo", LEO, "2031-05", "Answered on", "When we wrote or called"):
        assert part in says
    for part in ("Maya", MAYA, "12 Elm Street", "4711"):
        assert part not in says


def test_leo_takes_all_of_it_and_nothing_of_anybody_else(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    deliver(clock)
    press(browser(), leo, "claim", soon="3")
    taken = browser().get(f"{leo}/mine/lamp.json")
    assert taken["Content-Disposition"] == 'attachment; filename="lamp.json"'
    kept = taken.json()
    assert (kept["name"], kept["on_the_list_of"]) == ("Leo", "Sam")
    assert {each["address"] for each in kept["addresses"]} == {LEO}
    assert {each["word"] for each in kept["messages"]} >= {"help"}
    assert "Claimed" in {each["event"] for each in kept["what_you_said"]}
    body = taken.content.decode()
    for secret in ("Maya", MAYA, "Elm Street", "4711", leo.rpartition("/")[2]):
        assert secret not in body


@pytest.mark.parametrize("what", ["", "/lamp.json"])
def test_a_link_alone_shows_and_erases_nothing(night: SamsNight, what: str) -> None:
    path, stranger = contact_path(night, "Leo"), browser(stranger=True)
    answer = stranger.get(f"{path}/mine{what}")
    assert (answer.status_code, answer["Location"]) == (303, f"{path}?said=prove")
    assert erases(path, stranger).status_code == 303
    assert Contact.objects.filter(id=night.contacts["Leo"].id).exists()


def test_without_a_second_press_nothing_is_erased(night: SamsNight) -> None:
    path = contact_path(night, "Leo")
    assert browser().post(f"{path}/mine").status_code == 200
    assert Contact.objects.get(id=night.contacts["Leo"].id).status == "confirmed"


def test_erased_is_off_the_list_out_of_the_tables_and_not_to_be_added(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    path, leo = contact_path(night, "Leo"), night.contacts["Leo"].id
    kits.add(Inside("nasal", 2, "2031-05"), contact=night.contacts["Leo"])
    assert "is erased" in text_of(erases(path))
    assert not Address.objects.filter(contact=leo).exists()
    assert browser().get(f"{path}/mine").status_code == 404
    deliver(clock)
    erase_once(clock.now)
    assert not Contact.objects.filter(id=leo).exists()
    assert not Kit.objects.exists()
    assert not Message.objects.filter(contact=leo).exists()
    assert "Leo" not in read(sam, "/people")
    assert post(sam, "/people", do="add", name="Leo", phone=LEO).status_code == 422


def test_in_an_alarm_it_moves_on_and_is_erased_when_it_is_over(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    id = alarm.contacts["Leo"].id
    assert "when an open alarm is over" in text_of(erases(leo))
    assert Contact.objects.get(id=id).status == "left"
    alarm.does(ev.Resolved(None, Outcome.FINE))
    deliver(clock)
    erase_once(clock.now)
    assert not Contact.objects.filter(id=id).exists()


def test_it_is_read_in_spanish(night: SamsNight) -> None:
    says = read(browser(lang="es"), f"{contact_path(night, 'Leo')}/mine")
    assert "Borrar todo" in says
