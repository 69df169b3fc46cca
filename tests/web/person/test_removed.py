"""Who is taken off a list, or leaves it, is gone: from the tables, from what can be taken, and what
happened goes on without their name."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.core.messages import Fate, Receipt
from stillhere.engine.erasure import erase_once
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, JournalLine, Kit, Message, sealed_columns
from stillhere.store.people import invitations
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, ways
from tests.conftest import Clock
from tests.hook import LEO, MAYA, Hook, deliver
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, press, read
from tests.web.refusing import handed_over

LEONARDO = "Leonardo"


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


@pytest.fixture
def night(clock: Clock) -> SamsNight:
    night = sams_night((LEONARDO,), ("Maya",))
    Message.objects.filter(word="invite").update(status="sent")
    return night


def of_leo(night: SamsNight) -> tuple[int, int, int]:
    """How many rows there are of Leo: himself, his addresses, messages that lead to him."""
    leo = night.contacts[LEONARDO].id
    return (
        Contact.objects.filter(id=leo).count(),
        Address.objects.filter(contact=leo).count(),
        Message.objects.filter(contact=leo).count(),
    )


def removes(night: SamsNight) -> None:
    post(browser(night.key), "/people", do="remove", contact=str(night.contacts[LEONARDO].id))


def test_who_is_taken_off_is_nowhere_at_once(night: SamsNight, sam: Client) -> None:
    path = contact_path(night, LEONARDO)
    Kit.objects.create(nonce=b"k" * 16, key_hash=b"k", contact=night.contacts[LEONARDO],
        form="spray", created_at=1)  # fmt: skip
    removes(night)
    assert of_leo(night) == (0, 0, 0)
    assert not Kit.objects.exists()
    for page in ("/mine", "/mine/lamp.json", "/people"):
        assert LEONARDO not in read(sam, page)
        assert LEO[-4:] not in read(sam, page)
    assert browser().get(path).status_code == 404
    assert Message.objects.filter(word="invite", contact=None).count() == 1, "sent, about nobody"


def test_who_is_taken_off_may_be_added_again(night: SamsNight, sam: Client) -> None:
    removes(night)
    answer = post(sam, "/people", do="add", name="Leo", phone=LEO)
    assert (answer.status_code, Contact.objects.count()) == (302, 2)


def test_in_an_alarm_they_stay_on_it_and_are_erased_when_it_is_over(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    night.start()
    night.does(CallForHelp())
    deliver(clock)
    for do in ("remove", "renew"):
        refused = post(sam, "/people", do=do, contact=str(night.contacts[LEONARDO].id))
        assert refused.status_code == 422
        assert "Whoever is on it stays on it" in refused.content.decode()
    erase_once(clock.now)
    assert of_leo(night)[:2] == (1, len(ways(101))), "reached as before"
    assert browser().get(contact_path(night, LEONARDO)).status_code == 200
    night.does(ev.Declined(night.contacts[LEONARDO].id))
    night.does(ev.Resolved(None, Outcome.FINE))
    removes(night)
    erase_once(clock.now)
    assert of_leo(night) == (0, 0, 0)
    leo = night.contacts[LEONARDO].id
    assert JournalLine.objects.filter(watch=night.watch, contact=leo).exists(), "by number alone"
    assert Message.objects.filter(watch=night.watch, word="help", contact=None).exists()
    for page in ("/watch", "/mine", "/mine/lamp.json"):
        assert LEONARDO not in read(sam, page)
    assert read(browser(), contact_path(night, "Maya"))


def test_nobody_silences_a_call_for_help_from_sams_phone(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    """Leo and Maya are taken off one after the other, and volunteers too."""
    night.start()
    night.does(CallForHelp())
    for contact in night.contacts.values():
        post(sam, "/people", do="remove", contact=str(contact.id))
    assert post(sam, "/people", do="volunteers").status_code == 422
    assert {LEO, MAYA} <= {number for number in (LEO, MAYA) if handed_over(clock, 90, number)}


def test_grave_news_keeps_the_row_until_somebody_has_looked(night: SamsNight, clock: Clock) -> None:
    night.start()
    night.does(CallForHelp())
    night.does(ev.Arrived(night.contacts["Maya"].id))
    night.does(ev.Resolved(night.contacts["Maya"].id, Outcome.DIED))
    assert night.row().held
    removes(night)
    erase_once(clock.now)
    assert of_leo(night)[0] == 1


def test_who_says_stop_has_no_address_at_once_and_no_name_once_sam_was_told(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    path = contact_path(night, LEONARDO)
    hook.text(LEO, "STOP")
    assert of_leo(night)[:2] == (1, 0)
    assert browser().get(path).status_code == 404
    [gap] = [m for m in delivery.lease("text", clock.now, 50, 20) if m.word == "gap"]
    assert gap.facts.who == LEONARDO
    delivery.record([gap.result(Receipt(Fate.ACCEPTED, provider_ref="p"))], clock.now)
    erase_once(clock.now)
    assert of_leo(night) == (0, 0, 0)


def test_who_leaves_on_the_page_is_erased_and_sam_hears_it(night: SamsNight, clock: Clock) -> None:
    press(browser(), contact_path(night, LEONARDO), "leave")
    assert Message.objects.filter(person=night.person, word="gap").count() == 1
    deliver(clock)
    erase_once(clock.now)
    assert of_leo(night) == (0, 0, 0)


def test_what_is_just_being_sent_to_them_stumbles_over_nothing(
    night: SamsNight, clock: Clock
) -> None:
    clock.advance(1)
    invitations.invite(night.contacts[LEONARDO], clock.now)
    leased = [m for m in delivery.lease("text", clock.now, 50, 20) if m.to == LEO]
    assert leased
    removes(night)
    for fate in (Fate.ACCEPTED, Fate.FAILED, Fate.OPTED_OUT):
        results = [m.result(Receipt(fate, why="late")) for m in leased]
        assert not delivery.record(results, clock.now)


def test_rows_of_an_older_release_are_erased_by_the_engine(night: SamsNight, clock: Clock) -> None:
    for name, status in ((LEONARDO, "left"), ("Maya", "removed")):
        Contact.objects.filter(id=night.contacts[name].id).update(status=status)
    Address.objects.filter(contact=night.contacts[LEONARDO]).update(state="opted-out", why="stop")
    erase_once(clock.now)
    assert not Contact.objects.exists()
    answer = post(browser(night.key), "/people", do="add", name="Leo", phone=LEO)
    assert answer.status_code == 422, "the no is kept"
    assert sealed_columns.person_note(night.person, "name") == "Sam"
