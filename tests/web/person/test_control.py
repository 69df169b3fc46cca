"""In Sam's own hand: the PIN, the printed code, a phone that is not Sam's, and the light."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.store.models import Person, PinTries, sealed_columns
from stillhere.web.person import recovery
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import read, text_of, watch_path


def with_pin(sam: Client, pin: str = "2580") -> None:
    """Sam chooses a PIN; this browser does not know it yet."""
    assert post(sam, "/mine", do="pin", pin=pin).status_code == 200
    del sam.cookies["pin"]


def test_a_pin_stands_before_the_plan_and_never_before_the_watch(
    night: SamsNight, sam: Client
) -> None:
    with_pin(sam)
    for path in ("/people", "/routine", "/mine", "/mine/lamp.json"):
        response = sam.get(path)
        assert (response.status_code, response["Location"]) == (302, f"/pin?next={path}")
    assert "I'm about to" in read(sam, "/watch")
    post(sam, "/watch", profile="injected")
    button = re.search(r"/k/[\w-]{27}", sam.get("/watch").content.decode())
    assert button
    assert sam.post(f"{button.group()}/help").status_code == 303
    assert post(sam, "/pin", pin="2580", next="/people")["Location"] == "/people"
    assert "Who comes" in read(sam, "/people")
    assert Person.objects.get().pin not in ("", "2580"), "never kept in clear"


def test_a_wrong_pin_is_told_so_and_five_are_enough(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    with_pin(sam)
    for _ in range(5):
        response = post(sam, "/pin", pin="0000", next="/people")
        assert (response.status_code, "That is not the PIN." in text_of(response)) == (422, True)
    assert "Too many tries." in text_of(post(sam, "/pin", pin="2580", next="/people"))
    clock.advance(61)
    assert post(sam, "/pin", pin="2580", next="/people").status_code == 302


def test_five_tries_are_five_when_sixty_come_at_once(
    night: SamsNight, sam: Client, settings: Settings
) -> None:
    """With the slow comparison of an installation, so that many are under way together."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    with_pin(sam)
    sam.get("/pin")

    def guess(_no: int) -> str:
        phone = Client()
        phone.cookies.load({"session": sam.cookies["session"].value})
        try:
            return text_of(phone.post("/pin", {"pin": "0000"}))
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        heard = list(pool.map(guess, range(60)))  # many find no place at all (slow_work.py)
    heard += [guess(no) for no in range(6)]
    assert sum("That is not the PIN." in each for each in heard) == 5
    assert "Too many tries." in text_of(post(sam, "/pin", pin="2580"))


def test_tries_of_before_a_restart_count(night: SamsNight, sam: Client, clock: Clock) -> None:
    """Or of another web server: nothing is kept in this process."""
    with_pin(sam)
    PinTries.objects.create(person=night.person, minute_at=clock.now - 1000, minute=5)
    assert "Too many tries." in text_of(post(sam, "/pin", pin="2580"))
    clock.advance(60)
    assert post(sam, "/pin", pin="2580", next="/people").status_code == 302


def test_a_right_pin_is_no_try(night: SamsNight, sam: Client) -> None:
    with_pin(sam)
    for _ in range(8):
        assert post(sam, "/pin", pin="2580", next="/people").status_code == 302


def test_after_a_wrong_pin_one_still_gets_where_one_was_going(
    night: SamsNight, sam: Client
) -> None:
    with_pin(sam)
    page = post(sam, "/pin", pin="0000", next="/routine").content.decode()
    assert 'name="next" value="/routine"' in page


@pytest.mark.slow
def test_who_guesses_on_and_on_gets_five_an_hour(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    with_pin(sam)
    heard = 0
    for _ in range(40):
        for _ in range(5):
            heard += "That is not the PIN." in text_of(post(sam, "/pin", pin="0000"))
        clock.advance(60)
    assert heard <= 26
    assert "Wait an hour" in text_of(post(sam, "/pin", pin="2580"))
    assert "I'm about to" in read(sam, "/watch"), "the watch never asks"
    clock.advance(3600)
    assert post(sam, "/pin", pin="2580", next="/people")["Location"] == "/people"


def test_a_pin_leads_on_within_our_pages_only(night: SamsNight, sam: Client) -> None:
    with_pin(sam)
    for elsewhere in ("https://evil.example/", "//evil.example", "", "evil"):
        assert post(sam, "/pin", pin="2580", next=elsewhere)["Location"] == "/mine"


@pytest.mark.parametrize("pin", ["1", "123", "123456789", "abcd", "١٢٣٤"])
def test_what_cannot_be_a_pin_is_said(sam: Client, pin: str) -> None:
    response = post(sam, "/mine", do="pin", pin=pin)
    assert response.status_code == 422
    assert "A PIN has 4 to 8 digits." in text_of(response)
    assert not Person.objects.get().pin


def test_another_pin_shuts_the_pages_another_browser_opened(night: SamsNight, sam: Client) -> None:
    other = browser(night.key)
    with_pin(sam)
    post(other, "/pin", pin="2580", next="/people")
    assert other.get("/people").status_code == 200
    post(other, "/mine", do="pin", pin="1470")
    assert sam.get("/people").status_code == 302
    post(sam, "/pin", pin="1470")
    assert sam.get("/people").status_code == 200


def test_a_pin_is_asked_again_after_a_quarter_of_an_hour(
    night: SamsNight, sam: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_pin(sam)
    post(sam, "/pin", pin="2580")
    assert sam.get("/people").status_code == 200
    monkeypatch.setattr("stillhere.web.access.person_session.PIN_S", -1)
    assert sam.get("/people").status_code == 302


def test_the_printed_code_is_the_key_in_letters_a_hand_can_copy(
    night: SamsNight, sam: Client
) -> None:
    response = post(sam, "/mine", do="print")
    code = re.search(r"<code>((?:[A-Z2-7]{4} ?){8})</code>", response.content.decode())
    assert code
    assert recovery.key_of(code.group(1)) == night.key
    assert "<svg" in response.content.decode()


@pytest.mark.parametrize(
    "as_typed", ["code", "lower", "crowded", "misread", "link", "key", "lines"]
)
def test_a_code_may_be_typed_any_way(night: SamsNight, as_typed: str) -> None:
    code = recovery.code_of(night.key)
    typed = {
        "code": code,
        "lower": f"  {code.lower()}\n",
        "crowded": code.replace(" ", "-"),
        "misread": code.replace("O", "0").replace("I", "1").replace("B", "8"),
        "link": recovery.link_of(night.key),
        "key": night.key,
        "lines": code.replace(" ", "\r\n"),
    }[as_typed]
    phone = browser()
    assert post(phone, "/p", code=typed)["Location"] == "/watch"
    assert "If you go quiet, we reach" in read(phone, "/watch")


@pytest.mark.parametrize("typed", ["", "x", "ABCD EFGH", "A" * 32, "🗝" * 50, "1" * 400])
def test_a_code_that_opens_nothing_is_told_so_and_stays_in_the_field(typed: str) -> None:
    response = post(browser(), "/p", code=typed)
    assert response.status_code == 404
    assert "This code opens nothing." in text_of(response)
    assert typed in response.content.decode()


@pytest.mark.parametrize("by", ["code", "link"])
def test_neither_the_code_nor_the_link_takes_a_pin_away(
    night: SamsNight, sam: Client, by: str
) -> None:
    with_pin(sam)
    phone = browser()
    if by == "code":
        post(phone, "/p", code=recovery.code_of(night.key))
    else:
        assert "Your PIN stays." in read(phone, f"/p/{night.key}")
        post(phone, f"/p/{night.key}")
    assert phone.get("/people")["Location"] == "/pin?next=/people"
    assert "I'm about to" in read(phone, "/watch")


def test_a_forgotten_pin_goes_after_a_day_that_is_announced(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    with_pin(sam)
    post(sam, "/pin", do="forgotten")
    [told] = night.queued("pin-off")
    assert told.address is not None
    assert sealed_columns.address_value(told.address) == "+12025550100"
    assert "The PIN goes away: February 1, 17:00" in read(sam, "/pin")
    assert "Your PIN goes away: February 1, 17:00" in read(sam, "/watch")
    clock.advance(24 * 3600 - 1)
    post(sam, "/pin", do="forgotten")
    assert sam.get("/people").status_code == 302
    clock.advance(2)
    assert sam.get("/people").status_code == 200
    assert not Person.objects.get().pin
    assert len(night.queued("pin-off")) == 1


def test_whoever_knows_the_pin_keeps_it(night: SamsNight, sam: Client, clock: Clock) -> None:
    with_pin(sam)
    post(browser(night.key), "/pin", do="forgotten")
    post(sam, "/pin", pin="0000")
    assert Person.objects.get().pin_off_at
    post(sam, "/pin", pin="2580", next="/people")
    del sam.cookies["pin"]
    clock.advance(25 * 3600)
    assert sam.get("/people")["Location"] == "/pin?next=/people"
    assert "Your PIN goes" not in read(sam, "/watch")


def test_a_phone_that_is_not_sams_keeps_nothing(night: SamsNight) -> None:
    phone = browser()
    post(phone, f"/p/{night.key}", borrowed="1")
    assert not phone.cookies["session"]["max-age"], "gone when the browser is closed"
    assert "data-borrowed" in phone.get("/watch").content.decode()
    night.start()
    night.does(ev.Marked())
    night.does(ev.Ended())
    assert "Leave no trace on this phone" in read(phone, "/watch")
    response = post(phone, "/forget")
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    for name in ("session", "borrowed", "csrftoken"):
        assert not phone.cookies[name].value
    assert phone.get("/watch").status_code == 302


def test_nothing_of_a_borrowed_phone_outlives_its_browser() -> None:
    phone = browser()
    post(phone, "/", borrowed="1")
    phone.get("/watch")
    phone.post("/language", {"lang": "es", "next": "/watch"})
    assert set(phone.cookies) >= {"session", "borrowed", "csrftoken", "django_language"}
    for name, cookie in phone.cookies.items():
        assert not cookie["max-age"], name
        assert not cookie["expires"], name


def test_a_new_person_on_a_borrowed_phone_is_forgotten_too() -> None:
    phone = browser()
    post(phone, "/", borrowed="1")
    assert not phone.cookies["session"]["max-age"]
    assert phone.cookies["borrowed"].value


@pytest.mark.parametrize("light", ["night", "day", "phone", ""])
def test_the_light_is_what_was_chosen(night: SamsNight, sam: Client, light: str) -> None:
    assert sam.post("/light", {"light": light, "next": "/mine"})["Location"] == "/mine"
    html = sam.get("/people").content.decode()
    assert f'class="{light}' in html
    sam.post("/light", {"light": "disco", "next": "//evil.example"})
    assert f'class="{light}' in sam.get("/people").content.decode()


def test_every_title_is_lamp_and_no_other_site_learns_an_address(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    for path in ("/", "/watch", "/people", "/mine", "/p", f"/p/{night.key}", watch_path(night)):
        response = sam.get(path)
        assert "<title>Lamp</title>" in response.content.decode()
        assert response["Referrer-Policy"] == "same-origin"


def test_leaving_fast_leads_where_whoever_runs_this_says(settings: Settings) -> None:
    assert "Lamp" not in read(browser(), "/out"), "an empty page of our own"
    settings.STILLHERE = replace(settings.STILLHERE, exit_url="https://news.example.org/")
    response = browser().get("/out")
    assert (response.status_code, response["Location"]) == (303, "https://news.example.org/")
    assert response["Referrer-Policy"] == "same-origin", "and nobody there learns from where"
