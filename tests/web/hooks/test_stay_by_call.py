"""Key 5 in the call of an alarm where somebody said that they want to die."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.models import Contact
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO, asked_night, deliver
from tests.web.hooks.test_calls import call_to, carriers

__all__ = ["carriers"]
pytestmark = pytest.mark.usefixtures("database")


def wants_to_die(clock: Clock) -> SamsNight:
    """Sam texts that they want to die: Leo is rung."""
    night = asked_night(clock)
    night.does(CallForHelp(wants_to_die=True))
    deliver(clock)
    return night


def test_five_speaks_first_how_to_be_with_who_wants_to_die(client: Client, clock: Clock) -> None:
    night = wants_to_die(clock)
    line = call_to(client, LEO)
    assert line.says.startswith("Sam says they want to die. Phone or go NOW")
    stay = line.press("5")
    assert stay.startswith("Ask Sam: are you thinking of killing yourself? Listen. Stay.")
    assert "To talk: 9 8 8. Not waking? Press 5." in stay
    assert line.press("") == stay
    assert line.press("3") == stay
    first = line.press("5")
    assert first.startswith("Shout their name.")
    assert line.press("1") != first
    assert night.row().state == "alarm"


def test_in_spanish_five_speaks_it_in_spanish(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    Contact.objects.filter(person=night.person).update(lang="es")
    night.does(CallForHelp(wants_to_die=True))
    deliver(clock)
    line = call_to(client, LEO)
    assert line.says.startswith("Sam dice que quiere morir.")
    stay = line.press("5")
    assert stay.startswith("Pregunta a Sam: ¿piensas en matarte? Escucha y no te vayas.")
    assert "9 8 8. ¿No despierta? Marca 5. Para oírlo otra vez, marca 3." in stay


def test_while_hearing_how_to_stay_a_key_still_answers(client: Client, clock: Clock) -> None:
    night = wants_to_die(clock)
    line = call_to(client, LEO)
    line.press("5")
    assert "how many minutes" in line.press("1")
    assert night.row().state == "claimed"


def test_whoever_is_there_hears_it_before_the_steps_too(client: Client, clock: Clock) -> None:
    wants_to_die(clock)
    there = call_to(client, LEO).press("4")
    assert "Good that you are there. Ask Sam: are you thinking of killing yourself?" in there


def test_how_to_stay_is_not_said_of_an_alarm_that_is_over(client: Client, clock: Clock) -> None:
    night = wants_to_die(clock)
    line = call_to(client, LEO)
    line.press("5")
    night.does(ev.Resolved(None, ev.Outcome.FINE))
    assert "no open alarm" in line.press("")
    assert not line.goes_on


def test_who_has_not_said_yes_hears_the_plain_steps(client: Client, clock: Clock) -> None:
    night = asked_night(clock)
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status=Contact.Status.INVITED)
    night.does(CallForHelp(wants_to_die=True))
    deliver(clock)
    line = call_to(client, LEO)
    assert "want to die" not in line.says
    assert line.press("5").startswith("Shout their name.")
