"""Calls through Twilio's API and whoever speaks it, and a turn of the voice as TwiML.

A call that is answered asks our web server what to say (``Url``), so that it says what is true at
that moment. See ``twilio.py`` for the account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from stillhere.channels.base import GarbageError, Outgoing, Sound, Turn
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.numbers import of_sender, shown
from stillhere.channels.carriers.twilio import DEADLINE_S, Account
from stillhere.channels.http import HttpClient
from stillhere.core.messages import Cost, Receipt

LONGEST_NUMBER = 20
RINGS_S = 25  # before most voicemail answers
EVENTS = ("ringing", "answered", "completed")


class VoiceCarrier:
    """One account that carries calls. ``hooks`` is where it asks what to say, and tells us what
    became of them."""

    def __init__(
        self,
        carrier: Carrier,
        hooks: str,
        http: HttpClient,
        *,
        concurrency: int = 64,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self.carrier = carrier
        self.name = carrier.name
        self.concurrency = concurrency
        self.deadline_s = deadline_s
        self._account = Account(carrier, http, deadline_s)
        self._hooks = hooks

    async def send(self, message: Outgoing) -> Receipt:
        """Let a phone ring. The words are asked for when somebody answers."""
        return await self._account.create(
            "Calls",
            [
                ("To", message.to),
                ("From", self.carrier.sender),
                ("Url", f"{self._hooks}/call?m={quote(message.reply_ref)}"),
                ("StatusCallback", f"{self._hooks}/status?m={quote(message.reply_ref)}"),
                *(("StatusCallbackEvent", event) for event in EVENTS),
                ("Timeout", str(RINGS_S)),
            ],
        )

    async def price(self, ref: str) -> Cost | None:
        return await self._account.price("Calls", ref)

    async def erase(self, ref: str) -> bool:
        """Delete the call's log at the provider."""
        return await self._account.erase("Calls", ref)

    async def sound(self, ref: str) -> bytes | None:
        """What was recorded in a call, once it can be had."""
        return await self._account.media(f"Recordings/{ref}.mp3")

    async def forget_sound(self, ref: str) -> bool:
        """Delete a recording there; True once it is gone."""
        return await self._account.erase("Recordings", ref)

    async def balance(self) -> Cost | None:
        return await self._account.balance()

    async def close(self) -> None:
        await self._account.close()


# --- what is said ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallTold:
    """What a carrier tells us of a call that goes on: who rings whom, and what was just done.

    ``ref`` is the same through the call. ``key`` is what was pressed, ``""`` for nothing, ``typed``
    a whole number; ``spoke`` whether a word was heard. ``first`` where nothing was said yet.
    """

    ref: str
    caller: str
    called: str
    outbound: bool
    key: str = ""
    typed: str = ""
    spoke: bool = False
    recording: str = ""
    first: bool = False


def call_of(carrier: Carrier, fields: Mapping[str, str], region: str, *, first: bool) -> CallTold:
    """A call's webhook. ``region`` is the country of a number without +. Whoever withholds their
    number has none here, so that no two of them are taken for one. Raises ``GarbageError``."""
    ref = fields.get("CallSid", "")[:80]
    if not ref:
        raise GarbageError("a call without an id")
    outbound = fields.get("Direction", "").startswith("outbound")
    caller, called = (of_sender(fields.get(name, "")[:32], region) for name in ("From", "To"))
    return CallTold(
        ref=f"{carrier.name}:{ref}",
        caller=caller if outbound else shown(caller),
        called=called,
        outbound=outbound,
        key=fields.get("Digits", "")[:1],
        typed=re.sub(r"[^0-9]", "", fields.get("Digits", "")[:LONGEST_NUMBER]),
        spoke=bool(fields.get("SpeechResult", "").strip()),
        recording=fields.get("RecordingSid", "")[:80],
        first=first,
    )


def twiml(turn: Turn, action: str, tone: str, speaks: str) -> str:
    """A turn as TwiML. ``action`` is where the next webhook of this call goes; ``tone`` is the
    address of the soft tone; ``speaks`` is the voice of the turn's language."""
    from twilio.twiml.voice_response import VoiceResponse  # noqa: PLC0415  a tenth of a second

    said = VoiceResponse()
    if turn.reject:
        said.reject(reason="busy")
        return str(said)
    to = said
    if turn.listen_s:
        to = said.gather(
            input="dtmf speech" if turn.voice else "dtmf",
            num_digits=None if turn.number else 1,
            finish_on_key="#" if turn.number else None,
            timeout=turn.listen_s,
            action=action,
            method="POST",
            action_on_empty_result=True,
            language=speaks,
        )
    if turn.tone:
        to.play(tone)
    for part in turn.say:
        if isinstance(part, Sound):
            to.play(part.url)
        else:
            to.say(part, language=speaks)
    if turn.connect:
        said.dial(turn.connect)
    if turn.record_s:
        said.record(max_length=turn.record_s, timeout=5, play_beep=True, action=action, trim=None)
    if turn.hang_up:
        said.hangup()
    return str(said)
