"""In an alarm a place is read on no phone, and at no number, that was not known before it."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.models import Address, Contact, Message
from stillhere.store.people import invitations
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, sams_night, ways
from tests.hook import LEO, MALLORY
from tests.web.conftest import browser
from tests.web.pages import contact_key
from tests.web.strangers import Town, town

__all__ = ["town"]
pytestmark = pytest.mark.usefixtures("database")
KIM = "+12025550150"
CODE = re.compile(r"\b[0-9]{6}\b")


@pytest.fixture
def night(town: Town) -> SamsNight:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    return night


def alarm(night: SamsNight, town: Town, *, cry: bool = False) -> None:
    night.start()
    night.does(CallForHelp() if cry else ev.Marked())
    again(night, town)


def again(night: SamsNight, town: Town) -> None:
    while night.row().state != "alarm":
        town.live(5)
    town.live(1)


def comes_back(night: SamsNight, town: Town) -> None:
    """Leo says that Sam is well, Sam answers nothing, and the alarm comes back."""
    for said in ("1", "4", "he's fine", "7"):
        town.hook.text(LEO, said)
        town.live(5)
    assert night.row().state == "open"
    again(night, town)
    assert night.row().alarms == 2


def pressed(client: Client, path: str, do: str, /, **fields: str) -> str:
    client.post(f"{path}/answer", {"do": do, **fields})
    return str(client.get(path).content.decode())


def codes(town: Town, number: str) -> set[str]:
    return set(CODE.findall(" ".join(text for to, _c, _w, text in town.got if to == number)))


def typed_in_the_alarm(town: Town, path: str) -> Client:
    """Mallory holds the link of Kim, who has no number, and types her own."""
    phone = browser(stranger=True)
    phone.get(path)
    pressed(phone, path, "join", phone=MALLORY, ring="on")
    town.live(10)
    pressed(phone, path, "send-page-code")
    town.live(10)
    for code in codes(town, MALLORY):
        pressed(phone, path, "mine", code=code)
    assert Address.objects.filter(contact__status="confirmed", proved_at__gt=0).count() > 2
    return phone


@pytest.mark.parametrize("cry", [False, True])
def test_whoever_types_their_own_number_in_the_alarm_reads_no_place_in_it(
    night: SamsNight, town: Town, cry: bool
) -> None:
    path = f"/c/{contact_key(invitations.add_contact(night.person, 'Kim', []))}"
    alarm(night, town, cry=cry)
    phone = typed_in_the_alarm(town, path)
    told = pressed(phone, path, "claim", soon="5")
    assert "This page does not show where Sam is in this alarm." in told
    assert "12 Elm" not in told
    assert "4711" not in told


def test_nor_in_the_next_of_the_same_emergency_by_page_or_by_text(
    night: SamsNight, town: Town
) -> None:
    path = f"/c/{contact_key(invitations.add_contact(night.person, 'Kim', []))}"
    alarm(night, town)
    phone = typed_in_the_alarm(town, path)
    comes_back(night, town)
    pressed(phone, path, "send-page-code")
    town.live(10)
    for code in codes(town, MALLORY):
        pressed(phone, path, "mine", code=code)
    assert "4711" not in pressed(phone, path, "claim", soon="5")
    before = len(town.got)
    for said in ("1", "WHERE"):
        town.hook.text(MALLORY, said)
        town.live(5)
    assert not [
        text for _to, _c, _w, text in town.got[before:] if "12 Elm" in text and _to == MALLORY
    ]


def test_nor_does_a_mere_yes_when_the_alarm_comes_back(night: SamsNight, town: Town) -> None:
    path = f"/c/{contact_key(invitations.add_contact(night.person, 'Kim', []))}"
    alarm(night, town)
    phone = browser(stranger=True)
    pressed(phone, path, "join")
    assert "4711" not in pressed(phone, path, "claim", soon="5")
    comes_back(night, town)
    assert "4711" not in pressed(phone, path, "claim", soon="5")


@pytest.mark.parametrize("forwarded", ["invitation", "alarm"])
def test_a_text_that_was_forwarded_opens_no_door_in_the_alarm(
    night: SamsNight, town: Town, forwarded: str
) -> None:
    """Kim never answered, is rung once in the alarm, and forwards the text, as people do."""
    invitations.add_contact(night.person, "Kim", ways(150))
    town.live(10)
    before = len(town.got)
    alarm(night, town)
    for _ in range(60):
        town.live(5)
    texts = town.got[:before] if forwarded == "invitation" else town.got[before:]
    links = re.findall(
        r"(/c/[\w-]{27})[?]c=([\w-]{12})", " ".join(t for to, _c, _w, t in texts if to == KIM)
    )
    path, carried = links[0]
    phone = browser(stranger=True)
    page = phone.get(f"{path}?c={carried}").content.decode()
    assert "this page shows where" not in page
    for do in ("mine", "join", "mine"):
        pressed(phone, path, do)
    told = pressed(phone, path, "claim", soon="5")
    assert "12 Elm" not in told
    assert "4711" not in told
    assert phone.get(f"{path}/spoken/place").status_code == 404


def test_who_proved_their_number_on_a_quiet_day_reads_the_door_as_ever(
    night: SamsNight, town: Town
) -> None:
    kim = invitations.add_contact(night.person, "Kim", ways(150))
    town.live(10)
    town.hook.text(KIM, "1")
    town.live(10)
    assert Contact.objects.get(id=kim.id).status == Contact.Status.CONFIRMED
    alarm(night, town)
    path, phone = f"/c/{contact_key(kim)}", browser(stranger=True)
    pressed(phone, path, "send-page-code")
    town.live(10)
    for code in codes(town, KIM):
        pressed(phone, path, "mine", code=code)
    assert "4711" in pressed(phone, path, "claim", soon="5")
    comes_back(night, town)
    assert "4711" in pressed(phone, path, "claim", soon="5")
