"""Several carriers behind one channel; and where those who speak Twilio's API differ."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from stillhere.channels.base import Outgoing, Turn
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.failover import TEXTS, Relay
from stillhere.channels.carriers.numbers import normalise_for_texts
from stillhere.channels.carriers.twilio import cost_of, receipt_of
from stillhere.channels.carriers.voice import VoiceCarrier, twiml
from stillhere.channels.http import HttpClient
from stillhere.core.messages import Cost, Fate, Receipt
from tests.channels.accounts import (
    HOOKS,
    AccountRig,
    SignalWireRig,
    TelnyxRig,
    TwilioRig,
    WhatsAppRig,
    carrier_of,
)
from tests.channels.rigs import Received

# Beside the project where it is built; not on a public clone.
PUBLISHED = Path(__file__).resolve().parents[3] / "shared/data/twilio/twilio_api_v2010.json"
MESSAGE = Outgoing(key="k", to="+12025550102", text="Sam: still here?", reply_ref="7")
# What the description allows, as far as we send it; held against the whole of it where it is.
FORMS = {
    "Messages": {"To", "From", "Body", "StatusCallback"},
    "Calls": {"To", "From", "Url", "StatusCallback", "StatusCallbackEvent", "Timeout"},
}


@dataclass
class Fake:
    """A carrier that does as it is told."""

    name: str
    fates: list[Fate] = field(default_factory=list)
    per_s: float | None = None
    deadline_s: float = 1.0
    concurrency: int = 4
    sent: list[Outgoing] = field(default_factory=list)

    @property
    def carrier(self) -> Carrier:
        return carrier_of("twilio", "https://api.example.org", name=self.name, per_s=self.per_s)

    async def send(self, message: Outgoing) -> Receipt:
        self.sent.append(message)
        fate = self.fates.pop(0) if self.fates else Fate.ACCEPTED
        return Receipt(fate, f"{self.name}:1", carrier=self.name)

    async def price(self, ref: str) -> Cost | None:
        return Cost(7_900, "USD") if ref == "1" else None

    async def erase(self, ref: str) -> bool:
        return ref == "1"

    async def balance(self) -> Cost | None:
        return None

    async def close(self) -> None: ...


def relay(*fakes: Fake) -> Relay:
    return Relay("text", fakes, normalise_for_texts, TEXTS)


def send(through: Relay, *messages: Outgoing) -> list[Receipt]:
    async def all_of_them() -> list[Receipt]:
        return [await through.send(message) for message in messages]

    return asyncio.run(all_of_them())


# --- the choice -----------------------------------------------------------------------------------


def test_the_preferred_carrier_takes_what_it_can() -> None:
    one, two = Fake("one"), Fake("two")
    assert send(relay(one, two), MESSAGE)[0].carrier == "one"
    assert not two.sent


@pytest.mark.parametrize("fate", [Fate.BUSY, Fate.UNKNOWN])
def test_what_one_cannot_carry_the_next_carries_at_once(fate: Fate) -> None:
    one, two = Fake("one", [fate]), Fake("two")
    assert send(relay(one, two), MESSAGE)[0].carrier == "two"


@pytest.mark.parametrize("fate", [Fate.FAILED, Fate.OPTED_OUT])
def test_what_is_about_the_number_is_final(fate: Fate) -> None:
    one, two = Fake("one", [fate]), Fake("two")
    assert send(relay(one, two), MESSAGE)[0].fate is fate
    assert not two.sent


def test_a_sick_carrier_is_asked_last_and_never_left_out() -> None:
    one, two = Fake("one", [Fate.BUSY]), Fake("two", [Fate.ACCEPTED, Fate.BUSY, Fate.BUSY])
    receipts = send(relay(one, two), MESSAGE, MESSAGE, MESSAGE)
    assert [receipt.carrier for receipt in receipts] == ["two", "one", "one"]


def test_receipts_that_never_come_make_a_carrier_sick() -> None:
    one, two = Fake("one"), Fake("two")
    through = relay(one, two)

    async def story() -> None:
        for _ in range(3):
            through.silent("one")
        through.silent("nobody")
        assert (await through.send(MESSAGE)).carrier == "two"

    asyncio.run(story())


def test_what_went_by_one_in_vain_goes_by_the_other() -> None:
    one, two = Fake("one"), Fake("two")
    again = Outgoing(key="k", to=MESSAGE.to, text="x", avoid=frozenset({"one"}))
    assert send(relay(one, two), again)[0].carrier == "two"
    assert send(relay(Fake("one")), again)[0].carrier == "one", "better than nobody"


def test_a_paced_carrier_that_is_full_is_passed_over() -> None:
    slow, other = Fake("slow", per_s=0.01), Fake("other")
    receipts = send(relay(slow, other), MESSAGE, MESSAGE)
    assert [receipt.carrier for receipt in receipts] == ["slow", "other"]
    [first, second] = send(relay(Fake("slow", per_s=0.01)), MESSAGE, MESSAGE)
    assert (first.fate, second.fate, second.retry_after_s) == (Fate.ACCEPTED, Fate.BUSY, 1)


def test_prices_and_traces_belong_to_the_carrier_that_has_them() -> None:
    through = relay(Fake("one"), Fake("two"))

    async def story() -> None:
        assert await through.price("two:1") == Cost(7_900, "USD")
        assert await through.price("two:2") is None
        assert await through.erase("one:1")
        assert not await through.erase("one:2")
        assert await through.erase("gone:1"), "a carrier that is not ours any more holds nothing"

    asyncio.run(story())


# --- the dialects ---------------------------------------------------------------------------------


def published(what: str) -> set[str] | None:
    """The parameters the published description allows, where it is at hand."""
    if not PUBLISHED.exists():
        return None
    paths: dict[str, Any] = json.loads(PUBLISHED.read_text())["paths"]
    post = paths[f"/2010-04-01/Accounts/{{AccountSid}}/{what}.json"]["post"]
    form = post["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    return set(form["properties"])


def told_to(rig_type: type[AccountRig], message: Outgoing) -> dict[str, str]:
    async def story() -> dict[str, str]:
        async with rig_type() as rig:
            assert (await rig.channel().send(message)).fate is Fate.ACCEPTED
            return rig.forms[0]

    return asyncio.run(story())


@pytest.mark.parametrize("rig_type", [TwilioRig, SignalWireRig, TelnyxRig])
def test_a_text_is_the_form_they_document(rig_type: type[AccountRig]) -> None:
    form = told_to(rig_type, MESSAGE)
    assert form["StatusCallback"] == f"{HOOKS}/status?m=7"
    assert set(form) == FORMS["Messages"]
    assert form.keys() <= (published("Messages") or FORMS["Messages"])


class TemplateRig(WhatsAppRig):
    options: ClassVar = {"template": f"HX{0:032}", "template-es": f"HX{1:032}"}


def test_whatsapp_is_written_to_in_its_template_and_answered_in_our_own_words() -> None:
    begins = told_to(TemplateRig, replace(MESSAGE, text="Sam:\n still   here?", link="https://x/k"))
    assert begins["ContentSid"] == f"HX{0:032}"
    assert json.loads(begins["ContentVariables"]) == {"1": "Sam: still here? https://x/k"}
    assert (begins["To"], begins["From"]) == ("whatsapp:+12025550102", "whatsapp:+12025550100")
    assert "Body" not in begins
    assert told_to(TemplateRig, replace(MESSAGE, lang="es"))["ContentSid"] == f"HX{1:032}"
    answers = told_to(TemplateRig, replace(MESSAGE, answers=True))
    assert answers["Body"] == MESSAGE.text
    assert "ContentSid" not in answers


def test_words_too_long_for_a_template_keep_their_link() -> None:
    begins = told_to(TemplateRig, replace(MESSAGE, text="word " * 400, link="https://x/k"))
    words = json.loads(begins["ContentVariables"])["1"]
    assert len(words) <= 800
    assert words.endswith(" https://x/k")


def test_a_call_is_the_form_they_document_and_holds_no_words() -> None:
    class CallRig(TwilioRig):
        what = "Calls"

        def make(self, deadline_s: float) -> Relay:
            account = VoiceCarrier(carrier_of("twilio", self.url), HOOKS, HttpClient())
            return Relay("call", [account], normalise_for_texts, TEXTS)

        def took(self, form: dict[str, str], name: str) -> Received:
            return Received(form["To"], "", name)

    form = told_to(CallRig, MESSAGE)
    assert form["Url"] == f"{HOOKS}/call?m=7"
    assert "Sam" not in " ".join(form.values())
    assert set(form) == FORMS["Calls"]
    assert form.keys() <= (published("Calls") or FORMS["Calls"])


# --- what they say --------------------------------------------------------------------------------


def test_every_documented_end_of_a_text_has_its_meaning() -> None:
    carrier = carrier_of("twilio", "https://api.example.org")

    def fate(status: str, code: str = "") -> Fate:
        fields = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code}
        receipt = receipt_of(carrier, fields, "7").receipt
        assert receipt is not None
        return receipt.fate

    assert fate("delivered") is Fate.DELIVERED
    assert fate("sent") is Fate.ACCEPTED
    assert fate("undelivered", "30003") is Fate.BUSY, "a phone that is off may be on later"
    assert fate("undelivered", "30005") is Fate.FAILED
    assert fate("undelivered", "30006") is Fate.FAILED
    assert fate("failed", "21610") is Fate.OPTED_OUT
    assert fate("failed", "30007") is Fate.BUSY, "filtered: another carrier may not"
    assert fate("read") is Fate.DELIVERED, "two blue ticks"
    assert fate("failed", "63003") is Fate.FAILED, "no WhatsApp there"
    assert fate("failed", "63024") is Fate.FAILED
    assert fate("failed", "63016") is Fate.NOWHERE, "the way is shut now, and will open again"


@pytest.mark.parametrize(
    ("told", "cost"),
    [
        ({"price": "-0.00790", "price_unit": "USD"}, Cost(7_900, "USD")),
        ({"Price": "0.05"}, Cost(50_000, "USD")),
        ({"price": None}, None),
        ({"price": "free"}, None),
        ({"price": "1e99"}, None),
        ({}, None),
    ],
)
def test_a_price_is_read_where_there_is_one(told: dict[str, object], cost: Cost | None) -> None:
    assert cost_of(told) == cost


def test_a_turn_becomes_what_carriers_read() -> None:
    asks = twiml(
        Turn(say=("Are you there?",), listen_s=8, voice=True), "https://x/next", "", "en-US"
    )
    for part in ('input="dtmf speech"', 'numDigits="1"', 'timeout="8"', "Are you there?"):
        assert part in asks
    assert "<Hangup" not in asks
    plays = twiml(Turn(tone=True, say=("a < b & c",)), "", "https://x/t.wav", "es-MX")
    assert 'language="es-MX"' in plays
    assert plays.index("<Play") < plays.index("<Say")
    assert "a &lt; b &amp; c" in plays
    assert plays.endswith("<Hangup /></Response>")
    assert '<Reject reason="busy"' in twiml(Turn(reject=True), "", "", "en-US")
    assert "<Record" in twiml(Turn(record_s=30), "https://x/next", "", "en-US")
