"""The walk-through on a poor line: how heavy, and how soon the first instruction can be read.

``make bench-walk``. A real Chromium with a new profile, on a line of 400 ms and 400 kbit/s (its own
"slow 3G"), opens ``/help-now`` and the page of an open alarm; then the network is cut, and every
screen is opened. Weight is what crosses the line, compressed. The time is from the tap to the first
instruction with its buttons on the screen.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.report import Figure, tell
from tests.journeys.pictures import scene
from tests.journeys.town import town

SLOW_3G = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 400 * 1024 // 8,
    "uploadThroughput": 400 * 1024 // 8,
}
ROUNDS = 5
MOST_KB, MOST_S = 60, 2
AFTER_S = 3.0  # what comes later than this was not needed
SHOWN = "document.querySelector('#look:target .two a')?.getBoundingClientRect().top < innerHeight"


def opened(
    browser: Browser, url: str, path: str, phones: list[dict[str, str]]
) -> tuple[float, float, int]:
    """Kilobytes, seconds, and how many screens open without a network."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, bypass_csp=True)
    context.add_cookies([each | {"url": f"{url}/c"} for each in phones])  # type: ignore[misc]
    page = context.new_page()
    context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW_3G)
    answers: list[Any] = []
    page.on("response", lambda answer: answers.extend([answer]))
    began = time.monotonic()
    page.goto(f"{url}{path}#look", wait_until="commit")
    while not page.evaluate(SHOWN):
        time.sleep(0.02)
    took_s = time.monotonic() - began
    page.wait_for_load_state("load")
    time.sleep(AFTER_S)
    weight = sum(a.request.sizes()["responseBodySize"] for a in answers if not _later(a.url))
    context.set_offline(True)
    screens = _walk_through(page)
    context.close()
    return weight / 1000, took_s, screens


def _later(url: str) -> bool:
    """What is fetched for another time: the kept copy for when the browser throws the page away;
    and the voice, after the first touch only (which this bench's own looking counts as) and where a
    browser has none: some 50 KB a screen."""
    later = ("/sw.js", "/state", "/part", "/offline", "/lines", "/said/")
    return any(part in url for part in later)


def _walk_through(page: Page) -> int:
    ids = page.evaluate("[...document.querySelectorAll('.step')].map((each) => each.id)")
    shown = 0
    for id in ids:
        page.evaluate(f"location.hash = '{id}'")
        shown += page.locator(f"#{id}:target h2").is_visible()
    assert shown == len(ids), f"{len(ids) - shown} screens did not open"
    return shown


def main() -> None:
    figures = []
    with tempfile.TemporaryDirectory() as folder, town(Path(folder)) as here:
        here.open()
        keys = scene(here, "alarm")
        with sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            for name, path in (("help_now", "/help-now"), ("alarm_page", f"/c/{keys['Leo']}")):
                found = [opened(browser, here.url, path, keys["phones"]) for _ in range(ROUNDS)]
                figures += [
                    Figure(f"{name}_kb", max(kb for kb, _, _ in found), "KB", most=MOST_KB),
                    Figure(f"{name}_first_s", max(s for _, s, _ in found), "s", most=MOST_S),
                    Figure(f"{name}_screens_offline", min(n for _, _, n in found), "", least=31),
                ]
            browser.close()
    tell("the walk-through on a poor line (the worst of five)", figures)


if __name__ == "__main__":
    main()
