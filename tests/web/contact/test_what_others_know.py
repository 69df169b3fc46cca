"""What a contact's page says of the others and of herself: never more than is so."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.store.models import Installation, JournalLine, Person
from stillhere.store.watches.apply import CallForHelp, CheckIn
from tests.circle import SamsNight, live, sams_night, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import contact_path, read


def press(path: str, do: str, **fields: str) -> str:
    """Press a button on a contact's page and read what comes."""
    anyone = browser()
    response = anyone.post(f"{path}/answer", {"do": do, **fields})
    assert response.status_code == 303
    return read(anyone, response["Location"])


@pytest.fixture
def alarm(night: SamsNight) -> SamsNight:
    """Sam asked for help; Leo was told, Maya not yet."""
    night.start()
    night.does(CallForHelp())
    return night


@pytest.fixture
def leo(night: SamsNight) -> str:
    return contact_path(night, "Leo")


def html(path: str) -> str:
    return browser().get(path).content.decode()


def test_who_cannot_come_is_left_in_peace_and_may_change_her_mind(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    assert "data-alarm=" in html(leo)
    told = press(leo, "decline")
    assert "You said that you can't come" in told
    assert "It goes on with the others." in told
    assert "I can go after all" in told
    assert "data-alarm=" not in html(leo)
    press(leo, "claim", soon="3")
    assert "You said you are coming" in read(browser(), leo)


def test_nobody_is_said_to_know_who_was_not_called(clock: Clock) -> None:
    alone = sams_night(("Leo",))
    alone.start()
    alone.does(CallForHelp())
    leo = contact_path(alone, "Leo")
    assert "nobody else was called" in press(leo, "claim", soon="3")
    locked = press(leo, "locked")
    assert "Nobody else was called" in locked
    assert "asked for a key" not in locked
    assert "Knock hard" in locked
    declined = press(leo, "decline")
    assert "Nobody else is on the list." in declined
    assert "others" not in declined


def test_others_are_said_to_know_once_they_were_called(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    assert "nobody else was called" in press(leo, "claim", soon="10")
    clock.advance(46)
    tick_all()
    assert "The others who were called" in press(leo, "claim", soon="10")
    assert "were asked for a key" in press(leo, "locked")


def test_after_grave_news_only_who_arrived_was_there(alarm: SamsNight, leo: str) -> None:
    maya = contact_path(alarm, "Maya")
    alarm.does(ev.Declined(alarm.contacts["Maya"].id))
    alarm.does(ev.Claimed(alarm.contacts["Leo"].id, 120))
    alarm.does(ev.Arrived(alarm.contacts["Leo"].id))
    alarm.does(ev.Resolved(alarm.contacts["Leo"].id, ev.Outcome.DIED))
    assert "Speak with Leo, who was there." in read(browser(), maya)
    assert "Speak with Leo" not in read(browser(), leo), "nobody is sent to themselves"
    JournalLine.objects.filter(event="Arrived").delete()
    told = read(browser(), maya)
    assert "Speak with Leo." in told
    assert "who was there" not in told


def test_who_to_phone_stands_before_all_that_can_be_pressed(alarm: SamsNight, leo: str) -> None:
    part = f"{leo}/part"  # without the steps, which have numbers of their own
    shown = html(part)
    assert shown.index('href="tel:+12025550100"') < shown.index("<form")
    assert shown.index('href="tel:911"') < shown.index("<form")
    Person.objects.update(wish="never")
    assert "tel:911" not in html(part), "they wished that no ambulance comes"
    Person.objects.update(wish="", tz="UTC")
    assert "tel:9" not in html(part), "nobody knows which is theirs"


def test_what_was_said_belongs_to_its_alarm(alarm: SamsNight, leo: str, clock: Clock) -> None:
    anyone = browser()
    said = anyone.post(f"{leo}/answer", {"do": "claim", "soon": "3"})["Location"]
    assert "It counts on you" in read(anyone, said)
    alarm.does(ev.Resolved(None, ev.Outcome.FALSE_ALARM))
    assert "It counts on you" in read(anyone, said), "the page they looked at last"
    alarm.start()
    alarm.does(CallForHelp())
    assert "It counts on you" not in read(anyone, said)


def test_that_somebody_died_is_asked_back(alarm: SamsNight, leo: str) -> None:
    browser().post(f"{leo}/answer", {"do": "arrived"})
    shown = html(f"{leo}/part")
    asked = shown.index("This ends the alarm for good. We write and ring nobody. Are you sure?")
    assert shown.index("<summary>They have died</summary>") < asked < shown.index('value="died"')


def test_the_number_of_the_ambulance_is_there_to_tap(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    assert 'href="#look"' in html(leo)
    leo = f"{leo}/part"  # without the steps, which have numbers of their own
    clock.advance(301)
    tick_all()
    assert "Call an ambulance now" in read(browser(), leo)
    assert 'href="tel:911"' in html(leo)
    assert 'href="tel:999"' not in html(leo), "Sam is in New York"
    Person.objects.update(tz="UTC")
    for number in ("911", "112", "999", "000", "111"):
        assert f'href="tel:{number}"' in html(leo)


def test_after_an_alarm_nobody_sees_when_sam_checks_in(
    night: SamsNight, leo: str, clock: Clock
) -> None:
    def version() -> str:
        return str(browser().get(f"{leo}/state").json()["v"])

    def night_goes_on() -> None:
        live(clock, 70)
        Installation.objects.update(proof_at=clock.now)

    night.start()
    night.does(ev.Marked())
    while night.row().state != "alarm":
        night_goes_on()
    night.does(CheckIn())
    over, page = version(), read(browser(), f"{leo}/part")
    for event in (CheckIn(), ev.Marked(), ev.Extended(600), CheckIn()):
        night_goes_on()
        night.does(event)
        assert night.row().state == "open"
        assert version() == over
        assert read(browser(), f"{leo}/part") == page
    night.does(ev.Ended())
    assert version() != over
    assert "We go on asking" not in read(browser(), f"{leo}/part")
