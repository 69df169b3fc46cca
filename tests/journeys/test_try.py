"""Try it, as two people at a kitchen table do: half a minute, two phones, nobody in danger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys.looks import LOOKS, Phone
from tests.journeys.town import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as opened:
        opened.open()
        yield opened


def test_a_friends_phone_rings_in_half_a_minute(chromium: Browser, place: Town) -> None:
    mine, theirs = Phone(chromium, *LOOKS[0]), Phone(chromium, *LOOKS[1])
    mine.page.goto(place.url)
    mine.presses("Try it: a friend's phone rings in 30 seconds")
    mine.sees("Open this on a friend's phone")
    theirs.page.goto(mine.page.locator(".secret code").inner_text())
    theirs.presses("Ready: let it ring")
    theirs.sees("Ready. Keep this page open")
    mine.sees("Your friend's phone is ready")
    mine.presses("Start the try-out")
    mine.sees("Leave this phone alone now.")
    expect(theirs.page.locator("#now[data-alarm]")).to_be_attached(timeout=60_000)
    expect(theirs.page).to_have_title(theirs.says("Lamp: answer now"), timeout=10_000)
    theirs.sees("This is a try-out. Nobody is in danger.")
    theirs.presses("2 min")
    mine.sees("On the way to you: %(names)s.", names="A friend")
    expect(theirs.page).to_have_title("Lamp", timeout=10_000)
    theirs.presses("I'm with them")
    theirs.presses("Awake and well")
    mine.sees("That is how it goes")
    assert place.phones.log() == [], "nothing was sent to anybody"
    mine.close()
    theirs.close()
