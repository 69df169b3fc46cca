"""Phone numbers as people type them."""

from __future__ import annotations

import pytest

from stillhere.channels.base import AddressError
from stillhere.channels.carriers.numbers import normalise_for_texts, normalise_number, of_sender


@pytest.mark.parametrize(
    ("typed", "region", "stored"),
    [
        ("+1 202-555-0101", "US", "+12025550101"),
        ("(202) 555-0101", "US", "+12025550101"),
        ("1.202.555.0101", "US", "+12025550101"),
        ("  2025550101 ", "US", "+12025550101"),
        ("٢٠٢٥٥٥٠١٠١", "US", "+12025550101"),
        ("+44 20 7946 0958", "US", "+442079460958"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("0044 20 7946 0958", "US", "+442079460958"),
        ("0012025550101", "GB", "+12025550101"),
        ("tel:+1-202-555-0101", "US", "+12025550101"),
        ("+52 55 1234 5678", "US", "+525512345678"),
        ("+52 1 55 1234 5678", "US", "+525512345678"),
        ("00 521 55 1234 5678", "US", "+525512345678"),
        ("55 1234 5678", "MX", "+525512345678"),
        ("+54 9 11 2345-6789", "US", "+5491123456789"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
    ],
)
def test_numbers_become_one_form(typed: str, region: str, stored: str) -> None:
    assert normalise_number(typed, region) == stored
    assert normalise_number(stored, region) == stored


@pytest.mark.parametrize(
    ("told", "region", "stored"),
    [
        ("+12025550101", "US", "+12025550101"),
        ("12025550101", "US", "+12025550101"),
        ("+5215512345678", "US", "+525512345678"),
        ("5215512345678", "MX", "+525512345678"),
        ("+525512345678", "US", "+525512345678"),
        ("+5491123456789", "US", "+5491123456789"),
        ("5491123456789", "AR", "+5491123456789"),
        ("+521551234567", "US", "+521551234567"),  # a digit is missing: nobody's
        ("+52155123456789", "US", "+52155123456789"),
        ("LAMP", "MX", "LAMP"),
    ],
)
def test_a_sender_is_the_number_that_somebody_typed(told: str, region: str, stored: str) -> None:
    """WhatsApp keeps the 1 of Mexico's mobiles that nobody dials since 2019, and Argentina's 9."""
    assert of_sender(told, region) == stored


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Type a phone number"),
        ("maya", "Type a phone number"),
        ("555-0101", "too short"),
        ("911", "too short"),
        ("112", "too short"),
        ("+1 911", "too short"),
        ("202-555-01011", "too long"),
        ("9" * 300, "phone number"),
        ("+999 123456789", "No country"),
        ("+0", "Type a phone number"),
        ("2025550101 x12", "extension"),
        ("900-555-0101", "costs extra"),
        ("123-456-7890", "Type a phone number"),
    ],
)
def test_what_is_wrong_with_a_number_is_said_kindly(typed: str, says: str) -> None:
    with pytest.raises(AddressError, match=says):
        normalise_number(typed)


@pytest.mark.parametrize("typed", ["+1 999-555-0142", "tel:+1-999-555-0142", "001 999 555 0142"])
def test_an_area_code_younger_than_our_table_is_asked_back_once(typed: str) -> None:
    for unsure in ("999-555-0142", "(999) 234 0142", "1 999 555 0142"):
        with pytest.raises(AddressError, match="do not know this area code"):
            normalise_number(unsure)
    assert normalise_number(typed, countries=("US",)) == "+19995550142"
    assert normalise_for_texts(typed) == "+19995550142"
    with pytest.raises(AddressError, match="numbers in that country"):
        normalise_number(typed, countries=("MX",))


@pytest.mark.parametrize(
    "typed",
    [
        "+1 211 555 0142",
        "+1 555 555 0142",
        "+1 199 555 0142",
        "+52 000 000 0000",
        "+44 1111 111 111",
    ],
)
def test_only_such_a_one(typed: str) -> None:
    with pytest.raises(AddressError, match="Type a phone number with its area code"):
        normalise_number(typed)
