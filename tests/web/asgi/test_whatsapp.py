"""WhatsApp: the same words as by text, and an address of its own beside the text of that number."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from stillhere.config.wiring import build_channels
from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.core.refusals import Refusal
from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import (
    Address,
    Contact,
    Message,
    Person,
    Suppression,
    sealed_columns,
)
from stillhere.store.people import address_book, invitations
from stillhere.store.people.numbers import address_proof, strangers
from stillhere.store.problems import Problem, Reached
from tests.channels.accounts import OURS, carrier_of
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, SAM, alarmed_night
from tests.web.asgi.carrier_posts import Phone, inbox, phone
from tests.web.conftest import browser, post
from tests.web.lane import Answered
from tests.web.pages import text_of

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["inbox", "phone"]  # fixtures

NOT_ASKED_YET = 0


def writes(phone: Phone, words: str, sender: str = SAM, sid: str = "SM1") -> Answered:
    """Somebody writes to our sender, as Twilio tells it."""
    fields = {
        "MessageSid": sid,
        "From": f"whatsapp:{sender}",
        "To": f"whatsapp:{OURS}",
        "Body": words,
        "NumMedia": "0",
        "WaId": sender.removeprefix("+"),
        "ProfileName": "Sam",
    }
    return phone.twilio("text", fields)


def told(phone: Phone, message: Message, status: str, code: str = "") -> Answered:
    """What became of a message of ours."""
    fields = {
        "MessageSid": f"p-{message.id}",
        "MessageStatus": status,
        "From": f"whatsapp:{OURS}",
        "To": f"whatsapp:{SAM}",
        "ChannelPrefix": "whatsapp",
    }
    more = {"ErrorCode": code} if code else {}
    return phone.twilio("status", fields | more, f"m={message.id}")


def by_whatsapp(clock: Clock, *, proved: bool = True, number: str = SAM) -> SamsNight:
    """Sam is asked by WhatsApp alone, and on the list are Leo and Maya."""
    night = sams_night(("Leo",), ("Maya",), phones=False)
    address_book.set_own_addresses(night.person, [Reached("whatsapp", number, rings=False)])
    if proved:
        address_proof.vouch(night.person)
    Message.objects.filter(word="invite").update(status="sent")
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5):
        clock.advance(wait_s)
        tick_all()
    return night


def left(clock: Clock) -> list[tuple[Message, str]]:
    """What leaves by WhatsApp now, each with its words."""
    found = []
    for leased in delivery.lease("whatsapp", clock.now, 50, 20):
        outgoing = render.render(leased, leased.to)
        receipt = Receipt(Fate.ACCEPTED, provider_ref=f"p-{leased.id}", carrier="one")
        delivery.record([leased.result(receipt)], clock.now)
        found.append((Message.objects.get(id=leased.id), outgoing.text))
    return found


def test_an_ask_goes_out_and_is_answered_there(phone: Phone, clock: Clock) -> None:
    night = by_whatsapp(clock)
    [(ask, words)] = left(clock)
    assert (ask.word, words) == ("ask", "Sam: still here? Reply OK.")
    assert writes(phone, "ok").status == 200
    assert night.row().state == "open"


def test_an_answer_from_mexico_is_that_of_the_number_that_was_typed(
    phone: Phone, clock: Clock
) -> None:
    """WhatsApp writes its mobiles with a 1 that is dialed no more."""
    night = by_whatsapp(clock, number="+525512345678")
    assert writes(phone, "ok", "+5215512345678").status == 200
    assert night.row().state == "open"


def test_a_cry_for_help_there_reaches_the_people_and_is_answered_there(
    phone: Phone, clock: Clock
) -> None:
    night = by_whatsapp(clock)
    left(clock)
    assert writes(phone, "help me please").status == 200
    assert night.row().state == "alarm"
    assert [message.word for message, _ in left(clock)] == ["reply-helping"]
    assert not Message.objects.filter(channel="text", contact=None).exists()


def test_an_answer_is_known_as_one_and_an_ask_is_none(phone: Phone, clock: Clock) -> None:
    """What answers their words leaves as it is, everything else in the template."""

    def leaving() -> dict[str, bool]:
        leased = delivery.lease("whatsapp", clock.now, 50, 20)
        return {each.word: render.render(each, each.to).answers for each in leased}

    by_whatsapp(clock)
    assert leaving() == {"ask": False}
    writes(phone, "help")
    assert leaving() == {"reply-helping": True}


def test_a_contact_says_im_going_there(phone: Phone, clock: Clock) -> None:
    night = alarmed_night(clock)
    leo = night.contacts["Leo"]
    way = Reached("whatsapp", LEO, rings=False)
    address_book.add_address(way, contact=leo, now=clock.now, proved_at=clock.now)
    assert writes(phone, "on my way 3 min", LEO).status == 200
    assert night.row().state == "claimed"
    assert next(message.word for message, _ in left(clock)) == "reply-going"


def test_five_times_the_same_message_is_one(phone: Phone, clock: Clock) -> None:
    by_whatsapp(clock)
    for _ in range(5):
        assert writes(phone, "help").status == 200
    assert len([m for m, _ in left(clock) if m.word == "reply-helping"]) == 1


def test_what_is_not_signed_says_nothing_there_either(phone: Phone, clock: Clock) -> None:
    night = by_whatsapp(clock)
    fields = {"MessageSid": "SM1", "From": f"whatsapp:{SAM}", "Body": "ok"}
    assert phone.twilio("text", fields, secret="guessed").status == 403
    assert night.row().state == "asking"


# --- its own address ------------------------------------------------------------------------------


def test_a_number_proved_by_text_is_not_proved_there(phone: Phone, clock: Clock) -> None:
    """The account of a number may be somebody else's than its SIM."""
    night = sams_night(("Leo",))
    both = [*night.person.addresses.all()]
    way = Reached("whatsapp", SAM, rings=False)
    address_book.add_own_addresses(night.person, [way])
    there = Address.objects.get(person=night.person, channel="whatsapp")
    assert there.proved_at == NOT_ASKED_YET
    assert all(address.proved_at for address in both)
    night.start()
    assert writes(phone, "ok").status == 200
    there.refresh_from_db()
    assert there.proved_at == NOT_ASKED_YET, "an answer to nothing we sent there"


def test_what_is_written_there_is_never_a_text_of_that_number(phone: Phone, clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    assert writes(phone, "ok").status == 200
    assert night.row().state == "asking", "nobody has said that this account is Sam's"


def test_stop_there_ends_that_way_and_no_text(phone: Phone, clock: Clock) -> None:
    night = by_whatsapp(clock)
    others = sams_night(("Leo",))
    assert writes(phone, "STOP").status == 200
    state = Address.objects.get(person=night.person, channel="whatsapp").state
    assert state == Address.State.OPTED_OUT
    assert set(others.person.addresses.values_list("state", flat=True)) == {Address.State.OK}
    assert Suppression.objects.count() == 1


def test_a_contacts_stop_there_takes_them_off_the_list(phone: Phone, clock: Clock) -> None:
    night = sams_night(("Leo",), ("Maya",))
    leo = night.contacts["Leo"]
    way = Reached("whatsapp", LEO, rings=False)
    address_book.add_address(way, contact=leo, now=clock.now, proved_at=clock.now)
    assert writes(phone, "STOP", LEO).status == 200
    leo.refresh_from_db()
    assert leo.status == Contact.Status.LEFT


def test_go_from_an_unknown_account_begins_a_watch_that_asks_there_alone(
    phone: Phone, clock: Clock
) -> None:
    assert writes(phone, "GO", MALLORY).status == 200
    person = Person.objects.get(caller=True)
    assert list(person.addresses.values_list("channel", flat=True)) == ["whatsapp"]
    assert [message.word for message, _ in left(clock)] == ["reply-welcome"]


def test_hello_from_an_unknown_account_is_answered_there_once(phone: Phone, clock: Clock) -> None:
    for no in range(2):
        assert writes(phone, "hello, what is this", MALLORY, sid=f"SM{no}").status == 200
    assert [message.word for message, _ in left(clock)] == ["reply-hello"]


def test_the_number_is_typed_on_the_page_as_a_way_of_its_own(settings: Settings) -> None:
    carriers = (carrier_of("whatsapp", "https://api.example.org", carries=("whatsapp",)),)
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="", carriers=carriers)
    settings.BUILD_CHANNELS = build_channels
    night = sams_night(phones=False)
    sam = browser(night.key)
    assert 'name="whatsapp"' in sam.get("/people").content.decode()
    refused = post(sam, "/people", do="add", name="Maya", whatsapp="12")
    assert (refused.status_code, Contact.objects.count()) == (422, 0)
    assert "This number is too short." in text_of(refused)
    post(sam, "/people", do="add", name="Maya", whatsapp="202-555-0102")
    way = Address.objects.get(contact__isnull=False)
    assert (way.channel, sealed_columns.address_value(way)) == ("whatsapp", "+12025550102")
    assert (way.rings, way.proved_at) == (False, 0)


def test_no_page_asks_for_it_where_no_sender_is_set() -> None:
    assert "whatsapp" not in browser(sams_night(phones=False).key).get("/people").content.decode()


# --- what becomes of it ---------------------------------------------------------------------------


def test_read_is_delivered_and_never_an_answer(phone: Phone, clock: Clock) -> None:
    night = by_whatsapp(clock)
    [(ask, _)] = left(clock)
    for status in ("sent", "delivered", "read"):
        assert told(phone, ask, status).status == 204
    ask.refresh_from_db()
    assert ask.status == Message.Status.DELIVERED
    assert night.row().state == "asking"


def test_outside_the_24_hours_the_next_way_is_taken_at_once(phone: Phone, clock: Clock) -> None:
    night = by_whatsapp(clock)
    address_book.add_own_addresses(night.person, [Reached("call", SAM, rings=True)])
    address_proof.vouch(night.person)
    [(ask, _)] = left(clock)
    assert told(phone, ask, "failed", "63016").status == 204
    ask.refresh_from_db()
    assert ask.status == Message.Status.FAILED, "it is not tried there again and again"
    tick_all()
    ring = Message.objects.get(person=night.person, channel="call")
    assert ring.word == "ask-ring"
    way = Address.objects.get(person=night.person, channel="whatsapp")
    assert way.state == Address.State.OK, "tomorrow they may have written again"


def test_who_has_no_whatsapp_hears_that_the_way_is_gone(phone: Phone, clock: Clock) -> None:
    night = by_whatsapp(clock)
    address_book.add_own_addresses(night.person, [Reached("email", "sam@example.org", rings=False)])
    address_proof.vouch(night.person)
    [(ask, _)] = left(clock)
    assert told(phone, ask, "failed", "63003").status == 204
    way = Address.objects.get(person=night.person, channel="whatsapp")
    assert way.state == Address.State.BROKEN
    assert Message.objects.filter(word="way-gone", channel="email").exists()


# --- a number is one number -----------------------------------------------------------------------


def test_a_no_by_text_is_one_to_an_invitation_by_whatsapp(phone: Phone, clock: Clock) -> None:
    phone.text("STOP", MALLORY)
    night = sams_night()
    with pytest.raises(Problem) as problem:
        invitations.add_contact(night.person, "x", [Reached("whatsapp", MALLORY, rings=False)])
    assert problem.value.why is Refusal.SUPPRESSED


def test_the_budget_of_a_number_is_one_however_it_is_reached() -> None:
    one, other = (strangers.limits("help", 1, way, MALLORY) for way in ("text", "whatsapp"))
    assert [each.scope for each in one] == [each.scope for each in other]


def test_a_cry_from_an_account_that_nobody_proved_calls_who_knows_the_number(
    phone: Phone, clock: Clock
) -> None:
    """Sam is known by text alone, and writes there because it is what lies open."""
    night = sams_night(("Leo",))
    night.start()
    assert writes(phone, "SOS").status == 200
    assert night.row().state == "alarm"
    assert Message.objects.filter(word="help", contact=night.contacts["Leo"]).exists()
    assert not Message.objects.filter(channel="whatsapp").exists(), "and the account hears nothing"
    assert Person.objects.count() == 1
