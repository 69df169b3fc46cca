"""The key of a call that means: wrong number, or never again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core import events as ev
from stillhere.store.models import Address, Contact, Message, Suppression
from tests.channels.accounts import carrier_of
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.hook import LEO, SAM, Hook, deliver, last, number_of
from tests.web.hooks.test_calls import Line
from tests.web.refusing import adds, handed_over, somebody_else, status_of

pytestmark = pytest.mark.usefixtures("lines")


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


@pytest.fixture
def lines(settings: Settings) -> None:
    """A carrier that tells us what happens in a call, turn by turn."""
    ours = (carrier_of("twilio", "https://api.example.org"),)
    settings.STILLHERE = replace(settings.STILLHERE, carriers=ours)


WORDS = ("invite", "test", "drill", "alarm")


def rung(night: SamsNight, word: str, clock: Clock) -> Line:
    """Leo picks up a call of this kind."""
    leo = night.contacts["Leo"]
    if word == "alarm":
        night.start()
        night.does(ev.Marked())
        for wait_s in (60, 5, 15, 40):
            clock.advance(wait_s)
            tick_all()
        deliver(clock)
        m = Message.objects.get(contact=leo, channel="call", word="alarm")
    else:
        call = Address.objects.get(contact=leo, channel="call")
        m = Message.objects.create(
            key=word, person=night.person, contact=leo, address=call, channel="call", word=word,
            urgency=5, due_at=clock.now, created_at=clock.now, attempts=1, status="sent",
        )  # fmt: skip
    return Line(Client(), number_of(m), message=m.id)


@pytest.mark.parametrize("word", WORDS)
def test_eight_pressed_twice_is_never_again_in_every_call(
    night: SamsNight, hook: Hook, clock: Clock, word: str
) -> None:
    line = rung(night, word, clock)
    assert line.says.endswith("Wrong number, or never again? Press 8.")
    assert "Press 8 again" in line.press("8")
    assert status_of(night, "Leo") == "confirmed"
    assert "do not call or text this number again" in line.press("8")
    assert not line.goes_on
    assert status_of(night, "Leo") == "left"
    assert adds(somebody_else(), LEO).status_code == 422
    assert not handed_over(clock, 240, LEO)


def test_eight_in_an_alarm_moves_the_ladder_at_once(night: SamsNight, clock: Clock) -> None:
    line = rung(night, "alarm", clock)
    line.press("8")
    line.press("8")
    tick_all()
    told = {m.contact_id for m in night.queued("alarm")}
    assert told == {night.contacts["Maya"].id}


def test_eight_hit_by_accident_changes_nothing(night: SamsNight, clock: Clock) -> None:
    line = rung(night, "alarm", clock)
    line.press("8")
    assert "how many minutes" in line.press("1")
    assert night.row().state == "claimed"
    assert status_of(night, "Leo") == "confirmed"
    assert not Suppression.objects.exists()


def test_eight_and_then_silence_changes_nothing(night: SamsNight, clock: Clock) -> None:
    line = rung(night, "alarm", clock)
    line.press("8")
    line.press("")
    line = rung(night, "test", clock)
    line.press("8")
    line.hang_up()
    assert status_of(night, "Leo") == "confirmed"


def test_eight_is_still_here_for_the_one_who_is_asked(night: SamsNight, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5, 15):
        clock.advance(wait_s)
        tick_all()
    deliver(clock)
    line = Line(Client(), SAM, message=last(SAM, "call").id)
    assert "never again" not in line.says
    assert "Got it" in line.press("8")
    assert not Suppression.objects.exists()


def test_never_again_is_said_and_asked_in_spanish(night: SamsNight, clock: Clock) -> None:
    Contact.objects.filter(id=night.contacts["Leo"].id).update(lang="es")
    line = rung(night, "alarm", clock)
    assert line.says.endswith("¿Número equivocado, o nunca más? Marca 8.")
    assert "Marca 8 otra vez" in line.press("8")
    assert "No volvemos a llamar" in line.press("8")
