"""What carriers say later, and what it means when they say nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from stillhere.core import events as ev
from stillhere.core.messages import Cost, DeliveryResult, Fate, Receipt
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import Address, Message, Suppression, sealed_columns
from stillhere.store.people import invitations, opt_out
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.store.messages.test_delivery import alarmed_night
from tests.store.watches.test_statements import said_by

pytestmark = pytest.mark.usefixtures("database")


def handed_over(clock: Clock, *channels: str, carrier: str = "one") -> list[Message]:
    """Everything that is due on these channels leaves by ``carrier``."""
    ids = []
    for channel in channels:
        leased = delivery.lease(channel, clock.now, 50, 20)
        fates = [
            m.result(Receipt(Fate.ACCEPTED, f"{carrier}:{m.id}", carrier=carrier)) for m in leased
        ]
        delivery.record(fates, clock.now)
        ids += [m.id for m in leased]
    return list(Message.objects.filter(id__in=ids).order_by("id"))


def of(night: SamsNight, name: str, channel: str) -> Message:
    mine = Message.objects.filter(contact=night.contacts[name], channel=channel)
    return mine.exclude(word="invite").latest("id")


def test_a_text_without_a_receipt_goes_again_by_another_carrier(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    handed_over(clock, "text", "call")
    clock.advance(30)
    assert receipts.silent(clock.now) == ["one"]
    again = of(night, "Leo", "text")
    assert (again.status, again.due_at) == ("queued", clock.now)
    [leased] = delivery.lease("text", clock.now, 50, 20)
    assert leased.carrier == "one"


@pytest.mark.parametrize("word", ["STOP", "taken off"])
def test_what_has_no_receipt_is_not_sent_again_to_whom_is_erased(clock: Clock, word: str) -> None:
    """To no address at all: the carrier refuses it for ever, and an urgent word counts as tried in
    vain."""
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    handed_over(clock, "text", "call")
    night.does(ev.Resolved(None, ev.Outcome.FALSE_ALARM))
    handed_over(clock, "text", "call")
    end = of(night, "Leo", "text")
    assert (end.word, end.status) == ("stand-down", "sent")
    number = sealed_columns.address_value(night.contacts["Leo"].addresses.get(channel="text"))
    if word == "STOP":
        opt_out.refuse("text", number, Suppression.Why.STOP, clock.now)
    else:
        invitations.take_off(night.contacts["Leo"])
    clock.advance(60)
    receipts.silent(clock.now)
    assert "" not in {m.to for m in delivery.lease("text", clock.now, 50, 20)}
    end.refresh_from_db()
    assert (end.status, end.why) == ("dropped", "not wanted")


def test_a_number_that_an_invitation_finds_dead_is_dead_in_the_alarm_too(clock: Clock) -> None:
    """Else its rung waits for a way that nobody will try."""
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    leo = night.contacts["Leo"]
    for way in leo.addresses.order_by("id"):  # as of messages that belong to no alarm
        dead = Receipt(Fate.FAILED, why="no such number")
        result = DeliveryResult(way.channel, dead, contact=leo.id, address=way.id)
        with transaction.atomic():
            delivery.feed_back([result], clock.now)
    tick_all()
    assert {m.contact_id for m in night.queued("alarm")} >= {night.contacts["Maya"].id}


def test_a_text_beside_a_call_that_still_rings_does_not_hurry_the_ladder(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    handed_over(clock, "text", "call")
    clock.advance(30)
    receipts.silent(clock.now)
    tick_all()
    assert not night.queued("alarm", "help") or {m.contact_id for m in night.queued("alarm")} == {
        night.contacts["Leo"].id
    }


def test_a_call_of_which_nothing_is_heard_rings_the_next_at_once(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    handed_over(clock, "text", "call")
    receipts.receipts(
        [DeliveryResult("text", Receipt(Fate.DELIVERED, f"one:{of(night, 'Leo', 'text').id}"))],
        clock.now,
    )
    clock.advance(20)
    call = of(night, "Leo", "call")
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.BUSY, call.provider_ref, "busy"))], clock.now
    )
    tick_all()
    assert night.contacts["Maya"].id in {m.contact_id for m in night.queued("alarm")}
    assert not Address.objects.exclude(state="ok").exists()


def test_handed_on_is_a_word_and_no_more_is_waited_for(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    handed_over(clock, "text", "call")
    text = of(night, "Leo", "text")
    receipts.receipts(
        [DeliveryResult("text", Receipt(Fate.ACCEPTED, text.provider_ref, "sent"))], clock.now
    )
    clock.advance(31)
    assert receipts.silent(clock.now) == []


def test_a_call_that_somebody_took_without_a_key_is_made_once_more_within_three_minutes(
    clock: Clock,
) -> None:
    night = alarmed_night(clock, ("Leo",))
    handed_over(clock, "text", "call")
    call = of(night, "Leo", "call")
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.DELIVERED, call.provider_ref, "answered"))], clock.now
    )
    assert of(night, "Leo", "call").status == "delivered"
    clock.advance(15)
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.DELIVERED, call.provider_ref, "completed"))], clock.now
    )
    again = of(night, "Leo", "call")
    assert again.status == "queued"
    assert again.due_at - again.created_at <= 180_000


def test_whoever_pressed_a_key_is_not_rung_again(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    handed_over(clock, "text", "call")
    call = of(night, "Leo", "call")
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.DELIVERED, call.provider_ref, "answered"))], clock.now
    )
    night.does(ev.Claimed(night.contacts["Leo"].id, 180))
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.DELIVERED, call.provider_ref, "completed"))], clock.now
    )
    assert of(night, "Leo", "call").status == "delivered"


def test_three_tries_are_enough_for_one_message(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    for _ in range(3):
        handed_over(clock, "call")
        call = of(night, "Leo", "call")
        receipts.receipts(
            [DeliveryResult("call", Receipt(Fate.BUSY, call.provider_ref, "no-answer"))], clock.now
        )
        clock.advance(45)
    assert Message.objects.get(id=call.id).status == "sent"


def test_an_ask_that_lapsed_is_not_repeated(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    asks = [m for m in handed_over(clock, "text", "call") if m.word.startswith("ask")]
    told = [
        DeliveryResult(m.channel, Receipt(Fate.BUSY, m.provider_ref, "no-answer")) for m in asks
    ]
    receipts.receipts(told, clock.now)
    assert not night.queued("ask", "ask-ring")


def test_many_receipts_of_one_moment_each_find_their_message(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo", "Maya", "Ana"))
    sent = [m for m in handed_over(clock, "text", "call") if m.contact_id]
    told = [
        DeliveryResult(m.channel, Receipt(Fate.DELIVERED, m.provider_ref, cost=Cost(7_900, "USD")))
        for m in sent
    ]
    strange = DeliveryResult("text", Receipt(Fate.DELIVERED, "one:nobody"))
    assert receipts.receipts([*told, strange, *told], clock.now) == 2 * len(sent)
    for m in Message.objects.filter(id__in=[m.id for m in sent]):
        assert (m.status, m.cost_micros, m.carrier) == ("delivered", 7_900, "one")
    assert night.row().state == "alarm"


def test_traces_wait_for_the_price_and_go_once(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    sent = handed_over(clock, "text")
    assert receipts.traces(clock.now, 50) == []
    receipts.receipts(
        [DeliveryResult("text", Receipt(Fate.DELIVERED, m.provider_ref)) for m in sent], clock.now
    )
    clock.advance(6)
    left = receipts.traces(clock.now, 50)
    assert {t.message for t in left} == {m.id for m in sent}
    assert not any(t.priced for t in left)
    for trace in left:
        receipts.priced(trace.message, 7_900, "USD")
        receipts.cleared(trace.message, clock.now)
    assert receipts.traces(clock.now, 50) == []


def test_news_that_was_heard_out_is_not_said_again(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo", "Maya"))
    Address.objects.filter(contact=night.contacts["Maya"], channel="text").delete()
    handed_over(clock, "text", "call")
    night.does(ev.Claimed(night.contacts["Leo"].id, 180))
    handed_over(clock, "call")
    news = of(night, "Maya", "call")
    assert news.word == "going"
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.DELIVERED, news.provider_ref, "answered"))], clock.now
    )
    receipts.receipts(
        [DeliveryResult("call", Receipt(Fate.DELIVERED, news.provider_ref, "completed"))], clock.now
    )
    assert of(night, "Maya", "call").status == "delivered"


def test_a_bad_minute_costs_as_few_statements_as_one_late_message(clock: Clock) -> None:
    nights = [alarmed_night(clock, ("Leo",), ("Maya",))]
    handed_over(clock, "text", "call")
    clock.advance(61)
    one = said_by(lambda: receipts.silent(clock.now))
    nights += [alarmed_night(clock, ("Leo",), ("Maya",)) for _ in range(3)]
    handed_over(clock, "text", "call")
    clock.advance(61)
    many = said_by(lambda: receipts.silent(clock.now))
    assert len(many) == len(one)
    for night in nights:
        tick_all()
        assert night.contacts["Maya"].id in {m.contact_id for m in night.queued("alarm")}


def test_a_round_that_finds_nothing_late_only_looks(clock: Clock) -> None:
    alarmed_night(clock, ("Leo",))
    handed_over(clock, "text", "call")
    [look] = said_by(lambda: receipts.silent(clock.now))
    assert look.startswith("SELECT id FROM message WHERE receipt_by_at <=")


def test_a_receipt_that_comes_while_silence_is_looked_at_still_counts(clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",))
    handed_over(clock, "text", "call")
    text = of(night, "Leo", "text")
    clock.advance(31)
    told = [DeliveryResult("text", Receipt(Fate.ACCEPTED, text.provider_ref, "sent"))]

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        while told and "receipt_by_at <=" in sql:
            receipts.receipts([told.pop()], clock.now)
        return found

    with connection.execute_wrapper(meanwhile):
        receipts.silent(clock.now)
    assert not told
    assert of(night, "Leo", "text").status == "sent"


@pytest.mark.parametrize("fate", [Fate.DELIVERED, Fate.FAILED])
def test_what_a_receipt_overtook_is_deleted_at_its_carrier_too(clock: Clock, fate: Fate) -> None:
    """The record of the send comes after it, and finds a message that is over."""
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    leased = delivery.lease("text", clock.now, 50, 20)
    [leo] = [m for m in leased if m.id == of(night, "Leo", "text").id]
    told = Receipt(fate, "two:SM1", carrier="two")
    receipts.receipts([DeliveryResult("text", told, message=leo.id)], clock.now)
    delivery.record([leo.result(Receipt(Fate.ACCEPTED, "two:SM1", carrier="two"))], clock.now)
    message = of(night, "Leo", "text")
    assert message.status in ("delivered", "failed")
    assert (message.provider_ref, message.carrier) == ("two:SM1", "two")
    clock.advance(60)
    assert "two:SM1" in {trace.provider_ref for trace in receipts.traces(clock.now, 50)}
