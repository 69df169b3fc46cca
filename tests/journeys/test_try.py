"""Try it, as two people at a kitchen table do: half a minute, two phones, nobody in danger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys.looks import LOOKS, Phone
from tests.journeys.town import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.slow]


TITLES = """
new Promise((done) => {
  const seen = new Set();
  setInterval(() => seen.add(document.title), 100);
  setTimeout(() => done([...seen]), 4000);
})
"""


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


def test_a_keyboard_silences_a_page_that_rings_and_a_new_load_does_not_wake_it(
    chromium: Browser, place: Town
) -> None:
    theirs = Phone(chromium, *LOOKS[0])
    keys = place.inside("scene", state="alarm")
    theirs.page.goto(f"{place.url}/c/{keys['Leo']}")
    rings = "Lamp: answer now"
    expect(theirs.page).to_have_title(rings, timeout=10_000)
    theirs.page.locator("main summary, main a").last.focus()
    theirs.page.keyboard.press("Enter")
    theirs.page.wait_for_url("**/steps")
    theirs.page.goto(f"{place.url}/c/{keys['Leo']}")
    assert theirs.page.evaluate(TITLES) == ["Lamp"], "silenced once, it stays silent"
    theirs.close()


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
    mine.sees("On the way to you: %(names)s.", names="Maya")
    expect(theirs.page).to_have_title("Lamp", timeout=10_000)
    theirs.presses("I'm with them")
    theirs.presses("Awake and well")
    mine.sees("That is how it goes")
    assert place.phones.log() == [], "nothing was sent to anybody"
    mine.close()
    theirs.close()
