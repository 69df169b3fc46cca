"""Green means that somebody was reached: an alarm that nobody heard of makes it red within half a
minute, whatever the reason."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.messages import DeliveryResult, Fate, Receipt
from stillhere.core.profiles import TRIAL
from stillhere.engine.audit import audit_once
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import Installation, Message, WatchRow
from stillhere.store.watches.apply import CheckIn
from stillhere.web.site import health
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.store.messages.test_delivery import alarmed_night, lease
from tests.store.watches.test_statements import said_by

pytestmark = pytest.mark.usefixtures("database")

REFUSED = "refuses us 401, 20003"


def try_all(clock: Clock, what: Fate, *channels: str, why: str = "", ref: str = "") -> None:
    """Every message that is due is tried by its channel, with the same fate."""
    for channel in channels:
        delivery.record(
            [m.result(Receipt(what, ref, why, carrier="one")) for m in lease(clock, channel)],
            clock.now,
        )


def rounds(clock: Clock, seconds: int, what: Fate, *channels: str, why: str = REFUSED) -> list[str]:
    """The engine lives while every try on these channels ends alike, and the coordinator is paged;
    what the proof says then."""
    reasons: list[str] = []
    for second in range(seconds):
        clock.advance(1)
        pulse_once()
        tick_all()
        try_all(clock, what, *channels, why=why)
        try_all(clock, Fate.ACCEPTED, "coordinator")
        if second % 5 == 4:
            reasons = audit_once(clock.now)
    return reasons


def test_a_carrier_that_refuses_everything_is_red_within_half_a_minute(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",), ("Maya",))
    reasons = rounds(clock, 30, Fate.BUSY, "text", "call")
    assert "1 open alarm has reached nobody: call by one: refuses us 401, 20003" in reasons[1]
    assert "an urgent message has been tried in vain" in reasons[0]
    assert health.behind(), "no page may say that anybody watches"
    here = Installation.objects.get()
    assert here.proof_says
    assert here.proof_at < clock.now - 5_000


def test_it_is_green_again_once_somebody_was_reached(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    assert rounds(clock, 40, Fate.BUSY, "text", "call")
    assert rounds(clock, 70, Fate.ACCEPTED, "text", "call", why="") == []
    assert Installation.objects.get().proof_says == ""


def test_a_young_alarm_is_given_its_time(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    assert rounds(clock, 15, Fate.BUSY, "text", "call") == []


def test_a_carrier_that_was_taken_out_of_the_settings_is_red_too(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",), ("Maya",))
    reasons = rounds(clock, 30, Fate.NOWHERE, "text", "call", why="no channel call here")
    assert "1 open alarm has reached nobody: " in reasons[0]
    assert "no channel call here" in reasons[0]


def test_a_list_whose_every_number_is_dead_is_red(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    reasons = rounds(clock, 30, Fate.FAILED, "text", "call", why="unknown number")
    assert "reached nobody" in reasons[0]


def test_a_carrier_that_says_they_want_no_more_is_not_somebody_who_did_something(
    clock: Clock,
) -> None:
    alarmed_night(clock, ("Leo",))
    reasons = rounds(clock, 35, Fate.OPTED_OUT, "text", "call", why="opted out")
    assert any("1 open alarm has reached nobody" in reason for reason in reasons)


def test_somebody_with_nobody_on_the_list_is_the_coordinators_and_not_red(clock: Clock) -> None:
    night = alarmed_night(clock)
    assert [m.word for m in night.queued("page-exhausted")] == ["page-exhausted"]
    assert rounds(clock, 60, Fate.ACCEPTED, "text", "call", why="") == []


@pytest.mark.parametrize("act", [ev.Claimed, ev.Declined])
def test_a_contact_who_did_something_about_it_was_reached(
    clock: Clock, act: type[ev.Claimed] | type[ev.Declined]
) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    Message.objects.filter(channel__in=["text", "call"]).update(status="failed")
    who = night.contacts["Leo"].id
    night.does(ev.Claimed(who, 180) if act is ev.Claimed else ev.Declined(who))
    Message.objects.filter(status="queued").update(status="failed")
    clock.advance(25)
    pulse_once()
    assert not [r for r in audit_once(clock.now) if "reached nobody" in r]


def test_a_call_that_nobody_picked_up_reached_a_phone(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    try_all(clock, Fate.ACCEPTED, "text", "call", ref="one:1")
    receipts.receipts(
        [DeliveryResult(m.channel, Receipt(Fate.BUSY, why="no-answer"), message=m.id)
         for m in Message.objects.filter(word="alarm")], clock.now
    )  # fmt: skip
    assert {m.status for m in Message.objects.filter(watch=night.watch, word="alarm")} == {"queued"}
    clock.advance(21)
    pulse_once()
    tick_all()
    assert not [r for r in audit_once(clock.now) if "reached nobody" in r]


def test_one_way_in_vain_beside_one_that_was_taken_is_no_trouble(clock: Clock) -> None:
    """A chat address that never works must not silence the outside watcher."""
    alarmed_night(clock, ("Leo",))
    try_all(clock, Fate.ACCEPTED, "call")
    assert rounds(clock, 60, Fate.BUSY, "text", why="status 500") == []


@pytest.mark.parametrize("why", [REFUSED, "no connection: ClientConnectorError"])
def test_a_way_that_is_closed_to_everybody_is_trouble_beside_one_that_works(
    clock: Clock, why: str
) -> None:
    alarmed_night(clock, ("Leo",))
    try_all(clock, Fate.ACCEPTED, "call")
    (reason,) = rounds(clock, 60, Fate.BUSY, "text", why=why)
    assert "an urgent message has been tried in vain" in reason


def test_an_ask_that_cannot_leave_is_trouble_while_it_lasts(clock: Clock) -> None:
    night = sams_night(("Leo",))
    Message.objects.filter(word="invite").update(status="sent")
    night.start()
    night.does(ev.Marked())
    reasons = rounds(clock, 100, Fate.BUSY, "text", "call")
    assert "an urgent message has been tried in vain" in reasons[0]
    night.does(CheckIn())
    assert rounds(clock, 10, Fate.BUSY, "text", "call") == []


def test_what_is_leased_again_and_again_and_never_recorded_waits(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    for _ in range(17):
        lease(clock, "text")
        lease(clock, "call")
        clock.advance(4)
        pulse_once()
        tick_all()
    assert "an urgent message has been waiting" in audit_once(clock.now)[0]


def test_what_was_late_and_is_on_its_way_at_last_waits_for_nothing(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    lease(clock, "call")
    clock.advance(500)  # the engine was away, with the call in its hands
    pulse_once()
    tick_all()
    delivery.release_leases()
    try_all(clock, Fate.ACCEPTED, "text")
    lease(clock, "call")
    clock.advance(3)
    assert audit_once(clock.now) == []


def test_a_clock_that_runs_ten_times_as_fast_is_judged_in_real_seconds(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    pulse_once()
    at = clock.now
    Installation.objects.update(clock_rate=10.0, clock_anchor_at=at, beat_at=at)
    clock.advance(15)
    try_all(clock, Fate.BUSY, "text", "call", why=REFUSED)
    assert not [r for r in audit_once(at + 150_000) if "reached" in r]
    assert [r for r in audit_once(at + 205_000) if "reached" in r]


def test_a_tryout_is_no_alarm_of_ours(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    WatchRow.objects.filter(id=night.watch).update(profile=TRIAL)
    Message.objects.filter(watch=night.watch).update(status="failed")
    clock.advance(60)
    pulse_once()
    assert not [r for r in audit_once(clock.now) if "reached" in r]


def test_as_many_statements_for_many_alarms_as_for_one(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    rounds(clock, 25, Fate.BUSY, "text", "call")
    one = said_by(lambda: audit_once(clock.now))
    nights = [alarmed_night(clock, ("Leo",), ("Maya",)) for _ in range(3)]
    rounds(clock, 30, Fate.BUSY, "text", "call")
    many = said_by(lambda: audit_once(clock.now))
    assert len(many) == len(one)
    assert "4 open alarms have reached nobody" in " ".join(audit_once(clock.now))
    assert len(nights) == 3
