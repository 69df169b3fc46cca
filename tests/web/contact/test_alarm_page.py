"""The page of an open alarm: how sure we are, what to do far away, and at a locked door."""

from __future__ import annotations

import pytest

from stillhere.core import events as ev
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.models import Contact, Message
from stillhere.store.people import persons
from stillhere.store.watches.apply import CallForHelp
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser
from tests.web.pages import contact_path, read


@pytest.fixture
def silence(night: SamsNight, clock: Clock) -> SamsNight:
    """Sam marked at 17:00 and was never heard again; the screen never showed the ask."""
    night.start()
    night.does(ev.Marked())
    for seconds in (60, 6, 15, 40):
        clock.advance(seconds)
        tick_all()
    return night


def test_a_phone_that_went_dark_is_told_with_its_hour(silence: SamsNight) -> None:
    told = read(browser(), contact_path(silence, "Leo"))
    assert "Since 17:01 the phone does not show our asks. It may be off or offline." in told


def test_who_is_called_soon_after_an_outage_reads_that_we_were_away(
    night: SamsNight, clock: Clock
) -> None:
    """Silence may have been ours: the page says from when to when."""
    pulse_once()
    night.start()
    night.does(ev.Marked())
    clock.advance(5 * 60)
    pulse_once()
    tick_all()
    clock.advance(61)
    tick_all()
    told = read(browser(), contact_path(night, "Leo"))
    assert "We were away from 17:00 to 17:05. What was pressed in that time may not have" in told


def test_without_an_outage_nothing_is_said_of_one(silence: SamsNight) -> None:
    assert "We were away" not in read(browser(), contact_path(silence, "Leo"))


def test_a_phone_that_showed_the_ask_is_not_called_dark(night: SamsNight, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    night.does(ev.Shown(night.row().asks))
    for seconds in (6, 15, 40):
        clock.advance(seconds)
        tick_all()
    Message.objects.filter(word="ask-ring").update(attempts=1)
    told = read(browser(), contact_path(night, "Leo"))
    assert "does not show our asks" not in told
    assert "We asked on the screen of the phone, and by text and call." in told


def test_who_is_there_is_said_first(silence: SamsNight, clock: Clock) -> None:
    silence.does(ev.Arrived(silence.contacts["Leo"].id))
    clock.advance(120)
    told = read(browser(), contact_path(silence, "Maya"))
    assert "Leo is there since 17:02. The alarm began at 17:02." in told
    assert "nobody is there yet" not in told


def test_far_away_reads_the_words_for_the_dispatcher(silence: SamsNight) -> None:
    persons.set_plan(silence.person, town="Denver, Colorado", dispatch="ask for 303 (202) 555-0109")
    html = browser().get(contact_path(silence, "Leo")).content.decode()
    assert "I need dispatch in Denver, Colorado." in html
    assert 'href="tel:+12025550109"' in html
    persons.set_plan(silence.person, town="", dispatch="")
    told = read(browser(), contact_path(silence, "Leo"))
    assert "Say first in which city it is." in told
    assert "Phone the dispatch there" not in told


def test_at_a_locked_door_it_says_what_to_do(silence: SamsNight) -> None:
    leo = silence.contacts["Leo"].id
    silence.does(ev.Claimed(leo, 120))
    assert "I am at the door." not in read(browser(), contact_path(silence, "Leo"))
    silence.does(ev.CannotGetIn(leo))
    assert "I am at the door." in read(browser(), contact_path(silence, "Leo"))
    assert "I am at the door." not in read(browser(), contact_path(silence, "Maya"))


def test_a_call_for_help_says_nothing_about_asks(night: SamsNight) -> None:
    night.start()
    night.does(CallForHelp())
    assert "We asked" not in read(browser(), contact_path(night, "Leo"))


def test_whoever_phones_from_afar_reads_first_whom_to_phone(silence: SamsNight) -> None:
    silence.does(ev.Claimed(silence.contacts["Leo"].id, None))
    told = read(browser(), contact_path(silence, "Leo"))
    assert told.index("Far away?") < told.index("I'm going. It takes me")
    assert "You said you are coming" not in told


def test_after_a_rescue_the_others_learn_that_it_can_come_back(silence: SamsNight) -> None:
    leo = silence.contacts["Leo"].id
    silence.does(ev.Arrived(leo))
    silence.does(ev.Resolved(leo, ev.Outcome.REVIVED))
    told = read(browser(), contact_path(silence, "Leo"))
    assert "can wear off in 20 to 90 minutes" in told


# --- somebody who wants to die --------------------------------------------------------------------


def test_the_page_says_it_and_how_to_stay_before_all_else(night: SamsNight) -> None:
    night.start()
    night.does(CallForHelp(wants_to_die=True))
    told = read(browser(), contact_path(night, "Leo"))
    assert "Sam says they want to die." in told
    first = told.index("Ask straight: “Are you thinking of killing yourself?”")
    assert first < told.index("I'm going. It takes me") < told.index("What to do when you are")
    assert told.index("988") > first
    line = told[told.index("988") :][:200]
    assert "may not answer" not in line, "no doubt under the number of whoever may want to die"


def test_a_plain_call_for_help_says_nothing_of_dying(night: SamsNight) -> None:
    night.start()
    night.does(CallForHelp())
    told = read(browser(), contact_path(night, "Leo"))
    assert "Sam asks for help." in told
    assert "killing yourself" not in told


def test_said_later_it_stands_on_the_page_at_once(night: SamsNight) -> None:
    night.start()
    night.does(CallForHelp())
    night.does(CallForHelp(wants_to_die=True))
    assert "Sam says they want to die." in read(browser(), contact_path(night, "Leo"))


def test_who_has_not_said_yes_does_not_read_that_sam_wants_to_die(night: SamsNight) -> None:
    Contact.objects.filter(id=night.contacts["Leo"].id).update(status="invited")
    night.start()
    night.does(CallForHelp(wants_to_die=True))
    told = read(browser(), contact_path(night, "Leo"))
    assert "Sam asks for help." in told
    assert "want to die" not in told
    assert "killing yourself" not in told
