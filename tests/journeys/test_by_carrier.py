"""Alone with a flip phone, through real carriers' adapters: no app, no account, no data.

Real processes, real HTTP both ways, on both databases. What the company behind it does is what
Twilio documents (``carrier.py``).
"""

from __future__ import annotations

import pytest

from tests.installation import wait_for
from tests.journeys.carrier import Here
from tests.journeys.town import Inside

pytestmark = [pytest.mark.storage, pytest.mark.slow]

SAM, MAYA, LEO = "+12025550101", "+12025550102", "+12025550103"


def test_a_watch_and_an_alarm_from_phones_that_can_only_text_and_ring(here: Here) -> None:
    _ours, one, _two = here
    assert one.text(SAM, "Go") == 200
    one.reads(SAM, "It's on.")
    one.text(SAM, "add Maya 202 555 0102")
    one.reads(SAM, "Maya is asked by text")
    one.reads(MAYA, "Reply 1 yes, 2 no.")
    one.phone(MAYA).keys = ["5"]  # the test ring that follows a yes
    one.text(MAYA, "1")
    one.reads(MAYA, "Save this number")
    one.hears(MAYA, "only a test")
    one.text(SAM, "add Leo 202-555-0103")
    one.reads(LEO, "Reply 1 yes, 2 no.")
    one.text(LEO, "yes I accept")
    one.text(SAM, "LIST")
    one.reads(SAM, "On your list: Maya, Leo")

    one.phone(MAYA).keys = ["1", "3"]
    one.text(SAM, "SOS")
    one.reads(SAM, "We are reaching the people on your list now.")
    one.reads(MAYA, "asks for help NOW")
    one.hears(MAYA, "asks for help NOW")
    one.hears(MAYA, "In how many minutes are you there?")
    one.hears(MAYA, "The others hear that you are going")

    one.text(SAM, "I'm ok")
    one.text(SAM, "ok")
    one.text(MAYA, "im there")
    one.reads(MAYA, "Good that you are there.")


def test_when_a_company_is_down_the_other_carries_it_and_a_dead_number_moves_on(
    here: Here,
) -> None:
    ours, one, two = here
    one.text(SAM, "go")
    one.reads(SAM, "It's on.")
    for name, number in (("Leo", LEO), ("Maya", MAYA)):
        one.text(SAM, f"add {name} {number}")
        one.reads(number, "Reply 1 yes, 2 no.")
        one.text(number, "1")
        one.reads(number, "Save this number")
    one.phone(LEO).dead = two.phone(LEO).dead = True
    one.down = True
    one.text(SAM, "sos")
    two.reads(MAYA, "asks for help NOW", seconds=30)  # long before Leo's 45 s are over
    one.reads(SAM, "It's on.")
    two.reads(SAM, "Leo cannot be reached any more.")
    with_eyes = Inside(ours.environment)
    try:
        wait_for(
            lambda: any(
                row["carrier"] == "two" and row["status"] == "delivered"
                for row in with_eyes("messages")
            ),
            "a receipt of the second company",
        )
    finally:
        with_eyes.close()


def test_a_call_to_us_costs_nothing_and_counts(here: Here) -> None:
    _ours, one, _two = here
    one.text(SAM, "go")
    one.reads(SAM, "It's on.")
    wait_for(lambda: "<Gather" in one.ring_us(SAM), "whoever has just been heard is answered")
