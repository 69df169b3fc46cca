"""Cookies: set by one helper, with the same rules for all of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.http import HttpResponse
from pytest_django.fixtures import Settings

from stillhere.web.access import cookies

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
    kept = response.cookies["session"]
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
