"""The whole watch by text: from a number we never heard of to "erase me"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Inbound, Receipt
from stillhere.core.schedule import Routine
from stillhere.engine import render
from stillhere.engine.erasure import erase_once
from stillhere.store.db import encryption
from stillhere.store.inbound import inbox
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Message, Person, WatchRow
from stillhere.store.people import invitations
from stillhere.store.program import shifts
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp
from tests.channels.accounts import carrier_of
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, MAYA, SAM, asked_night, deliver

pytestmark = pytest.mark.usefixtures("database")

NEW = "+12025550177"
_count = 0


def text(number: str, words: str, **more: Any) -> None:
    """Somebody texts us."""
    global _count  # noqa: PLW0603
    _count += 1
    inbox.take(Inbound("text", f"t{_count}", "text", sender=number, text=words, **more))


def said(number: str, clock: Clock) -> str:
    """The last text that leaves for a number, as it reads; nothing where none does."""
    texts = [
        render.render(m, m.to).text
        for m in delivery.lease("text", clock.now, 50, 20)
        if m.to == number
    ]
    return texts[-1] if texts else ""


def person_of(number: str) -> Person:
    found = Address.objects.get(lookup=encryption.lookup("text", number), person__isnull=False)
    assert found.person is not None
    return found.person


def quiet(*rungs: tuple[str, ...]) -> SamsNight:
    """Sam without a watch; the invitations have gone out."""
    night = sams_night(*(rungs or (("Leo",),)))
    Message.objects.update(status="sent")
    return night


# --- somebody we never heard of -------------------------------------------------------------------


def test_go_from_a_new_number_is_a_watch_without_an_account(clock: Clock) -> None:
    text(NEW, "Go!")
    watch = WatchRow.objects.get(person=person_of(NEW), closed_at__isnull=True)
    assert watch.state == "open"
    says = said(NEW, clock)
    assert says.startswith("It's on. We ask soon: reply OK.")
    assert "text prices apply" in says
    clock.advance(180)
    tick_all()
    clock.advance(5)
    tick_all()
    assert said(NEW, clock).startswith("Still here? Reply OK.")
    text(NEW, "ok 👍")
    watch.refresh_from_db()
    assert watch.state == "open"


def test_whoever_writes_spanish_is_answered_in_spanish(clock: Clock) -> None:
    text(NEW, "Empezar")
    assert said(NEW, clock).startswith("Listo.")
    text(NEW, "more")
    assert said(NEW, clock).startswith("More time.")


def test_a_cry_for_help_from_a_new_number_is_told_the_truth(clock: Clock) -> None:
    text(NEW, "SOS please")
    watch = WatchRow.objects.get(person=person_of(NEW), closed_at__isnull=True)
    assert watch.state == "alarm"
    assert said(NEW, clock).endswith("Call now: 911, SafeSpot 800-972-0590.")


@pytest.mark.parametrize("words", ["STOP", ""])
def test_no_word_of_these_from_a_new_number_is_answered(words: str, clock: Clock) -> None:
    text(NEW, words)
    assert not Person.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("words", ["hi", "Hola", "START", "HELP", "yes", "win $$$ now"])
def test_a_number_that_nobody_has_hears_once_what_this_is(words: str, clock: Clock) -> None:
    for _ in range(3):
        text(NEW, words)
    hello = said(NEW, clock)
    assert "Lamp" in hello
    assert "911" in hello
    assert Message.objects.count() == 1
    assert not WatchRow.objects.exists()
    with pytest.raises(Address.DoesNotExist):
        person_of(NEW)


@pytest.mark.parametrize(("words", "says"), [("SOS", "are being called"), ("GO", "on shift come")])
def test_whoever_is_on_shift_comes_for_a_stranger_who_texts(
    words: str, says: str, clock: Clock
) -> None:
    shifts.begin(shifts.add("Vera", "+12025550150", "en"), 4)
    text(NEW, words)
    told = said(NEW, clock)
    assert says in told
    assert "ADDRESS" in told
    assert [c.responder is not None for c in person_of(NEW).contacts.all()] == [True]


def test_a_number_that_is_none_makes_nobody(clock: Clock) -> None:
    text("22395", "GO")
    text("anonymous", "GO")
    assert not Person.objects.exists()


# --- the list -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["ADD Maya (202) 555-0142", "add maya 202.555.0142", "Agregar Maya +1 202 555 0142"],
)
def test_somebody_is_added_by_text_and_joins_by_text(words: str, clock: Clock) -> None:
    text(NEW, "go")
    text(NEW, words)
    contact = Contact.objects.get(person=person_of(NEW))
    assert encryption.unseal(contact.name, "contact.name", contact.nonce).lower() == "maya"
    assert "may we reach you" in said("+12025550142", clock) or contact.lang == "es"
    text("+12025550142", "1")
    contact.refresh_from_db()
    assert contact.status == "confirmed"


def test_whoever_is_added_without_a_name_has_the_end_of_their_number(clock: Clock) -> None:
    text(NEW, "go")
    said(NEW, clock)
    text(NEW, "ADD 2025550142")
    assert "0142 is asked by text" in said(NEW, clock)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("ADD", "Reply ADD, a name and a phone number"),
        ("ADD Maya 12", "Reply ADD, a name and a phone number"),
        (f"ADD me {NEW}", "This is your own number"),
    ],
)
def test_a_number_that_cannot_be_added_is_answered_kindly(
    words: str, says: str, clock: Clock
) -> None:
    text(NEW, "go")
    said(NEW, clock)
    text(NEW, words)
    assert says in said(NEW, clock)
    assert not Contact.objects.exists()


def test_adding_911_calls_nobody(clock: Clock) -> None:
    quiet(("Leo",))
    text(SAM, "ADD Bob 911")
    assert "Reply ADD, a name and a phone number" in said(SAM, clock)
    assert not WatchRow.objects.exists()


def test_whoever_is_on_the_list_already_is_not_asked_again(clock: Clock) -> None:
    quiet(("Leo",))
    text(SAM, "ADD Bob +12025550101")
    assert said(SAM, clock) == "That number is on your list already: Leo."
    assert Contact.objects.count() == 1


def test_an_invitation_that_must_wait_is_not_called_sent(clock: Clock, settings: Settings) -> None:
    quiet(("Leo",))
    capped = replace(carrier_of("twilio", "https://api.example.org"), cap=1)
    settings.STILLHERE = replace(settings.STILLHERE, carriers=(capped,))
    Message.objects.create(
        key="paid", channel="text", word="ask", urgency=3, due_at=1, created_at=clock.now,
        status="delivered", carrier="one", cost_micros=2_000_000, currency="USD",
    )  # fmt: skip
    text(SAM, "ADD Zoe 2025550142")
    assert said(SAM, clock) == "Zoe is on your list. We ask them as soon as we may send it."


def test_a_no_to_an_invitation_is_one_also_while_an_alarm_is_open(clock: Clock) -> None:
    night = quiet(("Leo",))
    text(SAM, "ADD Maya 2025550142")
    said("+12025550142", clock)
    night.start()
    night.does(CallForHelp())
    text("+12025550142", "no thanks")
    maya = Contact.objects.exclude(id=night.contacts["Leo"].id).get()
    assert maya.status == "left"
    assert "not part of this alarm" not in said("+12025550142", clock)


def test_the_list_says_who_has_not_said_yes(clock: Clock) -> None:
    night = quiet(("Leo", "Maya"))
    Contact.objects.filter(id=night.contacts["Maya"].id).update(status="invited")
    text(SAM, "who is on my list?")
    assert said(SAM, clock) == "On your list: Leo, Maya?. A ? has not said yes. ADD adds."
    Contact.objects.all().delete()
    text(SAM, "List")
    assert "Nobody is on your list" in said(SAM, clock)


# --- stop, and start again ------------------------------------------------------------------------


@pytest.mark.parametrize("by_carrier", [True, False])
def test_stop_during_a_watch_ends_texts_and_calls_to_that_phone_and_not_the_watch(
    by_carrier: bool, clock: Clock
) -> None:
    night = quiet()
    night.start()
    before = night.row().next_ask_at
    clock.advance(10)
    text(SAM, "whatever" if by_carrier else "STOP", opted_out=by_carrier)
    assert (night.row().state, night.row().next_ask_at) == ("open", before)
    live(clock, 300)
    assert night.row().state == "alarm"
    asks = Message.objects.filter(person=night.person, word__in=["ask", "ask-ring"])
    assert not asks.exists()


def test_start_lets_texts_through_again(clock: Clock) -> None:
    night = quiet()
    night.start()
    text(SAM, "STOP", opted_out=True)
    text(SAM, "START")
    assert not Address.objects.filter(state="opted-out").exists()
    assert "We can text you again" in said(SAM, clock)


def test_whoever_said_stop_to_us_is_not_written_to_by_a_start(clock: Clock) -> None:
    """It may be forged. They can be asked again, and say hello."""
    text(NEW, "STOP")
    text(NEW, "START")
    assert not Message.objects.exists()
    text(NEW, "hola")
    assert "Lamp" in said(NEW, clock)


def test_a_contact_who_says_stop_leaves_and_sam_hears_it_now(clock: Clock) -> None:
    night = quiet()
    text(LEO, "Stop", opted_out=True)
    assert Contact.objects.get(id=night.contacts["Leo"].id).status == "left"
    assert said(SAM, clock).startswith("Leo cannot be reached any more.")
    text(LEO, "1")
    assert Contact.objects.get(id=night.contacts["Leo"].id).status == "left"


def test_a_number_that_died_is_told_to_sam_once_no_way_is_left(clock: Clock) -> None:
    night = asked_night(clock)
    clock.advance(40)
    tick_all()
    for channel in ("text", "call"):
        leased = [m for m in delivery.lease(channel, clock.now, 50, 20) if m.to == LEO]
        fates = [m.result(Receipt(Fate.FAILED, why="dead")) for m in leased]
        delivery.record(fates, clock.now)
    assert Message.objects.filter(word="gap", person=night.person).count() == 1


# --- rest, and the end ----------------------------------------------------------------------------


def test_pause_rests_only_what_is_asked_daily(clock: Clock) -> None:
    night = quiet()
    night.start()
    text(SAM, "pause 3 days")
    assert "no daily question" in said(SAM, clock)
    assert night.row().state == "open"


def test_nobody_reads_that_nobody_watches_while_something_is_asked_daily(clock: Clock) -> None:
    night = quiet()
    ten = Routine(frozenset(range(7)), 22 * 60, "America/New_York")
    apply.start(night.person.id, "routine", routine=ten)
    text(SAM, "done")
    assert said(SAM, clock) == "Only what is asked every day is on. Reply GO to start a watch."
    night.start()
    text(SAM, "done")
    assert said(SAM, clock) == "It ended. What is asked every day goes on. GO starts again."


@pytest.mark.parametrize("number", [LEO, SAM, "+12025550177"])
def test_with_a_pin_adding_tells_nobody_who_is_on_the_list(clock: Clock, number: str) -> None:
    sams_night(("Leo",))
    Message.objects.update(status="sent")
    Person.objects.update(pin="hashed")
    text(SAM, f"add {number}")
    assert said(SAM, clock) == "If we may text that number, we ask it. Your page says who said yes."


@pytest.mark.parametrize(("words", "rests"), [("pause 52 weeks", False), ("pause", True)])
def test_with_a_pin_a_text_pauses_a_day_at_most(clock: Clock, words: str, rests: bool) -> None:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    Person.objects.update(pin="hashed")
    routine = Routine(frozenset(range(7)), 22 * 60, "America/New_York")
    watch = apply.start(night.person.id, "routine", routine=routine)
    before = WatchRow.objects.get(id=watch).next_ask_at
    text(SAM, words)
    assert (WatchRow.objects.get(id=watch).next_ask_at != before) == rests
    assert ("PIN" in said(SAM, clock)) != rests


def test_with_a_pin_nothing_is_listed_shown_or_erased_by_text(clock: Clock) -> None:
    """Half a minute with Sam's phone is enough to write a text: the PIN stands before the same."""
    night = quiet()
    Person.objects.update(pin="hashed")
    for word in ("LIST", "delete me", "delete me"):
        text(SAM, word)
        assert said(SAM, clock) == "You set a PIN, so this is done on your page."
    assert Person.objects.exists()
    text(SAM, "ADD Mum 202-555-0166")
    assert not night.person.contacts.latest("id").door


def test_erase_me_said_once_an_hour_is_said_once(clock: Clock) -> None:
    quiet()
    text(SAM, "delete me")
    clock.advance(601)
    text(SAM, "delete me")
    assert Person.objects.exists()


def test_done_ends_it_and_more_moves_it(clock: Clock) -> None:
    night = quiet()
    night.start()
    ends_at = night.row().ends_at
    text(SAM, "MORE")
    assert (night.row().ends_at or 0) > (ends_at or 0)
    text(SAM, "done")
    assert night.row().state == "closed"


# --- who is this ----------------------------------------------------------------------------------


def test_a_contact_who_asks_who_we_are_is_told(clock: Clock) -> None:
    quiet()
    text(LEO, "who is this?")
    assert said(LEO, clock).startswith("This is Lamp. Sam chose you")


def test_a_stranger_with_a_recycled_number_hears_no_name(clock: Clock) -> None:
    quiet()
    text(SAM, "who is this?")
    says = said(SAM, clock)
    assert says.startswith("This is Lamp.")
    assert "Sam" not in says
    assert "Leo" not in says


def test_a_picture_is_no_check_in(clock: Clock) -> None:
    night = asked_night(clock)
    deliver(clock)
    text(SAM, "", pictures=1)
    assert night.row().state == "asking"
    assert night.row().unclear_at == clock.now


def test_two_people_with_one_phone_are_each_heard(clock: Clock) -> None:
    night = asked_night(clock)
    other = sams_night(("Ana",))
    other.start()
    other.does(ev.Marked())
    text(SAM, "ok")
    assert night.row().state == "open" or other.row().seen_at == clock.now


def test_mallory_ends_nothing(clock: Clock) -> None:
    night = asked_night(clock)
    for words in ("ok", "done", "delete", "delete", "list", "STOP"):
        text(MALLORY, words)
        text(MAYA, words)
    assert night.row().state == "asking"
    assert Person.objects.filter(id=night.person.id).exists()


def test_the_day_after_nothing_of_a_phone_is_left(clock: Clock) -> None:
    text(NEW, "go")
    text(NEW, "done")
    clock.advance(25 * 3600)
    erase_once(clock.now)
    assert not Person.objects.exists()
    assert not Address.objects.exists()
    text(NEW, "go")
    text(NEW, "add Maya 2025550142")
    text(NEW, "done")
    clock.advance(25 * 3600)
    erase_once(clock.now)
    assert Person.objects.count() == 1, "whoever has a list stays"


@pytest.mark.parametrize("status", [Contact.Status.LEFT, Contact.Status.REMOVED])
def test_a_yes_that_comes_after_the_no_changes_nothing(
    status: Contact.Status, clock: Clock
) -> None:
    night = quiet()
    before = Contact.objects.get(id=night.contacts["Leo"].id)
    invitations.leave(Contact.objects.get(id=before.id), status)
    invitations.join(before)
    assert Contact.objects.get(id=before.id).status == status
