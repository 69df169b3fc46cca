"""DELETE by text: a code that only the number itself is sent erases everything."""

from __future__ import annotations

import pytest

from stillhere.store.models import Address, Message, Person
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import SAM, Hook, asked_night, erases, said_to

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def sams(hook: Hook) -> SamsNight:
    """Sam without a watch; the invitations have gone out."""
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    return night


def code_said(clock: Clock) -> str:
    [says] = said_to(SAM, clock)
    assert says.startswith("Reply DELETE ")
    return says.split()[2]


@pytest.mark.parametrize("back", ["DELETE {}", "delete me {}.", "{}", "borrar {}"])
def test_the_code_that_delete_brings_erases_everything(
    sams: SamsNight, hook: Hook, clock: Clock, back: str
) -> None:
    hook.text(SAM, "delete me")
    hook.text(SAM, back.format(code_said(clock)))
    assert not Person.objects.exists()
    assert not Address.objects.exists()


def test_who_forges_sams_number_erases_nothing(sams: SamsNight, hook: Hook, clock: Clock) -> None:
    sams.start()
    for words in ("DELETE", "delete everything", "DELETE 123456", "000000"):
        hook.text(SAM, words)
    assert Person.objects.exists()
    code = said_to(SAM, clock)[0].split()[2]
    for guess in range(20):
        hook.text(SAM, f"DELETE {guess:06}")
    hook.text(SAM, code)
    assert Person.objects.exists(), "ten tries a day, and nothing after them"


def test_nothing_is_erased_while_people_are_being_reached(hook: Hook, clock: Clock) -> None:
    night = asked_night(clock)
    clock.advance(40)
    tick_all()
    assert night.row().state == "alarm"
    Message.objects.update(status="sent")
    erases(hook, SAM, clock)
    assert Person.objects.exists()
    [says] = said_to(SAM, clock)
    assert says.startswith("Not while people are being reached.")
