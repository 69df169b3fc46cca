"""The one who comes, on the phone they hold: real Chromium, the network cut after the page opened.

Journeys 6, 8 and 16: the steps are there, the timers right, and what was done reaches the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from tests.journeys.test_in_a_browser import (
    CHROMIUM,
    MAYA,
    begin,
    joins,
    mailed_link,
    phone,
    start_watch,
    watch_state,
)
from tests.journeys.town import Town, eventually, town

LEO = "leo@example.org"
ONE_HAND: ViewportSize = {"width": 360, "height": 640}

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as opened:
        opened.open()
        yield opened


def tap(page: Page, words: str) -> None:
    """One of the two buttons of the screen that is shown; both are within reach of a thumb."""
    shown = page.locator(".step:target")
    for each in shown.locator(".two a").all():
        expect(each).to_be_in_viewport()
        box = each.bounding_box()
        assert box is not None
        assert box["height"] >= 56
    shown.get_by_role("link", name=words, exact=True).click()


def on(page: Page, screen: str) -> None:
    expect(page.locator(f"#{screen}:target")).to_be_in_viewport()


def keeps(page: Page) -> None:
    """The phone has what it needs without a network."""
    controlled = "navigator.serviceWorker.controller !== null"
    eventually(lambda: bool(page.evaluate(controlled)), "the steps are kept on the phone")


def test_someone_is_down_in_front_of_a_stranger(browser: Browser, place: Town) -> None:
    """Journey 16: one tap from the first page, no plan, no account, then no network."""
    page = phone(browser).new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(place.url)
    page.get_by_role("link", name="Someone is down in front of me").click()
    on(page, "look")
    kept = {cookie["name"] for cookie in page.context.cookies()}
    assert kept <= {"csrftoken"}, "the first page's own form; nobody is known"
    keeps(page)
    page.context.set_offline(True)
    tap(page, "No answer, or not sure")
    assert page.locator('#call a[href="tel:911"]').is_visible()
    tap(page, "I am calling")
    tap(page, "Slow or weak")
    on(page, "airway")
    tap(page, "Done")
    tap(page, "Yes")
    tap(page, "A spray for the nose")
    on(page, "nose")
    tap(page, "Given")
    on(page, "breathe")  # back to the breaths that were going on
    timer = page.locator("#breathe .timer")
    _given_and_taken_back(page, timer)
    page.clock.install()
    page.reload()  # the phone was locked half-way, and the browser threw the page away
    on(page, "breathe")
    expect(timer).to_contain_text(re.compile(r"Next dose in [012]:\d\d"))
    tap(page, "Give naloxone")
    on(page, "nose")  # what was given before is not asked about
    expect(page.locator("#nose .timer")).to_contain_text("Too soon. Next dose in")
    page.go_back()
    page.clock.fast_forward("03:00")
    expect(timer).to_contain_text("Time for another dose")
    tap(page, "Give naloxone")
    tap(page, "Given")
    tap(page, "They breathe well")
    on(page, "side")
    tap(page, "Done")
    page.clock.fast_forward("05:00")
    expect(page.locator("#stay .timer")).to_contain_text("With them for 5 min")
    tap(page, "Help is here")
    card = page.locator("#crew [data-card]")
    expect(card.get_by_text("Gave a dose of naloxone")).to_have_count(4)
    expect(card.get_by_text("The last dose was not given after all")).to_have_count(2)
    expect(card).to_contain_text("Called for an ambulance")
    expect(card).to_contain_text("They breathe")
    tap(page, "They take over")
    on(page, "after")
    assert faults == []


def _given_and_taken_back(page: Page, timer: Locator) -> None:
    """A dose pressed by mistake is taken back, as often as it takes."""
    expect(timer).to_contain_text(re.compile(r"Next dose in [12]:\d\d"))
    expect(page.locator("#breathe .beat.on")).to_be_visible()
    for _ in range(2):
        timer.get_by_role("link", name="It was not given").click()
        expect(timer).to_be_hidden()
        tap(page, "Give naloxone")
        tap(page, "A spray for the nose")
        tap(page, "Given")
    expect(timer).to_contain_text("Next dose in")


def test_without_scripts_every_screen_is_reached(browser: Browser, place: Town) -> None:
    page = phone(browser, scripts=False).new_page()
    page.goto(f"{place.url}/help-now#look")
    for words, screen in (
        ("No answer, or not sure", "call"), ("I cannot call", "shout"), ("Go on", "breathing"),
        ("No, only gasps, or not sure", "press"), ("Give naloxone", "form"),
        ("A spray for the nose", "nose"), ("Given", "chest"), ("No, or I don't know", "breathe"),
        ("They breathe well", "side"), ("Done", "stay"), ("Help is here", "crew"),
        ("Not yet", "chest"), ("Yes", "side"), ("Done", "stay"),
    ):  # fmt: skip
        tap(page, words)
        on(page, screen)
    page.locator("#stay").get_by_role("link", name="Police are here").click()
    on(page, "police")


def test_she_comes_and_the_line_goes(browser: Browser, place: Town) -> None:
    """Journeys 6 and 8: a claim, the door, no network, the steps; and the others read it all."""
    sam = phone(browser).new_page()
    begin(sam, place)
    form = sam.locator("#add")
    form.get_by_label("Their name").fill("Leo")
    form.get_by_label("E-mail").fill(LEO)
    form.get_by_role("button", name="Add and invite").click()
    maya = joins(browser, place)
    leo = phone(browser).new_page()
    leo.goto(mailed_link(place, LEO, "Sam"))
    leo.get_by_role("button", name="I'll be there").click()
    start_watch(sam)
    sam.get_by_role("button", name="Need help now").click()
    eventually(lambda: watch_state(place) == "alarm", "an alarm")
    link = mailed_link(place, MAYA, "asks for help NOW")
    maya.goto(link)
    maya.get_by_role("button", name="3 min").click()
    expect(maya.get_by_text("12 Elm Street")).to_be_visible()
    keeps(maya)

    maya.context.set_offline(True)
    maya.get_by_role("button", name="I'm with them").first.click()
    on(maya, "look")
    tap(maya, "No answer, or not sure")
    tap(maya, "I am calling")
    tap(maya, "Slow or weak")
    tap(maya, "Done")
    tap(maya, "Yes")
    tap(maya, "A spray for the nose")
    tap(maya, "Given")
    on(maya, "breathe")
    _reads_line_by_line(maya)
    _takes_it_back_and_gives_it_after_all(maya)
    assert watch_state(place) == "claimed", "nothing of it has come through yet"
    maya.reload()
    on(maya, "breathe")
    _looked_at_anew(maya)
    leo.reload()
    maya.context.set_offline(False)
    _reads_what_maya_did(leo)

    eventually(lambda: watch_state(place) == "attended", "that she is there was kept, too")
    maya.goto(link)
    on(maya, "breathe")
    _brought_back_and_down_again(place, sam, maya, link)

    stranger = phone(browser).new_page()  # a link that was passed on
    stranger.goto(link)
    expect(stranger.get_by_text("Is this your phone?")).to_be_visible()
    told = stranger.content()
    for secret in ("12 Elm", "4711", "Leo", "Maya"):
        assert secret not in told


def _reads_line_by_line(page: Page) -> None:
    """When the next dose is due, that nothing was sent yet, and a way back: each on its own."""
    timer = page.locator("#breathe .timer")
    parts = [timer.locator("span"), timer.get_by_role("link"), timer.locator("[data-unsent]")]
    expect(parts[0]).to_have_text(re.compile(r"^Next dose in \d:\d\d$"))
    expect(parts[1]).to_have_text("It was not given")
    expect(parts[2]).to_have_text("Not sent yet: no connection. It is kept.")
    boxes = [box for part in parts if (box := part.bounding_box()) is not None]
    ends = [box["y"] + box["height"] - 1 for box in boxes]
    assert len(boxes) == 3
    assert boxes[1]["y"] >= ends[0]
    assert boxes[2]["y"] >= ends[1]


def _takes_it_back_and_gives_it_after_all(page: Page) -> None:
    page.locator("#breathe .timer").get_by_role("link", name="It was not given").click()
    expect(page.locator("#breathe .timer [data-undo]")).to_be_hidden()
    page.evaluate("location.hash = 'nose'")
    tap(page, "Given")
    on(page, "breathe")


def _reads_what_maya_did(leo: Page) -> None:
    """On the page, on the screens of a dose, and on the card for the crew."""
    gave = leo.get_by_text("Maya gave a dose of naloxone (nose spray).")
    expect(gave.last).to_be_visible(timeout=20_000)
    expect(leo.get_by_text("Maya: the last dose was not given after all.")).to_have_count(1)
    expect(gave).to_have_count(2)
    expect(leo.get_by_text("Maya called for an ambulance.")).to_be_visible()
    leo.get_by_role("link", name="What to do when you are there").click()
    on(leo, "look")
    leo.evaluate("location.hash = 'nose'")
    expect(leo.locator("#nose .timer")).to_contain_text("Too soon. Next dose in")  # Maya gave one
    leo.evaluate("location.hash = 'crew'")
    expect(leo.locator("#crew [data-card]")).to_contain_text("Maya gave a dose of naloxone")


def _looked_at_anew(page: Page) -> None:
    """From the start again: the breaths of before are over, and nothing leads back to them."""
    page.locator("#breathe").get_by_role("link", name="From the start").click()
    on(page, "look")
    page.evaluate("location.hash = 'nose'")
    tap(page, "It does not work")
    on(page, "chest")
    tap(page, "No, or I don't know")
    on(page, "breathe")


def _brought_back_and_down_again(place: Town, sam: Page, maya: Page, link: str) -> None:
    """She closes it; the next alarm begins anew: nothing of the last one is left in the steps."""
    maya.locator(".step:target").get_by_role("link", name="To the alarm").click()
    maya.get_by_role("button", name="Was not breathing well, breathes now").click()
    told = maya.locator("#now").get_by_text("Maya gave a dose of naloxone (nose spray).").last
    expect(told).to_be_visible()
    expect(sam.get_by_role("heading", name="Maya told us that it is over.")).to_be_visible(
        timeout=15_000
    )
    for _ in range(2):  # after one minute and after three
        assert place.until_asked() == "asking"
        sam.get_by_role("button", name="Still here").click()
        eventually(lambda: watch_state(place) != "asking", "the check-in is kept")
    eventually(lambda: watch_state(place) == "closed", "it is over")
    alive = sam.get_by_role("heading", name="You're alive.")
    expect(alive).to_be_visible(timeout=15_000)  # the page finds out by itself
    sam.get_by_role("button", name="Again: I'm about to").click()
    sam.get_by_role("button", name="Need help now").click()
    eventually(lambda: watch_state(place) == "alarm", "another alarm")
    maya.goto(link)
    expect(maya.get_by_role("button", name="3 min")).to_be_in_viewport()
    maya.evaluate("location.hash = 'crew'")
    expect(maya.locator("#crew [data-card]")).not_to_contain_text("dose")


def test_far_away_then_a_locked_door_then_it_was_nothing(browser: Browser, place: Town) -> None:
    """Journeys 5, 8 and 7, on screens."""
    sam = phone(browser).new_page()
    begin(sam, place)
    plan = sam.locator("#plan")
    plan.locator("summary").click()
    plan.get_by_label("Your town").fill("Denver, Colorado")
    plan.get_by_label("Number of your local dispatch").fill("303 555 0100")
    plan.get_by_role("button", name="Keep").click()
    maya = joins(browser, place)
    start_watch(sam)
    sam.get_by_role("button", name="I've used").click()
    expect(sam.get_by_role("button", name="I've used again")).to_be_visible()
    sam.context.set_offline(True)  # a tunnel
    place.live_through(130)
    maya.goto(mailed_link(place, MAYA, "may need help NOW"))
    expect(maya.get_by_text("Say first: “I need dispatch in Denver, Colorado.”")).to_be_visible()
    dispatch = maya.get_by_role("link", name="Phone the dispatch there")
    assert dispatch.first.get_attribute("href") == "tel:+13035550100"

    maya.get_by_role("button", name="3 min").click()
    maya.get_by_role("button", name="I can't get in").click()
    expect(maya.get_by_role("heading", name="At a locked door")).to_be_visible()
    assert watch_state(place) == "alarm", "it stays open"

    sam.context.set_offline(False)
    sam.locator("#here button").click()
    eventually(lambda: watch_state(place) == "open", "silence was broken")
    mailed_link(place, MAYA, "phone was answered at")
    expect(maya.get_by_role("heading", name="The alarm is over")).to_be_visible(timeout=15_000)
    expect(maya.get_by_text("Was the plan right?")).to_be_visible()
    maya.get_by_role("button", name="The way in was not right").click()
    sam.goto(f"{place.url}/watch")
    assert "blame" not in place.mail.texts(MAYA)
