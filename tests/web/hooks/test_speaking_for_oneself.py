"""Anybody can put Sam's number on a list of theirs. What Sam texts and rings goes on being Sam's: a
message to somebody's contact claims an answer to it, and nothing else."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.inbound import calls
from stillhere.store.models import Address, Contact, Message, Person, WatchRow
from stillhere.store.people import address_book, invitations
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, tick_all, ways
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, alarmed_night, deliver, erases, said_to
from tests.web.conftest import browser, post

pytestmark = pytest.mark.usefixtures("database")
WORD = "Blue kettle"


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


def mallory_invites(number: str, clock: Clock) -> Contact:
    """Somebody whom nobody knows puts a number on a list of their own, and it is invited."""
    mallory = browser(stranger=True)
    post(mallory, "/", tz="UTC")
    assert post(mallory, "/people", do="add", name="x", phone=number).status_code == 302
    deliver(clock)
    invited = Contact.objects.latest("id")
    assert Message.objects.filter(word="invite", contact=invited, attempts__gt=0).exists()
    return invited


def watched(night: SamsNight) -> WatchRow:
    night.start()
    night.does(ev.Marked())
    return night.row()


def asked(night: SamsNight, clock: Clock) -> None:
    watched(night)
    for wait_s in (60, 5):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    deliver(clock)


def is_proved(contact: Contact) -> bool:
    return contact.addresses.filter(proved_at__gt=0).exists()


def test_sos_is_sams_whoever_invited_the_number(night: SamsNight, hook: Hook, clock: Clock) -> None:
    watched(night)
    invited = mallory_invites(SAM, clock)
    hook.text(SAM, "SOS")
    assert night.row().state == "alarm"
    assert not is_proved(invited)


def test_sos_is_sams_before_the_number_is_proved(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    Address.objects.filter(person=night.person).update(proved_at=0)
    mallory_invites(SAM, clock)
    hook.text(SAM, "SOS")
    assert WatchRow.objects.get(person=night.person).state == "alarm"


@pytest.mark.parametrize("said", ["OK", "GO", "MORE", "I used"])
def test_a_word_of_sams_is_a_sign_of_life(
    night: SamsNight, hook: Hook, clock: Clock, said: str
) -> None:
    before = watched(night)
    invited = mallory_invites(SAM, clock)
    clock.advance(10)
    hook.text(SAM, said)
    row = night.row()
    assert (row.seen_at, row.next_ask_at) != (before.seen_at, before.next_ask_at)
    invited.refresh_from_db()
    assert invited.status == Contact.Status.INVITED
    assert not is_proved(invited)


def test_done_ends_sams_watch(night: SamsNight, hook: Hook, clock: Clock) -> None:
    watched(night)
    mallory_invites(SAM, clock)
    hook.text(SAM, "DONE")
    assert night.row().state == "closed"


def test_the_word_under_force_is_heard(
    night: SamsNight, sam: Client, hook: Hook, clock: Clock
) -> None:
    chosen = [str(night.contacts["Maya"].id)]
    assert post(sam, "/mine/word", do="keep", word=WORD, contacts=chosen).status_code == 200
    mallory_invites(SAM, clock)
    hook.text(SAM, WORD)
    assert WatchRow.objects.filter(person__secret=True).count() == 1


def test_list_and_delete_are_answered_to_sam(night: SamsNight, hook: Hook, clock: Clock) -> None:
    mallory_invites(SAM, clock)
    hook.text(SAM, "LIST")
    [listed] = said_to(SAM, clock)
    assert "Maya" in listed
    erases(hook, SAM, clock)
    assert not Person.objects.filter(id=night.person.id).exists()


def test_a_missed_call_is_sams_sign_of_life(night: SamsNight, clock: Clock) -> None:
    watched(night)
    mallory_invites(SAM, clock)
    clock.advance(100)
    assert calls.rings_us("call-1", SAM).reject
    assert night.row().seen_at == clock.now


@pytest.mark.parametrize("said", ["1", "2", "what"])
def test_while_sam_is_asked_every_answer_is_sams(
    night: SamsNight, hook: Hook, clock: Clock, said: str
) -> None:
    asked(night, clock)
    invited = mallory_invites(SAM, clock)
    hook.text(SAM, said)
    assert night.row().state == ("open" if said == "1" else "asking")
    assert Contact.objects.filter(id=invited.id, status="invited").exists()
    assert not is_proved(invited)


def test_an_alarm_of_mallorys_claims_no_more_than_the_invitation(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    """Mallory calls for help, and the number that never answered is rung once."""
    asked(night, clock)
    invited = mallory_invites(SAM, clock)
    mallory = SamsNight(invited.person, "", {})
    mallory.start()
    mallory.does(CallForHelp())
    tick_all()
    deliver(clock)
    assert Message.objects.filter(word="help", contact=invited, attempts__gt=0).exists()
    hook.text(SAM, "1")
    assert night.row().state == "open"


def test_a_clear_yes_or_no_answers_the_invitation(
    night: SamsNight, hook: Hook, clock: Clock
) -> None:
    watched(night)
    invited = mallory_invites(SAM, clock)
    hook.text(SAM, "1")
    invited.refresh_from_db()
    assert (invited.status, is_proved(invited)) == (Contact.Status.CONFIRMED, True)
    again = mallory_invites(SAM, clock)
    hook.text(SAM, "no")
    assert not Contact.objects.filter(id=again.id, status="invited").exists()


def test_two_friends_on_each_others_lists_are_both_heard(hook: Hook, clock: Clock) -> None:
    night, leos = sams_night(("Leo",)), sams_night()
    invitations.add_contact(leos.person, "Sam", ways(100))
    deliver(clock)
    clock.advance(86_400)
    watched(night)
    hook.text(SAM, "SOS")
    assert night.row().state == "alarm"


@pytest.mark.parametrize("said", ["SOS", "what do I do"])
def test_a_cry_or_a_question_proves_no_number(hook: Hook, clock: Clock, said: str) -> None:
    invited = mallory_invites(LEO, clock)
    hook.text(LEO, said)
    assert not is_proved(invited)


def test_leo_who_keeps_a_watch_too_still_goes_to_sam(hook: Hook, clock: Clock) -> None:
    hook.text(LEO, "GO")
    night = alarmed_night(clock)
    hook.text(LEO, "1")
    assert night.row().state == "claimed"
    hook.text(LEO, "SOS")
    mine = WatchRow.objects.exclude(person=night.person)
    assert [row.state for row in mine] == ["alarm"]


def leo_keeps_a_watch_too() -> SamsNight:
    """Leo, who is on Sam's list, has a list and a number of his own."""
    leo = sams_night(phones=False)
    address_book.set_own_addresses(leo.person, ways(101))
    address_proof.vouch(leo.person)
    return leo


@pytest.mark.parametrize("said", ["calling 911", "I'm calling 911 now", "llamé al 911"])
def test_who_calls_an_ambulance_for_sam_cries_not_for_help(
    hook: Hook, clock: Clock, said: str
) -> None:
    leo = leo_keeps_a_watch_too()
    sam = alarmed_night(clock)
    hook.text(LEO, said)
    assert not WatchRow.objects.filter(person=leo.person).exists()
    assert sam.row().state == "alarm"
    assert said_to(LEO, clock), "it is answered"


@pytest.mark.parametrize("said", ["SOS", "help me", "calling 911 im dying", "no puedo respirar"])
def test_any_other_cry_of_theirs_is_their_own(hook: Hook, clock: Clock, said: str) -> None:
    leo = leo_keeps_a_watch_too()
    alarmed_night(clock)
    hook.text(LEO, said)
    assert WatchRow.objects.get(person=leo.person).alarms == 1


def test_a_digit_that_we_asked_for_is_an_answer_and_no_cry(hook: Hook, clock: Clock) -> None:
    leo = leo_keeps_a_watch_too()
    sam = alarmed_night(clock)
    for words in ("4", "taking him to hospital"):
        hook.text(LEO, words)
        deliver(clock)
        clock.advance(10)
    hook.text(LEO, "9")
    assert not WatchRow.objects.filter(person=leo.person).exists()
    assert sam.row().outcome == "hospital"


def test_such_a_digit_that_comes_late_is_no_cry_either(hook: Hook, clock: Clock) -> None:
    sam = alarmed_night(clock)
    for words in ("4", "taking him to hospital"):
        hook.text(LEO, words)
        deliver(clock)
        clock.advance(10)
    WatchRow.objects.update(state="open")  # ended by somebody else
    hook.text(LEO, "9")
    assert WatchRow.objects.get().id == sam.watch


def test_an_alarm_of_a_list_that_leo_never_joined_takes_no_answer(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock, ("Leo",), ("Maya",))
    invited = mallory_invites(LEO, clock)
    mallory = SamsNight(invited.person, "", {})
    mallory.start()
    mallory.does(CallForHelp())
    tick_all()
    deliver(clock)
    assert Message.objects.filter(word="help", contact=invited, attempts__gt=0).exists()
    hook.text(LEO, "1")
    assert night.row().state == "claimed"
    hook.text(LEO, "4")
    assert night.row().state == "attended"
    assert mallory.row().state == "alarm"
    assert not is_proved(invited)


def test_while_their_own_watch_is_open_calling_an_ambulance_is_a_cry(
    hook: Hook, clock: Clock
) -> None:
    leo = leo_keeps_a_watch_too()
    watched(leo)
    alarmed_night(clock)
    hook.text(LEO, "calling 911")
    assert WatchRow.objects.get(person=leo.person).alarms == 1


def test_no_alarm_of_mallorys_takes_the_cry_of_somebody_who_never_said_yes(
    hook: Hook, clock: Clock
) -> None:
    leo = leo_keeps_a_watch_too()
    sam = alarmed_night(clock)
    Contact.objects.filter(id=sam.contacts["Leo"].id).update(status=Contact.Status.INVITED)
    hook.text(LEO, "calling 911")
    assert WatchRow.objects.get(person=leo.person).alarms == 1
