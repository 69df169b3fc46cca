"""What lies at a carrier is deleted there, whatever became of whoever spoke."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import settings

from stillhere.cli.check import recordings
from stillhere.store.inbound import calls
from stillhere.store.models import CarrierSound, Person, Recording
from stillhere.store.privacy import erasure
from stillhere.store.recordings import at_carriers, strangers
from tests.conftest import Clock
from tests.hook import MALLORY
from tests.recorded import Recorder
from tests.web.hooks.test_calls import carriers

__all__ = ["carriers"]
pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def caller(clock: Clock) -> Person:
    """A phone that nobody knows keeps a watch, and whoever has it said where they are."""
    calls.begins(MALLORY, "en", shift=False)
    person = Person.objects.get()
    strangers.said(person, "one", "RE1")
    return person


def test_what_is_said_again_leaves_nothing_of_the_first_at_the_carrier(caller: Person) -> None:
    strangers.said(caller, "one", "RE2")
    recorder = Recorder()
    assert recorder.round(3) == ["delete RE1", "get RE2", "delete RE2"]
    assert Recording.objects.get().ref == "RE2"
    assert not CarrierSound.objects.exists()


def test_whoever_is_erased_leaves_nothing_at_the_carrier(caller: Person) -> None:
    erasure.erase_person(caller)
    assert Recorder().round(2) == ["delete RE1"]
    assert not CarrierSound.objects.exists()


def test_it_is_owed_until_it_is_done_and_asked_more_and_more_seldom(
    caller: Person, clock: Clock
) -> None:
    erasure.erase_person(caller)
    recorder = Recorder(stuck=True)
    for _ in range(720):
        recorder.round()
        clock.advance(10)
    assert 30 < len(recorder.asked) < 70
    recorder.stuck = False
    clock.advance(3600)
    assert recorder.round(2) == ["delete RE1"]
    assert not CarrierSound.objects.exists()


def test_one_that_cannot_be_fetched_for_minutes_comes_all_the_same(
    caller: Person, clock: Clock
) -> None:
    recorder = Recorder({"RE1": None})
    for _ in range(60):
        recorder.round()
        clock.advance(10)
    recorder.sounds.clear()
    clock.advance(100)
    assert recorder.round(2) == ["get RE1", "delete RE1"]
    assert Recording.objects.get().sound


def test_one_that_is_too_large_is_deleted_there_and_not_kept(caller: Person) -> None:
    large = Recorder({"RE1": b"x" * (at_carriers.MOST_BYTES + 1)})
    assert large.round(3) == ["get RE1", "delete RE1"]
    assert not Recording.objects.get().sound


def test_what_the_release_before_left_there_is_owed_too(caller: Person) -> None:
    CarrierSound.objects.all().delete()
    Recorder({"RE1": None}).round()
    erasure.erase_person(caller)
    CarrierSound.objects.update(due_at=0)
    assert Recorder().round() == ["delete RE1"]


def test_the_release_before_sees_that_it_is_gone_there(caller: Person) -> None:
    Recorder().round(2)
    assert not Recording.objects.get().left_there


def test_a_carrier_that_is_not_ours_any_more_is_named_for_a_month(
    caller: Person, clock: Clock
) -> None:
    erasure.erase_person(caller)
    before = settings.STILLHERE
    other = replace(before.carriers[0], name="another")
    settings.STILLHERE = replace(before, carriers=(other,))
    assert Recorder().round() == []
    [(well, said)] = recordings.left_behind(settings.STILLHERE)
    assert not well
    assert "1 recording still lies at one," in said
    clock.advance(31 * 86_400)
    Recorder().round()
    assert not CarrierSound.objects.exists()
    assert list(recordings.left_behind(settings.STILLHERE)) == []
