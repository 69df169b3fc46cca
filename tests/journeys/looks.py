"""Phones in every look: the same page in both languages and both lights, read and pressed at once.

A story is lived through once; whoever is in it has four phones open on the same page, sees every
step on each of them, and presses on one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, Literal

from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

SMALL: ViewportSize = {"width": 360, "height": 640}
LOOKS: tuple[tuple[str, str, Literal["dark", "light"]], ...] = (
    ("en", "en-US", "dark"),
    ("es", "es-MX", "light"),
    ("en", "en-US", "light"),
    ("es", "es-MX", "dark"),
)


def said(lang: str, words: str, **facts: object) -> str:
    """Our words as they stand on a page in this language."""
    with translation.override(lang):
        return gettext(words) % facts if facts else gettext(words)


class Phone:
    """One small phone, in one language and one light."""

    def __init__(self, browser: Browser, lang: str, locale: str, scheme: Any) -> None:
        self.lang = lang
        self.taps = 0
        self._context = browser.new_context(
            viewport=SMALL, locale=locale, timezone_id="America/New_York", color_scheme=scheme
        )
        self._context.set_default_timeout(15_000)
        self.page: Page = self._context.new_page()

    def close(self) -> None:
        self._context.close()

    def says(self, words: str, **facts: object) -> str:
        return said(self.lang, words, **facts)

    def sees(self, words: str, **facts: object) -> None:
        """These words are on the page, or come within a few seconds."""
        found = self.page.get_by_text(self.says(words, **facts))
        expect(found.first, f"{self.lang}: {words}").to_be_visible(timeout=15_000)

    def sees_not(self, words: str, **facts: object) -> None:
        expect(self.page.get_by_text(self.says(words, **facts))).to_have_count(0)

    def button(self, words: str) -> Locator:
        return self.page.get_by_role("button", name=self.says(words), exact=True).first

    def tap(self, what: Locator) -> None:
        """One tap, counted."""
        self.taps += 1
        what.click()

    def presses(self, words: str) -> None:
        self.tap(self.button(words))

    def follows(self, words: str) -> None:
        self.tap(self.page.get_by_role("link", name=self.says(words)).first)

    def types(self, label: str, text: str) -> None:
        """Tap into a field and type."""
        field = self.page.get_by_label(self.says(label)).first
        self.tap(field)
        field.fill(text)

    def keeps(self, session: str, url: str) -> None:
        """Be a browser of the person whose session this is."""
        self._context.add_cookies([{"name": "session", "value": session, "url": url}])

    def loses_its_line(self) -> None:
        self._context.set_offline(True)


class Phones:
    """The four phones of one person in a story."""

    def __init__(self, browser: Browser) -> None:
        self.all = [Phone(browser, *look) for look in LOOKS]
        self._turn = cycle(self.all)

    def each(self, does: Callable[[Phone], object]) -> None:
        for phone in self.all:
            does(phone)

    def go(self, url: str) -> None:
        self.each(lambda phone: phone.page.goto(url))

    def see(self, words: str, **facts: object) -> None:
        self.each(lambda phone: phone.sees(words, **facts))

    def see_not(self, words: str, **facts: object) -> None:
        self.each(lambda phone: phone.sees_not(words, **facts))

    def press(self, words: str) -> None:
        """Somebody presses, on the phone whose turn it is."""
        next(self._turn).presses(words)

    def lose_their_line(self) -> None:
        self.each(Phone.loses_its_line)

    def close(self) -> None:
        self.each(Phone.close)


@contextmanager
def phones(browser: Browser) -> Iterator[Phones]:
    """Four phones that are put away afterwards."""
    held = Phones(browser)
    try:
        yield held
    finally:
        held.close()
