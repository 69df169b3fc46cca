"""One's own data: seen, taken, moved to another phone, erased."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.db import clock
from stillhere.store.models import Address, Person, sealed_columns
from stillhere.store.people import address_book
from stillhere.store.problems import Reached
from stillhere.store.watches.apply import CallForHelp
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, make, read, text_of, watch_path


def test_everything_can_be_taken(night: SamsNight, sam: Client) -> None:
    make("claimed", night)
    response = sam.get("/mine/lamp.json")
    assert response["Content-Disposition"] == 'attachment; filename="lamp.json"'
    taken = json.loads(response.content)
    assert taken["plan"]["name"] == "Sam"
    assert taken["plan"]["entry"] == "code 4711"
    assert [p["name"] for p in taken["people"]] == ["Leo", "Maya"]
    assert taken["people"][0]["addresses"][0]["address"] == "+12025550101"
    assert {line["event"] for line in taken["watches"][0]["what_happened"]} >= {
        "Started", "NeedHelp", "Claimed",
    }  # fmt: skip
    assert taken["watches"][0]["messages"]
    text = response.content.decode()
    for secret in (night.key, watch_path(night).removeprefix("/k/")):
        assert secret not in text


TOPIC = "ntfys://ntfy.sh/a-topic-of-mine"
BROWSER = BrowserKeys("https://push.example.org/1").subscription
CHAT = "7310455667"  # its number at Telegram
SECRETS = (("push", BROWSER), ("telegram", CHAT), ("chat", TOPIC))


@pytest.mark.parametrize(("channel", "address"), SECRETS)
def test_no_file_and_no_page_of_what_is_kept_holds_what_a_chat_or_a_browser_is_reached_by(
    night: SamsNight, sam: Client, channel: str, address: str
) -> None:
    """Who knows a topic reads what goes there; who has a file has it for good."""
    leo, now = night.contacts["Leo"], clock.now_ms()
    way = Reached(channel, address, rings=False)
    address_book.add_address(way, contact=leo, now=now)
    address_book.add_address(way, person=night.person, now=now)
    part = address if channel != "push" else json.loads(address)["keys"]["auth"]
    leos = contact_path(night, "Leo")
    for client, path in ((sam, "/mine"), (browser(), f"{leos}/mine")):
        assert part not in client.get(path).content.decode()
        file = client.get(f"{path}/lamp.json")
        assert part not in file.content.decode()
        ways = file.json().get("how_to_reach_me") or file.json()["addresses"]
        [kept] = [each for each in ways if each["channel"] == channel]
        assert kept["since_at"] == now


def test_everything_can_be_read(night: SamsNight, sam: Client) -> None:
    make("claimed", night)
    told = read(sam, "/mine")
    for kept in ("12 Elm Street", "code 4711", "Leo · text +12025550101", "call +12025550100"):
        assert kept in told, kept


def test_the_link_is_shown_only_when_asked_for(night: SamsNight, sam: Client) -> None:
    link = f"{settings.STILLHERE.base_url}/p/{night.key}"
    assert night.key not in sam.get("/mine").content.decode()
    assert link in text_of(post(sam, "/mine", do="link"))
    assert night.key not in sam.get("/mine").content.decode()


def test_a_new_link_makes_the_old_one_useless(night: SamsNight, sam: Client) -> None:
    told = text_of(post(sam, "/mine", do="new-link"))
    new = sealed_columns.person_key(Person.objects.get())
    assert new != night.key
    assert f"/p/{new}" in told
    assert "The old link no longer works." in told
    assert browser().get(f"/p/{night.key}").status_code == 404
    assert "Sam" in sam.get("/people").content.decode()


def test_a_phone_can_forget_without_erasing(night: SamsNight, sam: Client) -> None:
    assert post(sam, "/mine", do="forget")["Location"] == "/"
    assert not sam.cookies["session"].value
    assert Person.objects.count() == 1


def test_erasing_takes_a_second_press_and_then_everything(night: SamsNight, sam: Client) -> None:
    make("closed", night)
    assert "Yes, erase everything" in text_of(post(sam, "/mine", do="erase"))
    assert Person.objects.count() == 1
    told = text_of(post(sam, "/mine", do="erase", sure="1"))
    assert "Everything is erased" in told
    assert not Person.objects.exists()
    assert not sam.cookies["session"].value


def test_nothing_is_erased_in_an_alarm_or_before_somebody_looked(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    night.does(CallForHelp())
    response = post(sam, "/mine", do="erase", sure="1")
    assert response.status_code == 409
    assert "An alarm is open. End it first" in text_of(response)
    night.does(ev.Resolved(None, ev.Outcome.HOSPITAL))
    response = post(sam, "/mine", do="erase", sure="1")
    assert "must look at the last alarm first" in text_of(response)
    assert Person.objects.count() == 1


def test_an_unknown_press_only_shows_the_page(sam: Client) -> None:
    assert post(sam, "/mine", do="explode").status_code == 200
    assert "What is kept about you" in read(sam, "/mine")


def test_an_open_page_has_no_address(sam: Client, night: SamsNight) -> None:
    Address.objects.filter(contact=night.contacts["Leo"]).delete()
    address_book.add_address(
        Reached("page", "here", rings=False), contact=night.contacts["Leo"], now=1
    )
    shown = text_of(sam.get("/mine"))
    assert "Leo · an open page · " in shown
    assert "open page here" not in shown
