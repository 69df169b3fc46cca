"""The people in STILLHERE_COORDINATOR: read as they are written, or refused with what to do."""

from __future__ import annotations

import pytest

from stillhere.config.environment import SettingError, Stillhere
from stillhere.config.environment import read as read_settings
from stillhere.core.paging.on_call import OnCall

CARRIER = "twilio://AC1:token@api.twilio.com?from=+12025550100"


def read(typed: str) -> Stillhere:
    return read_settings(
        {"HOME": "/home/ana", "STILLHERE_CARRIERS": CARRIER, "STILLHERE_COORDINATOR": typed}
    )


def test_people_have_names_ways_a_language_and_hours() -> None:
    told = read(
        "Ruth Ito: Ruth <ruth@example.org>, 202-555-0150, es, 20:30-6; "
        "Ana: +1 202 555 0151, ntfys://ntfy.sh/ana, 0-24, America/Denver;"
    )
    assert told.coordinators == (
        OnCall(
            "Ruth Ito", ("ruth@example.org", "+12025550150"), "es", (1230, 360), "America/New_York"
        ),
        OnCall("Ana", ("+12025550151", "ntfys://ntfy.sh/ana"), "", None, "America/Denver"),
    )
    assert told.coordinator == ("ruth@example.org, +12025550150, +12025550151, ntfys://ntfy.sh/ana")


def test_day_and_night_written_as_hours_is_always() -> None:
    (somebody,) = read("Ana: +1 202 555 0151, 0-24").coordinators
    assert all(somebody.is_reached(hour * 3_600_000) for hour in range(24))


@pytest.mark.parametrize(
    "typed",
    ["ruth@example.org", "ruth@example.org, 202-555-0150", "ntfys://ntfy.sh/ruth",
     "mailto:ruth@example.org"],
)  # fmt: skip
def test_addresses_alone_are_read_as_before(typed: str) -> None:
    told = read(typed)
    assert told.coordinator
    assert told.coordinators == ()


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("Ruth: 911", "a phone number that cannot be used"),
        ("Ruth: +1 911", "a phone number that cannot be used"),
        ("Ruth: 112", "a phone number that cannot be used"),
        ("Ruth: ruth@", "an e-mail address that is none"),
        ("Ruth: foo://bar", "we know no app foo://"),
        ("Ruth: es", "no way to reach Ruth"),
        ("Ruth:", "no way to reach Ruth"),
        ("Ruth: 202-555-0150, xx", "we do not speak xx with Ruth"),
        ("Ruth: 202-555-0150, 25-30", "25-30 are no hours for Ruth"),
        ("Ruth: 202-555-0150, 8:75-20", "no hours for Ruth"),
        ("Ruth: 202-555-0150, 8-8", "no hours for Ruth"),
        ("Ruth: 202-555-0150, 8-20, America/Nowhere", "no time zone for Ruth"),
        ("Ruth: ruth@example.org, 8-20", "in which time zone"),
        ("Ruth: 202-555-0150; ana@example.org", "each person begins with a name"),
        ("Ruth: 202-555-0150; Ruth: 202-555-0151", "two people of one name"),
        ("Ruth: 202-555-0150; Ana: +12025550150", "one address twice"),
        ("Ruth: +12025550100", "the number that we call from"),
        (f"{'R' * 25}: 202-555-0150", "too long a name"),
        ("; ".join(f"R{n}: r{n}@example.org" for n in range(13)), "12 is the most"),
    ],
)  # fmt: skip
def test_what_could_never_be_paged_is_refused_with_what_to_do(typed: str, why: str) -> None:
    with pytest.raises(SettingError) as told:
        read(typed)
    assert str(told.value).startswith("STILLHERE_COORDINATOR")
    assert why in str(told.value)
