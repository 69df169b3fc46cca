"""What a number of a list stands for: one alarm, of somebody who still wants this phone."""

from __future__ import annotations

import json
import logging

import pytest

from stillhere.channels.wording import compose
from stillhere.core import events as ev
from stillhere.core.messages import Facts
from stillhere.store.db import clock
from stillhere.store.messages import alarm_numbers
from stillhere.store.models import AlarmList, Contact, Message
from stillhere.store.people import address_book, invitations, opt_out, persons
from stillhere.store.people.numbers import address_proof
from stillhere.store.privacy import export
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change, CheckIn
from tests.circle import SamsNight, sams_night, ways
from tests.conftest import Clock
from tests.store.messages.test_alarm_lists import (
    ANA,
    BEN,
    NAMES,
    Phones,
    alarm,
    on_shift,
    says,
    state,
)

pytestmark = pytest.mark.usefixtures("database")

LEO = "+12025550101"
LONG = "María Guadalupe Ximena Concepción Hernández-Villaseñor"


@pytest.fixture
def phones(clock: Clock) -> Phones:
    return Phones(clock)


def of_two(phones: Phones) -> tuple[SamsNight, SamsNight]:
    """Leo is on the alarms of Sam and of Kim, and has read the list."""
    sam, kim = sams_night(("Leo",)), sams_night(("Leo",), phones=False)
    persons.set_plan(kim.person, name="Kim")
    Message.objects.update(status="sent")
    sam.start()
    kim.start()
    sam.does(CallForHelp())
    phones.leave()
    phones.live(2)
    kim.does(CallForHelp())
    phones.live(12)
    assert "1 Sam, 2 Kim." in phones.last(LEO)
    return sam, kim


def answers_twice(phones: Phones, sam: SamsNight) -> None:
    for seconds in (70, 10):
        sam.does(CheckIn())
        phones.live(seconds)
    assert sam.row().state == "open"


def test_a_second_alarm_of_one_watch_keeps_its_number_and_is_not_over(phones: Phones) -> None:
    sam, kim = of_two(phones)
    answers_twice(phones, sam)
    sam.does(CallForHelp())
    phones.live(30)
    assert "1 Sam, 2 Kim." in phones.last(LEO)
    says(LEO, "1")
    phones.live(3)
    assert phones.last(LEO).startswith("Thank you. The others hear that you are going to Sam.")
    assert (sam.row().state, kim.row().state) == ("claimed", "alarm")


def test_a_second_alarm_that_they_were_not_told_of_yet_is_not_called_over(phones: Phones) -> None:
    sam, kim = of_two(phones)
    answers_twice(phones, sam)
    sam.does(CallForHelp())
    says(LEO, "1")
    phones.leave()
    assert "Open now: 2 Kim. Reply one number." in phones.texts[LEO]
    assert not any("this alarm is over" in text for text in phones.texts[LEO])
    assert (sam.row().state, kim.row().state) == ("alarm", "alarm")


def test_on_my_way_is_asked_back_and_taken_for_neither(phones: Phones) -> None:
    sam, kim = of_two(phones)
    answers_twice(phones, sam)
    sam.does(CallForHelp())
    phones.live(30)
    says(LEO, "On my way")
    phones.live(3)
    assert phones.last(LEO) == "Open now: 1 Sam, 2 Kim. Reply one number."
    assert (sam.row().state, kim.row().state) == ("alarm", "alarm")


def taken_off(sam: SamsNight) -> None:
    """Leo leaves; while an alarm is open nobody takes anybody else off."""
    leo = sam.contacts["Leo"]
    opt_out.leave_by_page(leo, clock.now_ms(), theirs=True)
    leo.refresh_from_db()
    assert leo.status not in (Contact.Status.INVITED, Contact.Status.CONFIRMED)


def test_who_was_taken_off_reads_nothing_more_of_that_alarm(phones: Phones) -> None:
    sam, _kim = of_two(phones)
    taken_off(sam)
    before = len(phones.texts[LEO])
    phones.live(300)
    says(LEO, "LIST")
    says(LEO, "1")
    phones.live(5)
    assert phones.texts[LEO][before:]
    assert not any("Sam" in text for text in phones.texts[LEO][before:])


def test_the_number_of_who_took_them_off_is_not_taken_for_another(phones: Phones) -> None:
    sam, kim = of_two(phones)
    taken_off(sam)
    says(LEO, "1")
    phones.live(5)
    assert (sam.row().state, kim.row().state) == ("alarm", "alarm")
    assert phones.last(LEO) == "Open now: 2 Kim. Reply one number."


@pytest.mark.parametrize("said", ["1", "2", "no", "yes"])
def test_an_answer_that_may_be_to_a_newer_invitation_is_asked_back(
    phones: Phones, said: str
) -> None:
    sam, kim = of_two(phones)
    mike, _ = persons.new_person("en", "America/New_York")
    persons.set_plan(mike, name="Mike")
    phones.live(5)
    invitations.add_contact(mike, "Leo", ways(101), rung=0)
    phones.live(1)
    assert phones.last(LEO).startswith("Mike asks: may we reach you")
    says(LEO, said)
    phones.live(3)
    assert phones.last(LEO) == "Open now: 1 Sam, 2 Kim. Reply one number."
    assert (sam.row().state, kim.row().state) == ("alarm", "alarm")
    assert '"out":[]' in sam.row().alarm
    says(LEO, "2")
    assert (sam.row().state, kim.row().state) == ("alarm", "claimed")


def ana_keeps_a_watch() -> int:
    person, _ = persons.new_person("en", "America/New_York")
    address_book.set_own_addresses(person, ways(160))
    address_proof.vouch(person)
    return apply.start(person.id, "swallowed")


@pytest.mark.parametrize("said", ["1", "2", "3", "6", "8", "10"])
def test_who_also_keeps_a_watch_chooses_by_number(phones: Phones, said: str) -> None:
    on_shift(ANA)
    own = ana_keeps_a_watch()
    watches = {no: alarm(name) for no, name in zip((*range(1, 9), 10), NAMES, strict=False)}
    phones.leave()
    phones.live(20)
    says(ANA, said)
    assert state(watches[int(said)]) == "claimed"
    assert state(own) == "open"


def test_list_shows_the_alarms_to_who_also_keeps_a_watch(phones: Phones) -> None:
    on_shift(ANA)
    ana_keeps_a_watch()
    alarm("Sam"), alarm("Kim")
    phones.leave()
    phones.live(20)
    says(ANA, "LIST")
    phones.live(1)
    assert phones.last(ANA) == "Open now: 1 Sam, 2 Kim. Reply one number."


@pytest.mark.parametrize("cry", ["9", "911"])
def test_no_number_of_a_list_is_a_cry_for_help(phones: Phones, cry: str) -> None:
    on_shift(ANA)
    own = ana_keeps_a_watch()
    watches = [alarm(name) for name in NAMES]
    phones.leave()
    phones.live(20)
    says(ANA, cry)
    assert state(own) == "alarm"
    assert {state(watch) for watch in watches} == {"alarm"}


def test_the_hundredth_alarm_of_a_phone_has_a_number_and_old_ones_are_forgotten(
    phones: Phones,
) -> None:
    """One that stays open keeps the numbers from beginning anew."""
    on_shift(ANA)
    alarm("Max"), alarm("Kim")
    phones.leave()
    phones.live(6)
    kept = alarm_numbers.of(ANA)
    assert kept is not None
    those = alarm_numbers.lines(kept)
    assert those is not None
    over = {no: alarm_numbers.Line(0, 0, 1) for no in range(3, 111) if no != 9}
    AlarmList.objects.update(numbers=alarm_numbers.text_of(those | over))
    sam = alarm("Sam")
    phones.live(12)
    assert "111 Sam" in phones.last(ANA)
    kept.refresh_from_db()
    assert len(json.loads(kept.numbers)) == 2 + alarm_numbers.MOST_OVER + 1
    says(ANA, "111")
    assert state(sam) == "claimed"


@pytest.mark.parametrize("torn", ['{"1": [3, 4', "", "[]", '{"x": [1,2,3]}', '{"1": 5}'])
def test_a_list_that_cannot_be_read_stops_nobodys_alarm(
    phones: Phones, torn: str, caplog: pytest.LogCaptureFixture
) -> None:
    on_shift(ANA, BEN)
    alarm("Sam")
    phones.leave()
    phones.live(2)
    alarm("Kim")
    phones.live(12)
    theirs = AlarmList.objects.filter(lookup=alarm_numbers.lookup_of(ANA))
    assert theirs.update(numbers=torn) == 1
    with caplog.at_level(logging.ERROR, "stillhere.alarm_lists"):
        lou = alarm("Lou")
        phones.live(60)
    assert "3 Lou." in phones.last(BEN)
    assert any(text.startswith("Lou asks for help NOW") for text in phones.texts[ANA])
    assert len(caplog.records) == (torn != "")
    says(ANA, "1")
    assert state(lou) == "claimed"


@pytest.mark.parametrize("others", [1, 4, 12])
def test_no_name_hides_another_one(phones: Phones, others: int) -> None:
    on_shift(ANA)
    for _ in range(others):
        alarm(LONG)
    phones.leave()
    phones.live(60)
    before = len(phones.texts[ANA])
    alarm("Sam")
    phones.live(6)
    assert any("Sam" in text for text in phones.texts[ANA][before:])


def test_list_again_and_again_names_all_of_them(phones: Phones) -> None:
    on_shift(ANA)
    for no in range(20):
        alarm(f"{'ABCDEFGHIJKLMNOPQRSTU'[no]} {LONG}")
    phones.leave()
    phones.live(80)
    before = len(phones.texts[ANA])
    for no in range(4):
        says(ANA, "LIST" + " " * no)
        phones.live(1)
    told = " ".join(phones.texts[ANA][before:])
    assert all(f"{no} {'ABCDEFGHIJKLMNOPQRSTU'[n]} M" in told for n, no in enumerate(numbers(20)))


def numbers(count: int) -> list[int]:
    return [no for no in range(1, count + 2) if no not in alarm_numbers.CRIES][:count]


@pytest.mark.parametrize("lang", ["en", "es"])
@pytest.mark.parametrize("word", ["list", "list-busy", "reply-alarms"])
def test_a_name_is_cut_before_fewer_stand_in_a_text(word: str, lang: str) -> None:
    listed = tuple((no, f"{'ABCDEFG'[no % 7]}{'a' * 30}", 0) for no in range(21, 51))
    text = compose(word, Facts(listed=listed, ambulance=True, who="Sam"), lang).text
    for letter in "ABC":
        assert f"{letter}aaa" in text or f"{letter}aa." in text
    assert len(text) <= 160


def test_two_of_one_name_are_told_apart_by_when(phones: Phones) -> None:
    on_shift(ANA)
    alarm("Sam")
    phones.leave()
    phones.live(60)
    alarm("sam")
    alarm("Kim")
    phones.live(30)
    assert "1 Sam 17:00, 2 sam 17:01, 3 Kim." in phones.last(ANA)


def test_no_name_reads_like_a_number_of_the_list(phones: Phones) -> None:
    on_shift(ANA)
    alarm("2 Kim"), alarm("Sam, 9 Lou"), alarm("7")
    phones.leave()
    phones.live(10)
    assert "1 Kim, 2 Sam Lou, 3 somebody." in phones.last(ANA)


def test_what_a_person_takes_along_names_nobody_elses_alarm(phones: Phones) -> None:
    sam, kim = of_two(phones)
    says(LEO, "7")
    says(LEO, "LIST")
    phones.live(2)
    for night, other in ((sam, kim), (kim, sam)):
        for watch in export.everything(night.person)["watches"]:
            answers = [m for m in watch["messages"] if m["word"] == "reply-alarms"]
            assert not any(str(other.watch) in m["facts"] for m in answers)


def test_who_ended_one_reads_that_it_is_over(phones: Phones) -> None:
    sam, _kim = of_two(phones)
    apply.apply(Change(ev.Resolved(None, ev.Outcome.FINE), watch=sam.watch))
    phones.live(2)
    says(LEO, "1")
    phones.live(1)
    assert phones.last(LEO) == "Sam: this alarm is over. Open now: 2 Kim. Reply one number."
