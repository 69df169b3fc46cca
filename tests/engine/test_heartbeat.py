"""Lost time: people are asked first. What a moved clock does: test_timekeeping.py."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from stillhere.core import events as ev
from stillhere.core.schedule import Routine
from stillhere.engine.audit import audit_once
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.tick import tick_once
from stillhere.store.models import Installation, Message, Outage
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")

HOUR_S = 3600
EVERY_DAY = Routine(frozenset(range(7)), 12 * 60, "UTC")


def night_under_way(clock: Clock) -> SamsNight:
    pulse_once()
    night = sams_night(("Leo",), ("Maya",))
    night.start()
    night.does(ev.Marked())
    return night


def test_after_an_outage_sam_is_asked_first_with_a_full_grace(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 61)
    clock.advance(20 * 60)  # the server was away, past the ask's grace
    now = pulse_once()
    tick_all()
    row = night.row()
    assert (row.state, row.grace_at) == ("asking", now + 60_000)
    assert Message.objects.filter(word="alarm").count() == 0
    live(clock, 60)
    assert night.row().state == "alarm"


def test_a_no_that_comes_before_the_engine_has_looked_hides_no_outage(clock: Clock) -> None:
    """Leo says no in the moment between our return and the first look at the alarm."""
    night = night_under_way(clock)
    live(clock, 121)
    assert night.row().state == "alarm"
    Message.objects.filter(word="alarm").update(status="sent", attempts=1)
    clock.advance(100)  # the next rung fell due meanwhile, the ambulance words did not
    pulse_once()
    clock.advance(1)
    night.does(ev.Declined(night.contacts["Leo"].id))
    tick_all()
    assert night.queued("service-was-down"), "Leo hears why it was quiet"
    assert any("true" in m.facts for m in night.queued("ask-ring")), "and Sam is rung"


def test_whoever_fell_due_a_moment_before_the_last_beat_is_asked_first_too(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 61)
    clock.advance(5)  # the next stage of the ask is due; we beat once more, and die
    pulse_once()
    clock.advance(20 * 60)
    now = pulse_once()
    tick_all()
    row = night.row()
    assert (row.state, row.grace_at) == ("asking", now + 60_000)


@pytest.mark.parametrize("away_s", [100, 20 * 60])
def test_a_grace_that_ended_a_moment_before_a_second_outage_raises_the_alarm(
    clock: Clock, away_s: int
) -> None:
    """That outage takes nothing from it. Told so at every look and nothing else, nobody would ever
    be called."""
    night = night_under_way(clock)
    live(clock, 61)
    clock.advance(20 * 60)
    pulse_once()
    tick_all()
    live(clock, 59)
    clock.advance(1)
    pulse_once()  # the last beat, and we die before the tick
    clock.advance(away_s)
    pulse_once()
    tick_once(clock.now)
    assert night.row().state == "alarm"


def test_whoever_was_looked_at_after_an_outage_is_not_told_of_it_again(clock: Clock) -> None:
    night = night_under_way(clock)
    live(clock, 61)
    clock.advance(20 * 60)
    pulse_once()
    tick_all()
    live(clock, 59)
    assert night.row().state == "asking"
    live(clock, 1)
    assert night.row().state == "alarm"


def test_an_outage_in_the_middle_of_an_ask_puts_off_the_alarm_by_as_much(clock: Clock) -> None:
    """Nothing fell due in it, so nobody told the watch: it hears of it when the time is up."""
    night = night_under_way(clock)
    live(clock, 61)
    asked_at = night.row().base_at
    assert asked_at is not None
    live(clock, 41)
    clock.advance(17)
    live(clock, 2)
    assert night.row().state == "asking"
    assert night.row().grace_at == asked_at + 60_000 + 18_000
    live(clock, 16)
    assert night.row().state == "asking"
    live(clock, 1)
    assert night.row().state == "alarm"


def test_a_gap_is_one_row_however_many_watches_fell_due(clock: Clock) -> None:
    nights = [night_under_way(clock) for _ in range(3)]
    clock.advance(300)
    pulse_once()
    pulse_once()
    tick_all()
    assert Outage.objects.count() == 1
    assert {night.row().state for night in nights} == {"asking"}


def test_an_outage_is_told_once_it_stands_and_not_each_time_it_is_tried(
    clock: Clock, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    pulse_once()
    clock.advance(60)
    with monkeypatch.context() as patch:
        patch.setattr(Installation, "save", full)
        for _ in range(3):
            with pytest.raises(OperationalError):
                pulse_once()
    assert "outage" not in caplog.text
    pulse_once()
    assert caplog.text.count("outage from_at=") == 1
    assert Outage.objects.count() == 1


def test_a_short_restart_is_no_outage(clock: Clock) -> None:
    night_under_way(clock)
    clock.advance(14)
    pulse_once()
    assert not Outage.objects.exists()


def test_a_tick_twice_changes_nothing_more(clock: Clock) -> None:
    night = night_under_way(clock)
    clock.advance(61)
    assert tick_once(clock.now) == 1
    version = night.row().version
    assert tick_once(clock.now) == 0
    assert night.row().version == version


def test_the_audit_proves_a_living_alarm_and_says_what_is_dead(clock: Clock) -> None:
    night = night_under_way(clock)
    for wait_s in (60, 60):
        clock.advance(wait_s)
        tick_all()
    pulse_once()
    assert audit_once(clock.now) == []
    assert Installation.objects.get().proof_at == clock.now
    Message.objects.filter(watch=night.watch, alarm=1).delete()
    clock.advance(1)
    assert "nothing on its way" in audit_once(clock.now)[0]
    assert Installation.objects.get().proof_at < clock.now


def test_the_audit_notices_an_engine_that_does_not_keep_up(clock: Clock) -> None:
    night = night_under_way(clock)
    pulse_once()
    clock.advance(75)
    assert "late" in audit_once(clock.now)[0]
    tick_all()
    night.does(CheckIn())
    assert audit_once(clock.now) == []
