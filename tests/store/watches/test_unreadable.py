"""A row we cannot read harms no other watch: it is set aside, and people are asked to look."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.core.schedule import Routine
from stillhere.store.installation import desk_key
from stillhere.store.models import WatchRow
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import CallForHelp, CheckIn
from tests.circle import SamsNight, sams_night, session_of, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def nights(clock: Clock) -> tuple[SamsNight, SamsNight]:
    """A night whose row is damaged, and a good one; both fall due in the same round."""
    bad, good = sams_night(("Leo",)), sams_night(("Maya",))
    for night in (bad, good):
        night.start()
        night.does(ev.Marked())
    WatchRow.objects.filter(id=bad.watch).update(alarm='{"a": "shape of yesterday"}')
    return bad, good


def test_an_open_alarm_that_cannot_be_read_counts_as_one_without_life(
    nights: tuple[SamsNight, SamsNight], clock: Clock
) -> None:
    bad, _ = nights
    WatchRow.objects.filter(id=bad.watch).update(state="alarm", alarms=1)
    assert queries.alarms_without_life(clock.now) == [bad.watch]


def test_the_others_are_woken_all_the_same(
    nights: tuple[SamsNight, SamsNight], clock: Clock
) -> None:
    bad, good = nights
    clock.advance(60)
    tick_all()
    assert good.row().state == State.ASKING
    assert bad.row().quarantined_at == clock.now
    assert bad.row().alarm == '{"a": "shape of yesterday"}'  # evidence is not overwritten


def test_somebody_is_asked_to_look_once(nights: tuple[SamsNight, SamsNight], clock: Clock) -> None:
    bad, _ = nights
    clock.advance(60)
    tick_all()
    told = [(m.word, m.channel) for m in bad.queued() if m.watch_id == bad.watch]
    assert sorted(told) == [
        ("alarm", "call"),
        ("alarm", "text"),
        ("page-quarantine", "coordinator"),
    ]
    bad.does(CheckIn())
    assert len([m for m in bad.queued() if m.watch_id == bad.watch]) == 3


def test_a_check_in_on_it_is_not_called_ok(nights: tuple[SamsNight, SamsNight]) -> None:
    bad, _ = nights
    answer = bad.does(CheckIn())
    assert answer.quarantined
    assert answer.watch is not None


def test_pages_show_it_as_set_aside_and_the_person_can_start_again(
    nights: tuple[SamsNight, SamsNight], clock: Clock
) -> None:
    bad, good = nights
    good.does(CallForHelp())
    WatchRow.objects.filter(id=bad.watch).update(state="alarm")
    bad.does(CheckIn())
    client = Client()
    client.cookies["session"] = session_of(bad.key)
    assert b"Nobody is watching" in client.get("/watch").content
    page = client.get(f"/desk/{desk_key.key()}", follow=True).content.decode()
    assert "our own code failed" in page
    assert "Maya" in page
    assert apply.start(bad.person.id, "injected") != bad.watch
    shown = queries.watch_of(bad.person)
    assert shown is not None
    assert shown.row.quarantined_at is None


@pytest.mark.parametrize("garbage", ["mo-fr", "[1]", '{"days": 5}'])
def test_a_daily_check_in_begins_beside_one_that_cannot_be_read(clock: Clock, garbage: str) -> None:
    """Whoever presses "Set" once more is watched, and reads no error."""
    person = sams_night().person
    evening = Routine(frozenset(range(7)), 22 * 60, "UTC")
    old = apply.start(person.id, "routine", routine=evening)
    assert apply.start(person.id, "routine", routine=evening) == old, "the same form twice"
    WatchRow.objects.filter(id=old).update(routine=garbage)
    new = apply.start(person.id, "routine", routine=evening)
    assert new != old
    assert WatchRow.objects.get(id=new).state == State.OPEN
