"""The list and adding somebody, by the keys of a phone, as a carrier asks us what to say."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.models import (
    Address,
    Contact,
    Message,
    Person,
    Suppression,
    WatchRow,
    sealed_columns,
)
from stillhere.store.people import opt_out, persons
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO, MALLORY, SAM, alarmed_night, asked_night, said_to
from tests.web.hooks.test_calls import Line, call_to, carriers

__all__ = ["carriers"]
pytestmark = pytest.mark.usefixtures("database")

NEW = "2025550142"


@pytest.fixture
def sam(clock: Clock) -> SamsNight:
    """Sam without a watch, Leo and Maya on the list."""
    night = asked_night(clock)
    night.does(ev.Ended())
    return night


def added(night: SamsNight) -> list[str]:
    """The names of who is on the list now and was not before."""
    new = Contact.objects.filter(person=night.person).order_by("id")
    known = {each.id for each in night.contacts.values()}
    return [sealed_columns.contact_name(c) for c in new if c.id not in known]


def test_three_says_how_many_said_yes_and_texts_their_names(
    client: Client, sam: SamsNight, clock: Clock
) -> None:
    """Whoever rings may have forged the number, which alone reads the names."""
    Contact.objects.filter(id=sam.contacts["Maya"].id).update(status=Contact.Status.INVITED)
    line = Line(client, SAM)
    assert "Press 3 for your list." in line.says
    said = line.press("3")
    assert said.startswith("1 of the 2 people on your list said yes. We text you their names.")
    assert "To add somebody press 4." in said
    assert line.press("3") == said
    assert not {"Leo", "Maya"} & set(re.findall(r"\w+", said))
    [text] = said_to(SAM, clock)
    assert text.startswith("On your list: Leo, Maya?."), "once a call"


def test_a_number_that_reads_no_text_hears_no_name_and_shows_no_door(
    client: Client, sam: SamsNight
) -> None:
    """Nobody there can read who was added, so whoever forged it must not reach the place so."""
    Address.objects.filter(person=sam.person, channel="text").delete()
    line = Line(client, SAM)
    assert line.press("3").startswith("2 of the 2 people on your list said yes. To add")
    for keys in ("4", NEW, "1"):
        line.press(keys)
    assert "We do not tell them where you are" in line.says
    assert not Contact.objects.latest("id").door


def test_four_adds_a_number_that_is_read_back_digit_by_digit(
    client: Client, sam: SamsNight
) -> None:
    line = Line(client, SAM)
    line.press("3")
    assert "Key their phone number, then the pound key." in line.press("4")
    assert 'finishOnKey="#"' in line.twiml
    assert "numDigits" not in line.twiml
    said = line.press(NEW)
    assert "You keyed: 2 0 2 5 5 5 0 1 4 2. Press 1 to add it" in said
    assert added(sam) == [], "nothing is kept before the key that keeps it"
    assert NEW not in line.twiml, "a carrier keeps our addresses in its logs"
    assert "We ask that number by text" in line.press("1")
    assert added(sam) == ["0142"]
    assert Message.objects.filter(word="invite", contact__person=sam.person).exists()
    assert "2 of the 3 people" in line.press("3")


def test_two_keys_it_again_and_a_hang_up_keeps_nothing(client: Client, sam: SamsNight) -> None:
    line = Line(client, SAM)
    line.press("3")
    line.press("4")
    line.press("2025550143")
    assert "Key their phone number" in line.press("2")
    line.press(NEW)
    line.hang_up()
    assert added(sam) == []
    line = Line(client, SAM)
    for keys in ("3", "4", NEW, "1"):
        line.press(keys)
    line.hang_up()
    assert added(sam) == ["0142"]


def test_the_same_turn_told_twice_adds_once(client: Client, sam: SamsNight) -> None:
    line = Line(client, SAM)
    for keys in ("3", "4", NEW):
        line.press(keys)
    before = line.twiml
    line.press("1")
    line.twiml = before
    assert "on your list already" in line.press("1")
    assert added(sam) == ["0142"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("123", "We cannot reach that number."),
        ("2025550100", "This is your own number."),
        ("2025550101", "That number is on your list already. To add"),
    ],
)
def test_what_cannot_be_added_is_said(client: Client, sam: SamsNight, keys: str, says: str) -> None:
    line = Line(client, SAM)
    for each in ("3", "4", keys):
        line.press(each)
    said = line.says if says in line.says else line.press("1")
    assert says in said
    assert line.goes_on
    assert added(sam) == []


def test_a_number_that_said_no_more_is_not_added(
    client: Client, clock: Clock, sam: SamsNight
) -> None:
    opt_out.refuse("text", f"+1{NEW}", Suppression.Why.STOP, clock.now)
    line = Line(client, SAM)
    for keys in ("3", "4", NEW, "1"):
        line.press(keys)
    assert "asked us not to contact it" in line.says
    assert added(sam) == []


def test_with_a_pin_no_name_is_said_and_no_door_is_shown(client: Client, sam: SamsNight) -> None:
    persons.set_pin(sam.person, "2468")
    line = Line(client, SAM)
    said = line.press("3")
    assert "You set a PIN, so this is done on your page." in said
    assert "Leo" not in said
    line.press("4")
    line.press(NEW)
    assert "If we may text that number, we ask it." in line.press("1")
    new = Contact.objects.exclude(id__in=[c.id for c in sam.contacts.values()]).get()
    assert not new.door
    line.press("4")
    line.press("2025550101")
    assert "If we may text that number, we ask it." in line.press("1"), "it tells nobody who is on"


@pytest.mark.parametrize("number", [MALLORY, LEO])
def test_nobody_else_hears_or_changes_the_list(client: Client, sam: SamsNight, number: str) -> None:
    """A stranger and a contact who press the same keys; and an address of a later turn."""
    people = Person.objects.count()
    line = Line(client, number)
    said = line.press("3")
    assert "said yes" not in said
    line = Line(client, number)
    line.twiml = line.twiml.replace("at=unknown", "at=list").replace("at=answer", "at=list")
    line.press("4")
    assert "Key their phone number" not in line.says
    assert "said yes" not in line.says
    assert Person.objects.count() == people
    assert added(sam) == []


def test_on_watch_three_is_a_sign_of_life_first(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    Line(client, SAM)
    clock.advance(20)
    line = Line(client, SAM)
    assert "Press 3 for your list." in line.says
    clock.advance(5)
    assert line.press("3").startswith("2 of the 2 people")
    assert WatchRow.objects.get(id=night.watch).seen_at == clock.now


# --- keys that were not offered -------------------------------------------------------------------


def test_a_key_not_offered_is_asked_back_with_the_menu(client: Client, sam: SamsNight) -> None:
    line = Line(client, SAM)
    menu = line.says
    for key in ("7", "0", "8"):
        assert line.press(key) == menu
        assert line.goes_on
    assert "We ring in 3 minutes" in line.press("1")


def test_a_stranger_who_presses_anything_hears_the_menu_again(client: Client, clock: Clock) -> None:
    line = Line(client, MALLORY)
    menu = line.says
    assert line.press("7") == menu
    assert line.goes_on


def test_in_the_list_and_at_a_number_any_key_is_answered(client: Client, sam: SamsNight) -> None:
    line = Line(client, SAM)
    listed = line.press("3")
    assert line.press("9") == listed
    line.press("4")
    check = line.press(NEW)
    assert line.press("6") == check
    assert line.press("") == "We hang up now. Call again at any time."
    assert not line.goes_on
    assert added(sam) == []


def test_how_soon_is_asked_again_where_the_key_means_nothing(client: Client, clock: Clock) -> None:
    night = alarmed_night(clock)
    line = call_to(client, LEO)
    asks = line.press("1")
    assert asks.startswith(line.press("7"))
    assert "how many minutes" in line.says
    assert line.goes_on
    line.press("3")
    assert night.row().wake_at == clock.now + 180_000


def test_somebody_who_keys_for_ever_is_let_go(client: Client, sam: SamsNight) -> None:
    line = Line(client, SAM)
    for _ in range(70):
        if not line.goes_on:
            break
        line.press("7")
    assert not line.goes_on


def test_in_spanish_the_list_and_the_keys_are_spanish(client: Client, sam: SamsNight) -> None:
    Person.objects.update(lang="es")
    line = Line(client, SAM)
    assert "Marca 3 para oír tu lista." in line.says
    said = line.press("3")
    assert said.startswith(
        "2 de las 2 personas de tu lista dijeron que sí. Te mandamos sus nombres"
    )
    assert line.press("4") == "Marca su número de teléfono y al final la tecla de gato."
    assert "Marcaste: 2 0 2 5 5 5 0 1 4 2. Marca 1 para agregarlo" in line.press(NEW)
    assert "Le preguntamos por mensaje de texto" in line.press("1")
