"""Takes a picture of every page: ``make pictures``, or ``make pictures ONLY=alarm``. Look at them.

Each is taken on a small phone and on a desk, at night and by day, in English and in Spanish, and
once with text at 200 %. They land in ``build/pictures``; the few that stand in the docs are copied
to ``docs/pictures`` when they were looked at: ``make pictures KEEP=1``.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.journeys.town import Town, town

ROOT = Path(__file__).resolve().parent.parent.parent
TAKEN = ROOT / "build" / "pictures"
KEPT = ROOT / "docs" / "pictures"
SIZES: dict[str, ViewportSize] = {
    "360": {"width": 360, "height": 640},
    "1280": {"width": 1280, "height": 800},
}
LANGS = {"en": "en-US", "es": "es-MX"}
SCHEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
IN_THE_DOCS = {
    "first": "first",
    "asking": "watch",
    "alarm-leo": "alarm",
    "attended-leo": "there",
}


@dataclass(frozen=True)
class Place:
    """One page in one state. ``path`` may name the keys of the scene: {watch}, {Leo}, {desk}."""

    name: str
    state: str
    path: str
    sam: bool = False  # in Sam's browser
    known: bool = True  # on a phone that is known to be a contact's
    press: str = ""  # a button to press first, by its form's "do"


# The state "asking" comes first: it lasts no longer than an ask.
PLACES = (
    Place("asking", "asking", "/watch", sam=True),
    Place("asking-button", "asking", "/k/{watch}"),
    Place("first", "nobody", "/"),
    Place("help-now", "nobody", "/help-now#top"),
    Place("lines", "nobody", "/lines"),
    Place("security", "nobody", "/security"),
    Place("offline", "nobody", "/offline"),
    Place("walk", "nobody", "/help-now#breathe"),
    Place("walk-stay", "nobody", "/help-now#stay"),
    Place("steps", "nobody", "/steps"),
    Place("before", "nobody", "/before"),
    Place("after", "nobody", "/after"),
    Place("learn", "nobody", "/learn"),
    Place("kit", "nobody", "/kit/{kit}"),
    Place("stock", "nobody", "/desk/{desk}/stock"),
    Place("volunteer", "nobody", "/r/{volunteer}"),
    Place("code", "nobody", "/p"),
    Place("try", "try", "/try/{person}"),
    Place("try-friend", "try", "/c/{friend}"),
    Place("pin", "pin", "/people", sam=True),
    Place("come-back", "nobody", "/p/{person}"),
    Place("nobody-watch", "nobody", "/watch", sam=True),
    Place("nobody-people", "nobody", "/people", sam=True),
    Place("quiet-watch", "nothing", "/watch", sam=True),
    Place("quiet-people", "nothing", "/people", sam=True),
    Place("quiet-card", "nothing", "/people/card/{LeoId}", sam=True),
    Place("quiet-mine", "nothing", "/mine", sam=True),
    Place("quiet-word", "nothing", "/mine/word", sam=True),
    Place("quiet-code", "nothing", "/mine", sam=True, press="print"),
    Place("quiet-leo", "nothing", "/c/{Leo}"),
    Place("quiet-kits", "nothing", "/kits", sam=True),
    Place("quiet-kits-leo", "nothing", "/c/{Leo}/kits"),
    Place("invited-leo", "invited", "/c/{Leo}"),
    Place("invited-people", "invited", "/people", sam=True),
    Place("by-name-leo", "by-name", "/c/{Leo}"),
    Place("by-name-people", "by-name", "/people", sam=True),
    Place("daily", "daily", "/routine", sam=True),
    Place("daily-alone", "daily-alone", "/routine", sam=True),
    Place("daily-alone-watch", "daily-alone", "/watch", sam=True),
    Place("daily-asked-watch", "daily-asked", "/watch", sam=True),
    Place("daily-asked-mine", "daily-asked", "/mine", sam=True),
    Place("open", "open", "/watch", sam=True),
    Place("alone", "alone", "/watch", sam=True),
    Place("marked", "marked", "/watch", sam=True),
    Place("marked-button", "marked", "/k/{watch}"),
    Place("marked-end-early", "marked", "/watch?said=end-early", sam=True),
    Place("nobody-said-yes", "waiting-for-a-yes", "/watch", sam=True),
    Place("alarm", "alarm", "/watch", sam=True),
    Place("alarm-aloud", "aloud", "/watch", sam=True),
    Place("alarm-alone", "alone-alarm", "/watch", sam=True),
    Place("alarm-leo", "alarm", "/c/{Leo}"),
    Place("alarm-whose", "alarm", "/c/{Leo}", known=False),
    Place("claimed", "claimed", "/watch", sam=True),
    Place("claimed-leo", "claimed", "/c/{Leo}"),
    Place("claimed-maya", "claimed", "/c/{Maya}"),
    Place("declined-leo", "declined", "/c/{Leo}"),
    Place("far-leo", "far", "/c/{Leo}"),
    Place("locked-leo", "locked", "/c/{Leo}"),
    Place("forced-leo", "forced", "/c/{Leo}"),
    Place("attended-leo", "attended", "/c/{Leo}"),
    Place("attended-maya", "attended", "/c/{Maya}"),
    Place("closed", "closed", "/watch", sam=True),
    Place("closed-button", "closed", "/k/{watch}"),
    Place("revived", "revived", "/watch", sam=True),
    Place("for-nothing", "for-nothing", "/watch", sam=True),
    Place("looked-in-on", "looked-in-on", "/watch", sam=True),
    Place("on-shift", "on-shift", "/r/{volunteer}"),
    Place("revived-leo", "revived", "/c/{Leo}"),
    Place("grave-maya", "grave", "/c/{Maya}"),
    Place("desk", "grave", "/desk/{desk}"),
    Place("desk-alarm", "alarm", "/desk/{desk}"),
    Place("desk-trouble", "trouble", "/desk/{desk}"),
    Place("desk-door", "nobody", "/desk"),
    Place("unknown", "nobody", "/c/nothing"),
    Place("not-found", "nobody", "/nothing"),
)


def take(place: Place, page: Page, url: str, keys: dict[str, Any], file: str, large: bool) -> None:
    """One picture of the whole page."""
    page.goto(url + place.path.format(**keys))
    if place.press:
        page.locator(f"button[name=do][value={place.press}]").click()
    if large:
        page.evaluate("document.documentElement.style.fontSize = '225%'")
    page.screenshot(path=TAKEN / f"{file}.png", full_page=True)


def shots(place: Place, keys: dict[str, Any], browser: Browser, url: str) -> None:
    """Every picture of one place."""
    looks = [(*look, False) for look in product(SIZES, SCHEMES, LANGS)]
    for size, scheme, lang, large in [*looks, ("360", "dark", "es", True)]:
        context = browser.new_context(
            viewport=SIZES[size],
            device_scale_factor=2 if size == "360" and not large else 1,
            locale=LANGS[lang],
            timezone_id="America/New_York",
            color_scheme=scheme,
            bypass_csp=True,
        )
        if place.sam:
            context.add_cookies([{"name": "session", "value": keys["session"], "url": url}])
        if place.known:
            context.add_cookies([each | {"url": f"{url}/c"} for each in keys["phones"]])
        light = {"dark": "night", "light": "day"}[scheme]
        context.add_cookies([{"name": "light", "value": light, "url": url}])
        file = f"{place.name}-{size}-{light}-{lang}{'-200' if large else ''}"
        take(place, context.new_page(), url, keys, file, large)
        context.close()
    sys.stdout.write(f"{place.name}\n")


def keep() -> None:
    """Put the few that stand in the docs where they stand."""
    for name, kept in IN_THE_DOCS.items():
        shutil.copy(TAKEN / f"{name}-360-night-en.png", KEPT / f"{kept}.png")


def main() -> None:
    only = os.environ.get("ONLY", "")
    TAKEN.mkdir(parents=True, exist_ok=True)
    places = [place for place in PLACES if only in place.name]
    scenes: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, town(Path(folder)) as here:
        here.open()
        with sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            for place in places:
                if place.state not in scenes:
                    scenes[place.state] = scene(here, place.state)
                shots(place, scenes[place.state], browser, here.url)
            browser.close()
    if os.environ.get("KEEP"):
        keep()


def scene(here: Town, state: str) -> dict[str, Any]:
    """A Sam of their own in this state, with the keys of everyone in it."""
    keys: dict[str, Any] = here.inside("scene", state=state)
    if state == "asking":
        here.pass_to_the_next_ask()
    if state in ("asking", "daily-asked"):
        here.settled()
    return keys


if __name__ == "__main__":
    main()
