"""The stories in which time, phones and the machine itself fail: real processes, on both
databases."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys.town import NUMBERS, Town, eventually, town

pytestmark = [pytest.mark.storage, pytest.mark.slow]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Iterator[Town]:
    with town(tmp_path, {"STILLHERE_DATABASE_URL": database_url}) as opened:
        opened.open()
        yield opened


def story(place: Town, *rungs: list[str]) -> Any:
    """Sam with a marked watch and these people."""
    return place.inside("seed", name="Sam", rungs=list(rungs), numbers=NUMBERS, start=True)


def says(place: Town, key: str, **pressed: str) -> int:
    """A contact presses something on their page, on a phone that is known to be theirs."""
    known = FORM | {"Cookie": str(place.inside("phone_of", key=key))}
    status, _ = place.installation.ask("POST", f"/c/{key}/answer", urlencode(pressed), known)
    return status


def reads(place: Town, who: str, words: str) -> None:
    """Wait until a phone has got a message with these words."""
    eventually(lambda: words in texts(place, who), f"{who} reads {words!r}")


def texts(place: Town, who: str) -> str:
    return "\n".join(line["text"] for line in place.phones.sent_to(who))


def silence(place: Town) -> None:
    """The first ask, its ring, the end of grace."""
    place.live_through(122, step_s=10)


def state(place: Town) -> str:
    return str(place.inside("watches")[0]["state"])


def test_the_phone_goes_through_a_tunnel(place: Town) -> None:
    """Journey 3: an ask nobody saw goes by text, then rings, then everyone is called."""
    story(place, ["Leo"], ["Maya"])
    for _ in range(3):  # the ask, the next channel, the ring: each when it is due
        place.pass_to_the_next_ask()
        place.settled()
    asks = [line["channel"] for line in place.phones.sent_to("Sam")]
    assert asks[0] == "text", "quietly first"
    assert "call" in asks
    assert place.phones.sent_to("Leo") == []
    place.live_through(40, step_s=10)
    reads(place, "Leo", "Sam may need help NOW. No answer since")
    assert {line["channel"] for line in place.phones.sent_to("Leo")} == {"text", "call"}


def test_a_tunnel_that_ends_in_time_bothers_nobody(place: Town) -> None:
    """Journey 3, the other end: what the phone kept is sent with its age, and counts from then."""
    seeded = story(place, ["Leo"])
    place.live_through(80, step_s=10)
    assert state(place) == "asking"
    body = '{"age_ms": 3000, "seq": 5}'
    path = f"/k/{seeded['watch_key']}"
    json_kind = {"Content-Type": "application/json", "Accept": "application/json"}
    assert place.installation.ask("POST", path, body, json_kind)[0] == 200
    assert state(place) == "open"
    assert place.phones.sent_to("Leo") == []


def test_nobody_answers_at_first(place: Town) -> None:
    """Journey 4: a dead number, a phone nobody picks up, and then somebody presses 1."""
    story(place, ["Leo", "Ana"], ["Maya"])
    place.phones.act("Leo", "refused")
    silence(place)
    reads(place, "Maya", "may need help NOW")  # at once, though Ana's phone still rings
    reads(place, "Ana", "may need help NOW")
    eventually(lambda: place.phones.phone("Maya")["call"] is not None, "Maya's phone rings")
    place.phones.act("Maya", "answer")
    place.phones.act("Maya", "key", key="1")
    reads(place, "Ana", "Maya is going to Sam")
    assert state(place) == "claimed"
    assert "It is not over" in texts(place, "Ana")


def test_it_was_nothing_and_everyone_is_told(place: Town) -> None:
    """Journey 7 by text: one word stands everyone down, and says exactly what is known."""
    story(place, ["Leo"], ["Maya"])
    silence(place)
    reads(place, "Leo", "may need help NOW")
    place.phones.act("Sam", "text", text="ok im here")
    reads(place, "Leo", "Sam's phone was answered at")
    assert state(place) == "open"
    assert place.phones.sent_to("Maya") == [], "who was not told is not told that it is over"
    sent = len(place.phones.sent_to("Sam"))
    place.live_through(90, step_s=10)
    eventually(lambda: len(place.phones.sent_to("Sam")) > sent, "Sam is asked again")


def test_what_is_unclear_is_never_a_check_in(place: Town) -> None:
    story(place, ["Leo"])
    place.live_through(70, step_s=10)
    place.phones.act("Sam", "text", text="who is this?")
    place.live_through(70, step_s=10)
    reads(place, "Leo", "may need help NOW")


def test_what_is_unclear_rings_at_once_and_in_an_alarm_is_passed_on(place: Town) -> None:
    story(place, ["Leo"])
    place.live_through(10, step_s=10)
    place.phones.act("Sam", "text", text="qwzx wrrr")
    eventually(lambda: state(place) == "asking", "it asks at once")
    place.live_through(70, step_s=10)
    reads(place, "Leo", "may need help NOW")
    place.phones.act("Leo", "text", text="1")
    place.live_through(60, step_s=10)
    place.phones.act("Sam", "text", text="wrrr")
    reads(place, "Leo", "sent us something")


def test_she_went_and_then_fell_silent(place: Town) -> None:
    """Journey 8: a claim without an arrival reopens the ladder; a locked door keeps it open; five
    minutes in, everyone on it is told to call an ambulance."""
    seeded = story(place, ["Leo"], ["Maya"])
    silence(place)
    reads(place, "Leo", "may need help NOW")
    assert says(place, seeded["contacts"]["Leo"], do="claim", soon="2") == 303
    place.live_through(60, step_s=10)
    assert place.phones.sent_to("Maya") == [], "the ladder is held"
    place.live_through(70, step_s=10)
    reads(place, "Leo", "Are you with Sam?")
    reads(place, "Maya", "may need help NOW")
    assert says(place, seeded["contacts"]["Leo"], do="locked") == 303
    reads(place, "Maya", "can't get in to Sam")
    assert state(place) == "alarm"
    place.live_through(180, step_s=10)
    for who in ("Leo", "Maya"):
        reads(place, who, "Call an ambulance now.")


def test_the_server_dies_in_the_middle_of_it(place: Town) -> None:
    """Journey 9: it comes back and goes on where it was; nobody is alarmed out of a dead past."""
    story(place, ["Leo"], ["Maya"])
    silence(place)
    reads(place, "Leo", "may need help NOW")
    other = place.inside(
        "seed", name="Kim", rungs=[["Ana"]], numbers={**NUMBERS, "Kim": "+12025550106"}, start=True
    )
    place.installation.stop(signal.SIGKILL)
    place.inside("away", seconds=20 * 60)
    place.installation.up()
    reads(place, "Leo", "We were away since")
    reads(place, "Maya", "may need help NOW")
    place.settled()
    kim = next(w for w in place.inside("watches") if w["id"] == other["watch"])
    assert kim["state"] == "asking", "asked first"
    assert place.phones.sent_to("Ana") == []
    place.live_through(70, step_s=10)
    reads(place, "Ana", "may need help NOW")
