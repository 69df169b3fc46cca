"""A browser gives itself another subscription, with no page open; and when it was last reached.
Who only knows a subscription moves nothing with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stillhere.core.messages import Fate, Receipt
from stillhere.store.messages import delivery
from stillhere.store.models import Address, WatchRow, sealed_columns
from stillhere.store.watches import apply
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_key, read

OLD = BrowserKeys("https://push.example.org/old")
NEW = BrowserKeys("https://push.example.org/new")


def allow(client: Client, keys: BrowserKeys = OLD) -> None:
    client.get("/watch")
    token = client.cookies["csrftoken"].value
    client.post("/push", {"csrfmiddlewaretoken": token, "subscription": keys.subscription})


def renew(client: Client, old: str = OLD.subscription, new: str = NEW.subscription) -> Any:
    """What the service worker of this browser sends: without a page or a token."""
    return client.post("/push/renewed", {"old": old, "subscription": new})


def allow_contact(night: SamsNight, name: str = "Leo", keys: BrowserKeys = OLD) -> Client:
    """The phone of a contact, which is notified now."""
    phone = browser()
    path = f"/c/{contact_key(night.contacts[name])}/push"
    assert phone.post(path, {"subscription": keys.subscription}).status_code == 200
    return phone


def to(night: SamsNight, name: str = "") -> list[str]:
    """Where notifications go: Sam's, or a contact's."""
    whose = {"contact": night.contacts[name]} if name else {"person": night.person}
    return [
        sealed_columns.address_value(a) for a in Address.objects.filter(channel="push", **whose)
    ]


def mine(night: SamsNight) -> Address:
    return Address.objects.get(person=night.person, channel="push")


def asks(night: SamsNight, clock: Clock) -> Any:
    """The ask that goes to Sam's browser, leased as the engine does."""
    row = WatchRow.objects.get(id=apply.start(night.person.id, "injected"))
    assert row.next_ask_at is not None
    for at in (row.next_ask_at, row.next_ask_at + 6_000):  # no page shows it
        clock.now = at
        apply.apply_batch([apply.Change(apply.Tick(), watch=row.id)])
    return next(m for m in delivery.lease("push", clock.now, 10, 20.0) if m.word == "ask")


def test_what_waits_goes_to_the_new_one(sam: Client, night: SamsNight, clock: Clock) -> None:
    allow(sam)
    kept = mine(night)
    assert renew(sam).json() == {"ok": True}
    now = mine(night)
    assert (now.id, now.browser_id) == (kept.id, kept.browser_id)
    assert asks(night, clock).to == NEW.subscription


def test_one_that_was_lost_is_told_again(sam: Client, night: SamsNight) -> None:
    allow(sam)
    Address.objects.filter(channel="push").update(state="broken", why="410")
    assert "gets no notifications any more" in read(sam, "/mine")
    assert renew(sam).status_code == 200
    assert mine(night).state == "ok"
    assert "gets no notifications any more" not in read(sam, "/mine")


def test_sent_again_it_stays_one(sam: Client, night: SamsNight) -> None:
    allow(sam)
    allow(sam, NEW)  # its page was opened meanwhile
    for _ in range(2):
        assert renew(sam).status_code == 200
        assert sealed_columns.address_value(mine(night)) == NEW.subscription
    assert renew(browser(stranger=True)).status_code == 404


def test_a_stop_is_not_undone_by_it(sam: Client, night: SamsNight) -> None:
    allow(sam)
    Address.objects.filter(channel="push").update(state="opted-out")
    assert renew(sam).status_code == 404
    assert sealed_columns.address_value(mine(night)) == OLD.subscription


def test_who_has_not_all_of_the_old_one_redirects_nothing(sam: Client, night: SamsNight) -> None:
    """Its address at the push service is not enough: the secret between us and the browser is."""
    allow(sam)
    guessed = BrowserKeys("https://push.example.org/old").subscription
    assert guessed != OLD.subscription
    assert renew(sam, guessed).status_code == 404
    assert sealed_columns.address_value(mine(night)) == OLD.subscription


# --- who knows one --------------------------------------------------------------------------------


def test_who_knows_sams_whole_subscription_moves_nothing(sam: Client, night: SamsNight) -> None:
    """A partner has it from a file of an earlier release, or from a browser's own tools."""
    allow(sam)
    for client in (browser(stranger=True), browser(sams_night(first=140).key)):
        assert renew(client).status_code == 404
    assert to(night) == [OLD.subscription]


def test_another_browser_of_sams_moves_nothing(sam: Client, night: SamsNight) -> None:
    """A guest's, which came by a link and was never told."""
    allow(sam)
    guest = browser()
    post(guest, f"/p/{night.key}")
    assert renew(guest).status_code == 404
    assert to(night) == [OLD.subscription]


def test_subscriptions_are_not_to_be_guessed(sam: Client, night: SamsNight) -> None:
    allow(sam)
    answers = [renew(browser(stranger=True)).status_code for _ in range(31)]
    assert answers == [404] * 30 + [429]
    assert renew(sam).status_code == 200, "its own browser is not slowed down"


def test_a_contacts_phone_renews_its_own(night: SamsNight) -> None:
    """It is known by its cookie alone; it has no session."""
    leo = allow_contact(night)
    assert renew(leo).json() == {"ok": True}
    assert to(night, "Leo") == [NEW.subscription]


def test_a_contacts_subscription_is_moved_by_no_other_phone(night: SamsNight) -> None:
    allow_contact(night)
    maya = allow_contact(night, "Maya", BrowserKeys("https://push.example.org/maya"))
    for client in (maya, browser(night.key), browser(stranger=True)):
        assert renew(client).status_code == 404
    assert to(night, "Leo") == [OLD.subscription]


def test_one_browser_renews_for_everybody_it_belongs_to(sam: Client, night: SamsNight) -> None:
    """Sam is on Kim's list as well, with the browser in which Sam keeps a watch."""
    kim = sams_night(("Sam",), first=140)
    allow(sam)
    path = f"/c/{contact_key(kim.contacts['Sam'])}/push"
    assert sam.post(path, {"subscription": OLD.subscription}).status_code == 200
    assert renew(sam).json() == {"ok": True}
    assert to(night) == to(kim, "Sam") == [NEW.subscription]


def test_one_from_before_browsers_were_known_is_renewed_by_whoever_could_be_told(
    sam: Client, night: SamsNight
) -> None:
    allow(sam)
    Address.objects.filter(channel="push").update(browser=None)
    assert renew(sam).json() == {"ok": True}
    read(sam, "/mine")  # gives it a browser of its own
    post(sam, "/mine", do="pin", pin="4711")
    Address.objects.filter(person=night.person, channel="push").delete()
    allow(sam)
    Address.objects.filter(channel="push").update(browser=None)
    later = browser(night.key)
    assert renew(later).status_code == 404, "no PIN was typed here"
    assert to(night) == [OLD.subscription]


def test_whom_mallory_has_on_a_list_goes_on_hearing_of_sam(night: SamsNight) -> None:
    """Leo is on both lists, with one browser; Mallory takes all of Mallory's data along."""
    mallory = sams_night(("Leo",), first=140)
    allow_contact(night)
    allow_contact(mallory)
    client = browser(mallory.key)
    file = client.get("/mine/lamp.json")
    [way] = [a for p in file.json()["people"] for a in p["addresses"] if a["channel"] == "push"]
    assert "address" not in way
    assert renew(client).status_code == 404, "even if it were known"
    assert to(night, "Leo") == to(mallory, "Leo") == [OLD.subscription]


@pytest.mark.parametrize("nonsense", ["", "{}", "x" * 9000, '{"endpoint": "https://10.0.0.1/x"}'])
def test_nonsense_is_refused(sam: Client, night: SamsNight, nonsense: str) -> None:
    allow(sam)
    assert renew(sam, nonsense).status_code == 422
    assert renew(sam, OLD.subscription, nonsense).status_code == 422
    assert sealed_columns.address_value(mine(night)) == OLD.subscription


def test_the_page_says_when_a_phone_was_last_reached(
    sam: Client, night: SamsNight, clock: Clock
) -> None:
    allow(sam)
    assert "gets notifications" in read(sam, "/mine")
    assert "last one:" not in read(sam, "/mine")
    message = asks(night, clock)
    delivery.record([message.result(Receipt(Fate.ACCEPTED))], clock.now)
    assert "gets notifications, last one:" in read(sam, "/mine")
