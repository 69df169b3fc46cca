"""A browser that wants notifications, and what is pressed on one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from stillhere.channels.carriers.carrier import Carrier
from stillhere.core.events import Ended, State
from stillhere.core.messages import Fate, Receipt
from stillhere.core.schedule import Routine
from stillhere.store.db import clock, encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Message, WatchRow, sealed_columns
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import CheckIn, Tick
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_key

SAMS = BrowserKeys("https://push.example.org/sam")
LEOS = BrowserKeys("https://push.example.org/leo")


def allow(client: Client, keys: BrowserKeys = SAMS) -> Any:
    """Sam presses "Notify this phone"."""
    client.get("/watch")
    token = client.cookies["csrftoken"].value
    return client.post("/push", {"csrfmiddlewaretoken": token, "subscription": keys.subscription})


def leos_key(night: SamsNight) -> str:
    return sealed_columns.contact_key(night.contacts["Leo"])


def sent(word: str) -> Message:
    """The message of that word to a browser, leased as the engine does."""
    leased = [m for m in delivery.lease("push", clock.now_ms(), 10, 20.0) if m.word == word]
    return Message.objects.get(id=leased[0].id)


def test_this_browser_is_told_and_once(sam: Client, night: SamsNight) -> None:
    answered = allow(sam)
    assert answered.status_code == 200
    assert answered.json() == {"ok": True, "says": "This phone is told now."}
    allow(sam)
    [kept] = Address.objects.filter(person=night.person, channel="push")
    assert sealed_columns.address_value(kept) == SAMS.subscription
    assert not kept.rings


def endpoints(**whose: Any) -> list[str]:
    kept = Address.objects.filter(channel="push", **whose).order_by("id")
    return [json.loads(sealed_columns.address_value(a))["endpoint"][-1] for a in kept]


def test_a_browser_has_one_subscription(sam: Client, night: SamsNight) -> None:
    for no in range(5):
        allow(sam, BrowserKeys(f"https://push.example.org/{no}"))
    assert endpoints(person=night.person) == ["4"]


def test_a_fifth_phone_of_a_contact_puts_out_none_that_was_there_before(night: SamsNight) -> None:
    path = f"/c/{contact_key(night.contacts['Leo'])}/push"
    for no in range(6):
        keys = BrowserKeys(f"https://push.example.org/{no}")
        assert browser().post(path, {"subscription": keys.subscription}).status_code == 200
    assert endpoints(contact=night.contacts["Leo"]) == ["0", "1", "2", "5"]


def test_a_browser_whose_permission_ended_may_be_told_again(sam: Client, night: SamsNight) -> None:
    allow(sam)
    mine = Address.objects.filter(person=night.person, channel="push")
    mine.update(state="broken")
    allow(sam)
    assert [a.state for a in mine] == ["ok"]


def test_nonsense_is_answered_kindly_and_keeps_nothing(sam: Client, night: SamsNight) -> None:
    sam.get("/watch")
    token = sam.cookies["csrftoken"].value
    for nonsense in ("", "{}", "x" * 9000, '{"endpoint": "https://10.0.0.1/x", "keys": {}}'):
        answered = sam.post("/push", {"csrfmiddlewaretoken": token, "subscription": nonsense})
        assert answered.status_code == 422
        assert "Try once more" in answered.json()["says"]
    assert sam.post("/push", {"subscription": SAMS.subscription}).status_code == 403
    assert not Address.objects.filter(channel="push").exists()


def test_another_number_leaves_the_notifications_as_they_are(sam: Client, night: SamsNight) -> None:
    allow(sam)
    post(sam, "/people", do="own", phone="202 555 0147")
    ways = Address.objects.filter(person=night.person).values_list("channel", flat=True)
    assert sorted(ways) == ["call", "push", "text"]
    key = leos_key(night)
    leo = browser()
    leo.post(f"/c/{key}/push", {"subscription": LEOS.subscription})
    leo.post(f"/c/{key}/answer", {"do": "number", "phone": "202 555 0148"})
    ways = Address.objects.filter(contact=night.contacts["Leo"]).values_list("channel", flat=True)
    assert sorted(ways) == ["call", "push", "text"]


def test_only_who_said_yes_is_told(night: SamsNight) -> None:
    leo = night.contacts["Leo"]
    path = f"/c/{leos_key(night)}/push"
    assert browser().post(path, {"subscription": LEOS.subscription}).status_code == 200
    leo.status = "invited"
    leo.save(update_fields=["status"])
    assert browser().post(path, {"subscription": LEOS.subscription}).status_code == 404
    assert browser().post("/c/nobody/push", {"subscription": "x"}).status_code == 404


def test_a_link_passed_on_notifies_no_stranger_and_presses_nothing(
    sam: Client, night: SamsNight, asked: int
) -> None:
    key, stranger = leos_key(night), browser(stranger=True)
    path = f"/c/{key}/push"
    assert stranger.post(path, {"subscription": LEOS.subscription}).status_code == 403
    browser().post(path, {"subscription": LEOS.subscription})
    ask = sent("ask")
    browser().post(f"/k/{key_of(night)}/key", {"key": "9", "ref": str(ask.id)})
    pressed = {"key": "2", "ref": str(sent("help").id)}
    assert stranger.post(f"/c/{key}/key", pressed).status_code == 404
    assert browser().post(f"/c/{key}/key", pressed).status_code == 200


@pytest.fixture
def asked(sam: Client, night: SamsNight, clock: Clock) -> int:
    """Sam's watch, with an ask on its way to Sam's browser."""
    allow(sam)
    watch = apply.start(night.person.id, "injected")
    asks(watch, clock)
    return watch


def asks(watch: int, clock: Clock) -> None:
    """Sam is asked, and the page does not show it."""
    at = WatchRow.objects.get(id=watch).next_ask_at
    assert at is not None
    clock.now = at
    apply.apply_batch([apply.Change(Tick(), watch=watch)])
    clock.now += 6_000
    apply.apply_batch([apply.Change(Tick(), watch=watch)])


def state_of(night: SamsNight) -> State:
    shown = queries.watch_of(night.person)
    assert shown is not None
    return shown.watch.state


def key_of(night: SamsNight) -> str:
    shown = queries.watch_of(night.person)
    assert shown is not None
    return shown.key


def test_still_here_on_the_notification_is_a_check_in(night: SamsNight, asked: int) -> None:
    message = sent("ask")
    assert state_of(night) is State.ASKING
    path = f"/k/{key_of(night)}/key"
    answered = browser().post(path, {"key": "1", "ref": str(message.id)})
    assert answered.status_code == 200
    assert answered.json()["ok"]
    assert state_of(night) is State.OPEN
    again = browser().post(path, {"key": "1", "ref": str(message.id)})  # told twice
    assert again.json() == {"ok": True, "says": "Got it"}


def test_the_key_of_a_watch_that_is_over_answers_no_later_ask(
    sam: Client, night: SamsNight, clock: Clock, asked: int
) -> None:
    """Numbers of messages can be guessed, and a link of last month may be with anybody."""
    old, path = sent("ask"), f"/k/{key_of(night)}/key"
    apply.apply_batch([apply.Change(CheckIn(), watch=asked), apply.Change(Ended(), watch=asked)])
    watch = apply.start(night.person.id, "injected")
    asks(watch, clock)
    ask = sent("ask")
    for ref in (old.id, ask.id):
        assert browser().post(path, {"key": "1", "ref": str(ref)}).status_code == 404
        assert browser().post(path, {"key": "9", "ref": str(ref)}).status_code == 404
    assert WatchRow.objects.get(id=watch).state == "asking"


def test_a_notification_counts_for_its_own_watch_alone(
    sam: Client, night: SamsNight, clock: Clock, asked: int
) -> None:
    every_day = Routine(frozenset(range(7)), 22 * 60, "America/New_York")
    daily = apply.start(night.person.id, "routine", routine=every_day)
    ask, before = sent("ask"), WatchRow.objects.get(id=daily).seen_at
    clock.now += 1_000
    daily_key = encryption.key_for("watch", WatchRow.objects.get(id=daily).nonce)
    pressed = {"key": "1", "ref": str(ask.id)}
    assert browser().post(f"/k/{daily_key}/key", pressed).status_code == 404
    assert state_of(night) is State.ASKING
    acute_key = encryption.key_for("watch", WatchRow.objects.get(id=asked).nonce)
    assert browser().post(f"/k/{acute_key}/key", pressed).status_code == 200
    assert WatchRow.objects.get(id=asked).state == "open"
    assert WatchRow.objects.get(id=daily).seen_at == before


def test_i_need_help_on_the_notification_calls_everyone(night: SamsNight, asked: int) -> None:
    message = sent("ask")
    answered = browser().post(f"/k/{key_of(night)}/key", {"key": "9", "ref": str(message.id)})
    assert "We are reaching the people" in answered.json()["says"]
    assert state_of(night) is State.ALARM


def test_im_going_on_the_notification_is_a_claim(sam: Client, night: SamsNight, asked: int) -> None:
    key = leos_key(night)
    browser().post(f"/c/{key}/push", {"subscription": LEOS.subscription})
    ask = sent("ask")
    browser().post(f"/k/{key_of(night)}/key", {"key": "9", "ref": str(ask.id)})
    help_ = sent("help")
    for wrong in (  # somebody else's message, and none
        {"key": "1", "ref": str(ask.id)},
        {"key": "1", "ref": "99999"},
        {"key": "", "ref": str(help_.id)},
        {"key": "\u0661", "ref": str(help_.id)},
        {},
    ):
        answered = browser().post(f"/c/{key}/key", wrong)
        assert answered.status_code == 404, wrong
        assert answered.json()["says"] == "Not counted. Open the page and answer there."
    assert state_of(night) is State.ALARM
    answered = browser().post(f"/c/{key}/key", {"key": "1", "ref": str(help_.id)})
    assert answered.json()["ok"]
    assert state_of(night) is State.CLAIMED


def test_a_key_of_somebody_else_presses_nothing(night: SamsNight, asked: int) -> None:
    message = sent("ask")
    path = f"/c/{leos_key(night)}/key"
    assert browser().post(path, {"key": "1", "ref": str(message.id)}).status_code == 404
    unknown = browser().post("/k/" + "a" * 27 + "/key", {"key": "1", "ref": str(message.id)})
    assert unknown.status_code == 404
    assert state_of(night) is State.ASKING


def test_a_gone_subscription_moves_on_at_once(night: SamsNight, asked: int) -> None:
    [leased] = delivery.lease("push", clock.now_ms(), 10, 20.0)
    delivery.record([leased.result(Receipt(Fate.FAILED, why="gone"))], clock.now_ms())
    address = Address.objects.get(person=night.person, channel="push")
    assert address.state == "broken"
    assert address.lookup == encryption.lookup("push", SAMS.subscription)


def test_what_a_borrowed_phone_shows_is_never_kept(sam: Client, night: SamsNight) -> None:
    assert "Lamp-Keep" not in sam.get("/watch").headers
    apply.start(night.person.id, "injected")
    assert sam.get("/watch").headers["Lamp-Keep"] == "1"
    assert sam.get("/watch/part").headers["Lamp-Keep"] == "1"
    sam.cookies["borrowed"] = "1"
    assert "Lamp-Keep" not in sam.get("/watch").headers


def test_the_worker_names_every_file_it_keeps(sam: Client) -> None:
    worker = sam.get("/sw.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert worker.headers["Cache-Control"] == "no-store"  # a browser looks for a newer one
    said = worker.content.decode()
    for name in ("/offline", "/help-now", "/lines", "lamp.", "push."):
        assert name in said
    assert "{{" not in said
    page = sam.get("/offline").content.decode()
    assert "No connection" in page


def test_the_text_that_answers_is_offered_only_where_it_counts(
    sam: Client, night: SamsNight, settings: Any
) -> None:
    apply.start(night.person.id, "injected")
    assert 'id="sms"' not in sam.get("/watch").content.decode()
    one = Carrier("one", "twilio", "https://example.org", "AC1", "x", "+12025550100", ("text",))
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(one,))
    page = sam.get("/watch").content.decode()
    own = Address.objects.filter(person=night.person, channel="text")
    assert ('href="sms:+12025550100?&amp;body=OK"' in page) is own.exists()
    own.delete()
    assert 'id="sms"' not in sam.get("/watch").content.decode()
