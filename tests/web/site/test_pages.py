"""What must hold of every page, whatever it shows and whoever looks."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

import stillhere.web
from stillhere.store.db import encryption
from stillhere.store.installation import desk_key
from stillhere.store.models import Address, Installation, WatchRow
from stillhere.store.people import persons
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.languages import LANGUAGES
from tests.web.conftest import browser, post
from tests.web.pages import (
    STATES,
    WITHOUT_A_DATABASE,
    contact_path,
    everything,
    in_every_state,
    make,
    read,
    text_of,
    watch_path,
)

OWN_HOSTS = ("http://localhost:8420",)
UGLY = "<script>alert('Sam')</script>" + "Ñandú 李雷 \u202e" * 20


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_every_page_shows_in_every_state(
    night: SamsNight, state: str, lang: str, settings: Settings
) -> None:
    make(state, night)
    before = everything_after_the_desk_was_opened()
    for pages in in_every_state(night, lang).values():
        for client, path in pages:
            response = client.get(path)
            assert response.status_code == 200, path
            check_page(response, path, lang)
    assert everything() == before, "a GET changed something"


def everything_after_the_desk_was_opened() -> object:
    desk_key.key()
    return everything()


def check_page(response: Any, path: str, lang: str) -> None:
    """Headers and markup that every answer has."""
    headers = response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Robots-Tag"] == "noindex"
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    html = response.content.decode()
    if path.endswith(".json"):
        return
    for address in re.findall(r"""(?:href|src|action)=["']([^"']*)""", html):
        assert address.startswith(("/", "tel:", "#")), address
        assert not address.startswith("//"), address
    assert not re.search(r"<(style|script)>|\sstyle=|\son\w+=|javascript:", html), path
    if path.endswith("/part") or path == "/out":
        return
    assert f'<html lang="{lang}"' in html
    assert "<title>Lamp</title>" in html
    assert 'id="exit"' in html
    assert html.count("<h1") >= 1


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES)
def test_a_script_in_a_name_is_text(state: str) -> None:
    night = sams_night(("Leo",), ("Maya",))
    persons.set_plan(night.person, name=UGLY, place=UGLY, entry=UGLY, dispatch=UGLY)
    for contact in night.contacts.values():
        contact.name = encryption.seal(UGLY[:80], "contact.name", contact.nonce)
        contact.save(update_fields=["name"])
    make(state, night)
    for pages in in_every_state(night, "en").values():
        for client, path in pages:
            html = client.get(path).content.decode()
            assert path.endswith(".json") or "<script>alert" not in html


def test_a_name_of_three_hundred_letters_is_kept_as_far_as_it_fits(
    night: SamsNight, sam: Client
) -> None:
    persons.set_plan(night.person, name="S" * 300)
    assert f'value="{"S" * 80}"' in sam.get("/people").content.decode()


def test_no_page_writes_a_key_into_the_log(
    night: SamsNight, caplog: pytest.LogCaptureFixture
) -> None:
    make("alarm", night)
    with caplog.at_level(logging.DEBUG):
        for pages in in_every_state(night, "en").values():
            for client, path in pages:
                client.get(path)
                client.post(path)
        browser().get("/c/" + "x" * 27)
    for secret in (night.key, watch_path(night).removeprefix("/k/"), desk_key.key(), "Sam", "Elm"):
        assert secret not in caplog.text


# --- honesty --------------------------------------------------------------------------------------


def test_every_page_says_practice_until_it_could_wake_somebody(
    night: SamsNight, settings: Settings
) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    for pages in in_every_state(night, "en").values():
        for client, path in pages:
            if not path.endswith((".json", "/part", "/out")):
                assert "Practice: nobody will be called." in read(client, path), path
    assert "Practice" in read(browser(), "/nothing-here", 404)


def test_a_demo_says_that_it_is_one(night: SamsNight) -> None:
    assert "Demo: nobody real is called." in read(browser(night.key), "/watch")


def test_no_open_alarm_stands_under_the_word_practice(night: SamsNight, settings: Settings) -> None:
    """Mails may have left, and somebody lies there: it is no practice for them."""
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    night.start()
    pages = [(browser(night.key), "/watch"), (browser(), contact_path(night, "Leo"))]
    for client, path in pages:
        assert "Practice: nobody will be called." in read(client, path), path
    night.does(CallForHelp())
    for client, path in pages:
        assert "Practice: nobody will be called." not in read(client, path), path


def test_the_first_page_says_why_it_is_practice(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="")
    told = read(browser(), "/")
    assert "It has no public address with https" in told
    assert "It has no way to make a phone ring" in told
    assert "Nobody outside would notice" in told


def test_the_first_page_says_what_it_is_not_and_who_runs_it() -> None:
    told = read(browser(), "/")
    assert "not a medical device" in told
    assert "does not replace emergency services" in told
    assert "Run by Example County Neighbours." in told


def test_every_page_says_when_the_watch_does_not_run(night: SamsNight, clock: Clock) -> None:
    make("open", night)
    assert "not running" not in read(browser(night.key), "/watch")
    clock.advance(10)
    for pages in in_every_state(night, "en").values():
        for client, path in pages:
            silent = path in WITHOUT_A_DATABASE or path == "/people/part"
            if not silent and not path.endswith((".json", "/out")):
                assert "The watch is not running. Ask a person" in read(client, path), path


def test_what_is_not_proved_is_said(night: SamsNight) -> None:
    Installation.objects.update(proof_says="watches are looked at 40 s late")
    assert "The watch is not running." in read(browser(night.key), "/watch")


@pytest.mark.parametrize("state", ["open", "alarm", "closed"])
@pytest.mark.parametrize("why", ["beat", "proof"])
def test_sam_and_the_one_who_waits_both_learn_it_on_an_open_page(
    night: SamsNight, clock: Clock, state: str, why: str
) -> None:
    make(state, night)
    pages = [
        (browser(night.key, "es"), "/watch"),
        (browser(lang="es"), contact_path(night, "Leo")),
    ]
    says = "La guardia no está funcionando."
    before = [client.get(f"{path}/state").json()["v"] for client, path in pages]
    assert not any(says in read(client, f"{path}/part") for client, path in pages)
    if why == "beat":
        clock.advance(10)
    else:
        Installation.objects.update(proof_says="1 open alarms have nothing on its way: [4]")
    after = [client.get(f"{path}/state").json()["v"] for client, path in pages]
    assert all(then != now for then, now in zip(before, after, strict=True))
    for client, path in pages:
        assert says in read(client, path)
        assert says in read(client, f"{path}/part")


def test_a_fast_clock_is_no_reason_to_say_that_we_are_behind(
    night: SamsNight, clock: Clock
) -> None:
    Installation.objects.update(clock_rate=10.0, clock_anchor_at=clock.now)
    clock.advance(5)  # fifty seconds there
    assert "not running" not in read(browser(night.key), "/watch")
    clock.advance(6)
    assert "not running" in read(browser(night.key), "/watch")


def test_nobody_on_the_list_is_not_called_watching() -> None:
    night = sams_night()
    told = read(browser(night.key), "/watch")
    assert "Nobody will come." in told
    night.start()
    told = read(browser(night.key), "/watch")
    assert "Nobody will come." in told
    assert "If you go quiet, we reach" not in told


def test_a_broken_number_is_shown_before_the_night(night: SamsNight) -> None:
    Address.objects.filter(contact=night.contacts["Leo"]).update(state="broken")
    told = read(browser(night.key), "/watch")
    assert "No way to reach Leo works." in told
    assert "No way to reach Leo works." in read(browser(night.key), "/people")
    night.start()
    told = read(browser(night.key), "/watch")
    assert "No way to reach Leo works." in told
    assert "If you go quiet, we reach Maya." in told


def test_a_watch_that_was_set_aside_says_that_nobody_watches(night: SamsNight) -> None:
    night.start()
    WatchRow.objects.update(quarantined_at=1)
    sam = browser(night.key)
    told = read(sam, "/watch")
    assert "Nobody is watching." in told
    assert "Still here" not in told
    assert sam.get("/watch/state").json()["open"] is False
    post(sam, "/watch", profile="injected")
    assert "Still here" in read(sam, "/watch")
    assert sam.get("/watch/state").json()["open"] is True


# --- when something is wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/k/nothing", "/c/nothing", "/p/nothing", "/desk/nothing", "/k/" + "é" * 300],
)
def test_an_address_that_opens_nothing_is_a_kind_page(path: str) -> None:
    response = browser().get(path)
    assert response.status_code == 404
    assert "first page" in text_of(response)


def test_guessing_keys_of_pages_is_slowed_down() -> None:
    statuses = [browser().get(f"/c/{'x' * 26}{n % 10}").status_code for n in range(35)]
    assert statuses[:30] == [404] * 30
    assert statuses[30:] == [429] * 5


def test_cookies_follow_the_base_url(settings: Settings) -> None:
    for base_url, secure in (("http://10.0.0.2:8420", False), ("https://a.example.org", True)):
        settings.STILLHERE = replace(settings.STILLHERE, base_url=base_url)
        client = browser()
        client.get("/")
        token = client.cookies["csrftoken"].value
        client.post("/", {"csrfmiddlewaretoken": token})
        session = client.cookies["__Host-session" if secure else "session"]
        assert bool(session["secure"]) is secure
        assert session["httponly"] is True
        assert (session["samesite"], session["max-age"]) == ("Lax", 400 * 24 * 3600)


@pytest.mark.parametrize("path", ["/", "/watch", "/people", "/routine", "/mine"])
def test_a_form_from_elsewhere_changes_nothing(night: SamsNight, path: str) -> None:
    before = everything()
    response = browser(night.key).post(path, {"do": "erase", "sure": "1", "name": "Mallory"})
    assert response.status_code == 403
    assert "Nothing was changed" in text_of(response)
    assert everything() == before


def test_a_language_is_a_choice(night: SamsNight) -> None:
    client = browser(night.key)
    response = client.post("/language", {"lang": "es", "next": "/watch"})
    assert (response.status_code, response["Location"]) == (302, "/watch")
    assert 'lang="es"' in client.get("/watch").content.decode()
    for elsewhere in ("//evil.example.org", "https://evil.example.org", "javascript:alert(1)", ""):
        assert client.post("/language", {"lang": "es", "next": elsewhere})["Location"] == "/"
    client.post("/language", {"lang": "xx", "next": "/"})
    assert 'lang="es"' in client.get("/watch").content.decode()


TEMPLATES = Path(stillhere.web.__file__).parent / "templates"


def test_no_number_is_glued_to_a_name_on_a_button() -> None:
    """A button lays out its parts side by side: the space between words and a number is lost."""
    for template in sorted(TEMPLATES.rglob("*.html")):
        for button in re.findall(
            r'<a class="button[^>]*>(.*?)</a>', template.read_text(), re.DOTALL
        ):
            if "left_to_right" in button:
                assert button.strip().startswith("<span>"), template.name


def test_that_nobody_will_come_is_said_once(clock: Clock) -> None:
    night = sams_night()
    night.start()
    shown = text_of(browser(night.key).get("/watch"))
    assert shown.count("Nobody will come.") == 1
    assert "Your list is empty." in shown
    night.does(CallForHelp())
    shown = text_of(browser(night.key).get("/watch"))
    assert shown.count("Nobody on your list can be reached.") == 1
    assert "Nobody will come." not in shown
