"""What is posted counts once, from the body alone, and only where the page asked for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stillhere.store.models import Contact, Person, sealed_columns
from tests.circle import SamsNight
from tests.web.conftest import post
from tests.web.pages import everything

FORM = "application/x-www-form-urlencoded"


def of_sam() -> dict[str, Any]:
    """Sam's row, but for what the form of the plan may change."""
    row: dict[str, Any] = dict(Person.objects.values().get())
    return {name: row[name] for name in row if name not in ("name", "place", "town", "wish")}


def test_a_field_that_the_page_did_not_ask_for_changes_nothing(
    night: SamsNight, sam: Client
) -> None:
    before = of_sam()
    more = {"trial": "1", "caller": "1", "pin": "0000", "id": "99", "created_at": "1", "key": "x"}
    post(sam, "/people", do="plan", name="Sam", wish="phone-first", **more)
    assert sealed_columns.person_note(Person.objects.get(), "name") == "Sam"
    assert of_sam() == before


def test_the_same_field_twice_is_one_of_them_and_never_both(night: SamsNight, sam: Client) -> None:
    sam.get("/people")
    token = f"csrfmiddlewaretoken={sam.cookies['csrftoken'].value}"
    twice = f"{token}&do=plan&wish=phone-first&name=Sam&name=Samuel"
    assert sam.post("/people", twice, content_type=FORM).status_code == 302
    assert sealed_columns.person_note(Person.objects.get(), "name") == "Samuel"


@pytest.mark.parametrize("path", ["/people", "/mine", "/routine"])
def test_what_stands_in_an_address_is_no_press(night: SamsNight, sam: Client, path: str) -> None:
    leo = night.contacts["Leo"].id
    sam.get(path)
    before = everything()
    token = {"csrfmiddlewaretoken": sam.cookies["csrftoken"].value}
    for said in (f"do=remove&contact={leo}&sure=1", "do=erase&sure=1", "do=new-link", "do=end"):
        assert sam.post(f"{path}?{said}", token).status_code < 400
    assert Contact.objects.filter(id=leo, status="confirmed").exists()
    assert everything() == before


def test_who_comes_back_gets_a_new_token_and_the_old_one_opens_nothing(
    night: SamsNight, sam: Client
) -> None:
    before = sam.cookies["session"].value
    assert post(sam, f"/p/{night.key}").status_code == 302
    assert sam.cookies["session"].value not in ("", before)
    assert sam.get("/watch").status_code == 200
    sam.cookies["session"] = before
    assert sam.get("/watch")["Location"] == "/"
