"""Pages: by name, one for a storm, and on to the next until somebody says that they look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Inbound, Receipt
from stillhere.core.paging.on_call import OnCall
from stillhere.engine import render
from stillhere.store.inbound import inbox
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery, pages
from stillhere.store.models import Installation, Message, Page, WatchRow
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import text_of

pytestmark = pytest.mark.usefixtures("database")

RUTHS, ANAS, LEOS = "+12025550150", "+12025550151", "+12025550101"
RUTH = OnCall("Ruth", ("ruth@example.org", RUTHS), "es", None, "America/Denver")
ANA = OnCall("Ana", (ANAS,))
PEOPLE = (RUTH, ANA)
MINUTE_S = 60


@pytest.fixture(autouse=True)
def on_call(settings: Any) -> Iterator[None]:
    yield from named(settings, PEOPLE)


def named(settings: Any, people: tuple[OnCall, ...]) -> Iterator[None]:
    before = settings.STILLHERE
    ways = ", ".join(way for each in PEOPLE for way in each.ways)
    settings.STILLHERE = replace(before, coordinator=ways, coordinators=people)
    yield
    settings.STILLHERE = before


def nobody_is_on_the_list(clock: Clock) -> SamsNight:
    night = sams_night()
    night.start()
    night.does(CallForHelp())
    return night


def leave(clock: Clock, fate: Fate = Fate.ACCEPTED) -> list[tuple[str, str, str]]:
    """What leaves now: to whom, in which language, in which words."""
    leased = delivery.lease("coordinator", clock.now, 50, 20)
    told = [render.render(m, m.to) for m in leased]
    delivery.record([m.result(Receipt(fate)) for m in leased], clock.now)
    return [(t.to, t.lang, t.text) for t in told]


def says(number: str, text: str) -> None:
    inbox.take(Inbound("text", f"t{Message.objects.count()}{text}", "text", number, text))


def test_the_first_is_paged_by_all_ways_at_once_in_her_language(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    ((to, lang, text),) = leave(clock)
    assert (to, lang) == ("ruth@example.org, +12025550150", "es")
    assert "Sam" in text
    assert " 0" in text, "how to answer"
    assert leave(clock) == []


def test_without_an_answer_the_next_is_tried_and_then_everybody_again_and_again(
    clock: Clock,
) -> None:
    nobody_is_on_the_list(clock)
    assert [to for to, _, _ in leave(clock)] == [", ".join(RUTH.ways)]
    clock.advance(3 * MINUTE_S - 1)
    assert leave(clock) == []
    clock.advance(1)
    assert [(to, lang) for to, lang, _ in leave(clock)] == [(ANAS, "en")]
    for _ in range(3):
        clock.advance(3 * MINUTE_S)
        assert [to for to, _, _ in leave(clock)] == [", ".join(RUTH.ways), ANAS]


def test_thirty_alarms_are_one_page_with_their_number(clock: Clock) -> None:
    for _ in range(30):
        nobody_is_on_the_list(clock)
    ((_, _, text),) = leave(clock)
    assert "30" in text
    assert Page.objects.get().count == 30


def test_what_comes_while_nobody_has_answered_is_in_the_next_turn(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    leave(clock)
    clock.advance(20)
    for _ in range(4):
        nobody_is_on_the_list(clock)
    assert leave(clock) == []
    clock.advance(160)
    ((to, _, text),) = leave(clock)
    assert (to, text.split(" since")[0]) == (ANAS, "5 things need you")


def test_what_is_no_answer_is_asked_back_and_pages_go_on(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    leave(clock)
    says(ANAS, "who is this about?")
    assert leave(clock) == [
        (
            "text:" + ANAS,
            "en",
            "Text 0 to say that you are looking: then we wait a while for you.",
        )
    ]
    clock.advance(3 * MINUTE_S)
    assert {to for to, _, _ in leave(clock)} == {ANAS}


def test_nobody_elses_text_answers_a_page(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    leave(clock)
    says("+12025550199", "0")
    assert pages.waits()


def test_her_number_in_whatsapp_answers_no_page(clock: Clock) -> None:
    """That account may be somebody else's, and the page would wake nobody any more."""
    nobody_is_on_the_list(clock)
    leave(clock)
    inbox.take(Inbound("whatsapp", "w1", "text", sender=RUTHS, text="0"))
    assert pages.waits()


def test_a_coordinator_who_is_a_contact_goes_with_1_and_looks_with_0(clock: Clock) -> None:
    leo = OnCall("Leo", (LEOS,))
    night = sams_night(("Leo",))
    night.start()
    night.does(CallForHelp())
    nobody_is_on_the_list(clock)
    from django.conf import settings  # noqa: PLC0415

    settings.STILLHERE = replace(settings.STILLHERE, coordinators=(leo,))
    leave(clock)
    for m in delivery.lease("text", clock.now, 50, 20):
        delivery.record([m.result(Receipt(Fate.ACCEPTED))], clock.now)
    says(LEOS, "1")
    assert (night.row().state, pages.waits()) == ("claimed", True)
    (page,) = pages.lately(0)
    assert not page.looked_at
    says(LEOS, "0")
    (page,) = pages.lately(0)
    assert (night.row().state, page.looked_by) == ("claimed", "Leo")


def test_whoever_looked_is_told_first_of_what_comes_next(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    leave(clock)
    clock.advance(3 * MINUTE_S)
    leave(clock)
    pages.looks(pages.who_is(ANA), clock.now)
    leave(clock)
    nobody_is_on_the_list(clock)
    assert {to for to, _, _ in leave(clock)} == {ANAS}


def test_what_is_over_wakes_nobody_else(clock: Clock) -> None:
    night = nobody_is_on_the_list(clock)
    leave(clock)
    night.does(ev.Resolved(None, ev.Outcome.FINE))
    clock.advance(3 * MINUTE_S)
    assert leave(clock) == []
    assert not pages.waits()


def test_what_no_carrier_takes_is_tried_again_and_the_next_too(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    assert len(leave(clock, Fate.BUSY)) == 1
    clock.advance(2)
    assert len(leave(clock, Fate.BUSY)) == 1
    clock.advance(3 * MINUTE_S)
    assert [to for to, _, _ in leave(clock)] == [", ".join(RUTH.ways), ANAS]


def test_a_stop_takes_her_phone_and_the_page_goes_by_what_is_left(clock: Clock) -> None:
    says(RUTHS, "STOP")
    nobody_is_on_the_list(clock)
    assert [to for to, _, _ in leave(clock)] == ["ruth@example.org"]
    says(ANAS, "STOP")
    clock.advance(3 * MINUTE_S)
    assert [to for to, _, _ in leave(clock)] == ["ruth@example.org"], "Ana is passed over"


def test_where_every_phone_said_stop_the_page_waits_and_says_so_until_start(
    clock: Clock, settings: Any, client: Client
) -> None:
    """One forged text takes the only phone of the only one on call."""
    settings.STILLHERE = replace(settings.STILLHERE, coordinators=(ANA,))
    Installation.objects.create(id=1, beat_at=clock.now, proof_at=clock.now)
    says(ANAS, "STOP")
    nobody_is_on_the_list(clock)
    for _ in range(4):
        assert leave(clock) == []
        clock.advance(4 * MINUTE_S)
    mine = Message.objects.filter(channel="coordinator", status="queued", facts__contains='"to":')
    assert [m.why for m in mine] == [delivery.STOPPED], "one waits, and is not dropped"
    assert pages.waits()
    said = client.get("/healthz")
    assert "numbers of 1 of 1 on call said STOP: START from them lifts it" in said.json()["reasons"]
    assert "Ana" not in said.content.decode()
    at_desk = text_of(browser().get(f"/desk/{desk_key.key()}"))
    assert "No page reaches this phone any more: Ana." in at_desk
    says(ANAS, "START")
    clock.advance(1)
    assert {to for to, _, _ in leave(clock)} == {ANAS}
    assert not [each for each in client.get("/healthz").json()["reasons"] if "STOP" in each]


def test_good_news_rings_nobody_and_waits_for_nothing(clock: Clock) -> None:
    Message.objects.create(
        key="stuck.1", channel="coordinator", word="page-free", facts=json.dumps({"at": clock.now}),
        urgency=1, due_at=clock.now, created_at=clock.now,
    )  # fmt: skip
    assert [to for to, _, _ in leave(clock)] == ["ruth@example.org, text:+12025550150"]
    assert not pages.waits()


def test_a_page_names_no_place_and_its_link_is_for_one_person(clock: Clock) -> None:
    nobody_is_on_the_list(clock)
    (m,) = delivery.lease("coordinator", clock.now, 50, 20)
    told = render.render(m, m.to)
    assert "Elm" not in told.text
    page = Page.objects.get()
    assert told.link.endswith(f"/{pages.who_is(RUTH)}")
    assert pages.by_key(told.link.split("/")[-2], clock.now) == page


# --- nobody is named ------------------------------------------------------------------------------


def test_without_names_each_page_leaves_as_it_did(settings: Any, clock: Clock) -> None:
    for _ in named(settings, ()):
        nobody_is_on_the_list(clock)
        nobody_is_on_the_list(clock)
        told = leave(clock)
        assert [(to, lang) for to, lang, _ in told] == [("", "en")] * 2
        assert all("Look now." in text and " 0" not in text for _, _, text in told)
        clock.advance(10 * MINUTE_S)
        assert leave(clock) == []


def test_without_names_a_storm_is_one_page_with_its_number(settings: Any, clock: Clock) -> None:
    for _ in named(settings, ()):
        for _each in range(3):
            nobody_is_on_the_list(clock)
            assert len(leave(clock)) == 1
            clock.advance(1)
        for _each in range(27):
            nobody_is_on_the_list(clock)
            clock.advance(1)
        assert leave(clock) == []
        clock.advance(2 * MINUTE_S)
        ((_, _, text),) = leave(clock)
        assert text.startswith("27 things need you since ")
        assert WatchRow.objects.filter(state="alarm").count() == 30
        assert not Message.objects.filter(channel="coordinator", status="queued").exists()
