"""Mallory types Sam's number as their own. Until it is proved by its code, its link or a yes to our
message, whoever has it is heard for themselves."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.inbound import calls
from stillhere.store.models import Person, WatchRow
from stillhere.store.models.sealed_columns import person_note
from tests.web.conftest import post
from tests.web.lane import tap
from tests.web.strangers import VICTIM, Town, town, visitor

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
    for seconds in (1, 40):
        town.live(seconds)
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
