"""What real evenings do to pages: refused cookies, pasted lines, a week open, two of everything."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.engine.erasure import erase_once
from stillhere.store.models import Contact, Person, WatchRow, sealed_columns
from stillhere.store.watches.apply import CheckIn
from tests.circle import SamsNight, tick_all
from tests.conftest import Clock
from tests.web.conftest import browser, post
from tests.web.pages import contact_path, everything, read, text_of, watch_path


def test_a_browser_that_refuses_cookies_is_told_what_to_do() -> None:
    client = browser()
    client.get("/")
    client.cookies.clear()
    response = client.post("/", {"csrfmiddlewaretoken": "x" * 64})
    assert response.status_code == 403
    assert "your browser does not keep our cookie" in text_of(response)
    assert not Person.objects.exists()


@pytest.mark.parametrize(
    "typed",
    [
        "202-555\r\n0102",
        " (202) 555 \u2013 0102\t",
        "+1.202.555.0102",
        "tel:+12025550102",
        "2025550102\n",
    ],
)
def test_a_number_may_be_pasted_any_way(night: SamsNight, sam: Client, typed: str) -> None:
    assert post(sam, "/people", do="add", name="Ana", phone=typed).status_code == 302
    ana = Contact.objects.latest("id")
    assert {sealed_columns.address_value(a) for a in ana.addresses.all()} == {"+12025550102"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "x" * 300,
        "<script>alert(1)</script>",
        "محمد",
        "Nguyễn Thị",
        "\U0001f469\U0001f3fd\u200d\U0001f692",
        "\u202eevil",
        "a\r\nb",
        "%(name)s",
        "{{ x }}",
    ],
)
def test_a_name_may_be_anything_on_every_page(night: SamsNight, sam: Client, name: str) -> None:
    post(sam, "/people", do="plan", name=name, wish="phone-first")
    post(sam, "/people", do="add", name=name, phone="202-555-0142")
    night.start()
    night.does(ev.Marked())
    for client, path in (
        (sam, "/watch"), (sam, "/people"), (sam, "/mine"), (browser(), watch_path(night)),
        (browser(), contact_path(night, "Leo")),
    ):  # fmt: skip
        response = client.get(path)
        assert response.status_code == 200
        assert "<script>alert" not in response.content.decode()


def test_a_page_that_was_open_for_a_week_says_so_and_does_no_harm(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    night.start()
    old = watch_path(night)
    sam.get("/people")
    token = sam.cookies["csrftoken"].value
    night.does(ev.Ended())
    clock.advance(7 * 24 * 3600)
    erase_once(clock.now)
    assert not WatchRow.objects.exists()
    for do in ("mark", "more", "help", "end"):
        response = sam.post(f"{old}/{do}", {"back": "watch"})
        assert response.status_code == 404
        assert "This link opens nothing" in text_of(response)
    again = sam.post("/watch", {"csrfmiddlewaretoken": token, "profile": "injected"})
    assert again["Location"] == "/watch"
    assert WatchRow.objects.get().state == State.OPEN


def test_going_back_and_pressing_again_in_mid_watch_changes_nothing(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/watch", profile="injected")
    button = re.search(r"/k/[\w-]{27}", sam.get("/watch").content.decode())
    assert button
    sam.post(f"{button.group()}/mark", {"back": "watch"})
    marked_at = WatchRow.objects.get().marked_at
    before = everything()
    post(sam, "/watch", profile="swallowed")  # the first form, from the browser's history
    assert everything() == before
    assert WatchRow.objects.get().marked_at == marked_at


def test_two_phones_are_one_person(night: SamsNight, clock: Clock) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    one, two = browser(night.key), browser(night.key)
    assert "are you there?" in read(one, "/watch")
    assert "are you there?" in read(two, "/watch")
    night.does(CheckIn(seq=1))
    for phone in (one, two):
        assert "Asking again in" in read(phone, "/watch")


def test_a_phone_whose_clock_is_a_day_off_is_heard_all_the_same(
    night: SamsNight, clock: Clock
) -> None:
    night.start()
    night.does(ev.Marked())
    clock.advance(60)
    tick_all()
    night.does(CheckIn(age_ms=24 * 3600 * 1000, seq=1))
    assert night.row().state == State.OPEN


@pytest.mark.parametrize("said", ["<b>x</b>", "x" * 5000, "%00", "../..", "added"])
def test_an_address_bar_may_say_anything(night: SamsNight, sam: Client, said: str) -> None:
    for path in ("/watch", "/people", "/routine"):
        html = sam.get(path, {"said": said}).content.decode()
        assert "<b>x</b>" not in html


def test_looking_never_changes_anything(night: SamsNight, sam: Client) -> None:
    """Scanners and previews open every link they see."""
    night.start()
    leo = contact_path(night, "Leo")
    before = everything()
    for client, path in (
        (sam, "/people"), (sam, f"/people/card/{night.contacts['Leo'].id}"), (sam, "/mine"),
        (browser(), "/try"), (browser(), "/p"), (browser(), f"/p/{night.key}"),
        (browser(), f"{leo}/lamp.vcf"), (browser(), f"{leo}/part"), (browser(), watch_path(night)),
        (browser(), "/help-now"), (browser(), "/lines"), (sam, "/later"), (sam, "/forget"),
        (sam, "/light"),
    ):  # fmt: skip
        client.get(path)
    assert everything() == before
