"""The daily check-in: set once, paused, answered, ended."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store import queries
from stillhere.store.apply import Change, NeedHelp, apply
from stillhere.store.models import WatchRow
from tests.conftest import Clock
from tests.shell.circle import SamsNight, sams_night
from tests.shell.web.conftest import browser, post
from tests.shell.web.lane import tap
from tests.shell.web.pages import everything, read, text_of

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


def test_it_can_rest_until_a_morning(night: SamsNight, sam: Client) -> None:
    post(sam, "/routine", **TEN)
    watch = WatchRow.objects.get().id
    response = post(sam, "/routine", do="pause", watch=watch, until="2026-02-10")
    told = read(sam, response["Location"])
    assert "Paused until 10 February, 00:00." in told
    assert "Next: 10 February, 22:00." in told


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
    assert "Next: 1 February, 22:00." in read(sam, "/routine")
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
    apply(Change(NeedHelp(), watch=watch))
    response = post(sam, "/routine", do="end", watch=watch)
    assert "An alarm is open." in read(sam, response["Location"])
    assert WatchRow.objects.get().closed_at is None
    apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=watch))


def test_with_nobody_on_the_list_it_says_so() -> None:
    night = sams_night()
    assert "nobody will come" in read(browser(night.key), "/routine")
