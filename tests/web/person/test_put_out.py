"""A guest does not put out Sam's own phone, and Sam on a new phone gets rid of a lost one."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.engine.erasure import erase_once
from stillhere.store.models import Browser, Person
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import SAM, said_to
from tests.web.conftest import browser, post
from tests.web.pages import read, watch_path

KEYS = BrowserKeys("https://push.example.org/x")
DAY_S = 24 * 3600


def guest_of(night: SamsNight) -> Client:
    """A browser that came later by Sam's link: a guest's, or Sam's new phone."""
    client = browser(stranger=True)
    assert post(client, f"/p/{night.key}")["Location"] == "/watch"
    return client


def is_in(client: Client) -> bool:
    return int(client.get("/watch").status_code) == 200


def after_a_day(clock: Clock) -> None:
    clock.advance(DAY_S)
    erase_once(clock.now)


def keep(client: Client) -> None:
    """The button on the page of the watch."""
    assert "Keep this phone" in read(client, "/watch")
    token = client.cookies["csrftoken"].value
    assert client.post("/stay", {"csrfmiddlewaretoken": token}).status_code == 302


def subscribe(client: Client) -> None:
    client.get("/watch")
    token = client.cookies["csrftoken"].value
    client.post("/push", {"csrfmiddlewaretoken": token, "subscription": KEYS.subscription})


def test_a_guest_s_new_link_leaves_sam_s_phone_in_and_sam_is_told(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    subscribe(sam)
    guest = guest_of(night)
    told = post(guest, "/mine", do="new-link").content.decode()
    assert "so that no guest can" in told
    assert is_in(sam)
    assert night.person.addresses.filter(channel="push").exists(), "and hears each ask"
    texts = said_to(SAM, clock)
    assert [text for text in texts if "asks to remove yours" in text], texts
    assert "Keep this phone" in read(sam, "/watch")


def test_nor_does_remove(night: SamsNight, sam: Client, clock: Clock) -> None:
    guest = guest_of(night)
    mine = Browser.objects.filter(person=night.person).earliest("id")
    told = post(guest, "/mine", do="remove", browser=mine.id).content.decode()
    assert "it goes in a day" in told
    assert is_in(sam)


def test_sam_keeps_the_phone_and_puts_out_the_guest_at_once(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    guest = guest_of(night)
    post(guest, "/mine", do="new-link")
    keep(sam)
    assert "Keep this phone" not in read(sam, "/watch")
    post(sam, "/mine", do="new-link")
    assert not is_in(guest)
    after_a_day(clock)
    assert is_in(sam)


def test_a_watch_goes_on_meanwhile_and_its_page_has_the_new_key(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    post(guest_of(night), "/mine", do="new-link")
    assert watch_path(night) in sam.get("/watch").content.decode()


def test_a_lost_phone_is_out_a_day_later(night: SamsNight, sam: Client, clock: Clock) -> None:
    subscribe(sam)
    lost, new = sam, guest_of(night)
    post(new, "/mine", do="new-link")
    clock.advance(DAY_S - 1)
    erase_once(clock.now)
    assert is_in(lost)
    night.start()
    seen = watch_path(night)
    clock.advance(1)
    erase_once(clock.now)
    assert not is_in(lost)
    assert not night.person.addresses.filter(channel="push").exists()
    assert browser(stranger=True).get(seen).status_code == 404, "it knew this address"
    assert is_in(new)


def test_asked_for_again_it_goes_no_later(night: SamsNight, sam: Client, clock: Clock) -> None:
    lost, new = sam, guest_of(night)
    post(new, "/mine", do="new-link")
    clock.advance(DAY_S // 2)
    post(new, "/mine", do="new-link")
    clock.advance(DAY_S // 2)
    erase_once(clock.now)
    assert not is_in(lost)


def test_whoever_found_it_and_keeps_it_does_not_put_out_sam(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    """Then a PIN decides: it is asked before "new link", and has stood for a day."""
    found, new = sam, guest_of(night)
    post(new, "/mine", do="new-link")
    keep(found)
    post(new, "/mine", do="pin", pin="2580")
    after_a_day(clock)
    assert is_in(found)
    assert is_in(new)
    post(new, "/pin", pin="2580", next="/mine")
    post(new, "/mine", do="new-link")
    assert not is_in(found)
    assert is_in(new)


def test_with_a_pin_that_stood_before_a_lost_phone_is_out_at_once(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    clock.advance(DAY_S)
    new = guest_of(night)
    post(new, "/pin", pin="2580", next="/mine")
    post(new, "/mine", do="new-link")
    assert not is_in(sam)


def test_another_pin_is_as_old_as_the_first(night: SamsNight, sam: Client, clock: Clock) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    clock.advance(DAY_S)
    new = guest_of(night)
    post(new, "/pin", pin="2580", next="/mine")
    post(new, "/mine", do="pin", pin="3690")
    post(new, "/mine", do="new-link")
    assert not is_in(sam)


def test_a_pin_from_before_that_was_kept_is_an_old_one(night: SamsNight, sam: Client) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    Person.objects.update(pin_at=0)
    new = guest_of(night)
    post(new, "/pin", pin="2580", next="/mine")
    post(new, "/mine", do="new-link")
    assert not is_in(sam)


def test_a_guest_who_sets_a_pin_puts_out_nobody_at_once(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    guest = guest_of(night)
    post(guest, "/mine", do="pin", pin="2580")
    post(guest, "/pin", pin="2580", next="/mine")
    post(guest, "/mine", do="new-link")
    assert is_in(sam)
    keep(sam)
    after_a_day(clock)
    assert is_in(sam), "keeping it asks for no PIN"


def test_a_phone_that_is_not_sam_s_goes_at_once(night: SamsNight) -> None:
    night.person.browsers.all().delete()
    library = browser(stranger=True)
    post(library, f"/p/{night.key}", borrowed="1")
    new = guest_of(night)
    post(new, "/mine", do="new-link")
    assert not is_in(library)


def test_sam_is_told_once_an_hour(night: SamsNight, sam: Client, clock: Clock) -> None:
    guest = guest_of(night)
    for _ in range(5):
        post(guest, "/mine", do="new-link")
    assert len(night.queued("put-out")) == 1


@pytest.mark.parametrize("do", ["remove", "new-link"])
def test_sam_is_told_also_where_a_phone_goes_at_once(
    night: SamsNight, sam: Client, clock: Clock, do: str
) -> None:
    """The guest was there first: all of Sam's came later."""
    guest, phone = sam, guest_of(night)
    mine = Browser.objects.latest("id")
    post(guest, "/mine", do=do, browser=mine.id)
    assert not is_in(phone)
    assert [text for text in said_to(SAM, clock) if "A phone was removed" in text]


def test_who_asks_to_remove_nobody_sends_sam_nothing(night: SamsNight, sam: Client) -> None:
    post(guest_of(night), "/mine", do="remove", browser=0)
    assert not night.queued("removed")
    assert not night.queued("put-out")
