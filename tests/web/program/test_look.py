"""The link and the call of a page: one press, and nobody else is woken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from stillhere.engine import render
from stillhere.store.installation import desk_key
from stillhere.store.messages import delivery, pages
from stillhere.store.models import Message, Page
from tests.channels.accounts import carrier_of
from tests.conftest import Clock
from tests.store.messages.test_pages import (
    ANA,
    ANAS,
    PEOPLE,
    RUTH,
    RUTHS,
    nobody_is_on_the_list,
    says,
)
from tests.web.conftest import browser
from tests.web.hooks.test_calls import Line
from tests.web.pages import read

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def on_call(settings: Any) -> Iterator[None]:
    before = settings.STILLHERE
    ours = (carrier_of("twilio", "https://api.example.org"),)
    settings.STILLHERE = replace(
        before, coordinator="ruth@example.org", coordinators=PEOPLE, carriers=ours
    )
    yield
    settings.STILLHERE = before


def paged(clock: Clock) -> tuple[str, Message]:
    """The path of the link, and the message."""
    nobody_is_on_the_list(clock)
    (m,) = delivery.lease("coordinator", clock.now, 50, 20)
    link = render.render(m, m.to).link
    return "/look/" + link.partition("/look/")[2], Message.objects.get(id=m.id)


def test_opening_the_link_changes_nothing_and_pressing_ends_it(clock: Clock) -> None:
    path, _ = paged(clock)
    anyone = browser()
    shown = read(anyone, path)
    assert "1 asunto te espera" in shown, "in her language"
    assert "Sam" not in shown
    anyone.head(path)
    assert pages.waits(), "a machine that opens links answers nothing"
    assert "No despertamos a nadie más." in read(anyone, anyone.post(path)["Location"])
    assert not pages.waits()
    assert Page.objects.get().looked_by == pages.who_is(RUTH)


def test_the_others_read_on_their_link_who_looks(clock: Clock) -> None:
    path, _ = paged(clock)
    browser().post(path)
    theirs = path.replace(pages.who_is(RUTH), pages.who_is(ANA))
    assert "Ruth is looking." in read(browser(), theirs)


DAY_S = 86_400


@pytest.mark.parametrize("later_s", [1, DAY_S - 1, DAY_S + 1, 20 * DAY_S])
def test_the_link_of_a_page_that_is_over_silences_no_new_one(clock: Clock, later_s: int) -> None:
    """Ruth looked; her mail stays in a mailbox, or was forwarded."""
    path, _ = paged(clock)
    browser().post(path)
    assert not pages.waits()
    clock.advance(later_s)
    new, _ = paged(clock)
    anyone = browser(stranger=True)
    assert anyone.post(path).status_code == (303 if later_s < DAY_S else 404)
    assert pages.waits()
    assert Page.objects.filter(next_at__isnull=False).count() == 1
    anyone.post(new)
    assert not pages.waits()


def test_a_link_opens_for_as_long_as_its_page_waits(clock: Clock) -> None:
    path, _ = paged(clock)
    clock.advance(3 * DAY_S)
    assert browser().post(path).status_code == 303
    assert not pages.waits()


def test_the_desk_shows_that_a_text_said_so(clock: Clock) -> None:
    path, _ = paged(clock)
    says(RUTHS, "0")
    desk = browser()
    desk.get(f"/desk/{desk_key.key()}")
    assert "A text from Ruth" in read(desk, "/desk")
    assert "I am looking: page nobody else" in read(desk, "/desk")
    desk.post(path)
    assert "Ruth looks since" in read(desk, "/desk")


def test_a_guessed_link_answers_nothing(clock: Clock) -> None:
    path, _ = paged(clock)
    key, who = path.split("/")[2:]
    for wrong in (f"/look/{key[:-1]}x/{who}", f"/look/{key}/mallory", f"/look/{'x' * 27}/{who}"):
        assert browser().post(wrong).status_code == 404
    assert pages.waits()


def test_a_call_says_it_twice_and_0_ends_it(client: Client, clock: Clock) -> None:
    _, m = paged(clock)
    line = Line(client, RUTHS, message=m.id)
    assert line.says.count("Oprime 0") == 2
    assert "Oprime 0" in line.press("3")
    assert "Ya no avisamos a otros" in line.press("0")
    assert not pages.waits()


@pytest.mark.parametrize("key", ["", "1", "9"])
def test_another_key_or_none_ends_nothing(client: Client, clock: Clock, key: str) -> None:
    _, m = paged(clock)
    Line(client, RUTHS, message=m.id).press(key)
    assert pages.waits()


def test_a_key_in_somebody_elses_call_ends_no_page(client: Client, clock: Clock) -> None:
    _, m = paged(clock)
    other = Message.objects.exclude(id=m.id).exclude(channel="coordinator").first()
    line = Line(client, ANAS, message=m.id)
    line.twiml = line.twiml.replace(f"m={m.id}", f"m={other.id if other else 0}")
    line.press("0")
    assert pages.waits()


def test_the_desk_shows_who_was_paged_and_who_looks(clock: Clock) -> None:
    paged(clock)
    desk = browser()
    desk.get(f"/desk/{desk_key.key()}")
    shown = read(desk, "/desk")
    assert "Who was paged" in shown
    assert "Ruth" in shown
    assert "Nobody has said yet that they look." in shown
    assert desk.post(f"/desk/{desk_key.key()}/act", {"do": "look"}).status_code == 303
    shown = read(desk, "/desk")
    assert "The desk looks since" in shown
    assert not pages.waits()


def test_only_the_desk_presses_the_desks_button(clock: Clock) -> None:
    paged(clock)
    browser().post("/desk/act", {"do": "look"})
    assert pages.waits()
