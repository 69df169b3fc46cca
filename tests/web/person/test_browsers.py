"""A second browser is a guest: listed, told of, put out, and out with it go its notifications."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from stillhere.core.events import Marked
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Browser, Message, Person, sealed_columns
from stillhere.store.people import address_book, browsers
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Reached
from stillhere.web.access import user_agent
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import read

GUESTS = BrowserKeys("https://push.example.org/mallory")
SAMS = BrowserKeys("https://push.example.org/sam")
PIXEL = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36"
)

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


def guest(night: SamsNight, says: str = PIXEL) -> Client:
    """Somebody else's browser, after half a minute with Sam's link."""
    client = browser()
    client.defaults["HTTP_USER_AGENT"] = says
    assert post(client, f"/p/{night.key}")["Location"] == "/watch"
    return client


def subscribe(client: Client, keys: BrowserKeys) -> int:
    client.get("/watch")
    fields = {"subscription": keys.subscription}
    fields["csrfmiddlewaretoken"] = client.cookies["csrftoken"].value
    return int(client.post("/push", fields).status_code)


def remove(client: Client, kind: str) -> None:
    page = client.get("/mine").content.decode()
    assert user_agent.in_words(kind) in page
    wanted = Browser.objects.get(kind=kind)
    post(client, "/mine", do="remove", browser=wanted.id)


def key_of(night: SamsNight) -> str:
    return encryption.key_for("watch", night.row().nonce)


def test_a_guest_who_hears_the_asks_is_out_with_a_new_link(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    """Mallory hears each ask and answers from afar, until Sam makes a new link."""
    mallory = guest(night)
    assert subscribe(mallory, GUESTS) == 200
    assert subscribe(sam, SAMS) == 200
    night.start()
    night.does(Marked())
    post(sam, "/mine", do="new-link")
    assert mallory.get("/watch")["Location"] == "/"
    assert mallory.get("/watch/state").status_code == 404
    assert browser().get(f"/p/{night.key}").status_code == 404
    [left] = Address.objects.filter(person=night.person, channel="push")
    assert sealed_columns.address_value(left) == SAMS.subscription
    assert "Still here" in read(sam, "/watch")


def test_what_was_sent_to_a_guest_can_be_pressed_no_more(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    mallory = guest(night)
    subscribe(mallory, GUESTS)
    night.start()
    night.does(Marked())
    clock.advance(61)
    tick_all()
    clock.advance(6)  # the page did not show it
    tick_all()
    sent = [m for m in delivery.lease("push", clock.now, 10, 20.0) if m.word == "ask"]
    assert sent
    remove(sam, "Chrome/Android")
    answered = browser().post(f"/k/{key_of(night)}/key", {"key": "9", "ref": str(sent[0].id)})
    assert answered.status_code == 404


def test_one_browser_is_put_out_and_the_others_stay(night: SamsNight, sam: Client) -> None:
    mallory = guest(night)
    subscribe(mallory, GUESTS)
    remove(sam, "Chrome/Android")
    assert mallory.get("/watch")["Location"] == "/"
    assert not Address.objects.filter(channel="push").exists()
    assert sam.get("/mine").status_code == 200


def test_nobody_puts_out_the_browser_of_somebody_else(night: SamsNight, sam: Client) -> None:
    other = browser()
    post(other, "/")
    theirs = Browser.objects.order_by("-id")[0]
    post(sam, "/mine", do="remove", browser=theirs.id)
    assert other.get("/watch").status_code == 200


def test_a_browser_that_forgets_is_listed_no_more(night: SamsNight, sam: Client) -> None:
    mallory = guest(night)
    subscribe(mallory, GUESTS)
    post(mallory, "/forget")
    assert "Chrome on Android" not in read(sam, "/mine")
    assert not Address.objects.filter(channel="push").exists()


def test_browsers_are_listed_with_their_day(night: SamsNight, sam: Client, clock: Clock) -> None:
    clock.advance(3 * 24 * 3600)
    guest(night)
    told = read(sam, "/mine")
    assert "Chrome on Android" in told
    day = datetime.fromtimestamp(clock.now / 1000, UTC)
    assert f"since February {day.day}, 2026" in told
    assert "this one" in told


def test_notifications_stand_behind_the_pin_and_a_watch_does_not(
    night: SamsNight, sam: Client
) -> None:
    """Half a minute with Sam's phone is not enough to be told of every ask."""
    post(sam, "/mine", do="pin", pin="2580")
    del sam.cookies["pin"]
    assert subscribe(sam, GUESTS) == 403
    assert not Address.objects.filter(channel="push").exists()
    mallory = guest(night)
    assert subscribe(mallory, GUESTS) == 403
    post(mallory, "/watch", profile="injected")
    button = re.search(r"/k/[\w-]{27}", mallory.get("/watch").content.decode())
    assert button
    assert mallory.post(f"{button.group()}/help").status_code == 303
    post(sam, "/pin", pin="2580", next="/people")
    assert subscribe(sam, SAMS) == 200


def test_a_new_browser_is_told_to_the_own_number_once_an_hour(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    subscribe(sam, SAMS)
    for _ in range(5):
        guest(night)
    told = night.queued("new-browser")
    assert [m.due_at - clock.now for m in told] == [0, 3_600_000], "one now, one for all the others"
    assert {sealed_columns.address_value(m.address) for m in told if m.address} == {"+12025550100"}
    assert {m.channel for m in told} == {"text"}
    clock.advance(3 * 3600)
    guest(night)
    assert len(night.queued("new-browser")) == 3


def test_the_same_phone_that_opens_its_link_again_is_no_news(night: SamsNight) -> None:
    phone = guest(night)
    Message.objects.filter(word="new-browser").delete()
    post(phone, f"/p/{night.key}")
    assert not night.queued("new-browser")
    assert Browser.objects.filter(kind="Chrome/Android").count() == 1


def test_a_number_that_was_replaced_hears_of_no_later_browser(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    address_book.set_own_addresses(night.person, [Reached("text", "+12025550147", rings=False)])
    address_proof.vouch(night.person)
    guest(night)
    told = {
        sealed_columns.address_value(m.address) for m in night.queued("new-browser") if m.address
    }
    assert told == {"+12025550147"}


def test_who_opens_many_puts_out_their_own(night: SamsNight, sam: Client) -> None:
    first = guest(night)
    for _ in range(browsers.MOST + 5):
        last = guest(night)
    assert Browser.objects.filter(person=night.person).count() == browsers.MOST
    for phone in (sam, first, last):
        assert phone.get("/watch").status_code == 200


def test_a_crowd_of_guests_keeps_no_new_phone_of_sam_s_out(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    """The crowd came yesterday, and goes on today."""
    for _ in range(browsers.MOST + 5):
        guest(night)
    clock.advance(24 * 3600)
    new = guest(night, says=IPHONE)
    for _ in range(browsers.MOST):
        last = guest(night)
    for phone in (sam, new, last):
        assert phone.get("/watch").status_code == 200
    assert Browser.objects.filter(person=night.person).count() == browsers.MOST


def test_a_crowd_puts_out_no_phone_of_the_same_kind_that_was_there_before(
    night: SamsNight, clock: Clock
) -> None:
    family = [guest(night) for _ in range(browsers.MOST // 2 + 1)]
    clock.advance(8 * 24 * 3600)
    for _ in range(browsers.MOST):
        guest(night, says=IPHONE)
    assert [phone.get("/watch").status_code for phone in family] == [200] * len(family)


def test_a_cookie_from_before_is_exchanged_and_gone(night: SamsNight) -> None:
    Person.objects.filter(id=night.person.id).update(key_in_cookie=True)
    phone = browser()
    phone.cookies["lamp"] = night.key
    assert phone.get("/watch/state").status_code == 404, "no watch yet; a look exchanges nothing"
    response = phone.get("/watch")
    assert response.status_code == 200
    assert not response.cookies["lamp"].value
    assert response.cookies["session"].value != night.key
    assert phone.get("/mine").status_code == 200
    assert Browser.objects.filter(person=night.person).count() == 2


def test_a_cookie_from_before_opens_nothing_after_a_new_link_or_of_somebody_new(
    night: SamsNight, sam: Client
) -> None:
    old = browser()
    old.cookies["lamp"] = night.key
    assert old.get("/watch")["Location"] == "/", "whoever came since has no such cookie"
    Person.objects.filter(id=night.person.id).update(key_in_cookie=True)
    post(sam, "/mine", do="new-link")
    old.cookies["lamp"] = sealed_columns.person_key(Person.objects.get())
    assert old.get("/watch")["Location"] == "/"


def test_forgetting_with_a_cookie_from_before_leaves_nothing(night: SamsNight) -> None:
    Person.objects.filter(id=night.person.id).update(key_in_cookie=True)
    phone = Client()
    phone.cookies["lamp"] = night.key
    before = Browser.objects.count()
    phone.post("/forget")
    assert not phone.cookies["session"].value
    assert not phone.cookies["lamp"].value
    assert Browser.objects.count() == before


def test_notifications_from_before_are_listed_and_put_out(night: SamsNight, sam: Client) -> None:
    address_book.add_address(
        Reached("push", GUESTS.subscription, rings=False), person=night.person, now=86_400_000
    )
    assert "A browser" in read(sam, "/mine")
    post(sam, "/mine", do="remove", browser=Browser.objects.get(kind="").id)
    assert not Address.objects.filter(channel="push").exists()


def test_notifications_from_before_belong_to_the_browser_that_names_them(
    night: SamsNight, sam: Client
) -> None:
    address_book.add_address(
        Reached("push", SAMS.subscription, rings=False), person=night.person, now=86_400_000
    )
    read(sam, "/mine")
    assert subscribe(sam, SAMS) == 200
    assert not Browser.objects.filter(kind="").exists()
    post(sam, "/mine", do="new-link")
    assert Address.objects.filter(channel="push").count() == 1


def test_who_asks_is_read_once_with_their_browser_and_nothing_is_written(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    sam.get("/watch/state")
    with CaptureQueriesContext(
        connection,
    ) as said:
        assert sam.get("/watch/state").status_code == 200
    asked = [q["sql"] for q in said if '"browser"' in q["sql"] or 'FROM "person"' in q["sql"]]
    assert len(asked) == 1
    assert all(q["sql"].lstrip().startswith("SELECT") for q in said)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (PIXEL, "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
         "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
         "Firefox on Linux"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)  # fmt: skip
def test_a_browser_is_called_by_plain_words(night: SamsNight, said: str, words: str) -> None:
    phone = guest(night, said)
    assert words in read(phone, "/mine")
    assert "<script>alert" not in phone.get("/mine").content.decode()


def test_a_first_pin_ends_the_notifications_of_whoever_was_in_without_one(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    mallory = guest(night)
    assert (subscribe(mallory, GUESTS), subscribe(sam, SAMS)) == (200, 200)
    assert post(sam, "/mine", do="pin", pin="2468").status_code == 200
    night.start()
    night.does(Marked())
    for wait_s in (60, 5):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    told = [m.to for m in delivery.lease("push", clock.now, 50, 20)]
    assert len(told) == 1
    assert "/sam" in told[0]
    assert subscribe(mallory, GUESTS) != 200, "not again without the PIN"


def test_another_pin_leaves_the_notifications_of_whoever_typed_the_first(
    night: SamsNight, sam: Client
) -> None:
    assert post(sam, "/mine", do="pin", pin="2468").status_code == 200
    laptop = guest(night)
    assert post(laptop, "/pin", pin="2468", next="/mine")["Location"] == "/mine"
    assert (subscribe(laptop, GUESTS), subscribe(sam, SAMS)) == (200, 200)
    assert post(sam, "/mine", do="pin", pin="3579").status_code == 200
    assert Address.objects.filter(person=night.person, channel="push").count() == 2
