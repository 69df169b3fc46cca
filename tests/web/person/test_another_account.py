"""Sam's phone does not become somebody else's without Sam hearing of it."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.models import Address, Browser, Person, sealed_columns
from tests.channels.browsers import BrowserKeys
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import SAM, said_to
from tests.web.conftest import browser, post
from tests.web.pages import read, text_of
from tests.web.strangers import visitor

HERE = "This phone already opens somebody's pages."
LEFT = "A phone was removed from your page"


@pytest.fixture
def others(night: SamsNight) -> str:
    """The link of the partner, whose list looks like Sam's."""
    _client, partner = visitor()
    return f"/p/{sealed_columns.person_key(partner)}"


def subscribe(client: Client, name: str) -> int:
    client.get("/watch")
    token = client.cookies["csrftoken"].value
    keys = BrowserKeys(f"https://push.example.org/{name}")
    fields = {"csrfmiddlewaretoken": token, "subscription": keys.subscription}
    return int(client.post("/push", fields).status_code)


def whose(client: Client) -> int:
    return int(client.get("/watch").context["person"].id)


def test_past_sams_pin_the_phone_becomes_nobody_elses(
    night: SamsNight, sam: Client, others: str
) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    locked = browser(night.key)
    page = text_of(locked.get(others))
    assert HERE in page
    assert "Sam" not in page
    assert post(locked, others).status_code == 422
    assert post(locked, others, pin="1111").status_code == 422
    assert whose(locked) == night.person.id
    assert [post(locked, others, pin="1111").status_code for _ in range(4)] == [422] * 4
    assert post(locked, others, pin="2580").status_code == 422, "tries are counted as everywhere"


def test_with_the_pin_it_does_and_sams_number_is_told(
    night: SamsNight, sam: Client, others: str, clock: Clock
) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    locked = browser(night.key)
    assert post(locked, others, pin="2580")["Location"] == "/watch"
    assert whose(locked) != night.person.id
    assert [text for text in said_to(SAM, clock) if text.startswith(LEFT)]


def test_not_while_sam_is_watched_there(night: SamsNight, sam: Client, others: str) -> None:
    subscribe(sam, "sam")
    night.start()
    assert "Somebody is being watched over on this phone" in text_of(sam.get(others))
    assert post(sam, others).status_code == 409
    assert (whose(sam), subscribed(night)) == (night.person.id, 1)


def subscribed(night: SamsNight) -> int:
    return Address.objects.filter(person=night.person, channel="push").count()


def test_a_second_hand_phone_is_opened_with_one_press(
    night: SamsNight, sam: Client, others: str, clock: Clock
) -> None:
    assert HERE in text_of(sam.get(others))
    assert post(sam, others)["Location"] == "/watch"
    assert [text for text in said_to(SAM, clock) if text.startswith(LEFT)]


def test_the_code_asks_the_same(night: SamsNight, sam: Client, others: str) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    locked = browser(night.key)
    assert post(locked, "/p", code=others)["Location"] == others
    assert whose(locked) == night.person.id


def test_whoever_has_a_phone_forget_sam_is_told_to_sam(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    read(sam, "/mine")
    assert post(sam, "/forget").status_code == 302
    assert [text for text in said_to(SAM, clock) if text.startswith(LEFT)]


def test_sam_s_own_phone_forgets_by_the_pin_alone(night: SamsNight, sam: Client) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    del sam.cookies["pin"]
    assert post(sam, "/forget")["Location"] == "/pin?next=/mine"
    assert whose(sam) == night.person.id
    assert post(sam, "/pin?next=/mine", pin="2580")["Location"] == "/mine"
    assert post(sam, "/forget")["Location"] == "/"
    assert sam.get("/watch").status_code == 302


def test_a_borrowed_phone_forgets_without_one(night: SamsNight, sam: Client) -> None:
    post(sam, "/mine", do="pin", pin="2580")
    friends = browser(stranger=True)
    post(friends, f"/p/{night.key}", borrowed="1")
    assert post(friends, "/forget")["Location"] == "/"


def test_a_borrowed_phone_that_forgets_is_no_news(night: SamsNight, clock: Clock) -> None:
    friends = browser(stranger=True)
    post(friends, f"/p/{night.key}", borrowed="1")
    read(friends, "/mine")
    post(friends, "/forget")
    assert not [text for text in said_to(SAM, clock) if text.startswith(LEFT)]


# --- Sam's own link again -------------------------------------------------------------------------


def test_sams_own_link_again_leaves_sam_the_older(night: SamsNight, sam: Client) -> None:
    """The guest opens it on Sam's phone, and then puts out who seems to have come last."""
    subscribe(sam, "sam")
    guest = browser(stranger=True)
    post(guest, f"/p/{night.key}")
    assert post(sam, f"/p/{night.key}")["Location"] == "/watch"
    [mine, _theirs] = Browser.objects.filter(person=night.person).order_by("id")
    told = post(guest, "/mine", do="remove", browser=mine.id).content.decode()
    assert "it goes in a day" in told
    assert sam.get("/watch").status_code == 200
    assert subscribed(night) == 1


# --- notifications --------------------------------------------------------------------------------


def test_a_guest_ends_no_notifications_of_sams(night: SamsNight, sam: Client) -> None:
    subscribe(sam, "sam")
    before = Address.objects.get(person=night.person, channel="push").id
    guest = browser(stranger=True)
    post(guest, f"/p/{night.key}")
    assert [subscribe(guest, f"guest{n}") for n in range(4)] == [200] * 4
    assert Address.objects.filter(id=before).exists()
    assert subscribed(night) == 2, "one a browser"
    assert "gets notifications" in read(sam, "/mine")
    assert Person.objects.count() == 1
