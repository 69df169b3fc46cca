"""A longer language and one from right to left on a small phone: nothing runs off the page.

A whole installation, with nothing more than two folders in its data folder.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.installation import Installation
from tests.locale import made_up
from tests.web.site.test_browser import FLAGS

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PAGES = ("/watch", "/people", "/routine", "/mine", "/help-now", "/learn", "/lines")
WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(autouse=True)
def clean() -> None:
    """Nothing here shares this process's database."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = Installation(tmp_path_factory.mktemp("home"))
    for code in made_up.SOUNDS:
        made_up.write(code, home.data / "locale")
    home.up()
    yield home.url
    home.stop()


@pytest.fixture(params=made_up.SOUNDS)
def phone(request: pytest.FixtureRequest) -> Iterator[tuple[str, Page]]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = browser.new_context(
            viewport={"width": 320, "height": 640},
            extra_http_headers={"Accept-Language": request.param},
        )
        yield str(request.param), context.new_page()
        browser.close()


def test_nothing_runs_off_a_small_phone(url: str, phone: tuple[str, Page]) -> None:
    lang, page = phone
    page.goto(url)
    page.get_by_role("button", name=made_up.SOUNDS[lang]("Start"), exact=True).click()
    wide = []
    for path in PAGES:
        page.goto(f"{url}{path}")
        html = page.locator("html")
        assert html.get_attribute("lang") == lang, path
        assert html.get_attribute("dir") == ("rtl" if lang == "qpr" else "ltr"), path
        if page.evaluate(WIDE):
            wide.append(path)
    assert wide == []
