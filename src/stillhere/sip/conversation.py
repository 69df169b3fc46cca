"""One call from its first ring to its end: what is told to our web server, and what is said then.

Owns the order of a call, its two deadlines, and the words of Twilio's webhooks. A key breaks the
voice off; silence is told as silence. What cannot be told, or be spoken, ends the call: a phone
that is held to an ear with nothing in it helps nobody, and the ladder goes on by what became of
this call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from stillhere.sip import twiml
from stillhere.sip.baresip import Happened, Telephone
from stillhere.sip.prompts import PromptError, Prompts

log = logging.getLogger("stillhere.sip")

NOTHING_S = 12.0  # no ring and no refusal by then: the trunk is not there
MOST_KEYS = 20
LONGEST_S = 3 * 3600.0
# What the other end's phone company says for good about a number (RFC 3261, 21; 484 is a number
# that is not whole). A 404 may also be a route of the trunk's that is missing today.
FOR_EVER = ("410", "484", "604")
BUSY = ("486", "600", "603")
NO_ANSWER = ("408", "480", "487")
UNKNOWN_NUMBER = "13224"

Tell = Callable[[str, Mapping[str, str]], Awaitable[str]]


class Conversation:
    """One call on one telephone. ``tell`` posts signed fields to a path of ours and returns what
    is answered; it raises OSError where that cannot be done."""

    def __init__(self, phone: Telephone, prompts: Prompts, tell: Tell, fields: Mapping[str, str]):
        self._phone = phone
        self._prompts = prompts
        self._tell = tell
        self._fields = dict(fields)

    async def ring(self, number: str, url: str, status: str, rings_s: float) -> None:
        """Let a phone ring; talk if it is picked up; tell what became of it."""
        self._phone.dial(number)
        became = await self._picked_up(status, rings_s)
        if became:
            self._phone.hang_up()
            await self._report(status, became)
            return
        await self._report(status, "in-progress")
        try:
            await self._talk(twiml.read(await self._tell(url, self._fields)))
        except (OSError, twiml.TwimlError) as failure:
            log.warning("nothing to say in a call: %s", type(failure).__name__)
            self._phone.hang_up()
        await self._report(status, "completed")

    async def _picked_up(self, status: str, rings_s: float) -> str:
        """Wait until somebody answers; else what is to be told, with its error if it is final."""
        loop = asyncio.get_running_loop()
        until, rang = loop.time() + NOTHING_S, False
        while (left := until - loop.time()) > 0:
            told = await self._phone.happened(left)
            if told is None:
                break
            if told.kind in ("CALL_RINGING", "CALL_PROGRESS") and not rang:
                rang, until = True, loop.time() + rings_s
                await self._report(status, "ringing")
            elif told.kind == "CALL_ESTABLISHED":
                return ""
            elif told.kind == "CALL_CLOSED":
                return _closed(told)
        return "no-answer" if rang else "failed"

    async def take(self, url: str, ended: str) -> None:
        """Somebody rings us: what our web server says decides whether we pick up."""
        try:
            plan = twiml.read(await self._tell(url, self._fields))
            if not plan.reject:
                await self._prompts.make(plan.says, plan.voice, tone=plan.tone)
        except (OSError, twiml.TwimlError, PromptError) as failure:
            log.warning("a call was not taken: %s", type(failure).__name__)
            plan = twiml.CallPlan(reject=True)
        if plan.reject:
            self._phone.hang_up()
            return
        self._phone.accept()
        told = await self._phone.happened(NOTHING_S)
        while told is not None and told.kind not in ("CALL_ESTABLISHED", "CALL_CLOSED"):
            told = await self._phone.happened(NOTHING_S)
        if told is not None and told.kind == "CALL_ESTABLISHED":
            await self._talk(plan)
        await self._report(ended, "completed")

    async def _talk(self, plan: twiml.CallPlan) -> None:
        """Turn by turn until one of us hangs up."""
        try:
            async with asyncio.timeout(LONGEST_S):
                while True:
                    key = await self._turn(plan)
                    if key is None:
                        return  # they hung up
                    if not plan.action:
                        break
                    pressed = {"Digits": key} if key else {}
                    plan = twiml.read(await self._tell(plan.action, self._fields | pressed))
        except (OSError, twiml.TwimlError, PromptError, TimeoutError) as failure:
            log.warning("a call was broken off: %s", type(failure).__name__)
        self._phone.hang_up()

    async def _turn(self, plan: twiml.CallPlan) -> str | None:
        """Say it and listen: the key, or the keys of a number; "" for none, None when the call is
        over."""
        prompt = await self._prompts.make(plan.says, plan.voice, tone=plan.tone)
        self._phone.play(prompt.path)
        loop = asyncio.get_running_loop()
        until, keys = loop.time() + prompt.heard_s + plan.listen_s, ""
        while (left := until - loop.time()) > 0:
            told = await self._phone.happened(left)
            if told is None:
                break
            if told.kind == "CALL_CLOSED":
                return None
            if told.kind == "CALL_DTMF_START" and told.detail in "0123456789*#" and plan.action:
                if not plan.number:
                    return told.detail
                if told.detail == "#" or len(keys) == MOST_KEYS:
                    break
                keys, until = keys + told.detail, loop.time() + plan.listen_s
        return keys

    async def _report(self, status: str, became: str) -> None:
        what, _, code = became.partition(" ")
        fields = self._fields | {"CallStatus": what} | ({"ErrorCode": code} if code else {})
        try:
            await self._tell(status, fields)
        except OSError:
            log.warning("nobody hears what became of a call")


def _closed(told: Happened) -> str:
    """What a call that nobody picked up was, in Twilio's words; with an error number where it will
    never be otherwise."""
    code = told.detail[:3]
    if code in FOR_EVER:
        return f"failed {UNKNOWN_NUMBER}"
    if code in BUSY:
        return "busy"
    return "no-answer" if code in NO_ANSWER else "failed"
