"""A code read once on Sam's phone makes the number Mallory's too. What Sam texts stays Sam's."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core.schedule import Routine
from stillhere.store.models import Address, Message, Person, WatchRow
from stillhere.store.models.sealed_columns import person_note
from stillhere.store.people import address_book, force, persons
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches import apply
from tests.circle import SamsNight, sams_night, tick_all, ways
from tests.conftest import Clock
from tests.hook import SAM, Hook, deliver

pytestmark = pytest.mark.usefixtures("database")
DAILY = Routine(frozenset(range(7)), 22 * 60, "America/New_York")


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


@pytest.fixture
def sams(clock: Clock) -> SamsNight:
    """Sam, who has proved the number first."""
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    return night


@pytest.fixture
def mallory(sams: SamsNight, clock: Clock) -> Person:
    """Mallory, who has read a code on Sam's phone, and keeps a watch that is always open."""
    clock.advance(60)
    person, _key = persons.new_person("en", "UTC")
    address_book.set_own_addresses(person, ways(100))
    way = Address.objects.get(person=person, channel="text")
    assert address_proof.try_code(person, address_proof.code_of(way.nonce))
    apply.start(person.id, "routine", routine=DAILY)
    return person


@pytest.mark.parametrize("said", ["help me", "I want to die"])
def test_a_cry_calls_sams_people(sams: SamsNight, mallory: Person, hook: Hook, said: str) -> None:
    hook.text(SAM, said)
    assert WatchRow.objects.get(person=sams.person).state == "alarm"
    assert WatchRow.objects.get(person=mallory).state == "alarm", "whoever it was"


def test_the_word_under_force_is_heard(sams: SamsNight, mallory: Person, hook: Hook) -> None:
    force.keep(sams.person, "Blue kettle", [sams.contacts["Leo"].id])
    hook.text(SAM, "blue kettle")
    assert WatchRow.objects.filter(person__secret=True).exists()


def test_go_and_the_address_are_sams(sams: SamsNight, mallory: Person, hook: Hook) -> None:
    hook.text(SAM, "GO")
    hook.text(SAM, "ADDRESS 99 Oak Lane")
    assert WatchRow.objects.filter(person=sams.person).exists()
    mallory.refresh_from_db()
    sams.person.refresh_from_db()
    assert person_note(mallory, "place") != "99 Oak Lane"
    assert person_note(sams.person, "place") == "99 Oak Lane"


def test_a_message_to_mallory_claims_no_word_of_sams(
    sams: SamsNight, mallory: Person, hook: Hook, clock: Clock
) -> None:
    way = Address.objects.get(person=mallory, channel="text")
    Message.objects.create(
        key="m", person=mallory, address=way, channel="text", word="ask", urgency=1, attempts=1,
        watch=WatchRow.objects.get(person=mallory), due_at=1, created_at=1, status="sent",
    )  # fmt: skip
    hook.text(SAM, "GO")
    assert WatchRow.objects.filter(person=sams.person).exists()


def test_a_sign_of_life_answers_every_watch_that_asks(
    sams: SamsNight, mallory: Person, hook: Hook, clock: Clock
) -> None:
    theirs = apply.start(mallory.id, "injected")
    sams.start()
    for _ in range(60):
        clock.advance(5)
        tick_all()
        if sams.row().state == "asking":
            break
    deliver(clock)
    assert WatchRow.objects.get(id=theirs).state == sams.row().state == "asking"
    hook.text(SAM, "OK")
    assert WatchRow.objects.get(id=theirs).state == sams.row().state == "open"
