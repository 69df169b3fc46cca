"""After a watch: one more ask in half an hour, or at noon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from stillhere.core.events import State
from stillhere.core.schedule import Routine
from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Message, WatchRow
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import Change, CheckIn
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import post
from tests.web.pages import make, read


def press(sam: Client, **fields: str) -> Any:
    """One of the buttons under an ended watch."""
    sam.get("/watch")
    token = sam.cookies["csrftoken"].value
    return sam.post("/later", {"csrfmiddlewaretoken": token, **fields})


def test_half_an_hour_later_sam_is_asked_and_then_somebody_looks(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    make("closed", night)
    for _ in range(2):
        assert press(sam, do="soon")["Location"] == "/watch"
    [shown] = queries.routines_of(night.person)
    due_s = ((shown.watch.deadline_at or 0) - clock.now) / 1000
    assert 1800 <= due_s <= 1860
    assert "We ask you once more at 17:3" in read(sam, "/watch")
    clock.advance(due_s)
    tick_all()
    assert night.queued("ask"), "Sam's own phone"
    assert not night.queued("alarm")
    clock.advance(601)
    tick_all()
    assert night.queued("alarm")


def test_an_answer_ends_it(night: SamsNight, sam: Client, clock: Clock) -> None:
    make("closed", night)
    press(sam, do="soon")
    clock.advance(1860)
    tick_all()
    [shown] = queries.routines_of(night.person)
    apply.apply(Change(CheckIn(), watch=shown.row.id))
    assert WatchRow.objects.get(id=shown.row.id).state == State.CLOSED
    assert "We ask you once more" not in read(sam, "/watch")


@pytest.mark.parametrize(
    ("ahead_s", "day"), [(0, 1), (12 * 3600, 1), (18 * 3600, 1), (18 * 3600 + 60, 2)]
)
def test_noon_is_the_next_one_and_an_hour_away_at_least(
    night: SamsNight, sam: Client, clock: Clock, ahead_s: int, day: int
) -> None:
    """It is five in the afternoon where Sam lives."""
    make("closed", night)
    began = clock.now
    clock.advance(ahead_s)
    press(sam, do="noon")
    [shown] = queries.routines_of(night.person)
    due_s = ((shown.watch.deadline_at or 0) - began) / 1000
    assert due_s == (day * 24 - 5) * 3600
    assert datetime.fromtimestamp((shown.watch.deadline_at or 0) / 1000, UTC).hour == 17


def test_it_can_be_taken_back(night: SamsNight, sam: Client) -> None:
    make("closed", night)
    press(sam, do="noon")
    [shown] = queries.routines_of(night.person)
    press(sam, do="cancel", watch="999999")
    assert queries.routines_of(night.person)
    press(sam, do="cancel", watch=str(shown.row.id))
    assert not queries.routines_of(night.person)


def test_without_a_way_to_sam_it_asks_for_one_first(night: SamsNight, sam: Client) -> None:
    make("closed", night)
    Address.objects.filter(person=night.person).delete()
    response = press(sam, do="soon")
    assert response["Location"] == "/people?said=own-first#own"
    html = sam.get("/people?said=own-first").content.decode()
    assert "Say first how we reach you" in html[html.index('id="own"') :], "beside the field"
    assert html.count("Say first how we reach you") == 1
    assert not queries.routines_of(night.person)


def test_an_unknown_press_starts_nothing(night: SamsNight, sam: Client) -> None:
    make("closed", night)
    press(sam, do="never")
    assert not queries.routines_of(night.person)


def test_text_me_by_ten_and_tell_my_mother(night: SamsNight, sam: Client, clock: Clock) -> None:
    """Journey 12: reminded gently, answered, and those who said yes hear it once, quietly."""
    days = {"day": [str(day) for day in range(7)]}
    post(
        sam,
        "/routine",
        do="add",
        at="22:00",
        tz="America/New_York",
        kind="routine",
        well="1",
        **days,
    )
    [shown] = queries.routines_of(night.person)
    assert shown.watch.routine == Routine(
        frozenset(range(7)), 22 * 60, "America/New_York", well=True
    )
    clock.advance(5 * 3600)
    tick_all()
    for _ in range(2):
        apply.apply(Change(CheckIn(), watch=shown.row.id))
    told = Message.objects.filter(word="well")
    assert {m.channel for m in told} == {"text"}, "quietly"
    assert told.count() == 2, "Leo and Maya, once each"
    [leo, _maya] = [
        render.render(m, m.to).text
        for m in delivery.lease("text", clock.now, 10, 30)
        if m.word == "well"
    ]
    assert "Sam's phone was answered at 22:00. As planned. You need do nothing." in leo
