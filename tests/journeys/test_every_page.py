"""Every page there is, in every state it can be in: nothing stands in the way of anybody.

The places are those of ``pictures.py``. On each: axe-core finds nothing, at night and by day; text
at 200 % and writing from right to left fit a small phone; nothing comes from elsewhere; the title
is "Lamp"; the keyboard reaches every button and link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.pictures import LANGS, PLACES, SIZES, Place, scene
from tests.journeys.town import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOKS = (("en", "dark"), ("es", "light"))
WIDE = "document.documentElement.scrollWidth > innerWidth"
# What may be pressed and is in sight, but something else lies over its middle, however far the page
# was moved.
COVERED = """
(() => {
  const found = new Set();
  for (let at = 0; at < document.documentElement.scrollHeight; at += 250) {
    scrollTo(0, at);
    const over = document.querySelector('.step:target'); // it covers the rest, as it should
    for (const e of (over || document.querySelector('main')).querySelectorAll('a, button')) {
      if (over) e.scrollIntoView({ block: 'center' });
      const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
      const top = e.checkVisibility() && document.elementFromPoint(x, y);
      if (top && !e.contains(top) && !top.contains(e)) found.add(e.outerHTML);
    }
  }
  scrollTo(0, 0);
  return [...found];
})()
"""
REACHABLE = """
[...document.querySelectorAll('main a[href], main button, main input:not([type=hidden]), summary')]
  .filter((e) => e.checkVisibility() && e.tabIndex < 0).map((e) => e.outerHTML)
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as opened:
        opened.open()
        yield opened


@pytest.mark.parametrize(("lang", "scheme"), LOOKS)
def test_nothing_stands_in_the_way(chromium: Browser, place: Town, lang: str, scheme: str) -> None:
    """One after the other, because one of the states lasts no longer than an ask."""
    scenes: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    for where in PLACES:
        if where.state not in scenes:
            scenes[where.state] = scene(place, where.state)
        found = look(chromium, place.url, where, scenes[where.state], lang, scheme)
        faults += [f"{where.name}: {fault}" for fault in found]
    assert faults == [], "\n".join(faults)


def look(
    chromium: Browser, url: str, where: Place, keys: dict[str, Any], lang: str, scheme: Any
) -> list[str]:
    """Open one page in one look, and say what is wrong with it."""
    context = chromium.new_context(
        viewport=SIZES["360"],
        locale=LANGS[lang],
        color_scheme=scheme,
        timezone_id="America/New_York",
        bypass_csp=True,
    )
    light = {"dark": "night", "light": "day"}[scheme]
    context.add_cookies([{"name": "light", "value": light, "url": url}])
    if where.known:
        context.add_cookies([each | {"url": f"{url}/c"} for each in keys["phones"]])
    if where.sam:
        context.add_cookies([{"name": "lamp", "value": keys["person"], "url": url}])
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url + where.path.format(**keys))
    if where.press:
        page.locator(f"button[name=do][value={where.press}]").click()
    faults = [*wrong_with(page), *(f"asked {x}" for x in asked if not x.startswith(url))]
    context.close()
    return faults


def wrong_with(page: Page) -> Iterator[str]:
    """Everything that must hold of a page, and does not."""
    if page.title() not in ("Lamp", "Lamp: are you there?", "Lamp: ¿todo bien?"):
        yield f"title {page.title()}"
    for found in Axe().run(page).response["violations"]:
        yield f"{found['id']}: {found['nodes'][0]['html']}"
    for lost in page.evaluate(REACHABLE):
        yield f"no keyboard reaches {lost}"
    for what, change in (
        ("as it is", "0"),
        ("at 200 %", "document.documentElement.style.fontSize = '225%'"),
        ("from right to left", "document.documentElement.dir = 'rtl'"),
    ):
        page.evaluate(change)
        if page.evaluate(WIDE):
            yield f"too wide {what}"
        for covered in page.evaluate(COVERED):
            yield f"covered {what}: {covered}"
