"""Open pages are told what happens, without asking every two seconds; and where nothing gets
through to them they ask as before. Real Chromium, real processes."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.installation import wait_for
from tests.journeys.test_in_a_browser import (
    begin,
    browser,
    joins,
    phone,
    place,
    start_watch,
    watch_state,
)
from tests.journeys.town import Town, eventually

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["browser", "place"]  # fixtures

SEVERAL_POLLS_MS = 9_000


def polls_of(page: Page) -> list[str]:
    """Each time this page asks whether something changed."""
    asked: list[str] = []
    page.on("request", lambda it: asked.append(it.url) if it.url.endswith("/state") else None)
    return asked


def on_watch(browser: Browser, place: Town) -> Page:
    sam = phone(browser).new_page()
    begin(sam, place)
    start_watch(sam)
    return sam


def told(page: Page) -> None:
    """Wait until its stream has begun."""
    with page.expect_request("**/live"):
        pass
    page.wait_for_timeout(500)


def test_sam_and_the_one_who_comes_are_told_without_asking(browser: Browser, place: Town) -> None:
    sam = phone(browser).new_page()
    begin(sam, place)
    maya = joins(browser, place)
    told(maya)
    start_watch(sam)
    told(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("button", name="I've used again")).to_be_visible()
    asked = polls_of(sam), polls_of(maya)
    place.pass_to_the_next_ask()
    expect(sam.get_by_role("heading", name="are you there")).to_be_visible()
    sam.get_by_role("button", name="Still here").click()
    eventually(lambda: watch_state(place) == "open", "the check-in is kept")
    sam.get_by_role("button", name="Need help now").click()
    expect(maya.get_by_role("heading", name="asks for help").first).to_be_visible()
    maya.get_by_role("button", name="3 min").click()
    expect(maya.get_by_text("Thank you.").first).to_be_visible()
    maya.reload()
    expect(maya.get_by_role("heading", name="You said you are coming")).to_be_visible()
    expect(maya.get_by_text("Thank you.")).to_have_count(0)
    expect(sam.get_by_role("heading", name="On the way to you: Maya")).to_be_visible()
    sam.wait_for_timeout(SEVERAL_POLLS_MS)
    assert [len(each) for each in asked] <= [2, 2], asked


def test_where_no_stream_gets_through_the_page_asks(browser: Browser, place: Town) -> None:
    sam = phone(browser).new_page()
    sam.route("**/live", lambda route: route.abort())
    begin(sam, place)
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("button", name="I've used again")).to_be_visible()
    asked = polls_of(sam)
    place.pass_to_the_next_ask()
    expect(sam.get_by_role("heading", name="are you there")).to_be_visible()
    assert asked


def test_a_page_whose_server_died_is_told_again(browser: Browser, place: Town) -> None:
    sam = on_watch(browser, place)
    told(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("button", name="I've used again")).to_be_visible()
    web = place.installation.child("web")
    os.kill(web, signal.SIGKILL)
    wait_for(lambda: place.installation.child("web") not in (0, web), "the next web server")
    before = place.inside("watches")[-1]["seen_at"]
    sam.get_by_role("button", name="Still here").click()
    eventually(lambda: place.inside("watches")[-1]["seen_at"] > before, "the check-in is kept")
    place.pass_to_the_next_ask()
    expect(sam.get_by_role("heading", name="are you there")).to_be_visible(timeout=15_000)


def test_a_line_that_dies_without_a_word_is_noticed(browser: Browser, place: Town) -> None:
    """The phone lost its network: the page says so, rings by itself, and goes on afterwards."""
    sam = on_watch(browser, place)
    told(sam)
    sam.context.set_offline(True)
    expect(sam.get_by_text("No connection to the watch")).to_be_visible(timeout=20_000)
    sam.context.set_offline(False)
    expect(sam.get_by_text("No connection to the watch")).to_have_count(0, timeout=20_000)
    place.pass_to_the_next_ask()
    expect(sam.get_by_role("heading", name="are you there")).to_be_visible(timeout=15_000)


def test_a_cry_that_does_not_get_through_says_whom_to_call(browser: Browser, place: Town) -> None:
    sam = on_watch(browser, place)
    told(sam)
    sam.context.set_offline(True)
    sam.get_by_role("button", name="Need help now").click()
    expect(sam.get_by_text("We cannot be reached, so nobody was called.")).to_be_visible()
    expect(sam.get_by_role("link", name="Call 911")).to_be_in_viewport()
    assert watch_state(place) == "open"
    sam.context.set_offline(False)
    eventually(lambda: watch_state(place) == "alarm", "it went out by itself")
    expect(sam.get_by_text("We cannot be reached, so nobody was called.")).to_be_hidden()


def test_however_many_tabs_are_open_a_press_gets_through(browser: Browser, place: Town) -> None:
    sam = on_watch(browser, place)
    tabs = [sam, *(sam.context.new_page() for _ in range(7))]
    for tab in tabs[1:]:
        tab.goto(f"{place.url}/watch")
    tabs[-1].wait_for_timeout(SEVERAL_POLLS_MS)
    tabs[-1].get_by_role("button", name="I've used").click()
    for tab in tabs:
        expect(tab.get_by_role("button", name="I've used again")).to_be_visible(timeout=5_000)
    for tab in tabs:
        before = place.inside("watches")[-1]["seen_at"]
        tab.get_by_role("button", name="Still here").click()
        eventually(lambda: place.inside("watches")[-1]["seen_at"] > before, "kept")  # noqa: B023
