"""The stories that Sam and Sam's mother live on a screen: real Chromium, real HTTP, a real
inbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Route,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.journeys.town import Town, eventually, town

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
SMALL: ViewportSize = {"width": 360, "height": 640}
MAYA = "maya@example.org"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as opened:
        opened.open()
        yield opened


def phone(browser: Browser, *, scripts: bool = True) -> BrowserContext:
    """A small phone of somebody's own."""
    context = browser.new_context(
        viewport=SMALL, locale="en-US", timezone_id="America/New_York", java_script_enabled=scripts
    )
    context.set_default_timeout(10_000)
    return context


def mailed_link(place: Town, address: str, words: str) -> str:
    """The link in the newest mail to ``address`` that says ``words``."""
    eventually(lambda: words in place.mail.texts(address), f"a mail that says {words!r}")
    mail = [m for m in place.mail.of(address) if words in f"{m['subject']}\n{m.get_content()}"][-1]
    found = re.search(r"http://\S+", mail.get_content())
    assert found, mail.get_content()
    return found.group()


def begin(sam: Page, place: Town) -> None:
    """From the first sight to one person who can be reached."""
    sam.goto(place.url)
    sam.get_by_role("button", name="Start").click()
    sam.get_by_role("link", name="Add somebody").click()
    form = sam.locator("#add")
    form.get_by_label("What they call you").fill("Sam")
    form.get_by_label("Their name").fill("Maya")
    form.get_by_label("E-mail").fill(MAYA)
    form.get_by_role("button", name="Add and invite").click()
    plan = sam.locator("#plan")
    plan.locator("summary").click()
    plan.get_by_label("Where you usually are").fill("12 Elm Street")
    plan.get_by_label("How to get in").fill("code 4711")
    plan.get_by_role("button", name="Keep").click()


def joins(browser: Browser, place: Town) -> Page:
    """Maya opens the link in her inbox and says yes."""
    maya = phone(browser).new_page()
    maya.goto(mailed_link(place, MAYA, "Sam"))
    maya.get_by_role("button", name="I'll be there").click()
    expect(maya.get_by_text("All is quiet")).to_be_visible()
    return maya


def start_watch(sam: Page) -> None:
    sam.get_by_role("link", name="To my watch").click()
    sam.get_by_role("button", name="I'm about to").click()
    expect(sam.get_by_role("button", name="Still here")).to_be_visible()


def watch_state(place: Town) -> str:
    return str(place.inside("watches")[-1]["state"])


def test_alone_tonight(browser: Browser, place: Town) -> None:
    """Journey 1: a quiet night, and next day nothing remains but a count."""
    sam = phone(browser).new_page()
    begin(sam, place)
    joins(browser, place)
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    eventually(lambda: place.inside("watches")[-1]["marked_at"] is not None, "marked")
    asks = 0
    for _ in range(40):
        if place.until_asked() == "closed":
            break
        asks += 1
        sam.get_by_role("button", name="Still here").click()
        eventually(lambda: watch_state(place) != "asking", "the check-in is kept")
        if watch_state(place) == "closed":
            break
    assert 8 <= asks <= 20
    sam.reload()
    expect(sam.get_by_text("Nobody is watching now").first).to_be_visible()
    assert len(place.mail.of(MAYA)) == 1, "only the invitation: nobody was bothered"
    watch = place.inside("watches")[-1]["id"]
    place.pass_time(25 * 3600)
    assert place.inside("sweep") == 1
    left = place.inside("left_of", watch=watch)
    assert (left["rows"], left["lines"], left["messages"]) == (0, 0, 0)
    assert left["counts"] > 0


def test_silence_reaches_a_real_inbox_and_she_closes_it(browser: Browser, place: Town) -> None:
    """The main story: no answer, a mail, a claim, an arrival, an end."""
    sam = phone(browser).new_page()
    begin(sam, place)
    maya = joins(browser, place)
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("button", name="I've used again")).to_be_visible()
    sam.context.close()  # Sam's phone is gone
    place.live_through(130)
    maya.goto(mailed_link(place, MAYA, "may need help NOW"))
    assert "12 Elm Street" not in maya.content(), "no place before a claim"
    maya.get_by_role("button", name="3 min").click()
    expect(maya.get_by_text("12 Elm Street")).to_be_visible()
    expect(maya.get_by_text("code 4711")).to_be_visible()
    maya.get_by_role("button", name="I'm with them").first.click()
    expect(maya.locator("#look")).to_be_in_viewport()
    maya.locator("#look").get_by_role("link", name="To the alarm").click()
    expect(maya.get_by_role("heading", name="You are there")).to_be_visible()
    maya.get_by_role("button", name="Was not breathing well").click()
    expect(maya.get_by_text("What happened")).to_be_visible()
    expect(maya.get_by_text("We go on asking Sam for a while.")).to_be_visible()
    assert watch_state(place) == "open", "Sam is asked, and nobody but Maya has seen anything"
    place.live_through(130)
    assert watch_state(place) == "alarm", "Sam did not answer"
    everything = place.mail.texts(MAYA).lower()
    for word in ("overdose", "naloxone", "drug", "heroin"):
        assert word not in everything


def test_got_it_is_never_left_standing_over_a_new_ask(browser: Browser, place: Town) -> None:
    sam = phone(browser).new_page()
    begin(sam, place)
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("status").filter(has_text="Got it")).to_be_visible()
    place.pass_to_the_next_ask()
    expect(sam.locator("#now[data-state=asking]")).to_be_attached()
    expect(sam.get_by_role("status").filter(has_text="Got it")).to_have_count(0)


def test_everything_works_without_scripts(browser: Browser, place: Town) -> None:
    """Plain forms: start, mark, check in, help, end."""
    sam = phone(browser, scripts=False).new_page()
    begin(sam, place)
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    place.pass_time(61)
    eventually(lambda: watch_state(place) == "asking", "an ask")
    sam.get_by_role("button", name="Still here").click()
    assert watch_state(place) == "open"
    sam.get_by_role("button", name="Need help now").click()
    assert watch_state(place) == "alarm"
    mailed_link(place, MAYA, "asks for help NOW")


def test_a_script_that_came_in_halves_hides_no_ask(browser: Browser, place: Town) -> None:
    """The line broke in the middle of it, or somebody blocks it: the pages load themselves."""
    sam = phone(browser).new_page()
    sam.route("**/lamp*.js", cut)
    begin(sam, place)
    maya = phone(browser).new_page()
    maya.route("**/lamp*.js", cut)
    maya.goto(mailed_link(place, MAYA, "Sam"))
    maya.get_by_role("button", name="I'll be there").click()
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("button", name="I've used again")).to_be_visible()
    place.pass_to_the_next_ask()
    expect(sam.get_by_role("heading", name="are you there")).to_be_visible(timeout=15_000)
    place.pass_time(130)
    expect(maya.get_by_role("heading", name="has not answered")).to_be_visible(timeout=30_000)


def cut(route: Route) -> None:
    """Only the first half arrives."""
    whole = route.fetch()
    route.fulfill(response=whole, body=whole.body()[: len(whole.body()) // 2])


def test_what_sam_tapped_while_we_were_away_is_kept_and_sent(browser: Browser, place: Town) -> None:
    """The page keeps trying until it is acknowledged, and says "Got it" only then."""
    sam = phone(browser).new_page()
    begin(sam, place)
    start_watch(sam)
    before = place.inside("watches")[-1]["seen_at"]
    sam.context.set_offline(True)
    sam.get_by_role("button", name="Still here").click()
    expect(sam.get_by_role("status").filter(has_text="Not counted yet")).to_be_visible()
    assert place.inside("watches")[-1]["seen_at"] == before
    sam.context.set_offline(False)
    eventually(lambda: place.inside("watches")[-1]["seen_at"] > before, "kept at last")
    expect(sam.get_by_role("status").filter(has_text="Got it")).to_be_visible()
