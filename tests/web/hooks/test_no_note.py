"""Ordinary texts of somebody on watch that begin like a note, and what is one."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.store.models import Message, Person
from stillhere.store.models.sealed_columns import person_note
from stillhere.store.people import persons
from tests.circle import SamsNight, sams_night
from tests.hook import SAM
from tests.web.strangers import Town, town

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]


def on_watch(town: Town, **plan: str) -> SamsNight:
    night = sams_night(("Leo",), ("Maya",))
    persons.set_plan(night.person, **plan)
    Message.objects.update(status="sent")
    night.start()
    night.does(ev.Marked())
    town.live(30)
    return night


def plan(night: SamsNight) -> tuple[str, ...]:
    sam = Person.objects.get(id=night.person.id)
    return tuple(person_note(sam, field) for field in ("name", "place", "entry"))


NO_NOTE = [
    "I'm at 10 percent battery", "im at 2 pills", "place is spinning", "Estoy en 3 minutos",
    "toy en 10", "call me asap", "call me when you can", "Soy yo", "soy la hermana de Ana",
    "door wont open", "door is stuck", "puerta no abre", "10 way too much",
    "im at 2 pills of the street stuff", "me llamó la policía", "estoy en el parque y tengo sueño",
    "addressed it", "muerta", "im in the park so tired",
    "get in line", "get in touch w me", "address of the van?", "name of that street?",
    "domicilio equivocado", "how to get in shape", "para entrar en calor",
    "12 Elm Street", "I'm at 99 Nowhere Rd", "estoy en Calle 5 #12",
]  # fmt: skip


@pytest.mark.parametrize("said", NO_NOTE)
def test_what_is_no_note_changes_no_plan_and_rings(town: Town, said: str) -> None:
    night = on_watch(town)
    town.hook.text(SAM, said)
    assert plan(night) == ("Sam", "12 Elm Street", "code 4711")
    assert night.row().unclear_at is not None


@pytest.mark.parametrize("said", NO_NOTE[:-3])
def test_what_does_not_look_like_a_place_fills_no_empty_note_and_rings(
    town: Town, said: str
) -> None:
    night = on_watch(town, name="", place="", entry="")
    town.hook.text(SAM, said)
    assert plan(night) == ("", "", "")
    assert night.row().unclear_at is not None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("12 Elm Street, apt 3", "12 Elm Street, apt 3"),
        ("I'm at 99 Nowhere Rd", "99 Nowhere Rd"),
        ("estoy en Calle 5 #12", "Calle 5 #12"),
        ("im in the bathroom at the library", "the bathroom at the library"),
        ("5th and Main", "5th and Main"),
        ("domicilio: Calle 5 #12", "Calle 5 #12"),
        ("estoy en la biblioteca", "la biblioteca"),
    ],
)
def test_what_looks_like_a_place_fills_an_empty_note(town: Town, said: str, kept: str) -> None:
    night = on_watch(town, place="")
    town.hook.text(SAM, said)
    assert plan(night) == ("Sam", kept, "code 4711")


@pytest.mark.parametrize(
    ("said", "place"),
    [("adress 99 Oak Ave", "99 Oak Ave"), ("Direcion: Calle 5", "Calle 5"),
     ("ADDRESS just moved to 99 Oak Ave", "just moved to 99 Oak Ave"),
     ("my address is 99 Oak Ave", "99 Oak Ave"), ("ADDRES 99 Oak Ave", "99 Oak Ave")],
)  # fmt: skip
def test_address_with_one_letter_wrong_is_address(town: Town, said: str, place: str) -> None:
    night = on_watch(town)
    town.hook.text(SAM, said)
    assert plan(night) == ("Sam", place, "code 4711")


def test_nobody_fills_the_note_of_somebody_with_a_pin(town: Town) -> None:
    night = on_watch(town, place="")
    persons.set_pin(night.person, "hashed")
    town.hook.text(SAM, "12 Elm Street")
    assert plan(night)[1] == ""
    assert night.row().unclear_at is not None


@pytest.mark.parametrize(
    ("said", "entry"),
    [("how to get in: key under the mat", "key under the mat"),
     ("para entrar, la llave la tiene Ana", "la llave la tiene Ana"),
     ("get in by the back door", "the back door"), ("DOOR", ""), ("door?", "")],
)  # fmt: skip
def test_what_looks_like_a_way_in_fills_an_empty_note(town: Town, said: str, entry: str) -> None:
    night = on_watch(town, entry="")
    town.hook.text(SAM, said)
    assert plan(night)[2] == entry
    assert Message.objects.filter(word__in=["reply-kept", "reply-note-how"]).exists()


@pytest.mark.parametrize(("said", "rings"), [("add more to it now", True), ("ADD", False)])
def test_add_with_words_that_are_no_number_is_answered_and_rings(
    town: Town, said: str, rings: bool
) -> None:
    night = on_watch(town)
    town.hook.text(SAM, said)
    assert (night.row().unclear_at is not None) == rings
    assert Message.objects.filter(word="reply-add-how").exists()
