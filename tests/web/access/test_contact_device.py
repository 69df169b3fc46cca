"""Whose phone a contact's page is opened on, and what a link that was passed on can do."""

from __future__ import annotations

import re

import pytest

from stillhere.store import problems
from stillhere.store.kits import kits
from stillhere.store.kits.kits import Inside
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Deed, JournalLine, Message
from stillhere.store.people import address_book, invitations, persons
from stillhere.store.people.numbers import address_proof, page_code
from stillhere.store.watches.apply import CallForHelp, CheckIn
from stillhere.web.access.rate_limit import GUESSES, MOST_MISSES, PROOFS
from tests.circle import SamsNight, answers_both_looks
from tests.conftest import Clock
from tests.hook import said_to
from tests.web.conftest import browser
from tests.web.pages import contact_path, did, press, read, text_of

LEO, MAYA = "+12025550101", "+12025550102"


def test_a_link_passed_on_shows_a_first_name_and_takes_a_helping_hand(
    alarm: SamsNight, leo: str
) -> None:
    kits.add(Inside("nasal", 2, "", "", "blue backpack"), person=alarm.person)
    stranger = browser(stranger=True)
    told = press(stranger, leo, "claim", soon="3")
    assert "Sam asks for help." in told
    assert alarm.row().state == "alarm", "whoever goes is heard, and holds nothing"
    assert JournalLine.objects.filter(event="Claimed").exists()
    assert "Is this your phone?" in told
    secrets = ("12 Elm", "4711", "Denver", "303", "Maya", "blue backpack", "+1202", "2025550100")
    assert [secret for secret in secrets if secret in told] == []
    assert "Shout their name." in told, "the steps are everybody's"
    part = text_of(stranger.get(f"{leo}/part"))
    assert [secret for secret in secrets if secret in part] == []


def code_sent_to(number: str, clock: Clock) -> str:
    """The code in the text that leaves for this number."""
    [text] = [t for t in said_to(number, clock) if "Lamp code" in t]
    [code] = re.findall(r"\b\d{6}\b", text)
    return str(code)


def code_of(night: SamsNight, name: str, clock: Clock) -> str:
    return page_code.code_of(night.contacts[name].nonce, clock.now)


def test_the_code_we_send_opens_it_and_no_number_does(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    stranger = browser(stranger=True)
    press(stranger, leo, "claim", soon="3")
    for number in (LEO, MAYA, "202-555-0100"):
        told = press(stranger, leo, "mine", number=number, code=number)
        assert "That is not the code." in told, "nor does it say who is on the list"
        assert "12 Elm" not in told
    Message.objects.update(status="sent")
    assert "The code is on its way" in press(stranger, leo, "send-page-code")
    code = code_sent_to(LEO, clock)
    maya = contact_path(alarm, "Maya")
    assert "12 Elm" not in press(stranger, maya, "mine", code=code), "it is for one link"
    told = press(stranger, leo, "mine", code=f"{code[:3]} {code[3:]}")
    assert "12 Elm Street" in told
    assert "code 4711" in told


def test_a_code_is_good_for_an_hour_or_two(alarm: SamsNight, leo: str, clock: Clock) -> None:
    code = code_of(alarm, "Leo", clock)
    clock.advance(3_600)
    assert "That is not" not in press(browser(stranger=True), leo, "mine", code=code)
    clock.advance(3_600)
    assert "That is not" in press(browser(stranger=True), leo, "mine", code=code)


def test_a_link_passed_on_does_not_fill_a_phone_with_codes(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    told = []
    for _ in range(page_code.SENT + 2):
        clock.advance(1)  # a second, within one hour
        told.append(press(browser(stranger=True), leo, "send-page-code"))
    assert Message.objects.filter(word="page-code").count() == page_code.SENT
    assert "We cannot send another code" in told[-1]
    assert not Message.objects.filter(word="page-code", channel="call").exists(), "nobody is rung"
    clock.advance(3_600)
    assert "on its way" in press(browser(stranger=True), leo, "send-page-code")


def test_whoever_has_a_call_only_hears_the_code(alarm: SamsNight, leo: str) -> None:
    Address.objects.filter(contact=alarm.contacts["Leo"], channel="text").delete()
    press(browser(stranger=True), leo, "send-page-code")
    assert {m.channel for m in Message.objects.filter(word="page-code")} == {"call"}


def test_a_number_that_is_not_proved_yet_gets_its_own_code(alarm: SamsNight, leo: str) -> None:
    Address.objects.filter(contact=alarm.contacts["Leo"]).update(proved_at=0)
    stranger = browser(stranger=True)
    press(stranger, leo, "send-page-code")
    assert not Message.objects.filter(word="page-code").exists()
    way = Address.objects.filter(contact=alarm.contacts["Leo"], channel="text").get()
    press(stranger, leo, "claim", soon="3")
    told = press(stranger, leo, "mine", code=address_proof.code_of(way.nonce))
    assert "Who knows" in told
    assert "12 Elm" not in told, "the number may be mistyped"
    assert "This page does not show where Sam is in this alarm." in told


def test_a_renewed_link_must_be_proved_anew(alarm: SamsNight, leo: str, clock: Clock) -> None:
    phone = browser(stranger=True)
    press(phone, leo, "mine", code=code_of(alarm, "Leo", clock))
    phone.cookies[f"c{alarm.contacts['Leo'].id}"] = "forged:value"
    assert "Is this your phone?" in text_of(phone.get(leo))


@pytest.mark.slow
def test_codes_are_not_guessed_at_speed(alarm: SamsNight, leo: str, clock: Clock) -> None:
    stranger, right = browser(stranger=True), code_of(alarm, "Leo", clock)
    for n in range(MOST_MISSES + 1):
        press(stranger, leo, "mine", code=f"{(int(right) + 1 + n) % 10**6:06}")
    assert PROOFS.full(f"127.0.0.1 {alarm.contacts['Leo'].id}")
    assert not GUESSES.full("127.0.0.1"), "other links open as ever"
    assert "That is not the code" in press(stranger, leo, "mine", code=right)


def test_nor_are_they_by_many(alarm: SamsNight, leo: str, clock: Clock) -> None:
    right = code_of(alarm, "Leo", clock)
    contact = alarm.contacts["Leo"]
    wrong = f"{(int(right) + 1) % 10**6:06}"
    tries = [page_code.is_right(contact, wrong) for _ in range(page_code.TRIED)]
    assert not any(tries)
    assert not page_code.is_right(contact, right), "also after a restart: it stands in the database"
    clock.advance(24 * 3600)
    assert page_code.is_right(contact, code_of(alarm, "Leo", clock))


def test_a_link_passed_on_ends_nothing_and_takes_nobody_off(alarm: SamsNight, leo: str) -> None:
    stranger = browser(stranger=True)
    for do, more in (
        ("join", {}), ("resolve", {"outcome": "fine"}), ("locked", {}), ("decline", {}),
        ("leave", {}), ("tonight", {}),
    ):  # fmt: skip
        told = press(stranger, leo, do, **more)
        assert "First show us below that this is your phone. Nothing was changed." in told, do
    assert alarm.row().state == "alarm"
    assert Contact.objects.filter(id=alarm.contacts["Leo"].id, status="confirmed").exists()
    assert not JournalLine.objects.filter(event__in=["Arrived", "Resolved", "Declined"]).exists()


def test_a_yes_is_not_said_again_by_whoever_holds_the_link(night: SamsNight) -> None:
    """Quietly, before any alarm: the phone of a stranger does not become Leo's."""
    stranger, leo = browser(stranger=True), contact_path(night, "Leo")
    response = stranger.post(f"{leo}/answer", {"do": "join"})
    assert response.headers["Location"].endswith("said=prove")
    assert not response.cookies
    night.start()
    night.does(CallForHelp())
    assert "12 Elm" not in press(stranger, leo, "claim", soon="3")


def test_somebody_there_on_an_unknown_phone_is_told_and_holds_nothing(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    told = press(browser(stranger=True), leo, "arrived")
    assert "The others read that you are there." in told
    assert "Leo is with Sam. (Said on a phone that we do not know.)" in read(browser(), maya)
    assert alarm.row().state == "alarm", "the ladder goes on"


def test_a_word_that_was_given_is_not_changed_on_another_phone(alarm: SamsNight, leo: str) -> None:
    mine, stranger = browser(), browser(stranger=True)
    press(mine, leo, "claim", soon="2")
    assert "Nothing was changed." in press(stranger, leo, "claim", soon="5")
    assert alarm.row().state == "claimed"
    press(mine, leo, "decline")
    assert "Nothing was changed." in press(stranger, leo, "claim", soon="2")
    assert alarm.row().state == "alarm"


def test_whoever_has_no_number_is_known_where_they_said_yes(alarm: SamsNight, leo: str) -> None:
    Address.objects.filter(contact=alarm.contacts["Leo"]).update(channel="page", lookup=b"here")
    stranger = browser(stranger=True)
    press(stranger, leo, "claim", soon="3")
    assert "We have no number of yours" in press(stranger, leo, "send-page-code")
    assert "12 Elm" not in press(stranger, leo, "mine", code="202-555-0100")


def test_whoever_says_yes_on_their_phone_is_known_there(night: SamsNight) -> None:
    ana = invitations.add_contact(
        night.person, "Ana", [problems.Reached("text", "+12025550150", False)]
    )
    night.contacts["Ana"] = ana
    phone = browser(stranger=True)
    press(phone, contact_path(night, "Ana"), "join")
    night.start()
    night.does(CallForHelp())
    assert "Is this your phone?" not in text_of(phone.get(contact_path(night, "Ana")))


def test_a_first_yes_in_an_alarm_opens_no_door_before_a_number_is_proved(
    night: SamsNight, clock: Clock
) -> None:
    """An invitation nobody had answered was passed on, and then the alarm came."""
    persons.set_plan(night.person, place="12 Elm Street", entry="code 4711")
    ways = [problems.Reached("text", "+12025550150", False)]
    night.contacts["Ana"] = invitations.add_contact(night.person, "Ana", ways)
    night.start()
    night.does(CallForHelp())
    phone, ana = browser(stranger=True), contact_path(night, "Ana")
    press(phone, ana, "join")
    assert "12 Elm" not in press(phone, ana, "claim", soon="3")
    told = press(phone, ana, "mine", code=code_of(night, "Ana", clock))
    assert "Who knows" in told
    assert "12 Elm" not in told, "a code that goes to a number from the alarm opens none either"


def test_a_yes_in_an_alarm_without_a_number_counts_a_day_later(
    night: SamsNight, clock: Clock
) -> None:
    persons.set_plan(night.person, place="12 Elm Street", entry="code 4711")
    night.contacts["Ana"] = invitations.add_contact(night.person, "Ana", [])
    night.start()
    night.does(CallForHelp())
    phone, ana = browser(stranger=True), contact_path(night, "Ana")
    press(phone, ana, "join")
    told = press(phone, ana, "claim", soon="3")
    assert "12 Elm" not in told
    assert "Is this your phone?" in told
    assert "no number of yours to send a code to" in told
    assert "Phone Sam" in told
    assert "Send me the code" not in told
    assert "12 Elm" not in press(phone, ana, "claim", soon="2"), "nor on the next page"
    night.does(CheckIn())
    clock.advance(60)
    night.does(CheckIn())
    assert night.row().state == "open"
    night.does(CallForHelp())
    assert "12 Elm" not in press(phone, ana, "claim", soon="5"), "the same emergency"
    night.does(CheckIn())
    clock.advance(60)
    night.does(CheckIn())
    clock.advance(24 * 3600)
    night.does(CallForHelp())
    assert "12 Elm" in press(phone, ana, "claim", soon="5")
    assert "12 Elm" not in press(browser(stranger=True), ana, "claim", soon="5")


def test_an_unknown_phone_stands_in_nobodys_way(alarm: SamsNight, leo: str, maya: str) -> None:
    for client in (browser(stranger=True), browser()):  # within the same two seconds
        client.post(f"{leo}/did", {"what": "dose", "form": "nasal"})
    assert 'data-dose="' in browser().get(f"{maya}/part").content.decode()
    press(browser(stranger=True), leo, "arrived")
    press(browser(), maya, "arrived")
    press(browser(), maya, "resolve", outcome="fine")
    headers = {"Accept": "application/json"}
    late = browser(stranger=True).post(f"{leo}/did", {"what": "called"}, headers=headers)
    assert late.status_code == 409, "what is over, a stranger adds nothing to"
    alarm.start()
    alarm.does(CallForHelp())
    press(browser(stranger=True), leo, "arrived")
    assert "Leo is with Sam. (Said on a phone" in read(browser(), maya)


def test_the_steps_go_on_when_somebody_else_closes_the_alarm(
    alarm: SamsNight, leo: str, maya: str, clock: Clock
) -> None:
    leo, maya = maya, leo  # Leo is rung first, and follows the steps
    press(browser(), leo, "arrived")
    assert "data-ended" not in browser().get(maya).content.decode()
    assert "To the alarm" in text_of(browser().get(maya))
    press(browser(), leo, "resolve", outcome="false-alarm")
    page = browser().get(maya).content.decode()
    assert 'id="press"' in page
    assert "data-ended" in page, "an old link lays no steps over it"
    assert "Close the steps" in text_of(browser().get(maya))
    assert "To the alarm" not in text_of(browser().get(maya))
    assert 'data-over="This alarm was closed. The steps go on."' in page
    given = browser().post(f"{maya}/did", {"what": "dose", "form": "nasal", "next": "chest"})
    assert given.headers["Location"] == f"{maya}/steps#chest"
    assert 'id="chest"' in browser().get(f"{maya}/steps").content.decode()
    answers_both_looks(alarm, clock)
    clock.advance(4 * 3600)
    assert 'id="press"' not in browser().get(maya).content.decode()
    assert browser().get(f"{maya}/steps").headers["Location"] == maya


def test_what_is_said_on_an_unknown_phone_is_marked_and_counts_for_no_timer(
    alarm: SamsNight, leo: str, maya: str
) -> None:
    kits.add(Inside("nasal", 2), contact=alarm.contacts["Leo"])
    browser(stranger=True).post(f"{leo}/did", {"what": "dose", "form": "nasal"})
    told = read(browser(), maya)
    assert "gave a dose of naloxone (nose spray). (Said on a phone that we do not know.)" in told
    assert "data-dose" not in browser().get(f"{maya}/part").content.decode()
    assert kits.usable(kits.of(alarm.contacts["Leo"])[0])
    for n in range(40):
        browser(stranger=True).post(f"{leo}/did", {"what": "breathing", "ref": f"r{n}"})
    assert Deed.objects.filter(known=False).count() == 20, "a stranger fills nobody's list"
    assert did(leo, "dose", ref="a real one") == 200


def test_nobody_takes_over_a_link_by_changing_the_number(night: SamsNight, clock: Clock) -> None:
    leo = contact_path(night, "Leo")
    stranger = browser(stranger=True)
    told = press(stranger, leo, "number", phone="202 555 0188")
    assert "First show us below that this is your phone. Nothing was changed." in told
    assert not Address.objects.filter(lookup__in=address_book.lookups("+12025550188")).exists()
    assert (
        stranger.post(f"{leo}/kits", {"do": "add", "form": "nasal", "doses": "1"}).status_code
        == 303
    )
    assert kits.of(night.contacts["Leo"]) == []
    press(stranger, leo, "mine", code=code_of(night, "Leo", clock))
    assert "All is quiet" in press(stranger, leo, "number", phone="202 555 0188")
    assert Address.objects.filter(lookup__in=address_book.lookups("+12025550188")).exists()


def test_whoever_came_by_their_link_before_they_were_rung_hears_the_end(
    alarm: SamsNight, leo: str, maya: str, clock: Clock
) -> None:
    """Their number is not proved yet, and they are on the alarm all the same."""
    Address.objects.filter(contact=alarm.contacts["Maya"]).update(proved_at=0)
    press(browser(), maya, "claim", soon="5")
    press(browser(), leo, "arrived")
    press(browser(), leo, "resolve", outcome="fine")
    ends = [m for m in delivery.lease("text", clock.now, 50, 20) if m.word == "stand-down"]
    assert MAYA in {m.to for m in ends}
