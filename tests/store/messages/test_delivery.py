"""Messages leave at least once, most urgent first; bad news moves the ladder; a no always wins."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.db import OperationalError, connection

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.store.db import clock as installation_clock
from stillhere.store.messages import delivery, receipts
from stillhere.store.messages.leased import LeasedMessage
from stillhere.store.models import Address, Message, Person, WatchRow
from stillhere.store.people import invitations
from stillhere.store.watches.apply import CallForHelp, CheckIn
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


def alarmed_night(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    night = sams_night(*rungs)
    Message.objects.filter(word="invite").update(status="sent")
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5, 15, 40):
        clock.advance(wait_s)
        tick_all()
    return night


def lease(clock: Clock, channel: str, most: int = 50) -> list[LeasedMessage]:
    return delivery.lease(channel, clock.now, most, 20)


def fate(
    leased: list[LeasedMessage], fate: Fate, clock: Clock, *, provider_ref: str = "", why: str = ""
) -> None:
    delivery.record([m.result(Receipt(fate, provider_ref, why)) for m in leased], clock.now)


def test_the_most_urgent_leave_first_and_first_contacts_before_second_ones(clock: Clock) -> None:
    alarmed_night(clock, ("Leo", "Ines"))
    maya = alarmed_night(clock, ("Maya",)).contacts["Maya"]
    Address.objects.filter(contact=maya).update(proved_at=0)  # it is Leo's number too
    leased = lease(clock, "call")
    assert [m.word for m in leased] == ["alarm", "alarm", "alarm"]
    assert [m.facts.contact for m in leased] == ["Leo", "Maya", "Ines"]


def test_a_lease_is_ours_alone_until_it_runs_out(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    first = lease(clock, "text")
    assert [m.to for m in first if m.word == "alarm"] == ["+12025550101"]
    assert lease(clock, "text") == []
    clock.advance(21)
    again = lease(clock, "text")
    assert [(m.key, m.attempts) for m in again] == [(m.key, 2) for m in first if m.word == "alarm"]


@pytest.mark.parametrize("fails_at", range(1, 13))
def test_what_was_leased_when_the_database_failed_is_leased_again_at_once(
    clock: Clock, fails_at: int
) -> None:
    """Night 272: a call waited for the end of a lease that nobody held."""
    alarmed_night(clock, ("Leo",))
    after = 0

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal after
        after += "attempts = attempts + 1" in sql or after > 0
        if after == fails_at and not connection.in_atomic_block:
            after += 1
            raise OperationalError("database is locked")
        return execute(sql, params, many, context)

    taken: list[LeasedMessage] = []
    with suppress(OperationalError), connection.execute_wrapper(fail):
        taken = lease(clock, "call")
    taken = taken or lease(clock, "call")
    assert [m.word for m in taken] == ["alarm"]


def test_a_dead_number_moves_the_ladder_at_once_and_is_shown_as_broken(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    for channel in ("text", "call"):
        mine = [m for m in lease(clock, channel) if m.contact is not None]
        fate(mine, Fate.FAILED, clock, why="no such number")
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}
    broken = Address.objects.filter(contact=night.contacts["Leo"], state="broken")
    assert [a.why for a in broken] == ["no such number"] * 2


def test_an_unknown_fate_is_sent_again_and_a_busy_one_waits_longer_each_time(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    gaps = []
    for _ in range(4):
        leased = [m for m in lease(clock, "text") if m.word == "alarm"]
        fate(leased, Fate.BUSY, clock)
        gap = Message.objects.get(id=leased[0].id).due_at - clock.now
        gaps.append(gap // 1000)
        clock.advance(gap / 1000)
    assert gaps == [1, 2, 4, 8]


@pytest.mark.parametrize(("wish_s", "waits_s"), [(None, 1), (0, 1), (7, 7), (60, 60), (900, 60)])
def test_a_provider_that_asks_for_time_gets_a_minute_at_most(
    clock: Clock, wish_s: int | None, waits_s: int
) -> None:
    alarmed_night(clock, ("Leo",))
    [message] = [m for m in lease(clock, "text") if m.word == "alarm"]
    delivery.record([message.result(Receipt(Fate.BUSY, retry_after_s=wish_s))], clock.now)
    clock.advance(waits_s - 0.1)
    assert message.id not in [m.id for m in lease(clock, "text")]
    clock.advance(0.1)
    assert message.id in [m.id for m in lease(clock, "text")]


def test_an_opt_out_wins_over_what_is_queued_even_the_stand_down(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo", "Ines"))
    fate(lease(clock, "text"), Fate.ACCEPTED, clock)
    night.does(CheckIn())
    assert {m.contact_id for m in night.queued("stand-down")} == {
        night.contacts[n].id for n in ("Leo", "Ines")
    }
    invitations.leave(night.contacts["Leo"])
    assert [m.facts.contact for m in lease(clock, "text") if m.word == "stand-down"] == ["Ines"]


def test_an_ask_that_lapsed_never_leaves(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    assert [m.word for m in lease(clock, "text")] == ["alarm"]
    lapsed = Message.objects.filter(watch=night.watch, word="ask").get()
    assert (lapsed.status, lapsed.why) == ("dropped", "lapsed")


def test_what_is_in_the_air_at_a_stand_down_is_not_sent_twice(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    flying = [m for m in lease(clock, "text") if m.word == "alarm"]
    night.does(CheckIn())
    fate(flying, Fate.BUSY, clock)
    clock.advance(60)
    assert [m.word for m in lease(clock, "text")] == ["stand-down"]


def test_a_receipt_that_comes_late_or_twice_moves_only_what_is_not_final(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    leased = [m for m in lease(clock, "text") if m.word == "alarm"]
    fate(leased, Fate.ACCEPTED, clock, provider_ref="p-1")
    assert receipts.receipt("text", "p-1", Fate.DELIVERED, "", clock.now)
    assert receipts.receipt("text", "p-1", Fate.FAILED, "too late", clock.now)
    assert not receipts.receipt("text", "p-unknown", Fate.DELIVERED, "", clock.now)
    assert Message.objects.get(id=leased[0].id).status == "delivered"
    assert night.row().state == "alarm"
    assert not Address.objects.filter(state="broken").exists()


def test_a_channel_that_is_not_here_moves_the_rung_but_breaks_no_address(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    for channel in ("text", "call"):
        fate([m for m in lease(clock, channel) if m.contact], Fate.NOWHERE, clock)
    tick_all()
    assert night.queued("alarm")
    assert not Address.objects.filter(state="broken").exists()


def test_a_dead_engines_leases_are_given_back(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    assert lease(clock, "text")
    delivery.release_leases()
    assert [m.word for m in lease(clock, "text")] == ["alarm"]
    assert installation_clock.now_ms() == clock.now


def stood_down(clock: Clock) -> SamsNight:
    """Leo was called, and hears by text that Sam's phone was answered."""
    night = alarmed_night(clock, ("Leo",))
    for channel in ("text", "call"):
        fate(lease(clock, channel), Fate.ACCEPTED, clock, provider_ref=f"{channel}-1")
    night.does(CheckIn())
    assert [m.channel for m in night.queued("stand-down")] == ["text"]
    return night


def test_an_end_that_finds_no_way_goes_by_another(clock: Clock) -> None:
    night = stood_down(clock)
    fate(lease(clock, "text"), Fate.FAILED, clock)
    assert [m.channel for m in night.queued("stand-down")] == ["call"]
    fate(lease(clock, "call"), Fate.FAILED, clock)
    assert night.queued("stand-down") == []


def test_a_late_receipt_sends_the_end_by_another_way_once(clock: Clock) -> None:
    night = stood_down(clock)
    fate(lease(clock, "text"), Fate.ACCEPTED, clock, provider_ref="text-2")
    for _ in range(2):
        assert receipts.receipt("text", "text-2", Fate.FAILED, "dead", clock.now)
    assert [m.channel for m in night.queued("stand-down")] == ["call"]


def test_an_end_whose_address_broke_before_it_left_goes_by_another_way(clock: Clock) -> None:
    night = stood_down(clock)
    receipts.receipt("text", "text-1", Fate.FAILED, "dead", clock.now)
    assert lease(clock, "text") == []
    assert [m.channel for m in night.queued("stand-down")] == ["call"]


def test_no_end_goes_by_another_way_once_the_next_alarm_is_open(clock: Clock) -> None:
    night = stood_down(clock)
    leased = lease(clock, "text")
    night.does(CallForHelp())
    fate(leased, Fate.FAILED, clock)
    assert night.queued("stand-down") == []


def test_an_alarm_that_cannot_be_read_spoils_no_results_of_others(clock: Clock) -> None:
    night, other = alarmed_night(clock, ("Leo",)), alarmed_night(clock, ("Maya",))
    for channel in ("text", "call"):
        fate(lease(clock, channel), Fate.ACCEPTED, clock)
    for each in (night, other):
        each.does(CheckIn())
    leased = [m for m in lease(clock, "text") if m.word == "stand-down"]
    assert len(leased) == 2
    WatchRow.objects.filter(id=night.watch).update(alarm='{"no":')
    fate(leased, Fate.FAILED, clock)
    ends = night.queued("stand-down")
    assert [(m.contact_id, m.channel) for m in ends] == [(other.contacts["Maya"].id, "call")]


def test_who_is_not_called_to_the_next_alarm_still_hears_that_the_first_is_over(
    clock: Clock,
) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    clock.advance(46)
    tick_all()
    for channel in ("text", "call"):
        fate(lease(clock, channel), Fate.ACCEPTED, clock)
    night.does(CheckIn())
    leased = [m for m in lease(clock, "text") if m.contact == night.contacts["Maya"].id]
    night.does(CallForHelp())
    fate(leased, Fate.FAILED, clock)
    ends = [m for m in night.queued("stand-down") if m.contact_id == leased[0].contact]
    assert [m.channel for m in ends] == ["call"]


def test_a_number_that_died_for_one_watch_moves_the_ladder_of_another(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    dead = Address.objects.filter(contact=night.contacts["Leo"])
    dead.update(state=Address.State.BROKEN)
    for channel in ("text", "call"):
        assert lease(clock, channel) == []
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} == {night.contacts["Maya"].id}


def test_what_cannot_be_opened_holds_up_nobody_else(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    night = alarmed_night(clock, ("Leo", "Maya"))
    spoiled = Address.objects.filter(contact=night.contacts["Leo"], channel="text")
    address = spoiled.get()
    value = bytes(address.value)
    spoiled.update(value=value[:-1] + bytes([value[-1] ^ 1]))
    leased = lease(clock, "text")
    assert [m.facts.contact for m in leased if m.contact] == ["Maya"]
    lost = Message.objects.get(address=address, word="alarm")
    assert (lost.status, lost.why) == ("dropped", "address cannot be opened")
    assert f"message={lost.id}: address.value cannot be opened" in caplog.text
    assert "Leo" not in caplog.text
    spoiled.update(value=value)
    assert spoiled.get().state == Address.State.OK, "with the right key it is as it was"


def test_an_alarm_whose_name_cannot_be_opened_still_leaves(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    night = alarmed_night(clock, ("Leo",))
    night.person.refresh_from_db()
    spoiled = bytes(night.person.name)[:-1] + bytes([bytes(night.person.name)[-1] ^ 1])
    Person.objects.filter(id=night.person.id).update(name=spoiled)
    (leo,) = (m for m in lease(clock, "text") if m.contact)
    assert (leo.facts.contact, leo.facts.person) == ("Leo", "")
    assert f"message={leo.id}: person.name cannot be opened" in caplog.text


def test_the_coordinator_is_paged_in_one_language_whoever_the_watch_is_for(clock: Clock) -> None:
    night = sams_night()
    Person.objects.filter(id=night.person.id).update(lang="es")
    night.start()
    night.does(CallForHelp())
    assert [m.lang for m in lease(clock, "coordinator")] == ["en"]
