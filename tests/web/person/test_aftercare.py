"""After an alarm, on the page of the person it was about: care first, and the watch again."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.events import Outcome, State
from stillhere.store.watches import queries
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, answers_both_looks, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import read, watch_path

CARE = (
    "You're alive. Stay with someone for the next hours.",
    "Then it can come back",
    "Taking more now is dangerous.",
    "Nobody is watching now.",
    "Look in on me for two hours",
    "You may feel very ill",
    "Nobody here is cross with you.",
    "You can ask for it today",
    "Text me at noon",
    "Again: I'm about to",
)


def ended(night: SamsNight, outcome: Outcome, clock: Clock) -> None:
    """An alarm that Leo came for, what he said of it, and Sam who answered afterwards."""
    leo = night.contacts["Leo"].id
    night.start()
    night.does(CallForHelp())
    night.does(ev.Arrived(leo))
    night.does(ev.Resolved(leo, outcome))
    if outcome not in ev.GRAVE:
        answers_both_looks(night, clock)


def test_after_a_rescue_care_comes_first_and_using_again_last(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    ended(night, Outcome.REVIVED, clock)
    told = read(sam, "/watch")
    places = [told.index(each) for each in CARE]
    assert places == sorted(places)
    assert "Asks have stopped" not in told
    html = sam.get("/watch").content.decode()
    assert "giant" not in html, "nothing is pushed upon somebody who was just brought back"
    assert "You're alive." in read(sam, watch_path(night), 410)


def test_who_was_rescued_is_looked_in_on_without_having_used(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    ended(night, Outcome.REVIVED, clock)
    assert "If you go quiet, we reach your people." in read(sam, "/watch")
    post(sam, "/watch", profile="hours")
    shown = queries.watch_of(night.person)
    assert shown is not None
    assert shown.watch.state is State.OPEN
    assert (shown.row.profile, shown.watch.marked_at) == ("hours", None)
    told = read(sam, "/watch")
    assert "If you go quiet, we reach Leo and Maya." in told
    assert "Go slow. Test first." not in told
    assert "I've used again" in told, "it stays possible, and is not what the page is about"
    assert '<button class="strong">' not in sam.get("/watch").content.decode()
    clock.advance(301)
    tick_all()
    assert "Sam, are you there?" in read(sam, "/watch")
    night.watch = shown.row.id
    night.does(ev.Ended())
    assert 'value="injected" checked' in sam.get("/watch").content.decode()


@pytest.mark.parametrize("outcome", [Outcome.FINE, Outcome.FALSE_ALARM])
def test_after_an_alarm_for_nothing_nobody_scolds_and_again_is_one_tap(
    night: SamsNight, sam: Client, clock: Clock, outcome: Outcome
) -> None:
    ended(night, outcome, clock)
    told = read(sam, "/watch")
    glad = told.index("Glad you're here. Everyone has been told.")
    assert glad < told.index("Asks have stopped. Nobody is watching now.")
    assert told.index("Again: I'm about to") < told.index("Nobody minds. An alarm for nothing")
    assert told.count("Everyone has been told") == 1
    assert "answered a drill" not in told, "not now"
    assert '<div class="giant"><button>' in sam.get("/watch").content.decode()
    post(sam, "/watch", profile="injected")
    assert "Glad you're here" not in read(sam, "/watch")


def test_whom_a_contact_calls_well_reads_who_said_so_and_is_asked_first(
    night: SamsNight, sam: Client
) -> None:
    night.start()
    for what in (CallForHelp(), ev.Arrived(night.contacts["Leo"].id)):
        night.does(what)
    night.does(ev.Resolved(night.contacts["Leo"].id, Outcome.REVIVED))
    told = read(sam, "/watch")
    assert "Leo told us that it is over." in told
    assert "We ask you soon. If you do not answer, we reach your people again." in told
    assert "Glad you're here" not in told, "nobody has heard Sam"
    assert "nos dijo que ya pasó" in read(browser(night.key, lang="es"), "/watch")


def test_grave_endings_look_alike(night: SamsNight, sam: Client, clock: Clock) -> None:
    ended(night, Outcome.HOSPITAL, clock)
    assert "You're alive" not in read(sam, "/watch")


def test_after_a_quiet_night_nothing_is_said_of_an_alarm(night: SamsNight, sam: Client) -> None:
    night.start()
    night.does(ev.Marked())
    night.does(ev.Ended())
    told = read(sam, "/watch")
    assert "Asks have stopped. Nobody is watching now." in told
    assert "An alarm for nothing" not in told
    assert "You're alive" not in told
