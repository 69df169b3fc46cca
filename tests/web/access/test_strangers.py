"""Strangers: an anonymous visitor types any number, and nobody's phone rings or fills.

Attacks of 2026-11-29, over HTTP, with carriers that take everything: sixteen phones rung within a
minute by test rings, and twelve people who never said yes texted and called all night.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store.db import budgets
from stillhere.store.db import clock as time
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Installation, Message, Person, sealed_columns
from stillhere.store.people.numbers import address_proof, strangers
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change, CheckIn
from stillhere.store.watches.group_commit import WRITER
from tests.circle import tick_all
from tests.conftest import Clock
from tests.hook import Hook
from tests.web.conftest import browser, post
from tests.web.pages import read

pytestmark = pytest.mark.usefixtures("database")

VICTIM = "+12025550150"


@dataclass
class Town:
    """Every phone and mailbox there is: what reached them, in the order it did."""

    clock: Clock
    hook: Hook
    got: list[tuple[str, str, str, str]] = field(default_factory=list)

    def deliver(self) -> None:
        """Everything that is due leaves, and is taken."""
        now = self.clock.now
        for channel in ("text", "call", "email"):
            for m in delivery.lease(channel, now, 200, 20):
                sent = render.render(m, m.to)
                self.got.append((m.to, channel, m.word, f"{sent.text} {sent.link}"))
                ref = f"p-{m.id}-{m.attempts}"
                fate = Fate.ACCEPTED if channel == "text" else Fate.DELIVERED
                delivery.record([m.result(Receipt(fate, ref))], now)

    def live(self, seconds: int) -> None:
        for second in range(seconds):
            self.clock.advance(1)
            Installation.objects.update(beat_at=self.clock.now)
            tick_all()
            if second % 5 == 4:
                self.deliver()

    def counted(self, number: str = "") -> Counter[str]:
        """How many of each channel came, to this number or to all."""
        return Counter(channel for to, channel, *_ in self.got if number in ("", to))

    def words(self, number: str) -> list[str]:
        return [word for to, _channel, word, _text in self.got if to == number]

    def last(self, number: str) -> str:
        """The newest message to a number, with its link."""
        return next(text for to, _c, _w, text in reversed(self.got) if to == number)

    def link(self, number: str) -> str:
        """The path of the newest link that a number was sent."""
        return self.last(number).rpartition(" http://localhost:8420")[2]


@pytest.fixture
def town(clock: Clock, settings: Settings) -> Iterator[Town]:
    settings.STILLHERE = replace(settings.STILLHERE, demo_url="http://127.0.0.1:1")
    WRITER.start()
    yield Town(clock, Hook(Client(), clock))
    WRITER.stop()


def visitor(lang: str = "en") -> tuple[Client, Person]:
    """Somebody who has just arrived: no account, no number."""
    client = browser(lang=lang, stranger=True)
    post(client, "/", tz="America/Denver")
    return client, Person.objects.latest("id")


def add(client: Client, number: str, name: str = "Maya", **more: Any) -> Any:
    return post(client, "/people", do="add", name=name, phone=number, **more)


def page_of(contact: Contact) -> str:
    return f"/c/{sealed_columns.contact_key(contact)}"


def alarm(client: Client) -> None:
    """Start a watch, call for help, and give it up again."""
    post(client, "/watch", profile="injected", tz="America/Denver")
    key = str(client.get("/watch").context["shown"].key)
    client.post(f"/k/{key}/help", {"back": "watch"})


# --- the attacks ----------------------------------------------------------------------------------


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
    for _ in range(6):
        alarm(client)
        town.live(240)
        shown = client.get("/watch").context["shown"]
        apply.apply(Change(CheckIn(), watch=shown.row.id))  # and the next alarm is a new one
        town.live(10)
    for number in numbers:
        counted = town.counted(number)
        assert counted["call"] <= 2
        assert counted["text"] <= 3, "the invitation, and one in each of two alarms"
    assert town.counted()["call"] <= strangers.RUNG_A_PERSON
    assert town.counted()["text"] <= len(numbers) + strangers.RUNG_A_PERSON


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


# --- and what must go on --------------------------------------------------------------------------


def test_the_link_of_an_invitation_proves_the_number_with_the_yes(town: Town) -> None:
    """No code is typed: it came in the link of that very text."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    phone = browser(stranger=True)
    path = town.link(VICTIM)
    phone.get(path)
    page = path.partition("?")[0]
    phone.post(f"{page}/answer", {"do": "join"})
    maya = me.contacts.get()
    assert {a.proved_at > 0 for a in maya.addresses.all()} == {True}, "text and call are one number"
    phone.post(f"{page}/answer", {"do": "test"})
    town.live(5)
    assert town.words(VICTIM) == ["invite", "test", "test"]


def test_a_get_proves_nothing(town: Town) -> None:
    """Mail programs and phones look at links before anybody does."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    browser(stranger=True).get(town.link(VICTIM))
    assert not me.contacts.get().addresses.filter(proved_at__gt=0).exists()


def test_the_link_that_sam_has_proves_nothing(town: Town) -> None:
    """Whoever adds somebody holds the link of their page too, but not the code in the text."""
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    page = page_of(me.contacts.get())
    client.get(page)
    client.post(f"{page}/answer", {"do": "join"})
    assert not me.contacts.get().addresses.filter(proved_at__gt=0).exists()


def test_a_reply_proves_a_number_and_the_test_ring_follows(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM)
    town.live(5)
    town.hook.text(VICTIM, "1")
    town.live(5)
    assert me.contacts.get().addresses.filter(proved_at__gt=0).count() == 2
    assert town.words(VICTIM)[1:] == ["reply-joined", "test", "test"]


def test_a_code_that_is_typed_proves_ones_own_number_and_asks_go_there(town: Town) -> None:
    client, me = visitor()
    answer = post(client, "/people", do="own", phone=VICTIM)
    assert "We sent you a code." in read(client, answer["Location"])
    town.live(5)
    code = address_proof.code_of(me.addresses.get(channel="text").nonce)
    assert code in town.last(VICTIM)
    typed = f"{code[:3]} {code[3:]}"
    assert post(client, "/people", do="code", code=typed).status_code == 302
    assert "is yours" not in read(client, "/watch")
    post(client, "/watch", profile="injected", tz="America/Denver")
    key = str(client.get("/watch").context["shown"].key)
    client.post(f"/k/{key}/mark", {"back": "watch"})
    town.live(90)
    assert "ask" in town.words(VICTIM)
    assert "ask-ring" in town.words(VICTIM)


def test_the_code_or_a_word_by_text_proves_ones_own_number(town: Town) -> None:
    for words in ("OK", "the code itself"):
        client, me = visitor()
        post(client, "/people", do="own", phone=VICTIM)
        town.live(5)
        code = address_proof.code_of(me.addresses.get(channel="text").nonce)
        town.hook.text(VICTIM, code if "code" in words else words)
        assert me.addresses.filter(proved_at__gt=0).count() == 2
        town.live(5)
        assert town.last(VICTIM).startswith("Thank you. Now we know that this number is yours.")
        me.delete()


def test_a_code_is_sent_again_when_it_is_asked_for_and_then_no_more(town: Town) -> None:
    client, _me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    town.live(5)
    answers = []
    for _ in range(4):
        answers.append(post(client, "/people", do="send-code").status_code)
        town.live(5)
    assert answers == [302, 302, 422, 422]
    assert town.words(VICTIM) == ["prove"] * strangers.CODES
    assert "We cannot send another code" in post(client, "/people", do="send-code").content.decode()


def test_a_number_that_was_proved_stays_so_when_the_form_is_sent_again(town: Town) -> None:
    client, me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    address_proof.vouch(me)
    post(client, "/people", do="own", phone=VICTIM, email="sam@example.org")
    proved = {a.channel: a.proved_at > 0 for a in me.addresses.all()}
    assert proved == {"text": True, "call": True, "email": False}


def test_an_address_for_mail_is_proved_by_the_link_in_the_mail(town: Town) -> None:
    client, me = visitor()
    post(client, "/people", do="add", name="Maya", email="maya@example.org")
    town.live(5)
    path = town.link("maya@example.org")
    phone = browser(stranger=True)
    phone.get(path)
    phone.post(f"{path.partition('?')[0]}/answer", {"do": "join"})
    assert me.contacts.get().addresses.get().proved_at > 0


def test_a_contact_who_never_answered_is_rung_once_and_the_ladder_goes_on(town: Town) -> None:
    """One text and one call in the alarm, and no news; whoever said yes gets everything."""
    client, me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    add(client, "+12025550102", "Maya", rung="after")
    town.live(5)
    town.hook.text("+12025550102", "1")
    town.live(5)
    alarm(client)
    town.live(400)
    assert sorted(town.words(VICTIM)) == ["help", "help", "invite"]
    assert "have not answered yet" in town.last(VICTIM)
    words = town.words("+12025550102")
    assert {"help", "again", "ambulance"} <= set(words)
    held = Message.objects.filter(contact__person=me, status="dropped")
    assert held.filter(why="this number is not proved yet").exists()


def test_alarms_to_proved_numbers_are_stopped_by_no_budget(town: Town, settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, strangers_a_day=1)
    client, me = visitor()
    add(client, "+12025550102")
    town.live(5)
    town.hook.text("+12025550102", "1")
    for _ in range(strangers.RUNG_A_NUMBER + 2):
        alarm(client)
        town.live(60)
        town.hook.text("+12025550102", "im there")
        shown = client.get("/watch").context["shown"]
        apply.apply(Change(CheckIn(), watch=shown.row.id))
        town.live(30)
    assert town.counted("+12025550102")["call"] > strangers.RUNG_A_NUMBER
    assert not Message.objects.filter(contact__person=me, status="dropped").filter(
        why__contains="today"
    )


def test_when_the_budget_of_a_number_is_used_up_the_next_is_rung_at_once(town: Town) -> None:
    client, me = visitor()
    add(client, VICTIM, "Ana", rung="first")
    add(client, "+12025550102", "Maya", rung="after")
    town.live(5)
    town.hook.text("+12025550102", "1")
    town.live(5)
    number = sealed_columns.address_value(Address.objects.filter(contact__person=me).earliest("id"))
    for _ in range(strangers.RUNG_A_NUMBER):
        held = strangers.limits("help", None, "text", number)[:1]
        budgets.take(held, time.now_ms())
    before = town.clock.now
    alarm(client)
    while "help" not in town.words("+12025550102"):
        town.live(5)
        assert town.clock.now - before < 20_000, "45 s would have been waited for nothing"
    assert "help" not in town.words(VICTIM)
    assert Message.objects.filter(why="was rung often enough today").exists()


def test_engines_ticks_are_not_needed_for_a_code(town: Town) -> None:
    """Sent once by itself; the form sent again before it has left sends no second one."""
    client, _me = visitor()
    post(client, "/people", do="own", phone=VICTIM)
    post(client, "/people", do="own", phone=VICTIM)
    tick_all()
    town.live(5)
    assert town.words(VICTIM) == ["prove"]
