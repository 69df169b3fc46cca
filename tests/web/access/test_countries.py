"""Only numbers of the countries that were set are ever texted or rung, by whatever way they come
in: who earns by being called lives abroad, or has a satellite phone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.config import wiring
from stillhere.engine.erasure import erase_once
from stillhere.store.inbound.strangers.unknown_numbers import ALL_ABROAD
from stillhere.store.installation import desk_key
from stillhere.store.models import Address, Message, Person, Suppression, WatchRow, sealed_columns
from stillhere.store.people import persons, suppression
from stillhere.store.program import shifts
from tests.circle import sams_night
from tests.conftest import Clock
from tests.hook import MAYA, SAM, Hook, said_to
from tests.web.conftest import browser, post
from tests.web.hooks.test_calls import Line, carriers
from tests.web.pages import text_of

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["carriers"]  # a fixture

LONDON, IRIDIUM, PREMIUM, FOLLOW_ME = (
    "+44 20 7946 0958", "+8816 1234 5678", "900-555-0101", "500-555-0106",
)  # fmt: skip


def unrung() -> bool:
    """Nothing is stored that could ever be sent abroad, and nobody was added."""
    return not Address.objects.exists() and not Message.objects.exists()


@pytest.mark.parametrize("typed", [LONDON, IRIDIUM, PREMIUM, FOLLOW_ME])
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/people", {"do": "add", "name": "Maya"}),
        ("/people", {"do": "own"}),
        ("/routine", {"do": "add", "at": "22:00", "day": "0", "tz": "America/Denver"}),
    ],
)
def test_a_page_refuses_a_number_abroad_and_keeps_what_was_typed(
    typed: str, path: str, form: dict[str, str]
) -> None:
    _person, key = persons.new_person("en")
    answer = post(browser(key), path, phone=typed, **form)
    assert answer.status_code == 422
    says = "cannot text or call numbers in that country" if typed == LONDON else "costs extra"
    assert says in answer.content.decode()
    assert typed in answer.content.decode()
    assert unrung()


def test_a_contact_cannot_give_a_number_abroad() -> None:
    night = sams_night(phones=False)
    client = browser(night.key)
    post(client, "/people", do="add", name="Maya", myself="1")
    [maya] = night.person.contacts.all()
    page = f"/c/{sealed_columns.contact_key(maya)}"
    answer = browser(lang="es").post(f"{page}/answer", {"do": "join", "phone": LONDON})
    assert answer.status_code == 422
    assert "No podemos mandar mensajes ni llamar a números de ese país" in answer.content.decode()
    assert unrung()


@pytest.mark.parametrize("typed", [LONDON, IRIDIUM, PREMIUM])
def test_add_by_text_refuses_a_number_abroad(typed: str, clock: Clock, settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    night = sams_night()
    Hook(Client(), clock).text(SAM, f"ADD Maya {typed}")
    assert not night.person.contacts.exists()
    [says] = said_to(SAM, clock)
    assert says.startswith("We cannot reach that number from here.")


def test_the_desk_refuses_a_volunteer_abroad() -> None:
    desk = f"/desk/{desk_key.key()}"
    add = {"do": "volunteer", "name": "Ana", "phone": LONDON, "lang": "en"}
    ruth = browser()
    answer = ruth.post(f"{desk}/act", add)
    assert answer.status_code == 422
    told = answer.content.decode()
    assert "cannot text or call numbers in that country" in told
    assert 'value="Ana"' in told
    assert f'value="{LONDON}"' in told, "nothing that was typed is lost"
    assert not shifts.everyone()


def test_the_desk_refuses_a_volunteer_whose_number_said_no() -> None:
    suppression.add([("call", MAYA)], Suppression.Why.STOP, 1, proved=True)
    desk = f"/desk/{desk_key.key()}"
    add = {"do": "volunteer", "name": "Ana", "phone": MAYA, "lang": "es"}
    answer = browser().post(f"{desk}/act", add)
    assert answer.status_code == 422
    told = answer.content.decode()
    assert "asked us not to contact it" in text_of(answer)
    assert f'value="{MAYA}"' in told
    assert re.search(r'value="es"[^>]*selected', told)
    assert not shifts.everyone()


def test_a_watch_cannot_be_begun_from_a_number_abroad(
    client: Client, clock: Clock, settings: Settings
) -> None:
    """Else a number that earns by the minute begins one, and is rung all night."""
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    hook = Hook(client, clock)
    for number in (LONDON, IRIDIUM, PREMIUM):
        plain = "+" + "".join(filter(str.isdigit, number if number[0] == "+" else f"1{number}"))
        hook.text(plain, "GO")
        line = Line(client, plain)
        assert "We cannot ring your number from here." in line.says
        line.press("1")
    assert not Person.objects.exists()
    assert not WatchRow.objects.exists()
    assert unrung()


def plain(number: str) -> str:
    digits = "".join(filter(str.isdigit, number))
    return f"+{digits}" if number[0] == "+" else f"+1{digits}"


@pytest.fixture
def abroad(clock: Clock, settings: Settings) -> Hook:
    """The carrier of the demo, to whom foreign numbers write as well."""
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    return Hook(Client(), clock)


@pytest.mark.parametrize(
    ("cry", "says"),
    [
        ("SOS", "emergency number"),
        ("auxilio", "emergencias"),
        ("i want to die", "emergency number"),
    ],
)
def test_a_cry_for_help_from_abroad_is_answered_once_a_day(
    abroad: Hook, clock: Clock, cry: str, says: str
) -> None:
    for _ in range(3):
        abroad.text(plain(LONDON), cry)
    [told] = said_to(plain(LONDON), clock)
    assert says in told
    Message.objects.update(status="sent")
    clock.advance(24 * 3600)
    abroad.text(plain(LONDON), cry)
    assert len(said_to(plain(LONDON), clock)) == 1


@pytest.mark.parametrize("number", [IRIDIUM, PREMIUM, FOLLOW_ME])
def test_a_number_that_costs_extra_hears_nothing(abroad: Hook, clock: Clock, number: str) -> None:
    abroad.text(plain(number), "SOS")
    assert unrung()
    assert not Person.objects.exists()


def test_nothing_but_a_cry_for_help_is_answered_abroad(abroad: Hook, clock: Clock) -> None:
    for text in ("GO", "OK", "hello", "1", "START"):
        abroad.text(plain(LONDON), text)
    assert unrung()


def test_whoever_was_answered_abroad_begins_no_watch_and_is_never_rung(
    abroad: Hook, clock: Clock
) -> None:
    abroad.text(plain(LONDON), "SOS")
    Message.objects.update(status="sent")
    for text in ("GO", "OK", "SOS"):
        abroad.text(plain(LONDON), text)
    line = Line(Client(), plain(LONDON))
    assert "We cannot ring your number from here." in line.says
    line.press("1")
    assert not WatchRow.objects.exists()
    assert Message.objects.count() == 1


def test_no_installation_pays_for_many_answers_abroad(abroad: Hook, clock: Clock) -> None:
    for n in range(ALL_ABROAD + 5):
        abroad.text(f"+4420794609{n:02}", "SOS")
    assert Message.objects.count() == ALL_ABROAD


def test_the_day_after_nothing_of_it_is_left(abroad: Hook, clock: Clock) -> None:
    abroad.text(plain(LONDON), "SOS")
    clock.advance(25 * 3600)
    erase_once(clock.now)
    assert unrung()
    assert not Person.objects.exists()


def test_who_said_stop_abroad_hears_nothing_more(abroad: Hook, clock: Clock) -> None:
    abroad.text(plain(LONDON), "STOP")
    abroad.text(plain(LONDON), "SOS")
    assert unrung()


def test_another_country_can_be_allowed(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, other_countries=("GB",))
    settings.PHONE_NUMBER = wiring.phone_number(settings.STILLHERE)
    _person, key = persons.new_person("en")
    assert post(browser(key), "/people", do="add", name="Maya", phone=LONDON).status_code == 302
    assert settings.PHONE_NUMBER(LONDON) == "+442079460958"
    assert wiring.may_reach(settings.STILLHERE)("+442079460958")
    assert not wiring.may_reach(settings.STILLHERE)("+881612345678")


def test_a_number_that_no_table_knows_yet_counts_by_its_country_code(settings: Settings) -> None:
    """New ranges appear faster than tables: whoever texts us from one is not turned away."""
    reaches = wiring.may_reach(settings.STILLHERE)
    assert reaches("+19995550101")
    assert not reaches("+447700900123")
    assert not reaches("+8835100")
