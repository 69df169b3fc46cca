"""The daily check-in: set once, paused, answered, ended."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store import problems
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Message, WatchRow, sealed_columns
from stillhere.store.people import address_book, records
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches import queries
from stillhere.store.watches.apply import CallForHelp, Change, apply
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.lane import tap
from tests.web.pages import everything, read, text_of

ALL = ["0", "1", "2", "3", "4", "5", "6"]
TEN: dict[str, Any] = {
    "do": "add",
    "at": "22:00",
    "tz": "America/New_York",
    "day": ALL,
    "kind": "routine",
}


def test_a_time_is_set_and_shown(night: SamsNight, sam: Client) -> None:
    response = post(sam, "/routine", **TEN)
    told = read(sam, response["Location"])
    assert "22:00, every day" in told
    assert "Next: 22:00." in told
    assert "If you go quiet, we reach Leo and Maya." in told
    row = WatchRow.objects.get()
    assert row.profile == "routine"
    assert row.deadline_at == 1_769_896_800_000 + 5 * 3_600_000


def test_the_same_form_twice_sets_it_once(night: SamsNight, sam: Client, clock: Clock) -> None:
    post(sam, "/routine", **TEN)
    post(sam, "/routine", **TEN)
    assert WatchRow.objects.count() == 1
    until = "2026-02-10"
    post(sam, "/routine", do="pause", watch=WatchRow.objects.get().id, until=until)
    post(sam, "/routine", **TEN)
    assert WatchRow.objects.count() == 1
    post(sam, "/routine", **{**TEN, "at": "21:00"})
    post(sam, "/routine", **{**TEN, "day": ["0"]})
    assert WatchRow.objects.count() == 3


def test_six_are_enough(night: SamsNight, sam: Client) -> None:
    for hour in range(6):
        post(sam, "/routine", **{**TEN, "at": f"1{hour}:00"})
    response = post(sam, "/routine", **{**TEN, "at": "20:00"})
    assert response.status_code == 422
    assert "That is enough: 6 daily check-ins." in text_of(response)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"at": ""}, "The time has to be between"),
        ({"at": "25:00"}, "The time has to be between"),
        ({"at": "half past"}, "The time has to be between"),
        ({"tz": ""}, "We do not know this time zone."),
        ({"tz": "Mars/Olympus"}, "We do not know this time zone."),
        ({"day": []}, "Choose at least one day of the week."),
        ({"day": ["7", "x"]}, "Choose at least one day of the week."),
    ],
)
def test_what_cannot_be_is_said_and_kept(
    night: SamsNight, sam: Client, change: dict[str, object], says: str
) -> None:
    before = everything()
    response = post(sam, "/routine", **{**TEN, **change, "kind": "release"})
    assert response.status_code == 422
    assert says in text_of(response)
    assert 'value="release" checked' in response.content.decode()
    assert everything() == before


def test_a_day_that_is_none_is_not_chosen(night: SamsNight, sam: Client) -> None:
    assert post(sam, "/routine", **{**TEN, "day": ["", "7", "x"]}).status_code == 422
    post(sam, "/routine", **{**TEN, "day": ["", "06", "3"]})
    (shown,) = queries.routines_of(night.person)
    assert shown.watch.routine is not None
    assert shown.watch.routine.days == {3}


def test_it_can_rest_until_a_morning(night: SamsNight, sam: Client) -> None:
    post(sam, "/routine", **TEN)
    watch = WatchRow.objects.get().id
    response = post(sam, "/routine", do="pause", watch=watch, until="2026-02-10")
    told = read(sam, response["Location"])
    assert "Paused until February 10, 00:00." in told
    assert "Next: February 10, 22:00." in told


@pytest.mark.parametrize("until", ["", "x", "2026-01-01", "9999-12-31", "2028-01-01", "-1"])
def test_a_pause_that_makes_no_sense_is_refused(night: SamsNight, sam: Client, until: str) -> None:
    post(sam, "/routine", **TEN)
    before = everything()
    response = post(sam, "/routine", do="pause", watch=WatchRow.objects.get().id, until=until)
    assert response.status_code == 422
    assert everything() == before


def test_a_tap_counts_and_an_end_ends(night: SamsNight, sam: Client, clock: Clock) -> None:
    post(sam, "/routine", **TEN)
    [shown] = queries.routines_of(night.person)
    assert tap(f"/k/{shown.key}").status == 200
    assert "Next: February 1, 22:00." in read(sam, "/routine")
    post(sam, "/routine", do="end", watch=shown.row.id)
    assert WatchRow.objects.get().outcome == "ended"
    assert "Ended." in read(sam, post(sam, "/routine", do="end", watch=shown.row.id)["Location"])


def test_nobody_else_s_is_touched(sam: Client) -> None:
    other = sams_night(("Ana",))
    post(browser(other.key), "/routine", **TEN)
    theirs = WatchRow.objects.get().id
    before = everything()
    post(sam, "/routine", do="end", watch=theirs)
    post(sam, "/routine", do="pause", watch=theirs, until="2026-02-10")
    post(sam, "/routine", do="explode", watch=theirs)
    assert everything() == before


def test_an_alarm_does_not_end_by_ending_the_routine(night: SamsNight, sam: Client) -> None:
    post(sam, "/routine", **TEN)
    watch = WatchRow.objects.get().id
    apply(Change(CallForHelp(), watch=watch))
    response = post(sam, "/routine", do="end", watch=watch)
    assert "An alarm is open." in read(sam, response["Location"])
    assert WatchRow.objects.get().closed_at is None
    apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=watch))


def test_with_nobody_on_the_list_it_says_so() -> None:
    night = sams_night()
    assert "nobody will come" in read(browser(night.key), "/routine")


# --- the ask stands on every page, and a way to ask is wanted ------------------------------------

PAGES = ("/", "/watch", "/people", "/routine", "/mine", "/kits", "/before", "/after")
STILL_HERE = 'action="/k/{key}"'


def asked(clock: Clock, *, to_s: int = 0) -> None:
    """Ten in the evening has come: the daily check-in is asked, ``to_s`` after its time."""
    row = WatchRow.objects.exclude(routine="").get()
    assert row.deadline_at is not None
    for seconds in (-3600, 0, to_s):
        until_s = (row.deadline_at - clock.now) // 1000 + min(seconds, to_s)
        clock.advance(max(until_s, 0))
        tick_all()


@pytest.fixture
def alone() -> SamsNight:
    """Sam, whom nobody can ask, with Leo and Maya."""
    return sams_night(("Leo",), ("Maya",), phones=False)


@pytest.mark.parametrize("path", PAGES)
def test_an_open_ask_stands_on_every_page_with_its_button(
    night: SamsNight, sam: Client, clock: Clock, path: str
) -> None:
    post(sam, "/routine", **TEN)
    [shown] = queries.routines_of(night.person)
    assert "are you there?" not in read(sam, path)
    asked(clock)
    response = sam.get(path)
    told = text_of(response)
    assert "Sam, are you there?" in told
    assert "Press the button by 22:30. If you do not, we reach Leo and Maya." in told
    assert STILL_HERE.format(key=shown.key) in response.content.decode()
    assert "Nobody is watching now" not in told
    tap(f"/k/{shown.key}")
    assert "are you there?" not in read(sam, path)


def test_it_stands_beside_another_watch_that_is_open(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/routine", **TEN)
    [shown] = queries.routines_of(night.person)
    asked(clock, to_s=-120)
    night.start()
    for path in ("/watch", "/watch/part"):
        assert STILL_HERE.format(key=shown.key) in sam.get(path).content.decode()
    version = sam.get("/watch/state").json()["v"]
    tap(f"/k/{shown.key}")
    assert sam.get("/watch/state").json()["v"] != version, "a page that lies open looks again"
    assert STILL_HERE.format(key=shown.key) not in sam.get("/watch").content.decode()


def test_a_page_without_a_watch_learns_of_the_ask_too(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/routine", **TEN)
    before = sam.get("/watch/state").json()
    assert f'data-v="{before["v"]}"' in sam.get("/watch").content.decode()
    assert before["open"] is False
    asked(clock)
    assert sam.get("/watch/state").json()["v"] != before["v"]


def test_somebody_else_s_ask_stands_on_nobody_s_page(night: SamsNight, clock: Clock) -> None:
    other = sams_night(("Ana",))
    post(browser(other.key), "/routine", **TEN)
    asked(clock)
    for client in (browser(night.key), browser()):
        assert "are you there?" not in read(client, "/")


def test_the_steps_and_the_lines_are_not_disturbed(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/routine", **TEN)
    asked(clock)
    for path in ("/help-now", "/lines", "/steps"):
        assert "Sam, are you there?" not in read(sam, path)


def test_a_missed_one_says_on_every_page_who_is_reached(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/routine", **TEN)
    asked(clock, to_s=30 * 60)
    for path in ("/", "/watch", "/people"):
        assert "We are reaching Leo." in read(sam, path)
    assert "Nobody is watching now" not in read(sam, "/watch")


def test_while_something_is_daily_no_page_says_that_nobody_watches(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/routine", **TEN)
    night.start()
    night.does(ev.Marked())
    night.does(ev.Ended())
    told = read(sam, "/watch")
    assert "Nobody is watching now" not in told
    assert "These asks have stopped." in told
    assert "Your daily check-in is due by 22:00." in told
    key = queries.watch_of(night.person)
    assert key is not None
    over = read(browser(), f"/k/{key.key}", 410)
    assert "Nobody is watching now" not in over
    assert "Your daily check-in is due by 22:00." in over


def test_without_a_way_to_ask_nothing_is_set_in_silence(alone: SamsNight) -> None:
    sam = browser(alone.key)
    assert "We have no way to ask you" in read(sam, "/routine")
    before = everything()
    response = post(sam, "/routine", **TEN)
    assert response.status_code == 422
    assert "so nothing was set" in text_of(response)
    assert everything() == before


def test_a_way_typed_on_the_same_form_is_kept_and_the_time_is_set(alone: SamsNight) -> None:
    sam = browser(alone.key)
    post(sam, "/routine", **TEN, phone="202-555-0100")
    assert WatchRow.objects.count() == 1
    ways = Address.objects.filter(person=alone.person).order_by("channel")
    assert [way.channel for way in ways] == ["call", "text"]
    told = read(sam, "/routine")
    assert "We do not know yet that …0100 is yours" in told
    assert "Nobody will remind you" in told, "not before it is proved"
    code = address_proof.code_of(ways[1].nonce)
    post(sam, "/people", do="code", code=code)
    told = read(sam, "/routine")
    assert "We have no way to ask you" not in told
    assert "Nobody will remind you" not in told


def test_a_way_that_makes_no_sense_is_said_and_nothing_is_lost(alone: SamsNight) -> None:
    sam = browser(alone.key)
    before = everything()
    response = post(sam, "/routine", **{**TEN, "at": "21:15"}, phone="12", alone="1")
    assert response.status_code == 422
    html = response.content.decode()
    assert 'value="21:15"' in html
    assert 'value="12"' in html
    assert everything() == before


def test_whoever_opens_the_page_alone_reads_what_comes_if_they_forget(
    alone: SamsNight, clock: Clock
) -> None:
    sam = browser(alone.key)
    response = post(sam, "/routine", **TEN, alone="1")
    says = "Nobody will remind you. If you have not pressed by 22:30, we reach Leo and Maya."
    for path in (response["Location"], "/", "/watch", "/people", "/mine"):
        assert says in read(sam, path)
    assert "Nobody is watching now" not in read(sam, "/watch")
    asked(clock)
    assert "Press the button by 22:30." in read(sam, "/mine")


@pytest.mark.parametrize("lost", ["removed", "broken", "nowhere"])
def test_the_last_way_that_goes_later_is_said_on_every_page(
    night: SamsNight, sam: Client, settings: Any, lost: str
) -> None:
    post(sam, "/routine", **TEN)
    assert "Nobody will remind you" not in read(sam, "/mine")
    mine = Address.objects.filter(person=night.person)
    if lost == "removed":
        address_book.set_own_addresses(night.person, [])
    elif lost == "broken":
        mine.update(state=Address.State.BROKEN)
    else:
        mine.update(channel="gone")  # this installation has it no more
    for path in ("/", "/watch", "/people", "/routine", "/mine"):
        assert "Nobody will remind you." in read(sam, path)


def test_a_way_that_breaks_is_told_by_one_that_is_left(night: SamsNight, clock: Clock) -> None:
    mail = problems.Reached("email", "sam@example.org", rings=False)
    address_book.add_own_addresses(night.person, [mail])
    address_proof.vouch(night.person)
    night.start()
    night.does(ev.Marked())
    for seconds in (60, 6, 20):
        clock.advance(seconds)
        tick_all()
    for channel in ("text", "call"):
        leased = delivery.lease(channel, clock.now, 50, 20)
        fates = [m.result(Receipt(Fate.FAILED, why="dead")) for m in leased]
        delivery.record(fates, clock.now)
    told = Message.objects.filter(word="way-gone")
    assert {(m.channel, m.person_id) for m in told} == {("email", night.person.id)}
    assert records.own_channels(night.person)[-1] == "email"


# --- what those who are called read ---------------------------------------------------------------


def missed(alone: SamsNight, clock: Clock) -> str:
    """A daily check-in that nobody could ask about is missed; the text that Leo gets."""
    post(browser(alone.key), "/routine", **TEN, alone="1")
    asked(clock, to_s=30 * 60)
    [leased] = [m for m in delivery.lease("text", clock.now, 50, 20) if m.word == "alarm"]
    return render.render(leased, leased.to).text


def test_nobody_is_told_that_sam_did_not_answer_what_was_never_asked(
    alone: SamsNight, clock: Clock
) -> None:
    text = missed(alone, clock)
    assert "No answer" not in text
    assert "No word since" in text
    assert "We had no way to ask." in text
    assert len(text) <= 160


def test_somebody_who_was_asked_did_not_answer(night: SamsNight, clock: Clock) -> None:
    post(browser(night.key), "/routine", **TEN)
    asked(clock, to_s=-3600)
    leased = [m for m in delivery.lease("text", clock.now, 50, 20) if m.word == "ask"]
    assert len(leased) == 1
    delivery.record([m.result(Receipt(Fate.ACCEPTED)) for m in leased], clock.now)
    asked(clock, to_s=30 * 60)
    [alarm] = [m for m in delivery.lease("text", clock.now, 50, 20) if m.word == "alarm"]
    assert not alarm.facts.unasked


def test_the_page_of_those_who_come_says_why_nobody_asked(alone: SamsNight, clock: Clock) -> None:
    missed(alone, clock)
    leo = browser()
    told = read(leo, f"/c/{sealed_columns.contact_key(alone.contacts['Leo'])}")
    assert "Sam has not checked in since" in told
    assert "We could not ask Sam: no phone was set up." in told
    address_book.set_own_addresses(
        alone.person, [problems.Reached("text", "+12025550100", rings=False)]
    )
    Address.objects.filter(person=alone.person).update(state=Address.State.BROKEN)
    told = read(leo, f"/c/{sealed_columns.contact_key(alone.contacts['Leo'])}")
    assert "We could not ask Sam: no way to their phone worked." in told
