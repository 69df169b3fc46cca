"""The page of the demo's phones in a real browser: what a newcomer sees and touches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from stillhere.channels.base import Outgoing
from tests.channels.hearing import ANA, CHOICES, LEO, MAYA, Night, night

pytestmark = pytest.mark.browser

LINK = "http://127.0.0.1:8420/a/Zt4fJq8x2mZk0YpTtV"
WORDS = "This is about Sam. Sam's phone has not been answered since 22:12."


@asynccontextmanager
async def page_of(tonight: Night, width: int, height: int) -> AsyncIterator[Page]:
    """The phones in Chromium. Its console may say that something was refused, and nothing else."""
    said: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = await browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        await page.goto(tonight.url)
        await expect(page.get_by_role("heading", name="Sam")).to_be_visible()
        yield page
        await browser.close()
    assert [line for line in said if "status of 422" not in line] == []


def in_browser(
    story: Callable[[Night, Page], Awaitable[None]], width: int = 1280, height: int = 800
) -> None:
    async def tell(tonight: Night) -> None:
        async with page_of(tonight, width, height) as page:
            await story(tonight, page)

    night(tell)


def test_texts_arrive_and_their_links_open_elsewhere() -> None:
    async def story(tonight: Night, page: Page) -> None:
        await tonight.texts.send(Outgoing("k", MAYA, f"{WORDS} <b>&amp;", link=LINK))
        maya = page.get_by_role("log", name="What Maya's phone shows")
        await expect(maya).to_contain_text(f"{WORDS} <b>&amp;")
        link = maya.get_by_role("link", name=LINK)
        assert await link.get_attribute("href") == LINK
        assert await link.get_attribute("target") == "_blank"
        assert "noopener" in (await link.get_attribute("rel") or "")
        await tonight.text(MAYA, "javascript:alert(1) data:text/html,x")
        await expect(maya).to_contain_text("javascript:")
        assert await maya.get_by_role("link").count() == 1

    in_browser(story)


def test_a_call_rings_is_answered_and_a_key_is_pressed() -> None:
    async def story(tonight: Night, page: Page) -> None:
        await tonight.calls.send(Outgoing("k", ANA, WORDS, choices=CHOICES, reply_ref="m7"))
        await expect(page.get_by_text("Lamp is calling")).to_be_visible()
        await expect(page.get_by_text(WORDS)).to_be_hidden()
        await page.get_by_role("button", name="Answer Ana's phone").click()
        await expect(page.get_by_text(WORDS)).to_be_visible()
        for key in ("2", "3", "5", "9: I can't"):
            await expect(page.get_by_role("button", name=f"Ana presses {key}")).to_be_visible()
        await page.get_by_role("button", name="Ana presses 1: I'm going").click()
        assert await tonight.ear.fates(2) == ["answered", "key"]
        assert tonight.ear.heard[1].reply_ref == "m7"
        await page.get_by_role("button", name="Hang up Ana's phone").click()
        await expect(page.get_by_text("Call ended")).to_be_visible()
        await expect(page.get_by_text("Lamp says")).to_be_hidden()

    in_browser(story)


def test_hands_type_switch_off_and_let_numbers_die() -> None:
    async def story(tonight: Night, page: Page) -> None:
        box = page.get_by_role("textbox", name="Text from Maya to Lamp")
        await box.fill("ok <i>")
        await box.press("Enter")
        [heard] = await tonight.ear.wait_for(1)
        assert (heard.sender, heard.text) == (MAYA, "ok <i>")
        await expect(box).to_have_value("")
        await page.get_by_role("button", name="Ring Lamp from Maya's phone").click()
        assert await tonight.ear.fates(2) == ["text", "missed-call"]

        off = page.get_by_role("button", name="Maya's phone: switched off")
        await off.click()
        await expect(off).to_have_attribute("aria-pressed", "true")
        await tonight.text(MAYA, "are you there?")
        await expect(page.get_by_text("Switched off. 1 text waits.")).to_be_visible()
        await expect(box).to_be_disabled()
        await off.click()
        await expect(page.get_by_text("are you there?")).to_be_visible()

        await page.get_by_role("button", name="Leo's phone: number dead").click()
        await tonight.text(LEO)
        assert (await tonight.ear.fates(4))[3] == "failed"
        await expect(page.get_by_text("This number is dead.")).to_be_visible()

    in_browser(story)


def test_words_half_typed_survive_what_happens_meanwhile() -> None:
    async def story(tonight: Night, page: Page) -> None:
        box = page.get_by_role("textbox", name="Text from Maya to Lamp")
        await box.fill("I am on my w")
        await tonight.text(MAYA, "one more thing")
        await expect(page.get_by_text("one more thing")).to_be_visible()
        await expect(box).to_have_value("I am on my w")
        await expect(box).to_be_focused()
        await page.get_by_role("button", name="Send Leo's text").click()
        await expect(page.get_by_role("alert")).to_have_text("Type something first.")

    in_browser(story)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (800, 900), (360, 640)])
def test_it_fits_every_screen_and_every_finger(width: int, height: int) -> None:
    async def story(tonight: Night, page: Page) -> None:
        await tonight.texts.send(Outgoing("a", MAYA, WORDS, link=LINK + "x" * 60))
        await tonight.call(ANA, WORDS)
        tonight.do("Ana", "answer")
        tonight.do("Leo", "off")
        await expect(page.locator(".dark:visible")).to_be_visible()
        sizes = await page.evaluate("""() => [...document.querySelectorAll('button, input, nav a')]
            .map(part => part.getBoundingClientRect()).filter(box => box.width)
            .map(box => Math.min(box.width, box.height))""")
        assert len(sizes) > 20
        assert min(sizes) >= 44
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        if width == 1280:
            assert await page.evaluate("document.documentElement.scrollHeight") <= height
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()

    in_browser(story, width, height)


def test_it_says_when_the_demo_is_gone() -> None:
    async def story(tonight: Night) -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
            )
            page = await browser.new_page()
            await page.goto(tonight.url)
            await expect(page.get_by_role("heading", name="Sam")).to_be_visible()
            await page.context.set_offline(True)
            await expect(page.get_by_role("alert")).to_contain_text("do not answer")
            await page.context.set_offline(False)
            await tonight.text(MAYA, "back again")
            await expect(page.get_by_text("back again")).to_be_visible()
            await expect(page.get_by_role("alert")).to_be_hidden()
            await browser.close()

    night(story)
