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
ONLY_FAULTS = {"resultTypes": ["violations"]}  # every fault, and not all that is well besides
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


class Visitor:
    """One small phone in one language and one light, that forgets all it knew between two pages."""

    def __init__(self, chromium: Browser, url: str, lang: str, scheme: Any) -> None:
        self._url, self._light = url, {"dark": "night", "light": "day"}[scheme]
        self._context = chromium.new_context(
            viewport=SIZES["360"],
            locale=LANGS[lang],
            color_scheme=scheme,
            timezone_id="America/New_York",
            bypass_csp=True,
        )
        self.page = self._context.new_page()
        self._inside = self._context.new_cdp_session(self.page)
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))

    def opens(self, where: Place, keys: dict[str, Any]) -> None:
        """One place, as somebody who was never here before but for the cookies it needs."""
        self.page.goto("about:blank")
        self._inside.send(
            "Storage.clearDataForOrigin", {"origin": self._url, "storageTypes": "all"}
        )
        self._context.clear_cookies()
        self.asked.clear()
        cookies = [{"name": "light", "value": self._light, "url": self._url}]
        if where.known:
            cookies += [each | {"url": f"{self._url}/c"} for each in keys["phones"]]
        if where.sam:
            cookies.append({"name": "session", "value": keys["session"], "url": self._url})
        self._context.add_cookies(cookies)  # type: ignore[arg-type]
        self.page.goto(self._url + where.path.format(**keys))
        if where.press:
            self.page.locator(f"button[name=do][value={where.press}]").click()

    def leaves(self) -> None:
        self._context.close()


@pytest.mark.parametrize(("lang", "scheme"), LOOKS)
def test_nothing_stands_in_the_way(chromium: Browser, place: Town, lang: str, scheme: str) -> None:
    """One after the other, because one of the states lasts no longer than an ask."""
    scenes: dict[str, dict[str, Any]] = {}
    faults: list[str] = []
    visitor = Visitor(chromium, place.url, lang, scheme)
    for where in PLACES:
        if where.state not in scenes:
            scenes[where.state] = scene(place, where.state)
        visitor.opens(where, scenes[where.state])
        found = list(wrong_with(visitor.page))
        found += [f"asked {x}" for x in visitor.asked if not x.startswith(place.url)]
        faults += [f"{where.name}: {fault}" for fault in found]
    visitor.leaves()
    assert faults == [], "\n".join(faults)


def wrong_with(page: Page) -> Iterator[str]:
    """Everything that must hold of a page, and does not."""
    if page.title() not in ("Lamp", "Lamp: are you there?", "Lamp: ¿todo bien?"):
        yield f"title {page.title()}"
    for found in Axe().run(page, options=ONLY_FAULTS).response["violations"]:
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
