"""The nights of the brief through the carriers' own adapters: texts and calls as Twilio documents
them, real processes, both databases. (The same nights stand in ``test_by_phone.py`` on the demo's
phones.)"""

from __future__ import annotations

import signal
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.installation import wait_for
from tests.journeys.carrier import Here
from tests.journeys.town import NUMBERS, Inside

pytestmark = [pytest.mark.storage, pytest.mark.slow]

SAM, MAYA, LEO, ANA = (NUMBERS[name] for name in ("Sam", "Maya", "Leo", "Ana"))


class Night:
    """One installation, its carrier, and a hand on its time."""

    def __init__(self, here: Here) -> None:
        self.ours, self.one, self.two = here
        self.inside = Inside(self.ours.environment)

    def seed(self, *rungs: list[str]) -> dict[str, Any]:
        """Sam with confirmed contacts and a marked watch."""
        seeded: dict[str, Any] = self.inside(
            "seed", name="Sam", rungs=list(rungs), numbers=NUMBERS, start=True
        )
        return seeded

    def silence(self) -> None:
        """Nobody answers any more, until the alarm."""
        for _ in range(30):
            now, wake_at = self.inside("pass_time", seconds=0), self.inside("watches")[0]["wake_at"]
            self.inside("pass_time", seconds=max(wake_at - now, 0) / 1000)
            wait_for(lambda: bool(self.inside("settled")), "the engine is up to date")
            if self.state() in ("alarm", "claimed"):
                return
        raise AssertionError(self.state())

    def state(self) -> str:
        return str(self.inside("watches")[0]["state"])

    def page(self, path: str) -> str:
        """A contact's page, on the phone that is known to be theirs."""
        cookie = self.inside("phone_of", key=path.removeprefix("/c/"))
        return str(self.ours.ask("GET", path, "", {"Cookie": cookie})[1])

    def post(self, path: str, **fields: str) -> int:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ours.ask("POST", path, urllib.parse.urlencode(fields), kind)[0]


@pytest.fixture
def night(here: Here) -> Iterator[Night]:
    night = Night(here)
    yield night
    night.inside.close()


def test_the_phone_dies_and_the_ask_goes_by_text_then_rings(night: Night) -> None:
    """Journey 3."""
    seeded = night.seed(["Leo"])
    night.one.phone(LEO).keys = []
    night.inside("pass_time", seconds=62)
    wait_for(lambda: night.state() == "asking", "an ask")
    assert night.post(f"/k/{seeded['watch_key']}/shown", ask="1") == 200
    assert night.post(f"/k/{seeded['watch_key']}") == 303  # and then the battery is empty
    night.silence()
    night.one.reads(SAM, "still here? Reply OK.")
    wait_for(lambda: night.one.phone(SAM).rang > 0, "Sam's phone rang")
    night.one.reads(LEO, "Sam may need help NOW. No answer since")
    night.one.hears(LEO, "Sam may need help NOW")
    page = night.page(f"/c/{seeded['contacts']['Leo']}")
    assert "the phone does not show our asks. It may be off or offline." in page


def test_nobody_answers_at_first(night: Night) -> None:
    """Journey 4: a dead number moves the ladder at once; nobody picks up next door; the mother and
    who is on shift are the next rung; one presses 1 and says how soon; the others hear who goes."""
    night.one.phone(LEO).dead = True
    night.one.phone(MAYA).keys = ["1", "3"]
    night.seed(["Leo", "Ruth"], ["Maya"])
    night.inside("on_shift", name="Ana", phone=ANA)
    night.silence()
    night.one.reads(NUMBERS["Ruth"], "may need help NOW")
    night.one.reads(MAYA, "may need help NOW")  # no 45 seconds are over: Leo's number is dead
    night.one.hears(MAYA, "In how many minutes are you there?")
    night.one.hears(MAYA, "The others hear that you are going")
    night.one.reads(NUMBERS["Ruth"], "Maya is going to Sam")
    assert night.state() == "claimed"
    assert not night.one.phone(ANA).texts, "held: somebody is going"
    night.one.phone(MAYA).keys = []  # rung again, she would say once more that she is going
    night.inside("pass_time", seconds=400)  # she does not come
    night.one.reads(ANA, "may need help NOW", seconds=30)


def test_she_is_a_thousand_miles_away(night: Night) -> None:
    """Journey 5: her own emergency number would reach the wrong town."""
    seeded = night.seed(["Maya"])
    night.inside("plan", person=seeded["person"], town="Denver, Colorado", dispatch="303 555 0100")
    night.silence()
    text = night.one.reads(MAYA, "may need help NOW")
    link = text[text.index("/c/") :].split()[0]
    page = night.page(link)
    assert "I need dispatch in Denver, Colorado." in page
    assert "tel:" in page.partition("Phone the dispatch there")[0].rpartition("<a")[2]
    assert night.post(f"{link}/answer", do="claim", soon="far") == 303
    assert night.state() == "alarm", "who phones is not going"


def test_the_server_dies_in_the_middle_of_it(night: Night) -> None:
    """Journey 9: it goes on where it was; nobody is alarmed out of a dead past."""
    night.seed(["Leo"], ["Maya"])
    night.silence()
    night.one.reads(LEO, "may need help NOW")
    other = night.inside(
        "seed", name="Kim", rungs=[["Ana"]], numbers={**NUMBERS, "Kim": "+12025550106"}, start=True
    )
    night.ours.stop(signal.SIGKILL)
    night.inside("away", seconds=20 * 60)
    night.ours.up()
    night.one.reads(LEO, "We were away since", seconds=30)
    night.one.reads(MAYA, "may need help NOW", seconds=30)
    kim = next(w for w in night.inside("watches") if w["id"] == other["watch"])
    assert kim["state"] == "asking", "asked first"
    assert not night.one.phone(ANA).texts
    for company in (night.one, night.two):
        assert len([t for t in company.phone(LEO).texts if "may need help NOW" in t]) <= 2


def test_one_texts_stop_and_another_never_answered(night: Night) -> None:
    """Journey 10: a no is told now, and not on the night; silence is rung once and marked so."""
    seeded = night.seed(["Leo"], ["Ana"])
    night.inside("unanswered", person=seeded["person"], name="Ana")
    assert night.one.text(LEO, "STOP") == 200
    night.one.reads(SAM, "Leo cannot be reached any more.")
    night.silence()
    night.one.reads(ANA, "may need help NOW")
    assert not night.one.phone(LEO).texts
    night.inside("pass_time", seconds=130)
    wait_for(lambda: bool(night.inside("settled")), "the engine is up to date")
    assert len([t for t in night.one.phone(ANA).texts if "may need help" in t]) == 1
