"""Takes the pictures that stand in the README: ``make pictures``. Look at them before they are
kept."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, expect, sync_playwright

from tests.journeys.town import NUMBERS, Town, town

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "docs" / "pictures"
SMALL: ViewportSize = {"width": 360, "height": 640}


def take(page: Page, name: str) -> None:
    page.screenshot(path=KEPT / f"{name}.png")
    sys.stdout.write(f"{KEPT / name}.png\n")


def one_night(place: Town, sam: Page, maya: Page) -> None:
    """Sam is asked; Sam is silent; Maya opens her link."""
    seeded = place.inside(
        "seed", name="Sam", rungs=[["Leo"], ["Maya"]], numbers=NUMBERS, start=True
    )
    sam.goto(f"{place.url}/p/{seeded['key']}")
    sam.locator("main form button").first.click()
    place.pass_to_the_next_ask()
    expect(sam.locator("#now[data-state=asking]")).to_be_attached()
    take(sam, "watch")
    place.live_through(150, step_s=10)
    maya.goto(f"{place.url}/c/{seeded['contacts']['Maya']}")
    take(maya, "alarm")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, town(Path(folder)) as place:
        place.open()
        with sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            pages = [
                browser.new_context(
                    viewport=SMALL,
                    device_scale_factor=2,
                    locale="en-US",
                    timezone_id="America/New_York",
                ).new_page()
                for _ in range(2)
            ]
            one_night(place, *pages)
            browser.close()


if __name__ == "__main__":
    main()
