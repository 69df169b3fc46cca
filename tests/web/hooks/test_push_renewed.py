"""A browser gives itself another subscription, with no page open; and when it was last reached."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stillhere.core.messages import Fate, Receipt
from stillhere.store.messages import delivery
from stillhere.store.models import Address, WatchRow, sealed_columns
from stillhere.store.watches import apply
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import read

OLD = BrowserKeys("https://push.example.org/old")
NEW = BrowserKeys("https://push.example.org/new")


def allow(client: Client, keys: BrowserKeys = OLD) -> None:
    client.get("/watch")
    token = client.cookies["csrftoken"].value
    client.post("/push", {"csrfmiddlewaretoken": token, "subscription": keys.subscription})


def renew(old: str, new: str = NEW.subscription) -> Any:
    """What the service worker sends: without a page, a cookie or a token."""
    return browser(stranger=True).post("/push/renewed", {"old": old, "subscription": new})


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
    assert renew(OLD.subscription).json() == {"ok": True}
    now = mine(night)
    assert (now.id, now.browser_id) == (kept.id, kept.browser_id)
    assert asks(night, clock).to == NEW.subscription


def test_one_that_was_lost_is_told_again(sam: Client, night: SamsNight) -> None:
    allow(sam)
    Address.objects.filter(channel="push").update(state="broken", why="410")
    assert "gets no notifications any more" in read(sam, "/mine")
    assert renew(OLD.subscription).status_code == 200
    assert mine(night).state == "ok"
    assert "gets no notifications any more" not in read(sam, "/mine")


def test_sent_again_it_stays_one(sam: Client, night: SamsNight) -> None:
    allow(sam)
    allow(sam, NEW)  # its page was opened meanwhile
    assert renew(OLD.subscription).status_code == 200
    assert sealed_columns.address_value(mine(night)) == NEW.subscription
    assert renew(OLD.subscription).status_code == 404


def test_a_stop_is_not_undone_by_it(sam: Client, night: SamsNight) -> None:
    allow(sam)
    Address.objects.filter(channel="push").update(state="opted-out")
    assert renew(OLD.subscription).status_code == 404
    assert sealed_columns.address_value(mine(night)) == OLD.subscription


def test_who_has_not_all_of_the_old_one_redirects_nothing(sam: Client, night: SamsNight) -> None:
    """Its address at the push service is not enough: the secret between us and the browser is."""
    allow(sam)
    guessed = BrowserKeys("https://push.example.org/old").subscription
    assert guessed != OLD.subscription
    assert renew(guessed).status_code == 404
    assert sealed_columns.address_value(mine(night)) == OLD.subscription


@pytest.mark.parametrize("nonsense", ["", "{}", "x" * 9000, '{"endpoint": "https://10.0.0.1/x"}'])
def test_nonsense_is_refused(sam: Client, night: SamsNight, nonsense: str) -> None:
    allow(sam)
    assert renew(nonsense).status_code == 422
    assert renew(OLD.subscription, nonsense).status_code == 422
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
