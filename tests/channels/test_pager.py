"""A page goes to the first way that takes it, and never to nobody in silence."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from stillhere.channels.base import Capability, Channel, Outgoing
from stillhere.channels.pager import Pager, addresses
from stillhere.core.messages import Fate, Receipt

MAIL, CHAT, PHONE = "ruth@example.org", "ntfys://push.example.org/ruth", "+12025550150"
PAGE = Outgoing(key="stuck.1", to="", text="Some of what we send does not arrive.", reply_ref="9")


@dataclass
class Way:
    """A channel that does as it is told."""

    name: str
    fate: Fate | None = Fate.ACCEPTED
    capabilities: frozenset[Capability] = frozenset()
    deadline_s: float = 0.01
    concurrency: int = 1
    sent: list[str] = field(default_factory=list)

    def normalise(self, typed: str) -> str:
        return typed

    async def send(self, message: Outgoing) -> Receipt:
        self.sent.append(message.to)
        if self.fate is None:
            await asyncio.Event().wait()
        return Receipt(self.fate or Fate.UNKNOWN, why="" if self.fate is Fate.ACCEPTED else "no")

    async def close(self) -> None:
        raise AssertionError("the channel is its owner's")


def ways(**fates: Fate | None) -> dict[str, Channel]:
    return {name: Way(name, fate) for name, fate in fates.items()}


def page(to: str, channels: dict[str, Channel]) -> Receipt:
    async def send() -> Receipt:
        pager = Pager(to, channels)
        receipt = await pager.send(PAGE)
        await pager.close()
        return receipt

    return asyncio.run(send())


def sent(channels: dict[str, Channel]) -> dict[str, list[str]]:
    return {n: c.sent for n, c in channels.items() if isinstance(c, Way) and c.sent}


def test_the_first_way_that_takes_it_is_enough() -> None:
    here = ways(email=Fate.ACCEPTED, text=Fate.ACCEPTED, call=Fate.ACCEPTED)
    assert page(f"{MAIL}, {PHONE}", here).fate is Fate.ACCEPTED
    assert sent(here) == {"email": [MAIL]}


@pytest.mark.parametrize("fate", [Fate.BUSY, Fate.FAILED, Fate.OPTED_OUT, Fate.UNKNOWN, None])
def test_whatever_becomes_of_the_first_the_next_is_tried(fate: Fate | None) -> None:
    """None: it never answers."""
    here = ways(email=fate, chat=Fate.ACCEPTED)
    assert page(f"{MAIL},{CHAT}", here).fate is Fate.ACCEPTED
    assert sent(here) == {"email": [MAIL], "chat": [CHAT]}


def test_a_phone_is_texted_and_called_and_one_of_them_is_enough() -> None:
    here = ways(text=Fate.BUSY, call=Fate.ACCEPTED)
    assert page(PHONE, here).fate is Fate.ACCEPTED
    assert sent(here) == {"text": [PHONE], "call": [PHONE]}


def test_a_page_that_nobody_took_is_tried_again_and_says_why() -> None:
    here = ways(email=Fate.FAILED, text=Fate.BUSY, call=Fate.BUSY)
    receipt = page(f"{MAIL}, {PHONE}", here)
    assert (receipt.fate, receipt.why) == (Fate.BUSY, "email: no; text: no; call: no")


def test_whoever_is_meant_is_reached_by_all_their_ways_at_once_and_one_is_enough() -> None:
    here = ways(email=Fate.BUSY, text=None, call=Fate.ACCEPTED)

    async def send(to: str) -> Receipt:
        return await Pager(MAIL, here).send(replace(PAGE, to=to))

    assert asyncio.run(send(f"{MAIL}, {PHONE}")).fate is Fate.ACCEPTED
    assert sent(here) == {"email": [MAIL], "text": [PHONE], "call": [PHONE]}
    receipt = asyncio.run(send(MAIL))
    assert (receipt.fate, receipt.why) == (Fate.BUSY, "email: no")
    assert asyncio.run(send(CHAT)).why == "no way to them is set up"


def test_a_quiet_phone_is_texted_and_not_called() -> None:
    here = ways(text=Fate.ACCEPTED, call=Fate.ACCEPTED)
    message = replace(PAGE, to=f"text:{PHONE}")
    assert asyncio.run(Pager(MAIL, here).send(message)).fate is Fate.ACCEPTED
    assert sent(here) == {"text": [PHONE]}


def test_a_way_that_is_not_here_is_passed_over() -> None:
    here = ways(chat=Fate.ACCEPTED)
    assert page(f"{MAIL}, {CHAT}", here).fate is Fate.ACCEPTED
    assert page(MAIL, here).fate is Fate.BUSY


def test_addresses_stand_with_commas_between() -> None:
    assert addresses(f" {MAIL} ,{CHAT},, {PHONE}") == (MAIL, CHAT, PHONE)
    assert addresses("") == ()
