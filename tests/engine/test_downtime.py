"""We were away while hundreds of watches fell due: everybody is asked first, nobody is alarmed
about for our own silence, and what a phone kept meanwhile counts."""

from __future__ import annotations

import os

import pytest

from stillhere.core import events as ev
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.models import Message, WatchRow
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

MANY = 500


def night_under_way() -> SamsNight:
    pulse_once()
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    return night


def many(row: WatchRow, count: int) -> None:
    """As many watches more, each as this one stands."""
    facts = {f.attname: getattr(row, f.attname) for f in WatchRow._meta.fields if f.name != "id"}
    WatchRow.objects.bulk_create(
        WatchRow(**facts | {"nonce": os.urandom(16), "key_hash": os.urandom(32)})
        for _ in range(count)
    )


def test_no_storm_of_alarms_comes_out_of_a_dead_past(clock: Clock) -> None:
    """Half of them were being asked when we went away, half were not; all graces ran out."""
    night = night_under_way()
    many(night.row(), MANY // 2)
    live(clock, 62)
    late = night_under_way()
    many(late.row(), MANY // 2)
    clock.advance(3600)
    now = pulse_once()
    tick_all()
    states = WatchRow.objects.values_list("state", "grace_at")
    assert set(states) == {("asking", now + 60_000)}
    assert states.count() == MANY + 2
    for seconds in (5, 15, 14, 6, 14, 5):  # each time something is due, and a second before the end
        clock.advance(seconds)
        pulse_once()
        tick_all()
    assert not Message.objects.filter(word="alarm").exists()
    assert Message.objects.filter(word="ask-ring").values("watch").distinct().count() == MANY + 2
    clock.advance(1)
    tick_all()
    assert set(WatchRow.objects.values_list("state", flat=True)) == {"alarm"}
    assert Message.objects.filter(word="alarm").values("watch").distinct().count() == MANY + 2


def test_a_check_in_that_a_phone_kept_counts_from_when_it_was_made(clock: Clock) -> None:
    """It arrives before we have looked: made twenty seconds ago, it is as good as one that came
    then."""
    night = night_under_way()
    live(clock, 10)
    clock.advance(300)
    night.does(CheckIn(age_ms=20_000, seq=1))
    pulse_once()
    tick_all()
    row = night.row()
    assert (row.state, row.seen_at) == ("open", clock.now - 20_000)
    assert row.next_ask_at == clock.now - 20_000 + 90_000


def test_one_kept_too_long_does_not_answer_the_question_after_the_outage(clock: Clock) -> None:
    night = night_under_way()
    live(clock, 10)
    clock.advance(10 * 60)
    pulse_once()
    tick_all()
    night.does(CheckIn(age_ms=8 * 60_000, seq=1))
    assert night.row().state == "asking"
    night.does(CheckIn(age_ms=0, seq=2))
    assert night.row().state == "open"


def test_one_that_cannot_be_true_is_a_proof_of_life_now_and_no_more(clock: Clock) -> None:
    """Older than the watch, or from tomorrow: the phone's clock jumped, the press is real."""
    for age_ms in (7 * 24 * 3600 * 1000, -3600_000):
        night = night_under_way()
        live(clock, 10)
        night.does(CheckIn(age_ms=age_ms, seq=1))
        assert (night.row().state, night.row().seen_at) == ("open", clock.now)
