"""A watch asks for no PIN, so without it nobody on the list is named there."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.schedule import Routine
from stillhere.store.models import Contact, WatchRow
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, did, read, text_of, watch_path

NAMES = ("Leo", "Maya")
DAILY = Routine(frozenset(range(7)), 22 * 60, "America/New_York")
STATES = ("nothing", "open", "asking", "alarm", "claimed", "there", "over")


@pytest.fixture
def shut(night: SamsNight, sam: Client) -> Client:
    """Sam's phone in another hand: a PIN was set, and is not typed."""
    post(sam, "/mine", do="pin", pin="2580")
    return browser(night.key)


def bring(night: SamsNight, clock: Clock, state: str) -> None:
    leo = night.contacts["Leo"].id
    if state == "nothing":
        return
    night.start()
    if state == "asking":
        night.does(ev.Marked())
        clock.advance(61)
        tick_all()
    after: dict[str, list[apply.Asked]] = {
        "alarm": [CallForHelp()],
        "claimed": [CallForHelp(), ev.Claimed(leo, 180)],
        "there": [CallForHelp(), ev.Arrived(leo)],
        "over": [ev.Marked(), ev.Ended()],
    }
    for what in after.get(state, []):
        night.does(what)


def named(told: str) -> list[str]:
    return [name for name in NAMES if name in told]


@pytest.mark.parametrize("state", STATES)
def test_the_page_of_a_watch_names_nobody_before_the_pin(
    night: SamsNight, shut: Client, clock: Clock, state: str
) -> None:
    bring(night, clock, state)
    pages = [read(shut, "/watch"), read(shut, "/watch/part")]
    if state != "nothing":
        pages.append(text_of(browser(stranger=True).get(watch_path(night))))
    assert [told for told in pages if named(told)] == []


@pytest.mark.parametrize("state", ["nothing", "open", "asking", "alarm"])
def test_and_with_it_all_is_said_as_before(
    night: SamsNight, shut: Client, clock: Clock, state: str
) -> None:
    bring(night, clock, state)
    assert "Leo" not in read(shut, "/watch")
    post(shut, "/pin", pin="2580", next="/watch")
    assert "Leo" in read(shut, "/watch")


def test_what_somebody_said_of_the_plan_names_nobody_before_the_pin(
    night: SamsNight, shut: Client
) -> None:
    leo = night.contacts["Leo"].id
    night.start()
    for what in (CallForHelp(), ev.Arrived(leo), ev.Resolved(None, ev.Outcome.FINE)):
        night.does(what)
    assert did(contact_path(night, "Leo"), "door-wrong") == 200
    pages = [read(shut, "/watch"), read(shut, "/watch/part")]
    assert not [told for told in pages if named(told)]
    assert "Someone says: the way in was not right." in pages[0]
    post(shut, "/pin", pin="2580", next="/watch")
    assert "Leo says: the way in was not right." in read(shut, "/watch")


def test_how_many_there_are_is_said(night: SamsNight, shut: Client) -> None:
    told = read(shut, "/watch")
    assert told.count("Someone") == 2
    assert "Type your PIN to see who they are" in told
    night.start()
    assert "If you go quiet, we reach 2 people." in read(shut, "/watch")
    Contact.objects.filter(id=night.contacts["Maya"].id).delete()
    assert "If you go quiet, we reach 1 person." in read(shut, "/watch")


def test_who_comes_is_counted_too(night: SamsNight, shut: Client) -> None:
    bring_help = CallForHelp()
    night.start()
    night.does(bring_help)
    assert "We are reaching 1 person." in read(shut, "/watch")
    night.does(ev.Claimed(night.contacts["Leo"].id, 180))
    assert "On the way to you: 1 person." in read(shut, "/watch")


def test_a_daily_ask_names_nobody_on_any_page(night: SamsNight, shut: Client, clock: Clock) -> None:
    watch = apply.start(night.person.id, "routine", routine=DAILY)
    due_at = WatchRow.objects.get(id=watch).next_ask_at
    assert due_at is not None
    clock.advance((due_at - clock.now) // 1000 + 1)
    tick_all()
    for page in ("/before", "/watch", "/pin"):
        told = read(shut, page)
        assert "we reach 2 people" in told, page
        assert not named(told), page


def test_without_a_pin_nothing_changes(night: SamsNight, sam: Client) -> None:
    assert named(read(sam, "/watch")) == list(NAMES)
    night.start()
    assert named(text_of(browser(stranger=True).get(watch_path(night)))) == list(NAMES)


def test_what_a_watch_needs_asks_for_no_pin(night: SamsNight, shut: Client) -> None:
    post(shut, "/watch", profile="injected")
    night.watch = WatchRow.objects.latest("id").id
    key = watch_path(night)
    for press in ("mark", "help"):
        assert shut.post(f"{key}/{press}", {"back": "watch"})["Location"] == "/watch"
    assert night.row().state == "alarm"
