"""Somebody who rings us with a forged number, or whose number was mistyped: they hear no place."""

from __future__ import annotations

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.store.models import Contact, Message, sealed_columns
from stillhere.store.people import persons
from tests.circle import sams_night
from tests.hook import LEO, MALLORY, SAM, last
from tests.web.conftest import browser
from tests.web.hooks.test_calls import Line, call_to, carriers
from tests.web.strangers import Town, add, alarm, town, visitor

__all__ = ["carriers", "town"]
pytestmark = [pytest.mark.usefixtures("database"), pytest.mark.usefixtures("carriers")]

VERA = "+12025550150"
DAY_S = 86_400


def hears_place(told: str) -> bool:
    return "Elm" in told or "4711" in told


def read_by(town: Town, number: str) -> str:
    return " / ".join(text for to, _c, _w, text in town.got if to == number)


def sam_falls_silent(town: Town, seconds: int) -> None:
    night = sams_night(("Leo",))
    Message.objects.update(status="sent")
    night.start()
    night.does(ev.Marked())
    town.live(seconds)


def test_who_rings_with_leos_number_is_only_texted_where_sam_is(town: Town) -> None:
    sam_falls_silent(town, 200)
    line = Line(Client(), LEO)
    said = line.press("1") + line.press("3")
    assert "In how many minutes" in said
    assert not hears_place(said)
    town.live(5)
    assert hears_place(read_by(town, LEO)), "and the number itself reads it"


def test_in_a_call_of_ours_it_is_said(town: Town) -> None:
    sam_falls_silent(town, 230)
    line = call_to(Client(), LEO)
    assert hears_place(line.press("1") + line.press("3"))


@pytest.mark.parametrize("by", ["call", "text"])
def test_a_mistyped_number_that_never_said_yes_hears_no_place(town: Town, by: str) -> None:
    """Leo said yes on the page that Sam showed him; the number beside it is Vera's."""
    client, sam = visitor()
    persons.set_plan(sam, name="Sam", place="12 Elm Street", entry="code 4711")
    add(client, VERA, "Leo")
    town.live(10)
    leo = Contact.objects.get(person=sam)
    page = browser(stranger=True)
    page.post(f"/c/{sealed_columns.contact_key(leo)}/answer", {"do": "join"})
    alarm(client)
    town.live(20)
    if by == "call":
        said = town.hook.key(last(VERA, "call"), "1")
    else:
        said = ""
        for text in ("1", "WHERE"):
            town.hook.text(VERA, text)
            town.live(5)
    assert not hears_place(said + read_by(town, VERA))


def test_who_is_added_by_a_forged_call_is_told_of_to_the_number(town: Town) -> None:
    sams_night(("Leo",))
    Message.objects.update(status="sent")
    line = Line(Client(), SAM)
    for keys in ("3", "4", MALLORY.removeprefix("+1"), "1"):
        line.press(keys)
    town.live(30)
    assert "To let 0199 hear where you are from tonight on, reply" in read_by(town, SAM)
