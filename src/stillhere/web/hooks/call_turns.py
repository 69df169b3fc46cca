"""What a turn of a call is made of: one webhook of it, and what the voice does next.

Owns these two values and the sentences put into them; which key leads where is in ``calls.py`` and
``list_by_call.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.utils import translation

from stillhere.channels.base import Sound, Turn
from stillhere.channels.carriers.carrier import PLAYS, RECORDS, Carrier
from stillhere.channels.carriers.voice import CallTold
from stillhere.channels.wording import compose
from stillhere.content import helplines
from stillhere.core.messages import Facts
from stillhere.store.inbound import calls
from stillhere.store.inbound.reply import Reply
from stillhere.web.site import links

LISTENS_S = 8


@dataclass(frozen=True, slots=True)
class CallStep:
    """One webhook of a call: what was told, at which step of ours, and the how-manyeth turn."""

    told: CallTold
    at: str
    turn: int
    message: int | None
    carrier: Carrier

    @property
    def shift(self) -> bool:
        """Whether people on shift would come for a stranger: they have to hear where, so the
        carrier must be one that records."""
        return self.carrier.kind in RECORDS and calls.anybody_on_shift()

    @property
    def number(self) -> str:
        """The phone at the other end."""
        return self.told.called if self.told.outbound else self.told.caller

    @property
    def key_id(self) -> str:
        """The same when the carrier reports it again."""
        return f"{self.told.ref}:{self.turn}"


@dataclass(frozen=True, slots=True)
class NextTurn:
    """What the voice does, and the step that its answer leads to."""

    turn: Turn
    at: str = ""
    message: int | None = None


def say(word: str, reply: Reply | None = None, *, lang: str = "", **facts: Any) -> Turn:
    lang = reply.lang if reply is not None else lang or call_lang()
    known = reply.facts if reply is not None else Facts(program=settings.STILLHERE.program)
    return Turn(say=(compose(word, replace(known, **facts), lang, "call").text,), lang=lang)


def listen(
    said: Turn, at: str, seconds: int = LISTENS_S, *, message: int | None = None
) -> NextTurn:
    return NextTurn(replace(said, listen_s=seconds), at, message)


def call_lang() -> str:
    """The language of whoever is on the line, as ``calls.py`` set it for this turn."""
    return translation.get_language() or str(settings.LANGUAGE_CODE)


def sound_of(step: CallStep, key: str) -> Sound:
    """What this key opens, as the carrier of this call fetches it."""
    return Sound(links.full("hooks:recording", step.carrier.name, key))


def in_their_voice(step: CallStep, said: Turn, reply: Reply) -> Turn:
    """After the words, what the person said of themselves in a call; where it cannot be played
    here, that the page plays it."""
    if not reply.spoken:
        return said
    if step.carrier.kind not in PLAYS:
        return replace(said, say=(*said.say, *say("call-spoken-page", reply).say))
    sounds = [
        part
        for kind, key in reply.spoken
        for part in (*say(f"call-spoken-{kind}", reply).say, sound_of(step, key))
    ]
    return replace(said, say=(*said.say, *sounds))


def line() -> str:
    """A staffed line that answers calls, as it is said."""
    found = next((line for line in helplines.staffed(None) if line.tel), None)
    return f"{found.name}, {found.number}" if found is not None else ""


def line_number() -> str:
    """Its number, to be connected to."""
    return next(line.tel for line in helplines.staffed(None) if line.tel).removeprefix("tel:")
