"""Mallory types Sam's number as their own. Until it is proved by its code, its link or a yes to our
message, whoever has it is heard for themselves."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.core.messages import Inbound
from stillhere.store.inbound import calls, inbox
from stillhere.store.models import Message, Person, WatchRow
from stillhere.store.models.sealed_columns import person_note
from stillhere.store.people import address_book
from stillhere.store.problems import Reached
from tests.hook import LEO, SAM
from tests.web.conftest import post
from tests.web.lane import tap
from tests.web.strangers import VICTIM, Town, alarm, town, visitor, watched_night

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]
DAYS = 30 * 86_400


@pytest.fixture
def mallory(town: Town) -> tuple[Client, Person]:
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    town.clock.advance(DAYS)
    return client, me


def is_mallorys(me: Person) -> bool:
    return me.addresses.filter(proved_at__gt=0).exists()


@pytest.mark.parametrize("said", ["GO", "used"])
def test_a_watch_begun_by_text_is_its_owners(
    town: Town, mallory: tuple[Client, Person], said: str
) -> None:
    client, me = mallory
    town.hook.text(VICTIM, said)
    town.hook.text(VICTIM, "ADDRESS 12 Elm Street")
    watch = WatchRow.objects.get()
    assert watch.person_id != me.id
    assert not is_mallorys(me)
    assert "12 Elm Street" not in client.get("/mine").content.decode()
    assert client.get("/watch").context["shown"] is None


@pytest.mark.parametrize("began", [True, False])
def test_a_cry_is_an_alarm_that_mallory_cannot_end(
    town: Town, mallory: tuple[Client, Person], began: bool
) -> None:
    client, me = mallory
    if began:
        town.hook.text(VICTIM, "GO")
    town.hook.text(VICTIM, "help me")
    shown = client.get("/watch").context["shown"]
    assert (shown is None) == began, "it was shown to be somebody else's before the cry"
    for seconds in (1, 40):
        town.live(seconds)
        if shown:
            tap(f"/k/{shown.key}")
    theirs = WatchRow.objects.exclude(person=me)
    assert [watch.state for watch in theirs] == ["alarm"]


def test_a_cry_calls_the_list_of_whoever_only_forgot_the_code(
    town: Town, mallory: tuple[Client, Person]
) -> None:
    _client, me = mallory
    town.hook.text(VICTIM, "SOS")
    assert WatchRow.objects.get(person=me).alarms == 1
    assert not is_mallorys(me)


def test_a_watch_begun_by_a_call_is_its_owners(town: Town, mallory: tuple[Client, Person]) -> None:
    _client, me = mallory
    assert calls.rings_us("c1", VICTIM).at == "unknown"
    calls.begins(VICTIM, "en", shift=False)
    assert WatchRow.objects.get().person_id != me.id
    assert not is_mallorys(me)


@pytest.mark.parametrize("said", ["LIST", "DELETE", "pause 2 days", "ADDRESS 12 Elm Street"])
def test_the_plan_of_whoever_typed_it_is_neither_read_nor_changed(
    town: Town, mallory: tuple[Client, Person], said: str
) -> None:
    _client, me = mallory
    for _ in range(2):
        town.hook.text(VICTIM, said)
    me.refresh_from_db()
    assert not person_note(me, "place")
    assert not is_mallorys(me)
    town.live(5)
    assert "GO starts" in town.last(VICTIM)


def test_a_code_texted_back_proves_it_beside_a_watch_of_its_own(town: Town) -> None:
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    code = town.last(VICTIM).partition("code: ")[2][:6]
    town.hook.text(VICTIM, "GO")
    town.hook.text(VICTIM, code)
    assert is_mallorys(me)


def typed(number: str, town: Town) -> tuple[Client, Person]:
    """Somebody else's number as Mallory's own, in the minute before."""
    client, me = visitor()
    post(client, "/people", do="own", phone=number)
    town.live(5)
    return client, me


@pytest.mark.parametrize("said", ["help me", "SOS", "I want to die"])
def test_whoever_typed_sams_number_does_not_see_that_sam_cries_for_help(
    town: Town, said: str
) -> None:
    night = watched_night(town, seconds=5)
    client, me = typed(SAM, town)
    town.hook.text(SAM, said)
    assert night.row().state == "alarm"
    assert client.get("/watch").context["shown"] is None
    assert not WatchRow.objects.filter(person=me).exists()


@pytest.mark.parametrize(
    "said", ["hes not breathing", "no pulse what do i do", "help me", "SOS", "no respira"]
)
def test_what_leo_cries_beside_sam_is_answered_with_the_steps(town: Town, said: str) -> None:
    _client, me = typed(LEO, town)
    watched_night(town, seconds=150)
    town.hook.text(LEO, said)
    town.live(6)
    assert re.search("Shout their name|Grita su nombre", town.last(LEO))
    assert not WatchRow.objects.filter(person=me).exists()


def test_no_reply_to_leo_as_mallory_claims_what_leo_says_in_sams_alarm(town: Town) -> None:
    """Before the alarm Leo wrote something, and was answered as whoever typed the number."""
    mallory, me = typed(LEO, town)
    post(mallory, "/watch", profile="injected", tz="America/Denver")
    night = watched_night(town, seconds=150)
    Message.objects.create(
        key="m", person=me, address=me.addresses.get(channel="text"), channel="text", urgency=1,
        word="reply-who-person", attempts=1, watch=WatchRow.objects.get(person=me), due_at=1,
        created_at=1, status="sent",
    )  # fmt: skip
    town.hook.text(LEO, "1")
    assert night.row().state == "claimed"
    town.hook.text(LEO, "hes not breathing")
    town.live(6)
    assert "Shout their name" in town.last(LEO)
    assert WatchRow.objects.get(person=me).state != "alarm"


def test_an_alarm_of_whoever_typed_the_number_takes_no_cry_of_its_owner(town: Town) -> None:
    """Mallory's own alarm is open, and its owner was answered in it."""
    client, me = typed(VICTIM, town)
    alarm(client)
    town.hook.text(VICTIM, "LIST")
    town.live(5)
    town.hook.text(VICTIM, "SOS")
    assert WatchRow.objects.exclude(person=me).get().state == "alarm"


@pytest.mark.parametrize("said", ["YES", "yes please", "ok", "1", "Sí"])
def test_a_yes_to_the_code_shows_whose_the_number_is(town: Town, said: str) -> None:
    _client, me = typed(VICTIM, town)
    town.hook.text(VICTIM, said)
    town.live(5)
    assert is_mallorys(me)
    assert "this number is yours" in town.last(VICTIM) or "tuyo" in town.last(VICTIM)


@pytest.mark.parametrize("said", ["YES", "ok", "here", "1"])
def test_what_comes_a_day_after_the_code_shows_nothing(town: Town, said: str) -> None:
    _client, me = typed(VICTIM, town)
    town.clock.advance(86_400)
    town.hook.text(VICTIM, said)
    assert not is_mallorys(me)


@pytest.mark.parametrize("said", ["no", "who is this", "hello", "yes but who are you"])
def test_no_other_answer_to_the_code_shows_anything(town: Town, said: str) -> None:
    _client, me = typed(VICTIM, town)
    town.hook.text(VICTIM, said)
    assert not is_mallorys(me)


def test_whoever_typed_sams_whatsapp_keeps_no_cry_by_it_from_sams_people(town: Town) -> None:
    night = watched_night(town, seconds=5)
    _client, me = visitor()
    address_book.add_own_addresses(me, [Reached("whatsapp", SAM, rings=False)])
    inbox.take(Inbound("whatsapp", "wa-1", "text", sender=SAM, text="SOS"))
    assert night.row().state == "alarm"
    assert not WatchRow.objects.filter(person=me).exists()
