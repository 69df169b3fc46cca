"""Nobody fills an installation, or sends texts at its cost, from one address. Help is not counted.

Many people may sit behind one address (a shelter, a clinic), so the limits are an hour's work by
hand, and what somebody has already goes on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from stillhere.config import environment
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Message, Person
from stillhere.web.access import rate_limit
from stillhere.web.access.rate_limit import MOST_INVITATIONS, MOST_MISSES, MOST_PERSONS
from tests.circle import SamsNight, sams_night
from tests.conftest import Clock
from tests.web.conftest import browser, post, post_again
from tests.web.pages import contact_path, make, text_of, watch_path

pytestmark = pytest.mark.slow


def start(address: str = "192.0.2.1", lang: str = "en", **headers: str) -> tuple[int, str]:
    """A stranger presses Start."""
    client = Client(REMOTE_ADDR=address, headers={"Accept-Language": lang, **headers})
    response = client.post("/", {"tz": "UTC"})
    return response.status_code, text_of(response)


def test_new_people_from_one_address_are_limited_by_the_hour(clock: Clock) -> None:
    assert [start()[0] for _ in range(MOST_PERSONS)] == [302] * MOST_PERSONS
    status, told = start()
    assert (status, "Too many at once" in told) == (429, True)
    assert "What you have goes on" in told
    assert "Demasiadas a la vez" in start(lang="es")[1]
    assert Person.objects.count() == MOST_PERSONS
    assert start("192.0.2.2")[0] == 302, "another address is somebody else"
    clock.advance(3599)
    assert start()[0] == 429
    clock.advance(1)
    assert start()[0] == 302


def test_who_is_known_already_is_not_a_new_person(night: SamsNight) -> None:
    for _ in range(MOST_PERSONS + 5):
        assert post(browser(night.key), "/").status_code == 302


def test_one_line_has_many_addresses_of_the_long_kind() -> None:
    tries = [start(f"2001:db8:1:2::{n:x}")[0] for n in range(1, MOST_PERSONS + 3)]
    assert tries[-2:] == [429, 429]
    assert start("2001:db8:1:3::1")[0] == 302
    mapped = [start(f"::ffff:192.0.2.{n}")[0] for n in range(1, MOST_PERSONS + 3)]
    assert set(mapped) == {302}, "an old address in a long one is its own line"


def test_behind_a_proxy_the_address_is_what_the_proxy_says(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, base_url="https://lamp.example.org")
    for n in range(MOST_PERSONS + 2):
        assert start("127.0.0.1", **{"X-Forwarded-For": f"192.0.2.{n}"})[0] == 302
    mine = {"X-Forwarded-For": "192.0.2.250, 192.0.2.251"}
    assert [start("127.0.0.1", **mine)[0] for _ in range(MOST_PERSONS + 1)][-1] == 429


@pytest.mark.parametrize(
    ("peer", "said", "counted"),
    [
        ("203.0.113.9", "192.0.2.1", "203.0.113.9"),  # no proxy of ours: it may say what it likes
        ("127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("::1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:127.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("", "192.0.2.1", "192.0.2.1"),  # a proxy on a socket
        ("172.30.84.1", "192.0.2.1, 198.51.100.7", "198.51.100.7"),  # the first it said itself
        ("172.30.84.1", "192.0.2.1, 127.0.0.1", "192.0.2.1"),  # two proxies of ours
        ("127.0.0.1", "127.0.0.1, 127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "rubbish", "rubbish"),
        ("127.0.0.1", ", " * 9_000 + "192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("no address", "192.0.2.1", "no address"),
    ],
)
def test_only_a_proxy_of_ours_says_who_is_asking(
    settings: Settings, peer: str, said: str, counted: str
) -> None:
    networks = environment.read({"STILLHERE_PROXIES": "127.0.0.0/8, ::1 172.30.84.1"}).proxies
    here = replace(settings.STILLHERE, base_url="https://lamp.example.org", proxies=networks)
    settings.STILLHERE = here
    assert rate_limit.address_of(peer, said) == counted
    settings.STILLHERE = replace(here, base_url="http://lamp.example.org")
    assert rate_limit.address_of(peer, said) == peer


def test_a_stranger_cannot_be_somebody_new_each_time(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, base_url="https://lamp.example.org")
    tries = [
        start("203.0.113.9", **{"X-Forwarded-For": f"192.0.2.{n}"})[0]
        for n in range(MOST_PERSONS + 1)
    ]
    assert tries[-1] == 429


def press(client: Client, **fields: Any) -> Any:
    """A button of the list, which is opened once: what counts is each press and its answer."""
    known = "csrftoken" in client.cookies
    return (post_again if known else post)(client, "/people", **fields)


def invite(client: Client, number: int) -> int:
    fields = {"do": "add", "name": "Maya", "phone": f"202-555-0{number}"}
    return int(press(client, **fields).status_code)


def test_invitations_from_one_address_are_limited_by_the_hour(clock: Clock) -> None:
    people = [browser(sams_night(phones=False).key) for _ in range(4)]
    tries = [invite(client, 100 + n) for client in people for n in range(19)]
    assert tries == [302] * MOST_INVITATIONS + [429] * (len(tries) - MOST_INVITATIONS)
    assert Contact.objects.count() == MOST_INVITATIONS
    assert Message.objects.filter(word="invite").count() == MOST_INVITATIONS
    clock.advance(3600)
    assert invite(people[3], 120) == 302


def test_an_invitation_sent_anew_counts_as_one(night: SamsNight, clock: Clock) -> None:
    sam, leo = browser(night.key), night.contacts["Leo"]
    tries = []
    for _ in range(MOST_INVITATIONS + 1):
        clock.advance(1)
        tries.append(press(sam, do="renew", contact=leo.id).status_code)
    assert tries[-2:] == [302, 429]
    for do in ("own", "plan", "keep", "remove"):
        assert post(sam, "/people", do=do, contact=leo.id).status_code == 302, do


def codes_sent(clock: Clock) -> set[str]:
    """The numbers to which a code leaves now."""
    return {m.to for m in delivery.lease("text", clock.now, 200, 20) if m.word == "prove"}


def test_codes_to_typed_numbers_count_like_invitations(clock: Clock) -> None:
    """One line, seven new people, and ten numbers that each of them types as their own."""
    people, sent, answers = [], set(), []
    for _ in range(7):
        people.append(Client())
        assert post(people[-1], "/", tz="UTC").status_code == 302
    for n, client in enumerate(people):
        for i in range(10):
            answers.append(press(client, do="own", phone=f"+12025550{100 + n * 10 + i}"))
            sent |= codes_sent(clock)
    assert len(sent) == MOST_INVITATIONS
    assert {answer.status_code for answer in answers} == {302}
    told = text_of(people[-1].get(answers[-1]["Location"]))
    assert "we cannot send a code to it now" in told
    again = post(people[-1], "/people", do="send-code")
    assert (again.status_code, codes_sent(clock)) == (422, set())
    assert "We cannot send another code" in text_of(again)
    clock.advance(3600)
    assert post(people[-1], "/people", do="send-code").status_code == 302
    assert "+12025550169" in codes_sent(clock)


@pytest.mark.parametrize("do", ["join", "number"])
def test_a_contacts_page_sends_no_more_codes_than_that(clock: Clock, do: str) -> None:
    """Mallory invites by hand, holds the links herself, and types strangers' numbers there."""
    for _ in range(MOST_INVITATIONS):
        rate_limit.INVITATIONS.missed("127.0.0.1")
    night = sams_night(("Leo",), phones=False)
    page, typed = contact_path(night, "Leo"), {"do": do, "phone": "+12025550177"}
    if do == "join":
        night.contacts["Leo"].addresses.all().delete()
        Contact.objects.update(status=Contact.Status.INVITED)
    assert browser().post(f"{page}/answer", typed).status_code == 303
    assert Address.objects.filter(contact=night.contacts["Leo"], channel="text").exists()
    assert not codes_sent(clock)
    assert browser().get(page).status_code == 200


def test_a_daily_check_in_from_a_line_that_is_used_up_is_kept(clock: Clock) -> None:
    for _ in range(MOST_INVITATIONS):
        rate_limit.INVITATIONS.missed("127.0.0.1")
    sam = browser(sams_night(phones=False).key)
    typed = {"day": ["0"], "at": "09:00", "tz": "UTC", "phone": "+12025550177"}
    assert post(sam, "/routine", do="add", kind="routine", **typed).status_code == 302
    assert Address.objects.filter(person__isnull=False, channel="text").exists()
    assert not codes_sent(clock)


@pytest.fixture
def limited() -> None:
    """Everybody here has used up everything there is to use up."""
    anyone = browser()
    for _ in range(MOST_PERSONS + 1):
        start("127.0.0.1")
    for _ in range(MOST_MISSES + 1):
        anyone.get("/c/" + "x" * 27)
    sam = browser(sams_night(phones=False).key)
    for _ in range(MOST_INVITATIONS + 1):
        post(sam, "/people", do="renew", contact=0)
    assert start("127.0.0.1")[0] == 429
    assert invite(sam, 101) == 429


@pytest.mark.usefixtures("limited")
def test_help_asks_and_claims_are_never_limited(night: SamsNight) -> None:
    make("open", night)
    sam, leo = Client(), browser()
    page = contact_path(night, "Leo")
    presses = [f"{watch_path(night)}/{do}" for do in ("mark", "more", "help")]
    for _ in range(25):
        assert {sam.post(press).status_code for press in presses} <= {200, 303}
        said = leo.post(f"{page}/answer", {"do": "claim", "soon": "3"})
        assert said.status_code in (302, 303)
        assert leo.get(page).status_code == 200
    assert night.row().state == "claimed"
    assert sam.get("/help-now").status_code == 200
