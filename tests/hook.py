"""The provider's side of the webhook, for tests of what comes in from phones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings as conf
from django.test import Client

from stillhere.channels.demo import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from stillhere.core import events as ev
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.store.messages import delivery
from stillhere.store.models import Message, sealed_columns
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock

# The numbers `sams_night` gives to Sam, then to the contacts in their order.
SAM, LEO, MAYA, MALLORY = "+12025550100", "+12025550101", "+12025550102", "+12025550199"
Told = tuple[int, dict[str, Any]]


@dataclass
class Hook:
    """The provider's side of the webhook. Ids count up unless a test says otherwise."""

    client: Client
    clock: Clock
    count: int = 0

    def tell(self, *events: dict[str, Any]) -> Told:
        """Post events, signed; return status and answer."""
        return self.post(json.dumps({"events": events}).encode())

    def post(self, body: bytes, secret: str = "", at_ms: int = 0) -> Told:
        secret = secret or conf.DERIVED_SECRET(conf.STILLHERE, "demo-phones").hex()
        at = str(at_ms or self.clock.now)
        headers = {TIMESTAMP_HEADER: at, SIGNATURE_HEADER: sign(secret, at, body)}
        answer = self.client.post("/hooks/phones", body, "application/json", headers=headers)
        return answer.status_code, answer.json() if answer.status_code == 200 else {}

    def event(self, number: str, kind: str, channel: str, **more: Any) -> dict[str, Any]:
        self.count += 1
        return {"id": f"e-{self.count}", "kind": kind, "channel": channel, "from": number} | more

    def text(self, number: str, text: str, **more: Any) -> None:
        """Somebody texts us."""
        assert self.tell(self.event(number, "text", "text", text=text, **more))[0] == 200

    def key(self, message: Message, key: str, number: str = "") -> str:
        """A key is pressed in a call of ours; return what is said then."""
        number = number or number_of(message)
        status, answer = self.tell(
            self.event(number, "key", "call", text=key, reply_ref=str(message.id))
        )
        assert status == 200
        return str(answer.get("say", ""))

    def receipt(self, message: Message, status: str, reply_ref: str = "") -> None:
        facts = {"status": status, "message_id": f"p-{message.id}", "reply_ref": reply_ref}
        event = self.event(number_of(message), "receipt", message.channel, **facts)
        assert self.tell(event)[0] == 200


def number_of(message: Message) -> str:
    assert message.address is not None
    return sealed_columns.address_value(message.address)


def asked_night(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    """Sam is asked, by text and then by a call."""
    night = sams_night(*(rungs or (("Leo",), ("Maya",))))
    Message.objects.filter(word="invite").update(status="sent")
    night.start()
    night.does(ev.Marked())
    for wait_s in (60, 5, 15):
        clock.advance(wait_s)
        tick_all()
    assert night.row().state == "asking"
    deliver(clock)
    return night


def alarmed_night(clock: Clock, *rungs: tuple[str, ...]) -> SamsNight:
    """Nobody answered: the first rung was told."""
    night = asked_night(clock, *rungs)
    clock.advance(40)
    tick_all()
    assert night.row().state == "alarm"
    deliver(clock)
    return night


def deliver(clock: Clock) -> None:
    """Everything that is due leaves; what the provider calls it is ``p-<id>``."""
    for channel in ("text", "call"):
        for leased in delivery.lease(channel, clock.now, 50, 20):
            fated = leased.result(Receipt(Fate.ACCEPTED, provider_ref=f"p-{leased.id}"))
            delivery.record([fated], clock.now)


def last(number: str, channel: str) -> Message:
    """The newest message to this number."""
    theirs = Message.objects.filter(channel=channel, address__isnull=False).order_by("-id")
    return next(m for m in theirs if number_of(m) == number)


def said_to(number: str, clock: Clock) -> list[str]:
    """The texts that leave for this number now."""
    leased = delivery.lease("text", clock.now, 50, 20)
    return [render.render(m, m.to).text for m in leased if m.to == number]


def erases(hook: Hook, number: str, clock: Clock, word: str = "DELETE") -> None:
    """They text DELETE, read the code, and text it back."""
    hook.text(number, word)
    [said] = [text for text in said_to(number, clock) if "DELETE" in text or "BORRAR" in text]
    hook.text(number, f"{word} {''.join(filter(str.isdigit, said))}")
