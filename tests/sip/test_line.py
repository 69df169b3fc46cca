"""The direct line in parts: what is read from our own TwiML, what a refusal means, who is let in.

The whole of it rings in ``tests/journeys/test_line.py``.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from stillhere.channels.base import Turn
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.voice import twiml as written
from stillhere.sip import twiml
from stillhere.sip.baresip import Happened, Telephone, Trunk
from stillhere.sip.conversation import Conversation, _closed
from stillhere.sip.prompts import TAIL_S, PromptError, Prompts
from stillhere.sip.service import DirectLine, Ours
from tests.installation import free_port

ACTION = "https://lamp.example.org/in/sip/call?at=answer&n=1"
TONE = "https://lamp.example.org/static/tone.wav"


@pytest.mark.parametrize(
    ("turn", "plan"),
    [
        (Turn(reject=True), twiml.CallPlan(reject=True)),
        (Turn(say=("Bye.",)), twiml.CallPlan(says=("Bye.",), voice="es-419")),
        (
            Turn(say=("One & two.", "Drei <3"), listen_s=8),
            twiml.CallPlan(("One & two.", "Drei <3"), "es-419", listen_s=8, action=ACTION),
        ),
        (
            Turn(say=("Stay.",), tone=True, listen_s=25, voice=True),
            twiml.CallPlan(("Stay.",), "es-419", tone=True, listen_s=25, action=ACTION),
        ),
        (Turn(), twiml.CallPlan()),
    ],
)
def test_what_our_web_server_writes_is_what_the_line_reads(
    turn: Turn, plan: twiml.CallPlan
) -> None:
    assert twiml.read(written(turn, ACTION, TONE, "es-419")) == plan


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "<Response>",
        "<Response><Dial>+12025550101</Dial></Response>",
        '<!DOCTYPE x [<!ENTITY a "b">]><Response/>',
        "<Response><Say>" + "x" * 70_000 + "</Say></Response>",
    ],
)
def test_anything_else_ends_the_call(garbage: str) -> None:
    with pytest.raises(twiml.TwimlError):
        twiml.read(garbage)


@pytest.mark.parametrize(
    ("refusal", "became"),
    [
        ("486 Busy Here", "busy"),
        ("603 Decline", "busy"),
        ("480 Temporarily Unavailable", "no-answer"),
        ("410 Gone", "failed 13224"),
        ("604 Does Not Exist Anywhere", "failed 13224"),
        ("404 Not Found", "failed"),
        ("503 Service Unavailable", "failed"),
        ("Connection timed out", "failed"),
        ("", "failed"),
    ],
)
def test_only_what_is_for_ever_is_said_to_be_for_ever(refusal: str, became: str) -> None:
    assert _closed(Happened("CALL_CLOSED", detail=refusal)) == became


class Scripted(Telephone):
    """A telephone of whom everything that happens is written down beforehand."""

    def __init__(self, *events: Happened | None) -> None:
        super().__init__(Trunk("127.0.0.1:9", "lamp"))
        self.events = list(events)
        self.did: list[str] = []

    def tell(self, command: str, params: str = "") -> None:
        self.did.append(command)

    async def happened(self, within_s: float | None = None) -> Happened | None:
        return self.events.pop(0) if self.events else None


class Silent(Prompts):
    """Speaks without a sound."""

    async def make(self, sentences: tuple[str, ...], voice: str, *, tone: bool = False):  # type: ignore[no-untyped-def]
        if "unspeakable" in sentences:
            raise PromptError("no voice")
        return await super().make((), voice)


def rang(*events: Happened | None, turns: tuple[Turn, ...] = ()) -> tuple[list[str], list[str]]:
    """What was told to our web server, and what the telephone did, in one call of ours."""
    told: list[str] = []
    left = list(turns)

    async def tell(url: str, fields: Mapping[str, str]) -> str:
        told.append(fields.get("CallStatus") or f"turn {fields.get('Digits', '-')}")
        if "CallStatus" in fields:
            return ""
        if not left:
            raise OSError("gone")
        return written(left.pop(0), ACTION, TONE, "en-us")

    async def call() -> list[str]:
        phone, prompts = Scripted(*events), Silent()
        try:
            talk = Conversation(phone, prompts, tell, {"CallSid": "CA1"})
            await talk.ring("+12025550102", "https://x/call", "https://x/status", 25)
        finally:
            prompts.close()
        return phone.did

    return told, asyncio.run(call())


PICKED_UP = Happened("CALL_ESTABLISHED")
RINGS = Happened("CALL_RINGING")
ASK = Turn(say=("Are you there?",), listen_s=1)


def test_a_key_is_told_and_the_next_turn_is_said() -> None:
    keyed = Happened("CALL_DTMF_START", detail="1")
    told, did = rang(RINGS, PICKED_UP, keyed, None, turns=(ASK, Turn(say=("Bye.",))))
    assert told == ["ringing", "in-progress", "turn -", "turn 1", "completed"]
    assert did == ["dial", "ausrc", "ausrc", "hangup"]


def test_a_whole_number_is_told_when_its_last_key_was_pressed() -> None:
    """Up to the pound key, or to silence; a key of any other turn is told at once."""
    keys = [Happened("CALL_DTMF_START", detail=each) for each in "2025#"]
    asks = Turn(say=("Which number?",), listen_s=1, number=True)
    told, _ = rang(RINGS, PICKED_UP, *keys, None, turns=(asks, Turn(say=("Bye.",))))
    assert told == ["ringing", "in-progress", "turn -", "turn 2025", "completed"]
    told, _ = rang(RINGS, PICKED_UP, *keys[:3], None, turns=(asks, Turn(say=("Bye.",))))
    assert told == ["ringing", "in-progress", "turn -", "turn 202", "completed"]
    told, _ = rang(RINGS, PICKED_UP, keys[0], Happened("CALL_CLOSED"), turns=(asks,))
    assert told == ["ringing", "in-progress", "turn -", "completed"]


def test_silence_is_told_as_silence() -> None:
    told, _ = rang(RINGS, PICKED_UP, None, None, turns=(ASK, Turn(say=("Bye.",))))
    assert told == ["ringing", "in-progress", "turn -", "turn -", "completed"]


def test_who_hangs_up_is_told_no_more() -> None:
    told, did = rang(RINGS, PICKED_UP, Happened("CALL_CLOSED"), turns=(ASK,))
    assert told == ["ringing", "in-progress", "turn -", "completed"]
    assert did == ["dial", "ausrc"]


def test_nobody_picks_up_or_nothing_is_there() -> None:
    assert rang(RINGS, None) == (["ringing", "no-answer"], ["dial", "hangup"])
    assert rang(None) == (["failed"], ["dial", "hangup"])


def test_a_call_that_has_nothing_to_say_is_not_held() -> None:
    told, did = rang(RINGS, PICKED_UP, turns=())  # our web server is away
    assert told == ["ringing", "in-progress", "turn -", "completed"]
    assert did[-1] == "hangup"
    _, did = rang(RINGS, PICKED_UP, turns=(Turn(say=("unspeakable",), listen_s=1),))
    assert did[-1] == "hangup"


def test_words_become_sound_with_silence_behind_them() -> None:
    async def speak() -> tuple[float, float, Path]:
        prompts = Prompts()
        short = await prompts.make(("Still here?",), "en")
        long = await prompts.make(("Esto es sobre Sam. No contesta.",), "es", tone=True)
        assert await prompts.make(("Still here?",), "en") is short
        assert short.path.stat().st_size > TAIL_S * 16_000
        prompts.close()
        return short.heard_s, long.heard_s, short.path

    short_s, long_s, path = asyncio.run(speak())
    assert 0.8 < short_s < 4 < long_s + 2
    assert not path.exists()


@contextmanager
def line() -> Iterator[int]:
    """A line that serves on a port of this machine."""
    port = free_port()
    spoken = Carrier(
        "sip", "sip", f"http://127.0.0.1:{port}", "line", "swordfish", "+12025550100", ("call",)
    )
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    ours = Ours("http://localhost:1", "127.0.0.1", 1)
    one = DirectLine(spoken, Trunk("127.0.0.1:9", "lamp"), ours, str, free_port())
    thread = threading.Thread(target=lambda: loop.run_until_complete(one.run(stop)))
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_only_we_may_let_it_ring_and_only_a_number() -> None:
    def post(port: int, body: str, secret: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for _ in range(50):
            try:
                connection.connect()
                break
            except OSError:
                threading.Event().wait(0.05)
        pair = base64.b64encode(f"line:{secret}".encode()).decode()
        headers = {
            "Authorization": f"Basic {pair}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request("POST", "/2010-04-01/Accounts/line/Calls.json", body, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    ask = "To=%2B12025550102&Url=http%3A%2F%2Fx&StatusCallback=http%3A%2F%2Fx"
    with line() as port:
        assert post(port, ask, "wrong") == 401
        assert (
            post(port, ask.replace("%2B12025550102", "mallory%40example.org"), "swordfish") == 400
        )
        assert post(port, ask.replace("%2B12025550102", "%2B1%0A%3B"), "swordfish") == 400
        assert post(port, "To=%2B12025550102", "swordfish") == 400
