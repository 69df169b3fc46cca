"""Cookies: set by one helper, with the same rules for all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.store.models import sealed_columns
from stillhere.web.access import contact_device, cookies
from tests.circle import SamsNight, session_of
from tests.web.conftest import browser
from tests.web.pages import text_of

SOURCE = Path(cookies.__file__).resolve().parents[2]


def test_nothing_else_sets_a_cookie_or_takes_one_away() -> None:
    found = {
        path.name
        for path in SOURCE.rglob("*.py")
        if "set_cookie(" in (text := path.read_text()) or "delete_cookie(" in text
    }
    assert found == {"cookies.py"}


@pytest.mark.parametrize("https", [True, False])
def test_a_cookie_is_only_ours_and_travels_as_people_reach_us(
    settings: Settings, https: bool
) -> None:
    address = "https://lamp.example.org" if https else "http://localhost:8420"
    settings.STILLHERE = replace(settings.STILLHERE, base_url=address)
    response = HttpResponse()
    cookies.keep(response, cookies.SESSION, "a-token")
    kept = response.cookies["__Host-session" if https else "session"]
    assert (kept.value, kept["path"], kept["max-age"]) == ("a-token", "/", 34_560_000)
    assert (kept["httponly"], kept["samesite"], bool(kept["secure"])) == (True, "Lax", https)


def test_a_cookie_may_end_with_the_browser() -> None:
    response = HttpResponse()
    cookies.keep(response, cookies.BORROWED, "1", None)
    kept = response.cookies["borrowed"]
    assert (kept["max-age"], kept["expires"]) == ("", "")


def test_all_that_tell_of_a_person_are_taken_away_at_once() -> None:
    response = HttpResponse()
    cookies.drop_all(response)
    gone = {"session", "lamp", "borrowed", "pin", "light", "django_language", "csrftoken"}
    assert set(response.cookies) == gone
    for name in gone:
        assert (response.cookies[name]["max-age"], response.cookies[name]["path"]) == (0, "/")
        assert response.cookies[name]["samesite"] == "Lax"
    assert response["Clear-Site-Data"] == '"cache", "cookies", "storage"'


@pytest.fixture
def https(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, base_url="https://lamp.example.org")


def over_https(client: Client, **named: str) -> None:
    """Cookies as this browser has them, by the names it knows."""
    for name, value in named.items():
        client.cookies[name.replace("Host_", "__Host-")] = value


@pytest.mark.usefixtures("https")
def test_over_https_no_neighbour_can_plant_who_somebody_is(night: SamsNight) -> None:
    token = session_of(night.key)
    planted = browser()
    over_https(planted, session=token, pin="x")
    assert planted.get("/watch")["Location"] == "/"
    ours = browser()
    over_https(ours, Host_session=token)
    assert ours.get("/watch").status_code == 200
    both = browser()
    over_https(both, session="planted", Host_session=token)
    assert both.get("/watch").status_code == 200


@pytest.mark.usefixtures("https")
def test_over_https_a_browser_that_starts_gets_such_names_only(night: SamsNight) -> None:
    client = Client()
    client.post("/", {"borrowed": "1"})
    assert {"__Host-session", "__Host-borrowed"} <= set(client.cookies)
    assert not {"session", "borrowed"} & set(client.cookies)
    page = client.get("/watch")
    assert page.status_code == 200
    assert "data-borrowed" in page.content.decode()


@pytest.mark.usefixtures("https")
def test_over_https_a_contacts_phone_from_before_stays_known(night: SamsNight) -> None:
    leo = night.contacts["Leo"]
    name, value = contact_device.cookie(leo)
    path = f"/c/{sealed_columns.contact_key(leo)}"
    phone = browser(stranger=True)
    phone.cookies[name] = value
    response = phone.get(path)
    assert response.cookies[f"__Host-{name}"].value == value
    assert response.cookies[f"__Host-{name}"]["secure"]
    assert not response.cookies[name].value
    again = browser(stranger=True)
    again.cookies[f"__Host-{name}"] = value
    assert text_of(again.get(path)) == text_of(response)
    assert text_of(browser(stranger=True).get(path)) != ""


@pytest.mark.usefixtures("https")
def test_over_https_forgetting_takes_every_name_away(night: SamsNight) -> None:
    client = Client()
    over_https(client, Host_session=session_of(night.key))
    response = client.post("/forget")
    assert not response.cookies["__Host-session"].value
    assert response.cookies["__Host-session"]["secure"]
