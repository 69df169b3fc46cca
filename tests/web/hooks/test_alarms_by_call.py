"""A call to somebody who is on several alarms says how many, and each has a key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.models import Message
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change
from tests.channels.accounts import carrier_of
from tests.conftest import Clock
from tests.store.messages.test_alarm_lists import ANA, NAMES, Phones, alarm, on_shift, says, state
from tests.web.hooks.test_calls import Line

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def carriers(settings: Any) -> Iterator[None]:
    before = settings.STILLHERE
    ours = (carrier_of("twilio", "https://api.example.org"),)
    settings.STILLHERE = replace(before, carriers=ours)
    yield
    settings.STILLHERE = before


def rung(clock: Clock, *names: str) -> tuple[list[int], int]:
    """Alarms of these people; the message that Ana's phone rings with."""
    on_shift(ANA)
    watches = [alarm(name) for name in names]
    Phones(clock).live(7)
    m = Message.objects.filter(channel="call", attempts__gt=0).earliest("id")
    return watches, m.id


def test_it_says_how_many_and_a_key_goes_to_that_one(client: Client, clock: Clock) -> None:
    (sam, kim, lou), m = rung(clock, *NAMES[:3])
    line = Line(client, ANA, message=m)
    assert "3 people may need help now. Press 1 to go to Sam. Press 2 to go to Kim." in line.says
    assert "minutes" in line.press("2")
    line.press("3")
    assert [state(w) for w in (sam, kim, lou)] == ["alarm", "claimed", "alarm"]


def test_the_keys_are_of_this_call_whatever_the_numbers_of_the_texts(
    client: Client, clock: Clock
) -> None:
    (sam, kim, lou), m = rung(clock, *NAMES[:3])
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=sam))
    m = Message.objects.filter(channel="call", watch=kim).earliest("id").id
    line = Line(client, ANA, message=m)
    assert "Press 1 to go to Kim. Press 2 to go to Lou." in line.says
    line.press("2")
    assert [state(w) for w in (kim, lou)] == ["alarm", "claimed"]


@pytest.mark.parametrize("key", ["", "4", "0", "9"])
def test_a_key_that_was_not_offered_goes_nowhere(client: Client, clock: Clock, key: str) -> None:
    watches, m = rung(clock, *NAMES[:3])
    Line(client, ANA, message=m).press(key)
    assert {state(w) for w in watches} == {"alarm"}


def test_one_that_ended_while_the_call_was_on_is_nobody_elses(client: Client, clock: Clock) -> None:
    (sam, kim, lou), m = rung(clock, *NAMES[:3])
    line = Line(client, ANA, message=m)
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=kim))
    assert "no open alarm" in line.press("2")
    assert [state(w) for w in (sam, lou)] == ["alarm", "alarm"]


def test_never_again_is_asked_twice_as_ever(client: Client, clock: Clock) -> None:
    watches, m = rung(clock, *NAMES[:3])
    line = Line(client, ANA, message=m)
    line.press("8")
    assert line.goes_on
    assert {state(w) for w in watches} == {"alarm"}


def test_more_than_the_keys_are_said_part_by_part_the_newest_first(
    client: Client, clock: Clock
) -> None:
    watches, m = rung(clock, *NAMES[:9])
    line = Line(client, ANA, message=m)
    assert "Press 1 to go to Lou." in line.says
    assert "Press 7 to go to Tao. To hear the others press 0." in line.says
    others = line.press("0")
    assert "Press 1 to go to Sam. Press 2 to go to Kim. To hear the others press 0." in others
    assert "Press 7 to go to Tao." in line.press("0")
    line.press("0")
    line.press("2")
    assert [state(w) for w in watches].index("claimed") == 1


def test_a_call_about_what_no_list_names_says_that(client: Client, clock: Clock) -> None:
    (lou,), _ = rung(clock, "Lou")
    alarm("Sam"), alarm("Kim")
    phones = Phones(clock)
    phones.live(10)
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=lou))
    max_ = alarm("Max", CallForHelp(wants_to_die=True))
    phones.live(3)
    m = Message.objects.filter(channel="call", watch=max_).earliest("id").id
    assert "Max says they want to die." in Line(client, ANA, message=m).says


def test_whoever_goes_to_one_is_not_rung_about_the_others(clock: Clock) -> None:
    on_shift(ANA)
    watches = [alarm(name) for name in NAMES[:3]]
    phones = Phones(clock)
    phones.live(7)
    says(ANA, "1")
    before = phones.calls[ANA]
    phones.live(200)
    assert phones.calls[ANA] == before
    assert [state(w) for w in watches] == ["claimed", "alarm", "alarm"]
