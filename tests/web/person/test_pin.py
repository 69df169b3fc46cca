"""How a PIN is typed, kept and remembered; what is done with the watch never asks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher, identify_hasher, make_password
from django.core import signing
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.config import keys
from stillhere.store.models import Person
from stillhere.store.people import persons
from stillhere.web.access import contact_device
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.web.conftest import post
from tests.web.pages import read, text_of


@pytest.fixture
def locked(night: SamsNight, sam: Client) -> Client:
    """Sam's browser, with a PIN that was just typed there."""
    assert post(sam, "/mine", do="pin", pin="2580").status_code == 200
    return sam


def test_a_pin_is_kept_by_a_slow_hash(sam: Client, settings: Settings) -> None:
    """Tests have a quick one; the product takes Django's own."""
    product = (Path(keys.__file__).parent / "settings.py").read_text()
    assert "PASSWORD_HASHERS" not in product
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    assert post(sam, "/mine", do="pin", pin="2580").status_code == 200
    kept = Person.objects.get().pin
    hasher = identify_hasher(kept)
    assert isinstance(hasher, PBKDF2PasswordHasher)
    assert hasher.digest().name == "sha256"
    seen = hasher.decode(kept)
    assert int(seen["iterations"]) >= 600_000, "what OWASP asks of PBKDF2 with SHA-256"
    assert len(str(seen["salt"])) >= 16


def test_the_field_of_a_pin_hides_it_and_takes_a_paste(locked: Client) -> None:
    pages = [locked.get("/mine").content.decode()]
    del locked.cookies["pin"]
    pages.append(locked.get("/pin").content.decode())
    for html in pages:
        (field,) = re.findall(r'<input name="pin"[^>]*>', html)
        assert 'type="password"' in field
        assert "onpaste" not in html
        assert "readonly" not in field


def test_a_pin_never_grows_too_old(locked: Client, clock: Clock) -> None:
    clock.advance(399 * 24 * 3600)
    del locked.cookies["pin"]
    assert post(locked, "/pin", pin="2580", next="/people")["Location"] == "/people"


def test_a_cookie_that_was_changed_or_is_for_something_else_opens_nothing(
    night: SamsNight, locked: Client
) -> None:
    good = locked.cookies["pin"].value
    worth, _colon, signature = good.rpartition(":")
    other = signing.TimestampSigner(salt=contact_device.SALT).sign(worth.rpartition(":")[0])
    for forged in (f"{worth}:{signature[::-1]}", f"9{good}", other, worth, ""):
        locked.cookies["pin"] = forged
        assert locked.get("/people")["Location"] == "/pin?next=/people", forged
    locked.cookies["pin"] = good
    assert "Who comes" in read(locked, "/people")


FIRST = (
    "0000",
    "1111",
    "1234",
    "4321",
    "8901",
    "123456",
    "98765432",
    "1212",
    "6969",
    "1984",
    "2026",
)


@pytest.mark.parametrize("pin", FIRST)
def test_a_pin_that_anybody_tries_first_is_refused(locked: Client, pin: str) -> None:
    kept = Person.objects.get().pin
    response = post(locked, "/mine", do="pin", pin=pin)
    assert response.status_code == 422
    assert "Anybody tries one like 1234 or a year first" in text_of(response)
    assert Person.objects.get().pin == kept, "the one from before stays"


@pytest.mark.parametrize("pin", ["2580", "4711", "1235", "2468", "11112", "198404"])
def test_any_other_is_taken(locked: Client, pin: str) -> None:
    assert post(locked, "/mine", do="pin", pin=pin).status_code == 200


def test_a_pin_from_before_that_is_one_of_those_still_opens(night: SamsNight, sam: Client) -> None:
    persons.set_pin(night.person, make_password("1234"))
    assert post(sam, "/pin", pin="1234", next="/people")["Location"] == "/people"
