"""Whoever has only texts is somebody: a name, a place, a way in, a number and a time of day."""

from __future__ import annotations

import pytest

from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.people import persons
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change
from tests.conftest import Clock
from tests.hook import MAYA, SAM, Hook, asked_night, deliver

pytestmark = pytest.mark.usefixtures("database")


def note(name: str) -> str:
    return sealed_columns.person_note(Person.objects.get(), name)


@pytest.mark.parametrize(
    ("text", "field", "kept"),
    [
        ("NAME Sam", "name", "Sam"),
        ("my name is José Luis", "name", "José Luis"),
        ("Nombre: Sam", "name", "Sam"),
        ("me llamo Sam", "name", "Sam"),
        ("ADDRESS 12 Elm St, apt 3", "place", "12 Elm St, apt 3"),
        ("I'm at 12 Elm St", "place", "12 Elm St"),
        ("estoy en Calle 5 #12", "place", "Calle 5 #12"),
        ("dirección Calle 5 núm. 12", "place", "Calle 5 núm. 12"),
        ("DOOR key at Ana's, 2nd floor", "entry", "key at Ana's, 2nd floor"),
        ("puerta la llave la tiene Ana", "entry", "la llave la tiene Ana"),
    ],
)
def test_a_note_by_text_is_kept_sealed(
    hook: Hook, clock: Clock, text: str, field: str, kept: str
) -> None:
    hook.text(SAM, "GO")
    hook.text(SAM, text)
    assert note(field) == kept
    assert kept.encode() not in bytes(getattr(Person.objects.get(), field))
    assert Message.objects.filter(word__in=["reply-named", "reply-kept"]).count() == 1
    assert WatchRow.objects.get().state == "open", "and it rings nobody"


def test_a_note_is_no_sign_of_life_and_a_cry_is_no_note(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    grace_at = night.row().grace_at
    hook.text(SAM, "ADDRESS 12 Elm St")
    assert (night.row().state, night.row().grace_at) == ("asking", grace_at)
    hook.text(SAM, "im at 12 elm st help me")
    assert night.row().state == "alarm"
    assert note("place") == "12 Elm St"


@pytest.mark.parametrize("text", ["im at home", "NAME", "door"])
def test_what_says_nothing_is_not_kept(hook: Hook, clock: Clock, text: str) -> None:
    hook.text(SAM, "GO")
    hook.text(SAM, text)
    assert not any(note(field) for field in ("name", "place", "entry"))


def test_with_a_pin_no_text_sends_people_elsewhere(hook: Hook, clock: Clock) -> None:
    hook.text(SAM, "GO")
    persons.set_pin(Person.objects.get(), "hashed")
    hook.text(SAM, "ADDRESS 99 Trap St")
    assert note("place") == ""
    assert Message.objects.filter(word="reply-pin").exists()


@pytest.fixture
def alarm(hook: Hook, clock: Clock) -> Person:
    """Sam has texts alone, Maya said yes, and Sam asks for help."""
    for text in ("GO", "NAME Sam", "ADDRESS 12 Elm St", "DOOR key at Ana's", "ADD Maya 2025550102"):
        hook.text(SAM, text)
    deliver(clock)
    hook.text(MAYA, "1")
    clock.advance(86_400)  # so long nobody who was added by text hears a place
    apply.apply_batch([Change(CallForHelp(), watch=WatchRow.objects.get().id)])
    deliver(clock)
    return Person.objects.get()


def texts(clock: Clock, to: str = MAYA) -> list[str]:
    leased = delivery.lease("text", clock.now, 50, 20)
    delivery.record([m.result(Receipt(Fate.ACCEPTED, provider_ref="p")) for m in leased], clock.now)
    return [render.render(m, m.to).text for m in leased if m.to == to]


PLACE = "Sam: 12 Elm St. To get in: key at Ana's. Delete this text afterwards."


THANKS, PLACE_ES = "Thank you. The others hear", "Sam: 12 Elm St. Para entrar: key at Ana's."


@pytest.mark.parametrize(
    ("text", "thanks", "place"),
    [
        *((text, THANKS, PLACE) for text in ("where?", "address", "where is he")),
        ("¿dónde está?", "Gracias. Avisamos a los otros", PLACE_ES),  # in their own language
    ],
)
def test_where_is_told_after_a_claim_only(
    hook: Hook, clock: Clock, alarm: Person, text: str, thanks: str, place: str
) -> None:
    clock.advance(5)
    hook.text(MAYA, text)
    [said] = texts(clock)
    assert "Elm" not in said
    clock.advance(5)
    hook.text(MAYA, "1")
    [going] = texts(clock)
    clock.advance(1)
    [told] = texts(clock)
    assert going.startswith(thanks)
    assert told.startswith(place), "unasked"
    clock.advance(5)
    hook.text(MAYA, text)
    assert texts(clock)[0].startswith(place)
    clock.advance(5)
    hook.text(MAYA, "2")
    texts(clock)
    clock.advance(5)
    hook.text(MAYA, text)
    assert "Elm" not in texts(clock)[0], "they do not come after all"


def test_the_place_goes_to_nobody_to_whom_the_door_is_not_shown(
    hook: Hook, clock: Clock, alarm: Person
) -> None:
    Contact.objects.update(door=False)
    clock.advance(5)
    hook.text(MAYA, "1")
    clock.advance(5)
    texts(clock)
    hook.text(MAYA, "where?")
    assert not any("Elm" in said for said in texts(clock))


def test_the_alarm_says_their_name_their_number_and_their_own_time(
    hook: Hook, clock: Clock
) -> None:
    for text in ("GO", "NAME Sam", "ADDRESS 12 Elm St", "ADD Maya 202-555-0102"):
        hook.text(SAM, text)
    deliver(clock)
    hook.text(MAYA, "1")
    maya = Contact.objects.get()
    assert maya.status == "confirmed"
    person = Person.objects.get()
    assert person.tz == "America/New_York"
    apply.apply_batch([Change(CallForHelp(), watch=WatchRow.objects.get().id)])
    said = [
        render.render(m, m.to).text
        for m in delivery.lease("text", clock.now, 50, 20)
        if m.word == "help"
    ]
    assert said == [
        "Sam asks for help NOW, at 17:00. Their phone: +12025550100. Reply 1 going, 2 can't."
    ]
