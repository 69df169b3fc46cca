"""A list answers for what it names, and for nothing else: what it leaves out goes beside it."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.core.messages import DeliveryResult, Fate, Receipt
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import Address, Message, WatchRow
from stillhere.store.people import persons
from stillhere.store.watches.apply import CallForHelp
from tests.circle import sams_night, tick_all
from tests.store.messages.test_alarm_lists import ANA, Phones, alarm, on_shift, says, state
from tests.store.messages.test_alarm_numbers import LEO, answers_twice, of_two, phones

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["phones"]  # a fixture

MIKE = "+12025550102"


@pytest.mark.parametrize("later_s", [0, 30, 60])
def test_no_ring_is_part_of_a_list_that_does_not_name_its_alarm(
    phones: Phones, later_s: int
) -> None:
    sam, kim = of_two(phones)
    answers_twice(phones, sam)
    phones.live(later_s)
    sam.does(CallForHelp())
    names = {sam.watch: "Sam", kim.watch: "Kim"}
    lists = 0
    for _ in range(200):
        phones.clock.advance(1)
        tick_all()
        over = [m for at, m in phones.ringing if at <= phones.clock.now]
        phones.ringing = [(at, m) for at, m in phones.ringing if at > phones.clock.now]
        for m in over:
            unheard = Receipt(Fate.BUSY, f"call{m.id}.{m.attempts}", "no-answer")
            receipts.receipts([DeliveryResult("call", unheard, message=m.id)], phones.clock.now)
        for m in phones.leave():
            if m.word == "list":
                lists += 1
                named = {name for _no, name, _at in m.facts.listed}
                assert {names[each.watch or 0] for each in m.also} <= named
    assert lists


def test_an_alarm_that_cannot_be_read_goes_by_itself(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(6)
    lou = alarm("Lou")
    WatchRow.objects.filter(id=lou).update(alarm="{")
    Message.objects.filter(watch=lou).update(due_at=phones.clock.now + 30_000)
    alarm("Max")
    lists = []
    for _ in range(20):
        phones.clock.advance(1)
        lists += [m for m in phones.leave() if m.word == "list"]
    assert {m.channel for m in lists} == {"text", "call"}
    assert not any(each.watch == lou for m in lists for each in m.also)
    for _ in range(20):
        phones.clock.advance(1)
        phones.leave()
    assert any(text.startswith("Lou asks for help NOW") for text in phones.texts[ANA])


def on_both(phones: Phones) -> tuple[int, int]:
    """Leo is on Sam's alarm with Mike, and on Kim's; the watches."""
    sam, kim = sams_night(("Leo", "Mike")), sams_night(("Leo",), phones=False)
    persons.set_plan(kim.person, name="Kim")
    Message.objects.update(status="sent")
    sam.start()
    kim.start()
    kim.does(CallForHelp())
    phones.leave()
    phones.live(6)
    sam.does(CallForHelp())
    phones.live(12)
    assert "1 Kim, 2 Sam." in phones.last(LEO)
    return sam.watch, kim.watch


def test_who_is_on_two_alarms_reads_who_says_that_they_are_there(phones: Phones) -> None:
    on_both(phones)
    before = len(phones.texts[LEO])
    says(MIKE, "4")
    phones.live(5)
    assert any("I am with Sam" in text and "Mike" in text for text in phones.texts[LEO][before:])


def test_whoever_has_the_key_reads_of_the_door_and_answers_by_its_number(phones: Phones) -> None:
    sam, kim = on_both(phones)
    before = len(phones.texts[LEO])
    says(MIKE, "1")
    says(MIKE, "6")
    phones.live(5)
    told = [text for text in phones.texts[LEO][before:] if "can't get in to Sam" in text]
    assert told
    assert told[0].endswith("Reply 2 if you are going there.")
    says(LEO, "no")  # they have no key
    assert (state(sam), state(kim)) == ("alarm", "alarm")
    assert '"out":[]' in WatchRow.objects.get(id=kim).alarm
    says(LEO, "2")
    assert (state(sam), state(kim)) == ("claimed", "alarm")


def test_who_goes_to_one_reads_of_a_door_elsewhere_and_no_digit_that_is_about_theirs(
    phones: Phones,
) -> None:
    sam, kim = on_both(phones)
    says(LEO, "1")
    phones.live(2)
    before = len(phones.texts[LEO])
    says(MIKE, "1")
    says(MIKE, "6")
    phones.live(5)
    told = [text for text in phones.texts[LEO][before:] if "can't get in to Sam" in text]
    assert told
    assert told[0].endswith("Do you have a key, or know who has?")
    assert (state(sam), state(kim)) == ("alarm", "claimed")


def test_the_ambulance_words_come_whoever_says_they_go(phones: Phones) -> None:
    on_both(phones)
    phones.live(240)
    before = len(phones.texts[LEO])
    says(MIKE, "1")
    phones.live(120)
    words = [text for text in phones.texts[LEO][before:] if "Nobody has reached Sam" in text]
    assert words
    assert words[0].endswith("Reply 2 if you are going there.")


def test_a_call_about_another_waits_while_they_go_and_rings_after(phones: Phones) -> None:
    sam, kim = of_two(phones)
    says(LEO, "1")
    phones.live(60)
    waits = Message.objects.filter(watch=kim.watch, channel="call", status="queued")
    assert waits.exists()
    assert not Message.objects.filter(watch=kim.watch, channel="call", status="dropped").exists()
    sam.does(ev.Resolved(None, ev.Outcome.FINE))
    before = phones.calls[LEO]
    phones.live(80)
    assert phones.calls[LEO] > before


def test_what_another_address_says_keeps_no_call_from_a_phone(phones: Phones) -> None:
    """Whoever put the number on a list may have put a mailbox of their own beside it."""
    sam, kim = of_two(phones)
    way = Address.objects.filter(contact=kim.contacts["Leo"], channel="call").get()
    nonce, value = way.nonce, way.value
    Address.objects.create(
        contact=kim.contacts["Leo"], channel="email", value=value, nonce=nonce,
        lookup=b"m" * 32, rings=False, proved_at=1, since_at=1,
    )  # fmt: skip
    kim.does(ev.Claimed(kim.contacts["Leo"].id, 300))
    before = phones.calls[LEO]
    phones.live(80)
    assert phones.calls[LEO] > before
    assert not any("You are going to Kim" in text for text in phones.texts[LEO])
    says(LEO, "2")  # now the phone says so itself
    phones.live(1)
    before = phones.calls[LEO]
    phones.live(80)
    assert phones.calls[LEO] == before
    assert sam.row().state == "alarm"


def test_a_list_that_is_refused_later_keeps_the_numbers_that_were_read(phones: Phones) -> None:
    on_shift(ANA)
    sam, kim = alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(10)
    alarm("Lou")
    phones.clock.advance(6)
    (m,) = delivery.lease("text", phones.clock.now, 40, 30)
    assert m.word == "list"
    delivery.record([m.result(Receipt(Fate.UNKNOWN, why="our own fault"))], phones.clock.now)
    phones.live(3)
    assert any(t.endswith("Reply 3 if you are going there.") for t in phones.texts[ANA])
    says(ANA, "2")
    assert (state(sam), state(kim)) == ("alarm", "claimed")
