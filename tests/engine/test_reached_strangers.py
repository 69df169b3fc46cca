"""Whoever comes by and calls for help on a list that nobody can be reached on is told so, and the
coordinator is; nobody else's page says that the watch is not running."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.engine.audit import audit_once
from stillhere.engine.heartbeat import pulse_once
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Message, Person
from stillhere.store.watches import apply
from stillhere.web.site import health
from tests.channels.browsers import BrowserKeys
from tests.circle import sams_night, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_key, text_of
from tests.web.strangers import VICTIM, Town, add, alarm, town, visitor

__all__ = ["town"]
pytestmark = pytest.mark.usefixtures("database")
THEIR_OWN = BrowserKeys("https://push.mallory.example/503").subscription
MADE_UP = "+12025550188"
WAYS = ("push", "text", "call", "page", "coordinator")


def lives(clock: Clock, fate: Fate, why: str) -> list[str]:
    """Forty seconds in which phones answer alike; what the proof says then."""
    for _ in range(40):
        clock.advance(1)
        pulse_once()
        tick_all()
        for channel in ("text", "call"):
            taken = delivery.lease(channel, clock.now, 50, 20)
            delivery.record([m.result(Receipt(fate, why=why)) for m in taken], clock.now)
        paged = delivery.lease("coordinator", clock.now, 50, 20)
        delivery.record([m.result(Receipt(Fate.ACCEPTED)) for m in paged], clock.now)
    return audit_once(clock.now)


def by_name_alone(client: Client, person: Person) -> None:
    post(client, "/people", do="add", name="Nobody")


def a_number_that_is_none(client: Client, person: Person) -> None:
    add(client, VICTIM, "Nobody")


def a_number_that_was_rung_often_enough(client: Client, person: Person) -> None:
    """Its owner has said nothing, and other lists have used up its day."""
    add(client, VICTIM, "Nobody")
    Message.objects.filter(word="invite").update(status="dropped", attempts=0)
    for n in range(8):
        other, _ = visitor()
        add(other, VICTIM, f"Nobody {n}")
        alarm(other)


@pytest.mark.parametrize(
    "listed", [by_name_alone, a_number_that_is_none, a_number_that_was_rung_often_enough]
)
def test_a_stranger_whose_list_reaches_nobody_stops_no_proof(town: Town, listed: object) -> None:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    night.start()
    client, person = visitor()
    assert callable(listed)
    listed(client, person)
    if listed is a_number_that_was_rung_often_enough:
        lives(town.clock, Fate.ACCEPTED, "")
    alarm(client)
    fate = Fate.FAILED if listed is a_number_that_is_none else Fate.ACCEPTED
    assert lives(town.clock, fate, "unknown number") == []
    shown = text_of(client.get("/watch"))
    assert Message.objects.filter(person=person, word="page-exhausted").exists(), "Ruth looks"
    assert not health.behind()
    assert "not running" not in text_of(browser(night.key).get("/watch"))
    if listed is not a_number_that_was_rung_often_enough:
        assert "Nobody on your list can be reached." in shown
        assert "Call your emergency number." in shown
    reached = Message.objects.filter(person=person, status__in=["sent", "delivered"])
    assert not reached.exclude(channel="coordinator").exclude(word="invite").exists()


@pytest.mark.parametrize("proved_at", [0, 1])
def test_what_refuses_us_is_red_whoever_calls(town: Town, proved_at: int) -> None:
    client, _ = visitor()
    add(client, VICTIM, "Nobody")
    Address.objects.update(proved_at=proved_at)
    alarm(client)
    assert "1 open alarm has reached nobody" in " ".join(
        lives(town.clock, Fate.BUSY, "refuses us 401, 20003")
    )


def red_s(clock: Clock, seconds: int, why: str) -> int:
    """For how long the proof fails while one visitor's push server answers so, a made-up number is
    none, and all else is taken."""
    red = 0
    for second in range(seconds):
        clock.advance(1)
        pulse_once()
        tick_all()
        for channel in WAYS:
            for m in delivery.lease(channel, clock.now, 100, 20):
                receipt = Receipt(Fate.ACCEPTED, f"x{m.id}")
                if channel == "push":
                    receipt = Receipt(Fate.BUSY, why=why)
                elif m.to == MADE_UP:
                    receipt = Receipt(Fate.FAILED, why="no such number")
                delivery.record([m.result(receipt)], clock.now)
        if second % 5 == 4:
            red += 5 * bool(audit_once(clock.now))
    return red


@pytest.mark.parametrize("why", ["status 503", "refuses us 401", "no connection: closed"])
def test_an_ask_to_a_visitor_s_own_push_server_stops_no_proof(town: Town, why: str) -> None:
    client, person = visitor()
    client.get("/watch")
    token = client.cookies["csrftoken"].value
    sent = {"csrfmiddlewaretoken": token, "subscription": THEIR_OWN}
    assert client.post("/push", sent).status_code == 200
    post(client, "/watch", profile="injected", tz="America/Denver")
    row = client.get("/watch").context["shown"].row
    apply.apply(apply.Change(ev.Marked(), watch=row.id))
    assert red_s(town.clock, 150, why) == 0
    assert Message.objects.filter(person=person, channel="push", attempts__gt=1).exists()
    assert not health.behind()


@pytest.mark.parametrize("why", ["status 503", "refuses us 401", "no connection: closed"])
def test_a_visitor_s_contact_with_a_push_server_of_their_own_stops_no_proof(
    town: Town, why: str
) -> None:
    client, person = visitor()
    post(client, "/people", do="add", name="Mike")
    mike = Contact.objects.get(person=person)
    path, phone = f"/c/{contact_key(mike)}", browser(stranger=True)
    phone.get(path)
    phone.post(f"{path}/answer", {"do": "join"})
    phone.post(f"{path}/push", {"subscription": THEIR_OWN})
    phone.post(f"{path}/answer", {"do": "number", "phone": MADE_UP, "ring": "on"})
    alarm(client)
    assert red_s(town.clock, 150, why) == 0
    assert Message.objects.filter(contact=mike, channel="push", attempts__gt=1).exists()
    assert not health.behind()
    paged = Message.objects.filter(channel="coordinator").values_list("word", flat=True)
    assert "page-stuck" not in paged
