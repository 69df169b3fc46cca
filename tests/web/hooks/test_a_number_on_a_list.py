"""A number that stands on somebody's list is heard as any other: whoever has it begins a watch and
cries for help for themselves."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.inbound import calls
from stillhere.store.models import Contact, Message, Person, WatchRow
from stillhere.store.people import invitations
from stillhere.store.problems import Reached
from stillhere.store.program import shifts
from stillhere.store.watches.apply import CallForHelp
from tests.circle import sams_night
from tests.conftest import Clock
from tests.hook import LEO, Hook, alarmed_night, said_to
from tests.web.strangers import VICTIM, Town, add, alarm, town, visitor

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]
VERA = "+12025550160"
CRIES = ["help me", "SOS im overdosing", "I want to die"]


@pytest.fixture
def hook(clock: Clock) -> Hook:
    return Hook(Client(), clock)


def mallory_lists(town: Town) -> Contact:
    mallory, _me = visitor()
    add(mallory, VICTIM, "Leo")
    town.live(5)
    return Contact.objects.latest("id")


@pytest.mark.parametrize("said", ["GO", "used", *CRIES])
def test_whom_a_stranger_invited_has_a_watch_of_their_own(town: Town, said: str) -> None:
    invited = mallory_lists(town)
    town.clock.advance(3600)
    town.hook.text(VICTIM, said)
    watch = WatchRow.objects.get()
    assert watch.person_id != invited.person_id
    assert (watch.state == "alarm") == (said in CRIES)
    before = len(town.got)
    town.live(5)
    assert any(to == VICTIM for to, *_ in town.got[before:]), "they are answered"


@pytest.mark.parametrize("said", CRIES)
def test_a_friend_who_said_yes_cries_for_themselves(hook: Hook, clock: Clock, said: str) -> None:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    hook.text(LEO, said)
    watch = WatchRow.objects.get()
    assert (watch.state, watch.person_id != night.person.id) == ("alarm", True)
    assert said_to(LEO, clock)


def test_in_an_alarm_they_were_told_of_help_is_about_that(hook: Hook, clock: Clock) -> None:
    night = alarmed_night(clock)
    hook.text(LEO, "help me")
    assert WatchRow.objects.get().id == night.watch
    assert Message.objects.latest("id").word == "reply-steps"


def test_an_answer_to_an_invitation_begins_no_watch(town: Town) -> None:
    invited = mallory_lists(town)
    town.hook.text(VICTIM, "yes")
    invited.refresh_from_db()
    assert invited.status == Contact.Status.CONFIRMED
    assert not WatchRow.objects.exists()


def test_whoever_was_invited_may_begin_a_watch_by_a_call(town: Town) -> None:
    mallory_lists(town)
    opening = calls.rings_us("c1", VICTIM)
    assert (opening.word, opening.at) == ("call-unknown", "unknown")


def mallory_calls_for_help(town: Town) -> Person:
    """With a stranger's number on the list, which is rung, and never said yes."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    alarm(client)
    town.live(20)
    assert town.words(VICTIM)[-1] in ("help", "alarm", "help-unconfirmed"), town.words(VICTIM)
    return me


@pytest.mark.parametrize(
    "said",
    ["SOS", "i cant breathe", "I want to die", "help me", "GO", "used", "no puedo respirar"],
)
def test_mallorys_alarm_takes_no_cry_of_somebody_who_never_said_yes(town: Town, said: str) -> None:
    shifts.begin(shifts.add("Vera", VERA, "en"), 8)
    me = mallory_calls_for_help(town)
    town.hook.text(VICTIM, said)
    town.live(20)
    theirs = WatchRow.objects.exclude(person=me).get()
    if said not in ("GO", "used"):
        assert theirs.state == "alarm"
        assert VERA in {to for to, *_ in town.got}, "a volunteer is rung"


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("hes not breathing", "reply-steps"),
        ("she has no pulse", "reply-steps"),
        ("no respira", "reply-steps"),
        ("calling 911", "reply-called"),
        ("again", "reply-steps"),
        ("1", "reply-going"),
        ("4", "reply-there"),
        ("the ambulance is here", "reply-how"),
    ],
)
def test_what_they_say_of_the_alarm_stays_a_contacts(town: Town, said: str, word: str) -> None:
    me = mallory_calls_for_help(town)
    town.hook.text(VICTIM, said)
    town.live(6)
    assert not WatchRow.objects.exclude(person=me).exists()
    assert town.words(VICTIM)[-1] == word


def test_whoever_said_yes_to_one_alarm_answers_it_whatever_else_is_open(town: Town) -> None:
    night = sams_night()
    sams = invitations.add_contact(night.person, "Leo", [Reached("text", VICTIM, rings=False)])
    Contact.objects.filter(id=sams.id).update(status=Contact.Status.CONFIRMED)
    Message.objects.update(status="sent")
    me = mallory_calls_for_help(town)
    night.start()
    night.does(CallForHelp())
    town.live(20)
    town.hook.text(VICTIM, "help me")
    town.live(6)
    assert WatchRow.objects.exclude(person=me).get().id == night.watch
    assert town.words(VICTIM)[-1] == "reply-steps"
