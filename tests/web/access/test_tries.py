"""Tries at codes: who uses them up shuts nobody out to whom the code was sent."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import Address, Contact, Message
from stillhere.store.people.numbers import address_proof, page_code, strangers
from stillhere.web.access.rate_limit import MOST_PROOFS
from tests.circle import SamsNight
from tests.conftest import Clock
from tests.hook import LEO
from tests.web.conftest import browser, post, post_again
from tests.web.pages import press, read, text_of

MAIL = "sam@example.org"


def from_line(line: str) -> Client:
    """A browser that nobody knows, on another line."""
    client = browser(stranger=True)
    client.defaults["REMOTE_ADDR"] = line
    return client


def sent(channel: str, to: str, clock: Clock) -> str:
    """The link of the message that leaves now."""
    leased = delivery.lease(channel, clock.now, 50, 20)
    [link] = [render.render(m, m.to).link for m in leased if m.to == to]
    return re.sub(r"^https?://[^/]+", "", link)


def use_up(path: str, right: str, lines: int) -> None:
    """Wrong codes, as many as each of so many lines may try."""
    for line in range(lines):
        mallory = from_line(f"192.0.2.{line + 10}")
        for n in range(MOST_PROOFS + 5):
            wrong = f"{(int(right) + 1 + 100 * line + n) % 10**6:06}"
            mallory.post(f"{path}/answer", {"do": "mine", "code": wrong})


def test_one_line_does_not_use_up_what_leo_may_try(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    right = page_code.code_of(alarm.contacts["Leo"].nonce, clock.now)
    use_up(leo, right, 1)
    mine = from_line("198.51.100.7")
    press(mine, leo, "mine", code=right)
    assert "12 Elm" in press(mine, leo, "claim", soon="3")


def test_where_all_tries_are_used_up_the_link_of_our_message_opens_the_page(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    Message.objects.update(status="sent")
    right = page_code.code_of(alarm.contacts["Leo"].nonce, clock.now)
    use_up(leo, right, page_code.TRIED // MOST_PROOFS)
    mine = from_line("198.51.100.7")
    assert "That is not the code" in press(mine, leo, "mine", code=right)
    press(mine, leo, "send-page-code")
    link = sent("text", LEO, clock)
    assert "One press" in read(mine, link)
    assert "One press" in text_of(mine.get(f"{leo}/part")), "the page changes by its script"
    press(mine, leo, "mine")
    assert "12 Elm" in press(mine, leo, "claim", soon="3")


def test_looking_at_that_link_makes_no_phone_known(
    alarm: SamsNight, leo: str, clock: Clock
) -> None:
    """Scanners follow links."""
    Message.objects.update(status="sent")
    press(browser(stranger=True), leo, "send-page-code")
    scanner = browser(stranger=True)
    scanner.get(sent("text", LEO, clock))
    assert "12 Elm" not in press(scanner, leo, "claim", soon="3")


def test_that_link_is_good_for_an_hour_or_two(alarm: SamsNight, leo: str, clock: Clock) -> None:
    Message.objects.update(status="sent")
    press(browser(stranger=True), leo, "send-page-code")
    link, mine = sent("text", LEO, clock), browser(stranger=True)
    clock.advance(7200)
    assert "One press" not in read(mine, link)
    assert "That is not the code" in press(mine, leo, "mine")


def test_it_is_for_one_contact(alarm: SamsNight, leo: str, maya: str, clock: Clock) -> None:
    Message.objects.update(status="sent")
    press(browser(stranger=True), leo, "send-page-code")
    carried = sent("text", LEO, clock).partition("?")[2]
    mallory = browser(stranger=True)
    assert "One press" not in read(mallory, f"{maya}?{carried}")
    assert "That is not the code" in press(mallory, maya, "mine")


def strangers_try(right: str, clock: Clock, *, told: bool) -> None:
    """Twenty pages of somebody else, on each as many codes as may be tried."""
    for no in range(20):
        mallory = from_line(f"192.0.2.{no + 10}")
        post(mallory, "/", tz="UTC")
        post(mallory, "/people", do="own", email=MAIL)
        if told:
            delivery.lease("email", clock.now, 50, 20)
        for n in range(strangers.TRIED_BY_OWNER):
            wrong = f"{(int(right) + 1 + n) % 10**6:06}"
            post_again(mallory, "/people", do="code", code=wrong)


@pytest.mark.slow
@pytest.mark.parametrize("told", [False, True])
def test_strangers_do_not_use_up_the_tries_of_sam_s_own_address(
    night: SamsNight, sam: Client, clock: Clock, told: bool
) -> None:
    post(sam, "/people", do="own", phone="+12025550100", email=MAIL)
    delivery.lease("email", clock.now, 50, 20)
    mine = Address.objects.get(person=night.person, channel="email")
    strangers_try(address_proof.code_of(mine.nonce), clock, told=told)
    code = address_proof.code_of(mine.nonce)
    assert post(sam, "/people", do="code", code=code).status_code == 302
    mine.refresh_from_db()
    assert mine.proved_at


def test_the_link_of_our_mail_proves_it_where_sam_has_no_try_left(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/people", do="own", phone="+12025550100", email=MAIL)
    link = sent("email", MAIL, clock)
    mine = Address.objects.get(person=night.person, channel="email")
    right = address_proof.code_of(mine.nonce)
    for n in range(strangers.TRIED_BY_OWNER):
        post(sam, "/people", do="code", code=f"{(int(right) + 1 + n) % 10**6:06}")
    assert post(sam, "/people", do="code", code=right).status_code == 422
    [carried] = re.findall(r'name="code" value="([\w-]{12})"', sam.get(link).content.decode())
    assert post(sam, "/people", do="code", code=carried).status_code == 302


def test_a_link_from_before_still_brings_six_digits(
    night: SamsNight, sam: Client, clock: Clock
) -> None:
    post(sam, "/people", do="add", name="Ana", phone="+12025550150")
    ana = Contact.objects.latest("id")
    way = ana.addresses.get(channel="text")
    path = sent("text", "+12025550150", clock).partition("?")[0]
    phone = browser(stranger=True)
    phone.get(f"{path}?c={address_proof.code_of(way.nonce)}")
    phone.post(f"{path}/answer", {"do": "join"})
    way.refresh_from_db()
    assert way.proved_at
