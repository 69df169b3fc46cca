"""Telegram: an ask is answered there, in words or by a button; and who else tries to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from stillhere.channels.carriers import telegram
from stillhere.core import events as ev
from stillhere.core.messages import TELEGRAM, Inbound
from stillhere.store.models import Address, Arrival, Message, Person
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from tests.channels.accounts import BOT
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock
from tests.hook import alarmed_night, asked_night
from tests.web.bots import (
    LEOS,
    MALLORYS,
    SAMS,
    SECRET,
    Bot,
    bot,
    bot_here,
    connected,
    inbox,
    left,
    message,
)
from tests.web.lane import Answered, ask

pytestmark = pytest.mark.usefixtures("database")
__all__ = ["bot", "bot_here", "inbox"]  # fixtures


def asked(clock: Clock) -> SamsNight:
    """Sam is asked in the chat alone, and on the list are Leo and Maya."""
    night = sams_night(("Leo",), ("Maya",), phones=False)
    connected(night.person, SAMS, clock)
    Message.objects.filter(word="invite").update(status="sent")
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    return night


# --- asked and answered ---------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["ok", "still here", "1 · Still here", "1 · Sigo aquí"])
def test_an_ask_goes_to_the_chat_and_is_answered_there(bot: Bot, clock: Clock, words: str) -> None:
    night = asked(clock)
    assert left(clock) == [(str(SAMS), "ask", "Sam: still here? Reply OK.")]
    assert bot.says(words) == 204
    assert night.row().state == "open"
    assert [word for _, word, _ in left(clock)] == ["reply-got-it"], "a chat costs nothing"


@pytest.mark.parametrize("words", ["help", "9 · I need help", "9 · Necesito ayuda", "nor can"])
def test_a_cry_for_help_in_the_chat_reaches_the_people(bot: Bot, clock: Clock, words: str) -> None:
    night = asked(clock)
    left(clock)
    assert bot.says(words) == 204
    assert night.row().state == "alarm"
    assert [word for _, word, _ in left(clock)] == ["reply-helping"]


@pytest.mark.parametrize("words", ["hm", "7 · Awake and well", "", "/menu"])
def test_what_cannot_be_read_in_the_chat_is_no_sign_of_life(
    bot: Bot, clock: Clock, words: str
) -> None:
    night = asked(clock)
    assert bot.says(words, sticker={}) == 204
    assert night.row().state == "asking"


def test_an_alarm_reaches_a_contact_there_beside_their_number(bot: Bot, clock: Clock) -> None:
    night = asked_night(clock)
    leo = night.contacts["Leo"]
    connected(leo, LEOS, clock)
    clock.advance(40)
    tick_all()
    alarm = Message.objects.filter(contact=leo, word="alarm")
    assert set(alarm.values_list("channel", flat=True)) == {"text", "call", TELEGRAM}
    [(to, _, words)] = left(clock)
    assert (to, words.endswith("Reply 1 going, 2 can't.")) == (str(LEOS), True)


def test_a_contact_says_im_going_by_a_button(bot: Bot, clock: Clock) -> None:
    night = alarmed_night(clock)
    connected(night.contacts["Leo"], LEOS, clock)
    assert bot.says("1 · I'm going", LEOS) == 204
    assert night.row().state == "claimed"
    assert [word for _, word, _ in left(clock)] == ["reply-going"]


def test_an_answer_that_waited_an_hour_stands_nobody_down(bot: Bot, clock: Clock) -> None:
    """Telegram keeps for a day what it could not tell us."""
    night = alarmed_night(clock)
    connected(night.person, SAMS, clock)
    assert bot.says("ok", late_s=3_600) == 204
    assert night.row().state == "alarm"


def test_the_same_update_five_times_is_one(bot: Bot, clock: Clock) -> None:
    asked(clock)
    left(clock)
    for _ in range(5):
        bot.count = 40
        assert bot.says("help") == 204
    assert Arrival.objects.filter(channel=TELEGRAM).count() == 1
    assert len(left(clock)) == 1


def test_the_answer_is_thanked_for_only_after_it_is_stored(clock: Clock) -> None:
    def gone(_: list[Inbound]) -> list[None]:
        raise NotStored("no database")

    writer: GroupCommit[Inbound, None] = GroupCommit(gone, proves=False)  # type: ignore[arg-type]
    answer = Bot(writer).update(message=message("ok"))
    writer.stop()
    assert (answer.status, answer.headers["retry-after"]) == (503, "1"), "Telegram tells us again"


# --- who is believed ------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [None, "", "guessed", BOT, "\xff", SECRET[:-1], SECRET + "0"])
def test_nothing_without_our_secret_is_believed(bot: Bot, clock: Clock, secret: str | None) -> None:
    night = asked(clock)
    assert bot.says("ok", secret=secret) == 403
    assert night.row().state == "asking"
    assert not Arrival.objects.exists()


def test_a_long_body_without_our_secret_is_not_read(bot: Bot) -> None:
    async def story() -> Answered:
        return await ask(bot.lane, "/in/telegram/event", [b"{", None], {telegram.SHOWS: "x"})

    assert asyncio.run(story()).status == 403, "before the second part came"


def test_a_long_update_of_telegrams_own_is_read(bot: Bot, clock: Clock) -> None:
    """What is refused comes again, and holds up all that follows."""
    night = asked(clock)
    quoted: dict[str, Any] = {
        "reply_to_message": message("🙂" * 4_096),
        "entities": [{"type": "bold"}] * 100,
    }
    assert bot.says("ok", **quoted) == 204
    assert night.row().state == "open"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff", 400),
        (b"[]", 400),
        (b"{}", 400),
        (b'{"update_id": "1"}', 400),
        (b"[" * 100_000, 400),
        (b'{"update_id": 1}', 204),
        (b'{"update_id": 1, "poll": {}}', 204),
        (b'{"update_id": 1, "message": {}}', 204),
        (b'{"update_id": 1, "message": {"chat": 1, "from": 2}}', 204),
        (b'{"update_id": 1, "message": []}', 204),
    ],
)
def test_what_makes_no_sense_is_told_from_what_is_no_news(
    bot: Bot, body: bytes, status: int
) -> None:
    assert bot.post(body).status == status
    assert not Arrival.objects.exists()


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
def test_a_group_speaks_for_nobody(bot: Bot, clock: Clock, kind: str) -> None:
    night = asked(clock)
    said = message("ok")
    said["chat"]["type"] = kind
    assert bot.update(message=said).status == 204
    assert night.row().state == "asking"


def test_another_bot_and_the_apps_own_notes_say_nothing(bot: Bot, clock: Clock) -> None:
    night = asked(clock)
    said = message("ok")
    said["from"]["is_bot"] = True
    assert bot.update(message=said).status == 204
    note = message("")
    del note["text"]
    assert bot.update(message=note | {"message_auto_delete_timer_changed": {}}).status == 204
    assert night.row().state == "asking"
    assert not Arrival.objects.exists()


def test_a_chat_that_nobody_connected_answers_for_nobody(bot: Bot, clock: Clock) -> None:
    night = asked(clock)
    assert bot.says("ok", MALLORYS) == 204
    assert night.row().state == "asking"


def test_texts_are_not_taken_where_a_bot_speaks(bot: Bot) -> None:
    assert bot.post(b"MessageSid=SM1", path="text").status == 400


# --- strangers ------------------------------------------------------------------------------------


def test_go_from_a_new_chat_begins_a_watch_that_asks_there(bot: Bot, clock: Clock) -> None:
    assert bot.says("GO", MALLORYS) == 204
    person = Person.objects.get(caller=True)
    assert list(person.addresses.values_list("channel", flat=True)) == [TELEGRAM]
    assert [word for _, word, _ in left(clock)] == ["reply-welcome"]


@pytest.mark.parametrize("words", ["/start", "hello"])
def test_who_opens_the_bot_hears_what_it_is_once(bot: Bot, clock: Clock, words: str) -> None:
    assert bot.says(words, MALLORYS) == bot.says(words, MALLORYS) == 204
    assert [word for _, word, _ in left(clock)] == ["reply-hello"]


def test_the_chats_number_is_nowhere_in_clear(bot: Bot, clock: Clock) -> None:
    asked(clock)
    left(clock)
    bot.says("ok")
    left(clock)
    rows = [*Address.objects.values_list(), *Message.objects.values_list()]
    rows += Arrival.objects.values_list()
    told = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for row in rows for v in row)
    assert str(SAMS) not in told
