"""Somebody who was asked and never said yes cannot find out whether an alarm is open."""

from __future__ import annotations

import pytest

from stillhere.store.models import Contact, Installation, Message
from stillhere.store.people import invitations
from stillhere.store.watches import queries
from tests.circle import sams_night, ways
from tests.hook import LEO, SAM
from tests.web.conftest import browser
from tests.web.pages import contact_key, read
from tests.web.strangers import Town, town

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]
EX = "+12025550103"


@pytest.mark.parametrize("asks", ["hi", "where", "3", "4", "I'm there", "who are you?", "7", "sos"])
def test_who_was_not_told_of_an_alarm_is_answered_as_on_a_quiet_day(town: Town, asks: str) -> None:
    night = sams_night(("Leo",), ("Maya",))
    ex = invitations.add_contact(night.person, "Ex", ways(103), rung=2)
    town.live(6)
    Message.objects.update(status="sent")
    link = f"/c/{contact_key(ex)}"

    def heard() -> list[str]:
        before = len(town.got)
        town.hook.text(EX, asks)
        town.live(6)
        Installation.objects.update(proof_at=town.clock.now)
        page, version = read(browser(), f"{link}/part"), browser().get(f"{link}/state").json()["v"]
        return [*(text for to, _c, _w, text in town.got[before:] if to == EX), page, version]

    heard()  # what their number shows the first time
    quiet = heard()
    night.start()
    town.hook.text(SAM, "HELP ME")
    town.live(6)
    town.hook.text(LEO, "1")
    town.live(6)
    assert night.row().state == "claimed"
    before = len(town.got)
    assert heard() == quiet
    assert not [to for to, *_ in town.got[before:] if to == LEO], "Leo hears nothing of Ex"
    alarm = queries.shown(night.row()).watch.alarm
    assert alarm is not None
    assert ex.id not in (*alarm.told, *alarm.arrivals, *alarm.out)
    assert Contact.objects.get(id=ex.id).status == "invited"


def test_who_was_told_of_it_is_heard_without_a_yes(town: Town) -> None:
    night = sams_night(("Leo",))
    invitations.add_contact(night.person, "Ex", ways(103), rung=0)
    town.live(6)
    Message.objects.update(status="sent")
    night.start()
    town.hook.text(SAM, "HELP ME")
    town.live(6)
    town.hook.text(EX, "4")
    town.live(6)
    assert any(to == LEO and "Ex is going to Sam" in text for to, _c, _w, text in town.got)
