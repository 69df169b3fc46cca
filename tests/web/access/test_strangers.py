"""Strangers: an anonymous visitor types any number, and nobody's phone rings or fills.

Attacks of 2026-11-29, over HTTP, with carriers that take everything: sixteen phones rung within a
minute by test rings, and twelve people who never said yes texted and called all night.
"""

# ruff: noqa: RUF001 (attackers write these characters)
from __future__ import annotations

from dataclasses import replace

import pytest
from pytest_django.fixtures import Settings

from stillhere.channels.wording import compose
from stillhere.core.events import CALLS
from stillhere.store.inbound import calls
from stillhere.store.models import Address, Message, Person
from stillhere.store.people.numbers import address_proof, strangers
from tests.web.conftest import browser, post
from tests.web.pages import read
from tests.web.strangers import VICTIM, Town, add, alarm, answers, page_of, town, visitor

pytestmark = pytest.mark.usefixtures("database")

__all__ = ["town"]  # a fixture


def test_joining_with_any_number_rings_no_strangers_phone(town: Town) -> None:
    """Sixteen strangers' phones, one after another, by the test ring of whoever "joined" as
    them."""
    client, me = visitor()
    numbers = [f"+1202555{n:04}" for n in range(150, 166)]
    for number in numbers:
        add(client, "", "Maya", myself="1")
        mine = browser(stranger=True)
        page = page_of(me.contacts.latest("id"))
        mine.get(page)
        assert mine.post(f"{page}/answer", {"do": "join", "phone": number}).status_code == 303
        for _ in range(3):
            answer = mine.post(f"{page}/answer", {"do": "test"})
            town.live(20)
        assert "The test comes when we know" in read(mine, answer["Location"])
    assert town.counted()["call"] == 0
    for number in numbers:
        assert town.words(number) == ["prove"], "one text with a code is all that may come"


def test_a_visitors_list_of_strangers_is_rung_twice_a_day_at_most(town: Town) -> None:
    """Watch after watch and alarm after alarm, with twelve people who never said yes."""
    client, _me = visitor()
    numbers = [f"+1202555{n:04}" for n in range(150, 162)]
    for number in numbers:
        add(client, number, rung="first")
    for _ in range(4):
        alarm(client)
        town.live(100)
        answers(client, town)
    for number in numbers:
        counted = town.counted(number)
        assert counted["call"] <= 2
        assert counted["text"] <= 5, "the invitation; in each of two alarms a ring and its end"
    rings = [word for _to, _channel, word, _text in town.got if word in CALLS]
    assert len(rings) == strangers.RUNG_A_PERSON, "the whole list has a budget too"


def test_a_number_that_is_added_again_and_again_is_asked_once(town: Town) -> None:
    client, me = visitor()
    for _ in range(5):
        answer = add(client, VICTIM)
        town.live(5)
        post(client, "/people", do="remove", contact=str(me.contacts.latest("id").id))
    assert town.words(VICTIM) == ["invite"]
    assert "We asked this number once already" in read(client, answer["Location"])


def test_a_new_link_asks_nobody_again_who_has_not_answered(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    for _ in range(3):
        post(client, "/people", do="renew", contact=str(me.contacts.get().id))
        town.live(5)
    assert town.words(VICTIM) == ["invite"]


def test_many_visitors_cannot_fill_one_phone(town: Town) -> None:
    """Each of them is somebody new; the number is the same, and has a budget of its own."""
    answers = []
    for _ in range(8):
        client, _me = visitor()
        answers.append(add(client, VICTIM).status_code)
        post(client, "/people", do="own", phone=VICTIM)
        town.live(5)
    assert len(town.words(VICTIM)) <= strangers.ASKED_A_NUMBER
    assert answers[-1] == 422
    says = add(client, VICTIM).content.decode()
    assert "We cannot invite anybody at that number or address today." in says


def test_an_installation_asks_so_many_strangers_a_day(town: Town, settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, strangers_a_day=4)
    client, _me = visitor()
    answers = [add(client, f"+1202555{n:04}") for n in range(150, 153)]
    town.live(5)
    client, _me = visitor()
    answers += [add(client, f"+1202555{n:04}") for n in range(153, 156)]
    town.live(5)
    assert town.counted()["text"] == 4
    assert add(client, VICTIM[:-2] + "99").status_code == 422
    town.clock.advance(24 * 3600)
    assert add(client, VICTIM[:-2] + "99").status_code == 302, "tomorrow is another day"


def test_a_strangers_number_as_ones_own_is_never_asked(town: Town) -> None:
    """Else a watch of twenty minutes texts and rings it a dozen times, every night."""
    client, _me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    for _ in range(2):
        post(client, "/watch", profile="injected", tz="America/Denver")
        key = str(client.get("/watch").context["shown"].key)
        client.post(f"/k/{key}/mark", {"back": "watch"})
        town.live(180)
    assert town.words(VICTIM) == ["prove"]
    says = read(client, "/watch")
    assert "We do not know yet that …0150 is yours" in says
    assert "The six digits" in says


def test_a_code_is_not_guessed(town: Town) -> None:
    """Not by sixty tries, and not by putting the number in again for a fresh start."""
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    right = address_proof.code_of(Address.objects.get(channel="text").nonce)
    for n in range(60):
        wrong = f"{(int(right) + 1 + n) % 10**6:06}"
        assert post(client, "/people", do="code", code=wrong).status_code == 422
    assert post(client, "/people", do="code", code=right).status_code == 422, "tries are used up"
    post(client, "/people", do="own", phone="")
    post(client, "/people", do="own", phone=VICTIM)
    fresh = address_proof.code_of(me.addresses.get(channel="text").nonce)
    assert post(client, "/people", do="code", code=fresh).status_code == 422
    town.clock.advance(24 * 3600)
    assert post(client, "/people", do="code", code=fresh).status_code == 302


def test_a_no_and_a_question_prove_nothing(town: Town) -> None:
    """Whoever asks who we are, or says no, has not said yes to anything."""
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    for words in ("who is this?", "wrong number", "???", "lose this number"):
        town.hook.text(VICTIM, words)
    assert not me.addresses.filter(proved_at__gt=0).exists()


def test_another_persons_text_is_not_taken_for_a_visitor_who_typed_their_number(
    town: Town,
) -> None:
    """Mallory types Leo's number as their own; Leo, who keeps a watch by text, says OK to it."""
    town.hook.text(VICTIM, "GO")
    leo = Person.objects.get(caller=True)
    mallory, _me = visitor()
    post(mallory, "/people", do="own", phone=VICTIM)
    post(mallory, "/watch", profile="injected", tz="America/Denver")
    town.hook.text(VICTIM, "MORE")
    assert not Address.objects.filter(person__caller=False, proved_at__gt=0).exists()
    assert leo.addresses.filter(proved_at__gt=0).count() == 2


@pytest.mark.parametrize(
    "typed", ["Win 202-555-0199", "evil.example", "Ba\u200bnk", "Sаm", "٥٥٥-٠١٩٩", "x@evil"]
)
def test_no_number_link_or_look_alike_reaches_a_stranger_as_a_name(town: Town, typed: str) -> None:
    """Not in the invitation, not in the code, not in the alarm, by text, by mail and by call."""
    client, me = visitor()
    post(client, "/people", do="plan", name=typed)
    add(client, VICTIM, typed, email="maya@example.org")
    post(client, "/people", do="own", phone="+12025550151")
    town.live(5)
    assert typed not in read(browser(stranger=True), page_of(me.contacts.get()))
    alarm(client)
    town.live(60)
    assert {"invite", "prove", "help"} <= {word for _to, _c, word, _text in town.got}
    rung = Message.objects.get(contact__person=me, word="help", channel="call")
    spoken = calls.picked_up(rung.id).reply
    assert spoken is not None
    said = [text for *_rest, text in town.got]
    said.append(compose(spoken.word, spoken.facts, spoken.lang, "call").text)
    for part in ("202-555-0199", "evil", "Bank", "Sаm", "٥٥٥"):
        assert not [text for text in said if part in text]
    assert sum("omeone who counts on you" in text for text in said) >= 4, "neutral words instead"


def test_a_name_is_whole_once_its_reader_has_said_yes(town: Town) -> None:
    client, _me = visitor()
    post(client, "/people", do="plan", name="Sam 2")
    add(client, VICTIM)
    town.live(5)
    assert "Sam 2" not in town.last(VICTIM)
    town.hook.text(VICTIM, "1")
    alarm(client)
    town.live(30)
    assert "Sam 2" in town.last(VICTIM)
