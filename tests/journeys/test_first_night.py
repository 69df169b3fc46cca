"""The first night, as it is seen: journeys 1, 3, 5, 7, 8 and 10 in real Chromium.

Every step is looked at in both languages and in both lights (``looks.py``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.journeys.looks import LOOKS, Phone, Phones, phones
from tests.journeys.town import NUMBERS, Town, eventually, town

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def one_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("town")) as opened:
        opened.open()
        yield opened


@pytest.fixture
def place(one_town: Town) -> Iterator[Town]:
    """The town, with nobody in it from another story."""
    yield one_town
    one_town.inside("forget")


@pytest.fixture
def sam(chromium: Browser) -> Iterator[Phones]:
    with phones(chromium) as held:
        yield held


@pytest.fixture
def leo(chromium: Browser) -> Iterator[Phones]:
    with phones(chromium) as held:
        yield held


@pytest.fixture
def maya(chromium: Browser) -> Iterator[Phones]:
    with phones(chromium) as held:
        yield held


def a_night(place: Town, *rungs: list[str], start: bool = True) -> Any:
    """Sam with these people, and a watch that is marked."""
    return place.inside("seed", name="Sam", rungs=list(rungs), numbers=NUMBERS, start=start)


def opens(sam: Phones, place: Town, key: str, path: str = "/watch") -> None:
    """Sam's own page on every phone."""
    sam.each(lambda phone: phone.keeps(key, place.url))
    sam.go(place.url + path)


def comes(phones: Phones, place: Town, key: str) -> None:
    """A contact's page, on phones that are known to be theirs."""
    name, _, value = str(place.inside("phone_of", key=key)).partition("=")
    cookie: Any = {"name": name, "value": value, "url": f"{place.url}/c"}
    phones.each(lambda phone: phone.page.context.add_cookies([cookie]))
    phones.go(f"{place.url}/c/{key}")


def state(place: Town) -> str:
    return str(place.inside("watches")[-1]["state"])


def marked(place: Town) -> bool:
    return bool(place.inside("watches")[-1]["marked_at"])


def texts(place: Town, who: str) -> list[str]:
    return [str(line["text"]) for line in place.phones.sent_to(who)]


def link_to(place: Town, who: str, before: int) -> str:
    """The link in the newest text after the first ``before``."""
    eventually(lambda: len(place.phones.sent_to(who)) > before, f"a text to {who}")
    newest = place.phones.sent_to(who)[-1]
    return next(word for word in str(newest["text"]).split() if word.startswith("http"))


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[2]}")
def test_alone_tonight(chromium: Browser, place: Town, look: tuple[str, str, Any]) -> None:
    """Journey 1: sixty seconds and six taps to one human, and a night that bothers nobody."""
    sam, leo = Phone(chromium, *look), Phone(chromium, *look)
    before = len(place.phones.sent_to("Leo"))
    began = time.monotonic()
    sam.page.goto(place.url)
    sam.presses("Start")
    sam.sees("Nobody will come.")
    sam.follows("Add somebody")
    sam.types("Their name", "Leo")
    sam.types("Phone", "(202) 555-0103")
    sam.presses("Add and invite")
    sam.sees("Added. They get an invitation now.")
    assert sam.taps <= 6
    assert time.monotonic() - began < 60, "even for a machine this is the longest it may take"
    leo.page.goto(link_to(place, "Leo", before))
    leo.presses("I'll be there")
    leo.sees("All is quiet")
    told = len(place.phones.sent_to("Leo"))
    sam.follows("Watch")
    sam.presses("I'm about to")
    sam.presses("I've used")
    eventually(lambda: marked(place), "the mark is kept")
    sam.sees("If you go quiet, we reach %(names)s.", names="Leo")
    for _ in range(2):
        place.until_asked()
        expect(sam.page.locator("#now[data-state=asking]")).to_be_attached()
        sam.presses("Still here")
        eventually(lambda: state(place) == "open", "the check-in is kept")
    place.pass_time(0)
    sam.presses("End")
    sam.sees("It is early. Press “End now” if you are sure.")
    sam.presses("End now")
    sam.sees("Asks have stopped. Nobody is watching now.")
    sam.presses("Again: I'm about to")
    sam.sees("I've used")
    assert len(place.phones.sent_to("Leo")) == told, "nobody was bothered"
    sam.close()
    leo.close()


def test_the_phone_dies(place: Town, sam: Phones, leo: Phones) -> None:
    """Journey 3: the timer lives on the server, and Leo reads that the ask was never seen."""
    night = a_night(place, ["Leo"])
    opens(sam, place, night["session"])
    sam.see("If you go quiet, we reach %(names)s.", names="Leo")
    sam.lose_their_line()
    asked = len(place.phones.sent_to("Sam"))
    place.live_through(122, step_s=10)
    ways = [line["channel"] for line in place.phones.sent_to("Sam")[asked:]]
    assert ways[0] == "text", "quietly first"
    assert "call" in ways
    comes(leo, place, night["contacts"]["Leo"])
    leo.see("I'm with them")
    leo.each(lambda phone: expect(phone.page.locator("h1")).to_contain_text("Sam"))


def test_she_is_a_thousand_miles_away(place: Town, maya: Phones) -> None:
    """Journey 5: her own emergency number would reach the wrong city."""
    night = a_night(place, ["Maya"])
    place.inside("plan", person=night["person"], town="Denver, Colorado", dispatch="202-555-0109")
    place.live_through(122, step_s=10)
    comes(maya, place, night["contacts"]["Maya"])
    maya.press("I'm far, I'll phone")
    maya.see("Say first: “I need dispatch in %(town)s.”", town="Denver, Colorado")
    maya.each(
        lambda phone: expect(phone.page.locator('#now a[href="tel:+12025550109"]')).to_be_visible()
    )
    assert state(place) == "alarm", "far away holds nothing"


def test_it_was_nothing(place: Town, sam: Phones, leo: Phones) -> None:
    """Journey 7: one tap, everyone who was told hears what is known, and Sam is asked again."""
    night = a_night(place, ["Leo"], ["Maya"])
    told = len(place.phones.sent_to("Leo"))
    place.live_through(122, step_s=10)
    opens(sam, place, night["session"])
    comes(leo, place, night["contacts"]["Leo"])
    leo.see("I'm with them")
    sam.press("Still here")
    sam.see("Glad you're here. Everyone has been told.")
    leo.see("The alarm is over. We go on asking %(name)s for a while.", name="Sam")
    eventually(
        lambda: any("Sam's phone was answered at" in text for text in texts(place, "Leo")[told:]),
        "Leo hears that the phone was answered",
    )
    for wait_s in (61, 120):
        place.pass_time(wait_s)
        sam.see("%(name)s, are you there?", name="Sam")
        sam.press("Still here")
        eventually(lambda: state(place) == "open", "answered again")


def test_she_went_and_then_fell_silent(place: Town, leo: Phones, maya: Phones) -> None:
    """Journey 8: a claim without an arrival reopens the ladder, a locked door keeps it open, and
    after five minutes everyone reads: call an ambulance."""
    night = a_night(place, ["Leo"], ["Maya"])
    place.live_through(122, step_s=10)
    comes(leo, place, night["contacts"]["Leo"])
    leo.press("2 min")
    leo.see("12 Elm Street")
    assert state(place) == "claimed"
    place.live_through(130, step_s=10)
    assert state(place) == "alarm", "a claim is no arrival"
    comes(maya, place, night["contacts"]["Maya"])
    leo.press("I can't get in")
    leo.see("At a locked door")
    assert state(place) == "alarm", "a locked door keeps it open"
    place.live_through(180, step_s=10)
    for everyone in (leo, maya):
        everyone.see(
            "Nobody is with %(name)s yet. Call an ambulance now: your emergency number.", name="Sam"
        )


def test_a_no_is_learnt_now_and_not_on_the_night(place: Town, sam: Phones, leo: Phones) -> None:
    """Journey 10: a STOP is a broken rung that Sam sees at once; somebody who never answered the
    invitation is tried once, and told so."""
    night = a_night(place, ["Leo"], ["Ana"], start=False)
    place.inside("unanswered", person=night["person"], name="Ana")
    place.phones.act("Leo", "text", text="STOP")
    opens(sam, place, night["session"])
    eventually(lambda: place.inside("said_no") > 0, "the no is kept")
    sam.go(f"{place.url}/watch")
    sam.see_not("Leo")
    sam.see("%(name)s has not said yes yet, so we ring them once at most in an alarm.", name="Ana")
    told, before = len(place.phones.sent_to("Leo")), len(place.phones.sent_to("Ana"))
    sam.press("I'm about to")
    eventually(lambda: bool(place.inside("watches")), "the watch is open")
    sam.go(f"{place.url}/watch")
    sam.press("Need help now")
    eventually(lambda: len(place.phones.sent_to("Ana")) > before, "Ana is tried")
    assert any("have not answered yet" in text for text in texts(place, "Ana")[before:])
    assert len(place.phones.sent_to("Leo")) == told, "only a no removes someone, and this was one"
