"""What every channel promises, told once and held against each adapter's real counterpart."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from stillhere.channels.base import AddressError, Capability, Channel, Outgoing
from stillhere.core.messages import Fate, Receipt
from tests.channels.accounts import ALL_RIGS
from tests.channels.rigs import Rig

LINK = "https://lamp.example.org/a/Zt4fJq8x2mZk0YpTtV"
TEXT = "This is about Sam. Sam's phone has not been answered since 22:12."
SHORT_DEADLINE_S = 0.2
SLACK_S = 1.0  # two busy cores; a channel without a deadline would take for ever

Story = Callable[[Rig], Awaitable[None]]


def every_channel(story: Story) -> Callable[[type[Rig]], None]:
    """Tell a story once per adapter, each time with a counterpart of its own."""

    @pytest.mark.parametrize("rig_type", ALL_RIGS, ids=lambda rig_type: rig_type.id)
    def test(rig_type: type[Rig]) -> None:
        async def tell() -> None:
            async with rig_type() as rig:
                await story(rig)

        asyncio.run(tell())

    return test


def message(rig: Rig, **changes: Any) -> Outgoing:
    usual = Outgoing(key="w7-r1-c3-1", to=rig.good, text=TEXT, link=LINK, subject="Lamp")
    return dataclasses.replace(usual, **changes)


async def sent(channel: Channel, outgoing: Outgoing) -> Receipt:
    """Send and hold the receipt against what every receipt promises."""
    receipt = await channel.send(outgoing)
    for secret in (outgoing.text, LINK, "Sam", "example.org", "555", "127.0.0.1"):
        assert secret not in receipt.why
    assert "\n" not in receipt.why
    return receipt


@every_channel
async def test_what_is_sent_arrives_once_with_its_link(rig: Rig) -> None:
    channel = rig.channel()
    receipt = await sent(channel, message(rig))
    assert receipt.fate is Fate.ACCEPTED
    [got] = rig.received()
    assert TEXT in got.text
    assert (LINK in got.text) == (Capability.LINKS in channel.capabilities)
    assert receipt.provider_ref == got.name


@every_channel
async def test_a_dead_address_is_said_to_be_dead(rig: Rig) -> None:
    channel = rig.channel()
    assert (await sent(channel, message(rig, to=rig.dead))).fate is rig.dead_fate
    assert (await sent(channel, message(rig))).fate is Fate.ACCEPTED
    assert [got.to for got in rig.received()] == [rig.good]


@every_channel
async def test_what_is_no_address_at_all_fails_and_does_not_raise(rig: Rig) -> None:
    channel = rig.channel()
    for nonsense in ("", "nobody", "\x00", "@", "+", "://", "a" * 5_000, "\ud800", "file:///x"):
        assert (await sent(channel, message(rig, to=nonsense))).fate is Fate.FAILED
    assert rig.received() == []


@every_channel
async def test_a_refusal_for_now_is_not_for_ever(rig: Rig) -> None:
    channel = rig.channel()
    rig.refuse_once()
    assert (await sent(channel, message(rig))).fate is Fate.BUSY
    assert rig.received() == []
    assert (await sent(channel, message(rig))).fate is Fate.ACCEPTED


@every_channel
async def test_silence_is_unknown_within_the_deadline(rig: Rig) -> None:
    channel = rig.channel(deadline_s=SHORT_DEADLINE_S)
    rig.hang_once()
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await sent(channel, message(rig))).fate is Fate.UNKNOWN
    assert loop.time() - began < SHORT_DEADLINE_S + SLACK_S


@every_channel
async def test_after_silence_the_channel_works_again(rig: Rig) -> None:
    channel = rig.channel(deadline_s=SHORT_DEADLINE_S)
    rig.hang_once()
    await sent(channel, message(rig))
    again = rig.channel()
    assert (await sent(again, message(rig, key="w7-r1-c3-2"))).fate is Fate.ACCEPTED
    tries = [await sent(channel, message(rig, key=f"w7-r1-c3-{no}")) for no in range(3, 8)]
    # A busy machine may miss so short a deadline; a channel that is stuck misses it each time.
    assert Fate.ACCEPTED in {each.fate for each in tries}


@every_channel
async def test_garbage_for_an_answer_is_no_answer(rig: Rig) -> None:
    channel = rig.channel()
    rig.garbage_once()
    assert (await sent(channel, message(rig))).fate is rig.garbage_fate
    assert (await sent(channel, message(rig, key="w7-r1-c3-2"))).fate is Fate.ACCEPTED


@every_channel
async def test_nobody_at_the_other_end_is_busy(rig: Rig) -> None:
    channel = rig.channel()
    await rig.stop_listening()
    assert (await sent(channel, message(rig))).fate is Fate.BUSY


@every_channel
async def test_every_script_arrives_as_it_was_written(rig: Rig) -> None:
    channel = rig.channel()
    text = "Zoë, José, ፍቅር, שלום, محمد, नमस्ते, 周: 22:16. 🙂"
    assert (await sent(channel, message(rig, text=text, subject=text))).fate is Fate.ACCEPTED
    [got] = rig.received()
    assert got.text.startswith(text)
    assert got.subject in {"", text}


@every_channel
async def test_mallory_puts_orders_into_every_field(rig: Rig) -> None:
    channel = rig.channel()
    evil = (
        "x\r\nBcc: mallory@example.org\r\nX-Evil: 1\r\n\r\n.\r\nRCPT TO:<mallory@example.org>\r\n"
    )
    for name in ("key", "text", "subject", "link", "lang", "reply_ref"):
        receipt = await sent(channel, message(rig, **{name: evil + name}))
        assert receipt.fate is Fate.ACCEPTED, name
    assert (await sent(channel, message(rig, to=f"{rig.good}\r\nBcc: m@example.org"))).fate in {
        Fate.FAILED,
        Fate.BUSY,
    }
    choices = Outgoing(key="c", to=rig.good, text=TEXT, choices={evil: evil})
    assert (await sent(channel, choices)).fate is Fate.ACCEPTED
    assert {got.to for got in rig.received()} == {rig.good}
    for got in rig.received():
        assert "\n" not in got.subject
        head = got.raw.partition(b"\r\n\r\n")[0].lower()
        assert b"\nbcc:" not in head
        assert b"\nx-evil" not in head


@every_channel
async def test_a_text_too_long_loses_its_end_and_never_its_link(rig: Rig) -> None:
    channel = rig.channel()
    assert (await sent(channel, message(rig, text="still here? " * 9_000))).fate is Fate.ACCEPTED
    [got] = rig.received()
    assert got.text.startswith("still here? still here? ")
    assert len(got.text) < 25_000
    if Capability.LINKS in channel.capabilities:
        assert got.text.rstrip().endswith("\n" + LINK)


@every_channel
async def test_a_link_that_stands_in_the_text_is_not_said_twice(rig: Rig) -> None:
    channel = rig.channel()
    await sent(channel, message(rig, text=f"Open {LINK} now."))
    [got] = rig.received()
    assert got.text.count(LINK) == 1


@every_channel
async def test_a_repeat_is_known_as_the_same_message(rig: Rig) -> None:
    channel = rig.channel()
    first = await sent(channel, message(rig))
    again = await sent(channel, message(rig))
    other = await sent(channel, message(rig, key="w7-r1-c3-2"))
    assert {first.fate, again.fate, other.fate} == {Fate.ACCEPTED}
    if rig.knows_repeats:
        assert first.provider_ref == again.provider_ref != other.provider_ref
        assert len({got.name for got in rig.received()}) == 2


@every_channel
async def test_a_repeat_after_silence_is_one_message(rig: Rig) -> None:
    channel = rig.channel(deadline_s=SHORT_DEADLINE_S)
    rig.hang_once()
    assert (await sent(channel, message(rig))).fate is Fate.UNKNOWN
    assert (await sent(rig.channel(), message(rig))).fate is Fate.ACCEPTED
    if rig.knows_repeats:
        assert len({got.name for got in rig.received()}) == 1


@every_channel
async def test_many_at_once_all_arrive(rig: Rig) -> None:
    channel = rig.channel()
    room = min(channel.concurrency, 8)
    wanted = [message(rig, key=f"w{n}", text=f"Text {n}.") for n in range(room)]
    receipts = await asyncio.gather(*(sent(channel, one) for one in wanted))
    assert {receipt.fate for receipt in receipts} == {Fate.ACCEPTED}
    assert {got.text.split(".")[0] for got in rig.received()} == {f"Text {n}" for n in range(room)}


@every_channel
async def test_a_cancelled_send_leaves_a_working_channel(rig: Rig) -> None:
    channel = rig.channel()
    rig.hang_once()
    task = asyncio.create_task(channel.send(message(rig)))
    async with asyncio.timeout(5):
        while not rig.received():  # noqa: ASYNC110 - the counterparts have no event to wait for
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await sent(channel, message(rig, key="w7-r1-c3-2"))).fate is Fate.ACCEPTED


@every_channel
async def test_closing_may_come_twice_and_before_everything(rig: Rig) -> None:
    never_used = rig.channel()
    await never_used.close()
    await never_used.close()
    assert (await sent(never_used, message(rig))).fate is Fate.BUSY
    used = rig.channel()
    await sent(used, message(rig))
    await used.close()
    await used.close()
    assert (await sent(used, message(rig, key="w7-r1-c3-2"))).fate is Fate.BUSY
    assert len(rig.received()) == 1


@every_channel
async def test_a_normal_address_is_normal_already(rig: Rig) -> None:
    channel = rig.channel()
    once = channel.normalise(f"  {rig.good} ")
    assert once == rig.good
    assert channel.normalise(once) == once


@every_channel
async def test_what_cannot_be_an_address_is_answered_kindly(rig: Rig) -> None:
    channel = rig.channel()
    for nonsense in ("", " ", "maya", "\x00", "a\nb", "://", "@@", "9" * 400, "\ud800", "+"):
        with pytest.raises(AddressError) as error:
            channel.normalise(nonsense)
        sentence = str(error.value)
        assert sentence.endswith(".")
        assert "!" not in sentence
        assert not nonsense.strip() or nonsense not in sentence or nonsense in {"maya", "+", "://"}
