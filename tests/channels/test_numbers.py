"""Phone numbers as people type them."""

from __future__ import annotations

import pytest

from stillhere.channels.base import AddressError
from stillhere.channels.carriers.numbers import normalise_number


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
    ],
)
def test_numbers_become_one_form(typed: str, region: str, stored: str) -> None:
    assert normalise_number(typed, region) == stored
    assert normalise_number(stored, region) == stored


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
