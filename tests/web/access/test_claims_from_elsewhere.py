"""Mallory puts Leo's number on two lists, each beside a mailbox of Mallory's own, and Leo says yes.
What that mailbox says must not keep Leo's phone from ringing about Sam."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.store.models import Message
from stillhere.store.watches.apply import CallForHelp
from tests.circle import sams_night
from tests.web.conftest import browser, post
from tests.web.strangers import Town, add, alarm, town, visitor

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["town"]  # a fixture

LEO, MAIL = "+12025550101", "mallory@example.org"


def mails_link(town: Town) -> str:
    mail = next(text for to, _channel, _word, text in reversed(town.got) if to == MAIL)
    return "/c/" + mail.rpartition(" ")[2].split("/c/")[1]


def list_of_mallorys(town: Town, name: str) -> tuple[Client, Client, str]:
    """Mallory as the person, Mallory as their Leo, and the path of that Leo's page."""
    client, _person = visitor()
    post(client, "/people", do="plan", name=name)
    add(client, LEO, "Leo", email=MAIL)
    town.live(10)
    town.hook.text(LEO, "YES")
    town.live(10)
    mallory = browser(stranger=True)
    mallory.get(mails_link(town), follow=True)
    path = mails_link(town).partition("?")[0]
    mallory.post(path + "/answer", {"do": "mine"})
    mallory.post(path + "/answer", {"do": "send-page-code"})
    town.live(10)
    mallory.get(mails_link(town), follow=True)
    mallory.post(path + "/answer", {"do": "mine"})
    return client, mallory, path


def test_leo_is_rung_about_sam_whatever_somebody_says_for_leo(town: Town) -> None:
    sam = sams_night(("Leo",))
    Message.objects.update(status="sent")
    sam.start()
    lists = [list_of_mallorys(town, name) for name in ("Mike", "Mitch")]
    for client, _mallory, _path in lists:
        alarm(client)
    town.live(30)
    _client, mallory, path = lists[0]
    said = mallory.post(path + "/answer", {"do": "claim", "soon": "5"})
    assert "not-yours" not in said.headers["Location"]
    assert Message.objects.filter(watch__state="claimed").exists()
    town.live(5)
    town.got.clear()
    sam.does(CallForHelp())
    for round in range(12):
        town.live(10)
        if round == 6:
            mallory.post(path + "/answer", {"do": "arrived"})
    assert [word for to, channel, word, _text in town.got if (to, channel) == (LEO, "call")]
