"""The demo's phones: what they do when texted and called, and what is reported of it."""

from __future__ import annotations

import aiohttp
import pytest

from stillhere.core.messages import Fate
from stillhere.sim.phones.exchange import ActError
from tests.channels.hearing import ANA, CHOICES, LEO, MAYA, Night, night

# --- texts -------------------------------------------------------------------------------------


def test_a_text_is_shown_and_reported_as_delivered() -> None:
    async def story(tonight: Night) -> None:
        ref = await tonight.text(MAYA, "Sam is fine. 🙂")
        [heard] = await tonight.ear.wait_for(1)
        assert heard.receipt is not None
        assert (heard.channel, heard.receipt.fate) == ("text", Fate.DELIVERED)
        assert (heard.receipt.provider_ref, heard.reply_ref) == (ref, "m1")
        assert tonight.shows("Maya") == [("text-in", "Sam is fine. 🙂")]

    night(story)


def test_a_phone_switched_off_gets_its_texts_later_in_order() -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Maya", "off")
        first, second = await tonight.text(MAYA, "one"), await tonight.text(MAYA, "two")
        await tonight.text(ANA)
        assert await tonight.ear.fates(1) == ["delivered"]
        assert tonight.shows("Maya") == []
        tonight.do("Maya", "on")
        heard = await tonight.ear.wait_for(3)
        assert [one.receipt.provider_ref for one in heard[1:] if one.receipt] == [first, second]
        assert tonight.shows("Maya") == [("text-in", "one"), ("text-in", "two")]

    night(story)


def test_a_dead_number_is_taken_and_then_reported() -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Leo", "dead")
        text, call = await tonight.text(LEO), await tonight.call(LEO)
        heard = await tonight.ear.wait_for(2)
        assert [one.receipt.fate for one in heard if one.receipt] == [Fate.FAILED] * 2
        assert {one.receipt.provider_ref for one in heard if one.receipt} == {text, call}
        assert tonight.shows("Leo") == []
        tonight.do("Leo", "alive")
        await tonight.text(LEO)
        assert (await tonight.ear.fates(3))[2] == "delivered"

    night(story)


def test_what_a_hand_types_comes_to_us() -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Maya", "text", text="wer ist da? ñ")
        tonight.do("Sam", "ring-us")
        heard = await tonight.ear.wait_for(2)
        by_kind = {one.kind: one for one in heard}
        assert by_kind["text"].sender == MAYA
        assert by_kind["text"].text == "wer ist da? ñ"
        assert by_kind["missed-call"].sender == "+12025550101"
        assert len({one.provider_id for one in heard}) == 2

    night(story)


# --- calls -------------------------------------------------------------------------------------


def test_a_call_is_answered_heard_and_a_key_is_pressed() -> None:
    async def story(tonight: Night) -> None:
        ref = await tonight.call(MAYA, ref="m7")
        phone = tonight.provider.exchange.find("Maya")
        assert phone.call is not None
        assert (phone.call.says, phone.call.order.choices) == ("This is about Sam.", CHOICES)
        tonight.do("Maya", "answer")
        tonight.do("Maya", "key", key="1")
        answered, key = await tonight.ear.wait_for(2)
        assert answered.receipt is not None
        assert (answered.receipt.fate, answered.receipt.provider_ref) == (Fate.ANSWERED, ref)
        assert (key.channel, key.kind, key.text) == ("call", "key", "1")
        assert (key.sender, key.reply_ref) == (MAYA, "m7")
        tonight.do("Maya", "hang-up")
        assert phone.call is None

    night(story)


def test_the_call_goes_on_with_what_we_answer_to_a_key() -> None:
    async def story(tonight: Night) -> None:
        await tonight.call(MAYA)
        tonight.do("Maya", "answer")
        await tonight.ear.wait_for(1)
        phone = tonight.provider.exchange.find("Maya")
        tonight.ear.answer = {"say": "How many minutes?"}
        tonight.do("Maya", "key", key="1")
        await tonight.ear.wait_for(2)
        await tonight.settled()
        assert phone.view()["call"] == {
            "answered": True,
            "to_us": False,
            "says": "How many minutes?",
            "choices": CHOICES,
        }
        tonight.ear.answer = {"say": "Thank you.", "hang_up": True}
        tonight.do("Maya", "key", key="3")
        await tonight.ear.wait_for(3)
        await tonight.settled()
        assert phone.call is None
        assert tonight.shows("Maya")[-1] == ("call", "Thank you.")

    night(story)


def test_a_call_that_nobody_picks_up_ends_by_itself() -> None:
    async def story(tonight: Night) -> None:
        ref = await tonight.call(MAYA)
        [heard] = await tonight.ear.wait_for(1)
        assert heard.receipt is not None
        assert (heard.receipt.fate, heard.receipt.why) == (Fate.BUSY, "no-answer")
        assert heard.receipt.provider_ref == ref
        assert tonight.shows("Maya") == [("missed", "")]

    night(story, ring_s=0.02)


def test_a_call_picked_up_in_time_does_not_ring_out() -> None:
    async def story(tonight: Night) -> None:
        await tonight.call(MAYA)
        tonight.do("Maya", "answer")
        await tonight.call(ANA)  # rings out later than Maya's would
        assert await tonight.ear.fates(2) == ["answered", "busy"]
        assert tonight.provider.exchange.find("Maya").call is not None

    night(story, ring_s=0.02)


@pytest.mark.parametrize(
    ("action", "why"), [("hang-up", "busy"), ("off", "no-answer"), ("dead", "no-answer")]
)
def test_a_ringing_call_can_be_cut_short(action: str, why: str) -> None:
    async def story(tonight: Night) -> None:
        await tonight.call(MAYA)
        tonight.do("Maya", action)
        [heard] = await tonight.ear.wait_for(1)
        assert heard.receipt is not None
        assert (heard.receipt.fate, heard.receipt.why) == (Fate.BUSY, why)

    night(story)


def test_a_second_call_finds_the_line_busy_and_one_that_is_off_finds_nobody() -> None:
    async def story(tonight: Night) -> None:
        await tonight.call(MAYA)
        await tonight.call(MAYA)
        tonight.do("Ana", "off")
        await tonight.call(ANA)
        heard = await tonight.ear.wait_for(2)
        assert {(one.sender, one.receipt.why) for one in heard if one.receipt} == {
            (MAYA, "busy"),
            (ANA, "no-answer"),
        }

    night(story)


@pytest.mark.parametrize(
    "act",
    [
        {"phone": "Nobody", "action": "answer"},
        {"phone": "Maya", "action": "dance"},
        {"phone": "Maya"},
        {"phone": 7, "action": "answer"},
        {"phone": "Maya", "action": "answer"},
        {"phone": "Maya", "action": "hang-up"},
        {"phone": "Maya", "action": "key", "key": "1"},
        {"phone": "Maya", "action": "text", "text": "  "},
        {"phone": "Leo", "action": "text", "text": "I am off"},
        {"phone": "Leo", "action": "ring-us"},
        {"phone": "Ana", "action": "key", "key": "11"},
        {"phone": "Ana", "action": "key", "key": "x"},
    ],
)
def test_what_a_phone_cannot_do_is_said_and_changes_nothing(act: dict[str, object]) -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Leo", "off")
        await tonight.call(ANA)
        tonight.do("Ana", "answer")
        await tonight.ear.wait_for(1)
        before = tonight.provider.exchange.version
        with pytest.raises(ActError, match=r"\.$"):
            tonight.provider.act(act)
        async with aiohttp.request("POST", tonight.url + "/act", json=act) as response:
            assert response.status == 422
            assert (await response.json())["error"].endswith(".")
        assert tonight.provider.exchange.version == before
        assert tonight.provider.webhooks.waiting == 0

    night(story)


# --- calling us -------------------------------------------------------------------------------


def test_a_phone_calls_us_hears_a_menu_and_presses_a_key() -> None:
    async def story(tonight: Night) -> None:
        tonight.ear.answer = {"say": "Press 1.", "at": "menu", "turn": 1, "listen_s": 8}
        tonight.do("Leo", "call-us")
        [first] = await tonight.ear.wait_for(1)
        await tonight.settled()
        assert (first.kind, first.sender, first.text, first.at, first.turn) == (
            "turn", LEO, "", "", 0,
        )  # fmt: skip
        call = tonight.provider.exchange.find("Leo").call
        assert call is not None
        assert (call.says, call.answered, call.to_us) == ("Press 1.", True, True)
        tonight.ear.answer = {"say": "It's on.", "hang_up": True}
        tonight.do("Leo", "key", key="1")
        second = (await tonight.ear.wait_for(2))[1]
        assert (second.call, second.text, second.at, second.turn) == (first.call, "1", "menu", 1)
        await tonight.settled()
        assert tonight.provider.exchange.find("Leo").call is None
        assert tonight.shows("Leo")[-1] == ("call", "It's on.")

    night(story)


def test_a_call_to_us_that_is_not_picked_up_was_a_missed_one() -> None:
    async def story(tonight: Night) -> None:
        tonight.ear.answer = {"reject": True, "hang_up": True}
        tonight.do("Leo", "call-us")
        await tonight.ear.wait_for(1)
        await tonight.settled()
        assert tonight.provider.exchange.find("Leo").call is None
        assert tonight.shows("Leo") == [("rang-us", "")]

    night(story)


def test_silence_and_hanging_up_in_a_call_to_us_are_told() -> None:
    async def story(tonight: Night) -> None:
        tonight.ear.answer = {"say": "", "at": "stay", "turn": 1, "listen_s": 1}
        tonight.do("Leo", "call-us")
        await tonight.ear.wait_for(1)
        silent = (await tonight.ear.wait_for(2))[1]  # a second later
        assert (silent.kind, silent.text, silent.at) == ("turn", "", "stay")
        await tonight.settled()
        tonight.do("Leo", "hang-up")
        assert "ended" in [one.kind for one in await tonight.ear.wait_for(3)]

    night(story)


def test_a_phone_in_a_call_makes_no_other() -> None:
    async def story(tonight: Night) -> None:
        tonight.do("Leo", "call-us")
        with pytest.raises(ActError):
            tonight.do("Leo", "call-us")
        with pytest.raises(ActError):
            tonight.do("Leo", "answer")
        tonight.do("Ana", "off")
        with pytest.raises(ActError):
            tonight.do("Ana", "call-us")

    night(story)
