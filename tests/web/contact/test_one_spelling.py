"""A no, a budget and "already on the list" are of one mailbox or topic, however it is spelled."""

from __future__ import annotations

import itertools

import pytest

from stillhere.core.reading.same_address import plain
from stillhere.store.db import encryption
from stillhere.store.messages import delivery
from stillhere.store.models import Contact, Message, Suppression
from stillhere.store.people import address_book, suppression
from stillhere.store.problems import Reached
from tests.circle import SamsNight
from tests.web.conftest import browser, post
from tests.web.refusing import somebody_else
from tests.web.strangers import Town, town, visitor

__all__ = ["town"]

MAIL = "victim@example.org"
SPELLINGS = (
    "Victim@example.org",
    "VICTIM@EXAMPLE.org",
    "victim+1@example.org",
    "ViCtIm+a+b@Example.Org",
)
TOPICS = (
    "ntfy://ntfy.sh/vic-topic",
    "ntfys://ntfy.sh/vic-topic",
    "ntfy://ntfy.sh/vic-topic/",
    "ntfy://ntfy.sh//vic-topic?x=1",
    "ntfy://vic-topic",
    "https://ntfy.sh/vic-topic",
    "ntfy://NTFY.SH:443/vic-topic",
    "ntfy://ntfy.sh/vic%2Dtopic?priority=max",
    "ntfy://u:p@ntfy.sh/?to=vic-topic",
)


def invited(channel: str) -> int:
    return Message.objects.filter(channel=channel, word="invite").count()


def test_not_me_in_our_mail_holds_for_every_spelling_of_that_mailbox(
    night: SamsNight, town: Town
) -> None:
    sam = browser(night.key)
    post(sam, "/people", do="add", name="Vic", email=MAIL)
    town.live(10)
    link = town.link(MAIL)
    victim = browser(stranger=True)
    victim.get(link)
    victim.post(link.partition("?")[0] + "/answer", {"do": "not-me"})
    answers = [
        post(sam, "/people", do="add", name="Vic", email=each).status_code
        for each in (MAIL, *SPELLINGS)
    ]
    assert answers == [422] * 5
    town.live(10)
    assert town.counted()["email"] == 1


def test_one_mailbox_is_invited_once_by_a_list_and_thrice_a_day_by_all(town: Town) -> None:
    every = itertools.product(*[(char, char.upper()) for char in "victim"])
    spelled = iter(["".join(chars) + "@example.org" for chars in every])
    for _ in range(5):
        client, _person = visitor()
        for _ in range(3):
            post(client, "/people", do="add", name="Vic", email=next(spelled))
    assert Contact.objects.count() == 5, "the same address is one contact"
    town.live(30)
    assert town.counted()["email"] == 3


def test_one_topic_is_one_address_however_it_is_typed(night: SamsNight) -> None:
    sam, before = browser(night.key), Contact.objects.count()
    for topic in TOPICS:
        assert post(sam, "/people", do="add", name="Vic", chat=topic).status_code == 302
    assert (invited("chat"), Contact.objects.count()) == (1, before + 1)
    several = post(sam, "/people", do="add", name="Vic", chat="ntfy://ntfy.sh/vic-topic/other")
    assert several.status_code == 422
    assert "of one topic or chat" in several.content.decode()


def test_a_no_of_a_topic_holds_for_every_spelling(night: SamsNight, clock: object) -> None:
    suppression.add([("chat", TOPICS[0])], Suppression.Why.STOP, 1, proved=True)
    stranger = somebody_else()
    for topic in TOPICS:
        assert post(stranger, "/people", do="add", name="Vic", chat=topic).status_code == 422


def test_it_is_sent_to_as_it_was_typed(night: SamsNight) -> None:
    post(browser(night.key), "/people", do="add", name="Vic", email="Victim+Home@example.org")
    vic = Contact.objects.latest("id")
    way = vic.addresses.get()
    (leased,) = [m for m in delivery.lease("email", vic.created_at, 50, 20) if m.channel == "email"]
    assert leased.to == "Victim+Home@example.org"
    assert bytes(way.lookup) == encryption.lookup("email", MAIL)


@pytest.mark.parametrize(("channel", "typed"), [("email", "Eve@example.org"), ("chat", TOPICS[2])])
def test_a_no_and_an_address_from_before_are_still_found(
    night: SamsNight, channel: str, typed: str
) -> None:
    old = encryption.lookup(channel, typed)
    assert typed != plain(channel, typed)
    Suppression.objects.create(lookup=old, person=0, proved=True, why="stop", at=1)
    assert suppression.silenced({(channel, typed)}) == {(channel, typed)}
    said = post(somebody_else(), "/people", do="add", name="Eve", **{channel: typed})
    assert said.status_code == 422
    suppression.lift(channel, typed)
    assert not Suppression.objects.exists()
    leo = night.contacts["Leo"]
    way = address_book.add_address(Reached(channel, typed, rings=False), contact=leo, now=1)
    way.lookup = old
    way.save(update_fields=["lookup"])
    post(browser(night.key), "/people", do="add", name="Leo", **{channel: typed})
    assert leo.person.contacts.count() == len(night.contacts)
