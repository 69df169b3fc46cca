"""A chat says whose it is, by a link that works once; and how it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from pytest_django.fixtures import Settings

from stillhere.core.events import Marked
from stillhere.core.messages import TELEGRAM
from stillhere.engine import erasure, render
from stillhere.store.inbound import chat_codes
from stillhere.store.messages import delivery
from stillhere.store.models import (
    Address,
    Browser,
    ChatCode,
    Contact,
    Message,
    Person,
    sealed_columns,
)
from stillhere.store.people import address_book, persons
from stillhere.store.people.numbers import address_proof, erase_code
from stillhere.store.problems import Reached
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.web.bots import (
    LEOS,
    MALLORYS,
    SAMS,
    Bot,
    blocks,
    bot,
    bot_here,
    connected,
    inbox,
    left,
)
from tests.web.conftest import browser, post
from tests.web.pages import contact_key, read, text_of

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["bot", "bot_here", "inbox"]  # fixtures


# --- connecting -----------------------------------------------------------------------------------


def code_for(page: Any, path: str) -> str:
    """The code in the link of the page, as somebody presses it."""
    html = str(post(page, path, do="connect").content.decode())
    return html.partition("https://t.me/lamp_bot?start=")[2].partition('"')[0]


def test_sam_connects_a_chat_from_the_page(bot: Bot, clock: Clock) -> None:
    night = sams_night(("Leo",))
    sam = browser(night.key)
    assert "/chat" in sam.get("/people").content.decode()
    code = code_for(sam, "/chat")
    assert len(code) >= 22, "128 bits"
    assert bot.says(f"/start {code}") == 204
    way = Address.objects.get(person=night.person, channel=TELEGRAM)
    assert (sealed_columns.address_value(way), way.state) == (str(SAMS), "ok")
    assert way.proved_at == clock.now
    assert [word for _, word, _ in left(clock)] == ["reply-chat"]
    assert set(night.person.addresses.values_list("channel", flat=True)) == {
        "text", "call", TELEGRAM,
    }  # fmt: skip
    assert "Connected." in text_of(sam.get("/chat"))


def test_the_persons_own_number_hears_of_a_new_chat(bot: Bot, clock: Clock) -> None:
    """Who holds Sam's unlocked phone for a minute could answer for Sam from then on."""
    night = sams_night()
    bot.says(f"/start {code_for(browser(night.key), '/chat')}", MALLORYS)
    [told] = night.queued("new-chat")
    assert (told.channel, told.contact_id) == ("text", None), "and not the chat itself"


def test_the_code_counts_once_and_is_stored_as_its_hash(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    code = code_for(browser(night.key), "/chat")
    assert code.encode() not in bytes(ChatCode.objects.get().code_hash)
    assert bot.says(f"/start {code}") == bot.says(f"/start {code}", MALLORYS) == 204
    assert (
        Address.objects.filter(channel=TELEGRAM, proved_at=clock.now, person=night.person).count()
        == 1
    )
    assert (str(MALLORYS), "reply-code-old") in [(to, word) for to, word, _ in left(clock)]


def test_a_code_is_good_for_a_quarter_of_an_hour(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    code = code_for(browser(night.key), "/chat")
    clock.advance(15 * 60)
    assert bot.says(f"/start {code}") == 204
    assert not Address.objects.filter(person=night.person, channel=TELEGRAM).exists()
    erasure.erase_once(clock.now)
    assert not ChatCode.objects.exists()


@pytest.mark.parametrize("code", ["x", "guess-guess-guess-guess", "a" * 64, "%00"])
def test_a_guessed_code_connects_nothing(bot: Bot, clock: Clock, code: str) -> None:
    night = sams_night()
    chat_codes.new(night.person)
    assert bot.says(f"/start {code}", MALLORYS) == 204
    assert not Address.objects.filter(person=night.person, channel=TELEGRAM).exists()


def test_another_code_ends_the_one_before(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    first, second = chat_codes.new(night.person), chat_codes.new(night.person)
    bot.says(f"/start {first}", MALLORYS)
    assert not Address.objects.filter(person=night.person, channel=TELEGRAM).exists()
    bot.says(f"/start {second}", SAMS)
    [way] = Address.objects.filter(person=night.person, channel=TELEGRAM)
    assert sealed_columns.address_value(way) == str(SAMS)


def test_a_contact_connects_beside_their_number(bot: Bot, clock: Clock) -> None:
    night = sams_night(("Leo",))
    leo = night.contacts["Leo"]
    code = chat_codes.new(leo)
    assert bot.says(f"/start {code}", LEOS) == 204
    assert list(leo.addresses.order_by("id").values_list("channel", flat=True)) == [
        "text", "call", TELEGRAM,
    ]  # fmt: skip
    assert [word for _, word, _ in left(clock)] == ["reply-chat-contact"]


def test_a_contacts_own_number_hears_of_a_chat_that_speaks_for_them(bot: Bot, clock: Clock) -> None:
    night = sams_night(("Leo",))
    leo = night.contacts["Leo"]
    bot.says(f"/start {code_for(browser(), f'/c/{contact_key(leo)}/chat')}", MALLORYS)
    [told] = night.queued("new-chat-contact")
    assert (told.channel, told.contact_id, told.person_id) == ("text", leo.id, night.person.id)
    sent = [render.render(m, m.to).text for m in delivery.lease("text", clock.now, 10, 20.0)]
    assert any("A Telegram chat hears of Sam for you now. Not yours?" in text for text in sent)


def test_a_contacts_new_link_ends_the_chat_and_what_would_connect_one(
    bot: Bot, clock: Clock
) -> None:
    night = sams_night(("Leo",))
    leo = night.contacts["Leo"]
    clock.advance(60)
    bot.says(f"/start {chat_codes.new(leo)}", MALLORYS)
    code = chat_codes.new(leo)
    post(browser(night.key), "/people", do="renew", contact=leo.id)
    assert contact_key(leo) != contact_key(Contact.objects.get(id=leo.id)), "renewed"
    bot.says(f"/start {code}", MALLORYS)
    assert not Address.objects.filter(contact=leo, channel=TELEGRAM).exists()


def test_who_only_holds_a_contacts_link_connects_nothing(bot: Bot, clock: Clock) -> None:
    night = sams_night(("Leo",))
    path = f"/c/{contact_key(night.contacts['Leo'])}/chat"
    stranger = browser(stranger=True)
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, {"do": "connect"}).status_code == 404
    assert not ChatCode.objects.exists()
    assert post(browser(), path, do="connect").status_code == 200, "their own phone"


def test_a_chat_is_connected_behind_the_pin(bot: Bot, clock: Clock) -> None:
    """Whoever is asked there can answer there."""
    night = sams_night()
    persons.set_pin(night.person, "a hash")
    sam = browser(night.key)
    sam.cookies["csrftoken"] = token = "a" * 32
    answer = sam.post("/chat", {"csrfmiddlewaretoken": token, "do": "connect"})
    assert b"t.me" not in answer.content
    assert not ChatCode.objects.exists()


def test_the_chat_ends_with_the_browser_that_connected_it(bot: Bot, clock: Clock) -> None:
    """Who got in and connected a chat of theirs is out with it."""
    night = sams_night()
    bot.says(f"/start {code_for(browser(night.key), '/chat')}", MALLORYS)
    Browser.objects.all().delete()
    assert not Address.objects.filter(channel=TELEGRAM, person=night.person).exists()


@pytest.fixture
def held(bot: Bot) -> SamsNight:
    """Mallory had Sam's own unlocked phone for half a minute, and connected a chat there."""
    night = sams_night(("Leo",))
    bot.says(f"/start {code_for(browser(night.key), '/chat')}", MALLORYS)
    Message.objects.update(status="sent")
    return night


def change(page: Any, how: str) -> None:
    """Sam sets a first PIN, another one, or makes a new link."""
    if how == "another pin":
        post(page, "/pin", pin="4711", next="/mine")
    pin = {"first pin": "4711", "another pin": "4722"}.get(how, "")
    post(page, "/mine", **({"do": "pin", "pin": pin} if pin else {"do": "new-link"}))


CHANGES = ("first pin", "another pin", "new link")


@pytest.mark.parametrize("how", CHANGES)
def test_a_pin_or_a_new_link_ends_a_chat_that_was_connected_on_sams_own_phone(
    bot: Bot, held: SamsNight, clock: Clock, how: str
) -> None:
    """What Mallory says there afterwards is nobody's."""
    sam = browser(held.key)
    if how == "another pin":
        persons.set_pin(held.person, make_password("4711"))
    change(sam, how)
    assert not Address.objects.filter(person=held.person, channel=TELEGRAM).exists()
    assert [m.channel for m in held.queued("chats-over")] == ["text"], "Sam's number hears of it"
    held.start()
    held.does(Marked())
    for wait_s in (60, 5, 15):
        clock.advance(wait_s)
        tick_all()
    assert held.row().state == "asking"
    assert not [to for to, word, _ in left(clock) if word == "ask"]
    bot.says("ok", MALLORYS)
    assert held.row().state == "asking"


@pytest.mark.parametrize("how", CHANGES)
def test_a_link_that_is_out_connects_nothing_after_a_pin_or_a_new_link(
    bot: Bot, clock: Clock, how: str
) -> None:
    night = sams_night()
    sam = browser(night.key)
    code = code_for(sam, "/chat")
    if how == "another pin":
        persons.set_pin(night.person, make_password("4711"))
    change(sam, how)
    bot.says(f"/start {code}", MALLORYS)
    assert not Address.objects.filter(person=night.person, channel=TELEGRAM).exists()
    assert not night.queued("chats-over"), "there was none"


def test_the_page_says_that_a_pin_disconnects_the_chat(held: SamsNight) -> None:
    sam = browser(held.key)
    assert "disconnects Telegram" in read(sam, "/mine")
    change(sam, "first pin")
    assert "disconnects Telegram" not in read(sam, "/mine")


CHANGED = ("ADD Mike 202 555 0199", "ADDRESS 7 Oak Street", "NAME Mike", "DELETE")


@pytest.mark.parametrize("text", CHANGED)
def test_sams_number_hears_what_a_chat_changes(
    bot: Bot, held: SamsNight, clock: Clock, text: str
) -> None:
    """By text the answer goes to the number itself; whoever connected the chat reads it here."""
    bot.says(text, MALLORYS)
    [told] = held.queued("chat-changes")
    assert (told.channel, told.contact_id) == ("text", None)
    bot.says(text, MALLORYS)
    assert len(Message.objects.filter(word="chat-changes")) == 1


def test_a_chat_that_only_asks_changes_nothing(bot: Bot, held: SamsNight, clock: Clock) -> None:
    for text in ("LIST", "GO", "ok", "ADD", "DONE"):
        bot.says(text, MALLORYS)
    assert not held.queued("chat-changes")


def test_a_chat_gets_no_code_that_shows_the_door_tonight(
    bot: Bot, held: SamsNight, clock: Clock
) -> None:
    bot.says("ADD Mike 202 555 0199", MALLORYS)
    [answer] = [text for to, word, text in left(clock) if word.startswith("reply-added")]
    assert "They hear where you are from tomorrow on." in answer
    assert "For tonight" not in answer


def test_who_began_in_a_chat_has_no_other_number(bot: Bot, clock: Clock) -> None:
    """There the chat is the number: the code comes there, and nothing else is told."""
    bot.says("GO", SAMS)
    bot.says("ADD Mike 202 555 0199", SAMS)
    [answer] = [text for to, word, text in left(clock) if word == "reply-added"]
    assert "For tonight, reply" in answer
    assert not Message.objects.filter(word="chat-changes").exists()


def test_typing_a_number_does_not_end_the_chat(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    connected(night.person, SAMS, clock)
    address_book.set_own_addresses(night.person, [Reached("text", "+12025550100", rings=False)])
    assert Address.objects.filter(person=night.person, channel=TELEGRAM).exists()


def test_disconnect_ends_it(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    connected(night.person, SAMS, clock)
    post(browser(night.key), "/chat", do="disconnect")
    assert not Address.objects.filter(person=night.person, channel=TELEGRAM).exists()


def test_no_page_speaks_of_it_where_there_is_no_bot(settings: Settings) -> None:
    settings.STILLHERE = replace(settings.STILLHERE, carriers=())
    sam = browser(sams_night().key)
    assert sam.get("/chat").status_code == 404
    assert 'href="/chat"' not in sam.get("/people").content.decode()


# --- leaving --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["words", "block"])
def test_stop_in_the_chat_ends_that_way_and_no_other(bot: Bot, clock: Clock, by: str) -> None:
    night = sams_night()
    connected(night.person, SAMS, clock)
    assert (bot.says("STOP") if by == "words" else blocks(bot, SAMS).status) == 204
    states = dict(night.person.addresses.values_list("channel", "state"))
    assert states == {"text": "ok", "call": "ok", TELEGRAM: "opted-out"}


def test_a_contacts_stop_in_the_chat_takes_them_off_the_list(bot: Bot, clock: Clock) -> None:
    night = sams_night(("Leo",))
    leo = night.contacts["Leo"]
    connected(leo, LEOS, clock)
    assert blocks(bot, LEOS).status == 204
    leo.refresh_from_db()
    assert leo.status == Contact.Status.LEFT


def test_start_after_stop_takes_it_back(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    way = connected(night.person, SAMS, clock)
    blocks(bot, SAMS)
    blocks(bot, SAMS, "member")
    way.refresh_from_db()
    assert way.state == "opted-out", "letting the bot in again is no yes"
    bot.says("/start")
    way.refresh_from_db()
    assert way.state == "ok"
    assert [word for _, word, _ in left(clock)] == ["reply-unblocked"]


def test_erase_me_works_in_the_chat(bot: Bot, clock: Clock) -> None:
    night = sams_night()
    connected(night.person, SAMS, clock)
    address_proof.vouch(night.person)
    bot.says("DELETE")
    assert [word for _, word, _ in left(clock)] == ["reply-delete"]
    way = Address.objects.get(person=night.person, channel=TELEGRAM)
    bot.says(erase_code.code_of(way.nonce))
    assert not Person.objects.filter(id=night.person.id).exists()
    assert not Address.objects.filter(channel=TELEGRAM).exists()
