"""Whose phone a contact's page is opened on, and what a link that was passed on can do."""

from __future__ import annotations

import pytest

from stillhere.store import problems
from stillhere.store.kits import kits
from stillhere.store.kits.kits import Inside
from stillhere.store.models import Address, Contact, Deed, JournalLine
from stillhere.store.people import address_book, invitations, persons
from stillhere.store.watches.apply import CallForHelp
from stillhere.web.access.rate_limit import GUESSES, MOST_MISSES, PROOFS
from tests.circle import SamsNight
from tests.conftest import Clock
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


def test_a_number_that_was_invited_opens_it(alarm: SamsNight, leo: str) -> None:
    stranger = browser(stranger=True)
    press(stranger, leo, "claim", soon="3")
    told = press(stranger, leo, "mine", number="202 555 0188")
    assert "Nobody on this list is reached there." in told
    assert "12 Elm" not in told
    told = press(stranger, leo, "mine", number="(202) 555-0102")  # Maya's, on Leo's link
    assert "12 Elm Street" in told
    assert "code 4711" in told


def test_a_renewed_link_must_be_proved_anew(alarm: SamsNight, leo: str) -> None:
    phone = browser(stranger=True)
    press(phone, leo, "mine", number=LEO)
    phone.cookies[f"c{alarm.contacts['Leo'].id}"] = "forged:value"
    assert "Is this your phone?" in text_of(phone.get(leo))


@pytest.mark.slow
def test_numbers_are_not_guessed_at_speed(alarm: SamsNight, leo: str) -> None:
    stranger = browser(stranger=True)
    for n in range(MOST_MISSES + 1):
        press(stranger, leo, "mine", number=f"202 555 01{n:02}" if n not in (1, 2) else "0")
    assert PROOFS.full(f"127.0.0.1 {alarm.contacts['Leo'].id}")
    assert not GUESSES.full("127.0.0.1"), "other links open as ever"
    assert "Nobody on this list" in press(stranger, leo, "mine", number=LEO)


def test_a_link_passed_on_ends_nothing_and_takes_nobody_off(alarm: SamsNight, leo: str) -> None:
    stranger = browser(stranger=True)
    for do, more in (
        ("join", {}), ("resolve", {"outcome": "fine"}), ("locked", {}), ("decline", {}),
        ("leave", {}), ("tonight", {}),
    ):  # fmt: skip
        told = press(stranger, leo, do, **more)
        assert "Type the number we reach you at first. Nothing was changed." in told, do
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


def test_whoever_has_no_number_proves_it_with_sam_s(alarm: SamsNight, leo: str) -> None:
    """Reached on an open page only: known where they said yes, or by a number that they know."""
    Address.objects.filter(contact=alarm.contacts["Leo"]).update(channel="page", lookup=b"here")
    stranger = browser(stranger=True)
    press(stranger, leo, "claim", soon="3")
    assert "12 Elm" not in text_of(stranger.get(leo))
    assert "12 Elm" in press(stranger, leo, "mine", number="202-555-0100")


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
    night: SamsNight,
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
    assert "12 Elm" in press(phone, ana, "mine", number="202 555 0150")


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
    press(browser(), leo, "resolve", outcome="false-alarm")
    page = browser().get(maya).content.decode()
    assert 'id="press"' in page
    assert 'data-over="This alarm was closed. The steps go on."' in page
    given = browser().post(f"{maya}/did", {"what": "dose", "form": "nasal", "next": "chest"})
    assert given.headers["Location"] == f"{maya}/steps#chest"
    assert 'id="chest"' in browser().get(f"{maya}/steps").content.decode()
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


def test_nobody_takes_over_a_link_by_changing_the_number(night: SamsNight) -> None:
    leo = contact_path(night, "Leo")
    stranger = browser(stranger=True)
    told = press(stranger, leo, "number", phone="202 555 0188")
    assert "Type the number we reach you at first. Nothing was changed." in told
    assert not Address.objects.filter(lookup__in=address_book.lookups("+12025550188")).exists()
    assert (
        stranger.post(f"{leo}/kits", {"do": "add", "form": "nasal", "doses": "1"}).status_code
        == 303
    )
    assert kits.of(night.contacts["Leo"]) == []
    press(stranger, leo, "mine", number=LEO)
    assert "All is quiet" in press(stranger, leo, "number", phone="202 555 0188")
    assert Address.objects.filter(lookup__in=address_book.lookups("+12025550188")).exists()
