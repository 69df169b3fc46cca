"""What every channel has in common: one channel is one way to reach a phone.

Owns what a channel can do, one message to send (``Outgoing``) and one turn of a call (``Turn``).
What a channel learned about a message is a ``Receipt`` of ``core/messages.py``. Knows the core,
never the store. A channel decides nothing: it sends what it is given and reports what it learned.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from stillhere.core.messages import Receipt


class Capability(StrEnum):
    """What a channel can do for a person at three in the morning."""

    RINGS = "rings"  # makes a sound that goes on until someone answers
    TWO_WAY = "two-way"  # an answer can come back the same way
    CONFIRMS = "confirms"  # the channel later says whether it was delivered
    LINKS = "links"  # a web address in the text can be opened


# How a ``why`` begins that is about the way itself, whoever it was for.
REFUSED = "refuses us"  # the account: its password, its money, its rights
NO_CONNECTION = "no connection"
REFUSALS = frozenset({401, 402, 403})  # what HTTP says then


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message in words, for one address; ``key`` and ``to`` are empty until it has one.

    ``key`` is stable over repeats (a provider that knows idempotency gets it). ``text`` is plain
    text that may stand on a lock screen and says in words what an answer can be; a channel adds
    nothing to it but ``link`` (an absolute URL or ``""``) where links can be opened and the text
    does not hold it already. ``subject`` is for channels that have one. ``choices`` maps a key
    press or one-word reply to what it means ("1" -> "I'm going"): it tells a keypad which keys
    count and is never printed into the text. ``reply_ref`` is what an answer must carry back to
    be matched (a message id, never a secret). ``avoid`` names carriers it went by in vain.
    ``answers``: it says something back to words that just came from this very address.
    """

    key: str = ""
    to: str = ""
    text: str = ""
    subject: str = ""
    link: str = ""
    lang: str = "en"
    choices: Mapping[str, str] = field(default_factory=dict)
    reply_ref: str = ""
    avoid: frozenset[str] = frozenset()
    answers: bool = False


@dataclass(frozen=True, slots=True)
class Sound:
    """What somebody said, played in a call; the ``url`` opens it for a while."""

    url: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What the voice does next in a call; then the other side has its turn.

    The parts come in this order: a soft ``tone`` (somebody is still here with you), ``say``
    (sentences in ``lang``, and sounds between them), then one of: connect to another number, listen
    for a key for ``listen_s`` seconds (with ``voice``, any word counts too), keep what is said for
    at most ``record_s`` seconds, or hang up. A turn that neither listens nor records hangs up.
    With ``number`` a whole number is awaited, up to the pound key.
    ``reject`` does not answer at all: whoever rings pays nothing.
    Whatever comes of it (a key, silence, a hang-up) is told to us as an event of the same call; a
    call that ends by itself is told too.
    """

    say: tuple[str | Sound, ...] = ()
    lang: str = "en"
    tone: bool = False
    listen_s: int = 0
    voice: bool = False
    number: bool = False
    record_s: int = 0
    connect: str = ""
    reject: bool = False

    @property
    def hang_up(self) -> bool:
        return not self.listen_s and not self.record_s and not self.connect


class Channel(Protocol):
    """One way to reach a phone.

    ``send`` never raises: whatever happens is a ``Receipt`` within ``deadline_s`` seconds.
    ``normalise`` turns what a person typed into the one form we store, or raises ``AddressError``
    with a kind sentence that says what to do. It asks nobody: no look-up, no network.
    One channel belongs to one event loop. ``close`` may come twice, or before the first ``send``;
    after it ``send`` answers ``BUSY``.
    """

    name: str
    capabilities: frozenset[Capability]
    deadline_s: float
    concurrency: int

    def normalise(self, typed: str) -> str: ...

    async def send(self, message: Outgoing) -> Receipt: ...

    async def close(self) -> None: ...


class AddressError(ValueError):
    """What was typed cannot be an address of this channel.

    The message is fit to be shown, and always one of the constant sentences marked with
    ``gettext_noop``: pages pass ``str(error)`` through gettext.
    """


class SignatureError(ValueError):
    """A webhook that did not come from the provider, or came too late to be believed."""


class GarbageError(ValueError):
    """A webhook with a good signature and a body that makes no sense."""


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for the catalogues. Channels know no Django; pages translate it."""
    return sentence


def one_line(text: str, limit: int) -> str:
    """``text`` as one line of at most ``limit`` characters, without anything a header could obey.

    Control characters, line separators and lone surrogates become spaces: what a name holds can
    then break neither a mail header nor a log line.
    """
    blank = {"Cc", "Cs", "Zl", "Zp"}
    kept = "".join(" " if unicodedata.category(c) in blank else c for c in text[: limit * 4])
    return " ".join(kept.split())[:limit]


def text_with_link(message: Outgoing, limit: int) -> str:
    """The plain text with its link below. A text too long loses its end, never the link."""
    text = "".join(
        c
        for c in message.text[: limit * 2]
        if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs"}
    )
    if not message.link or message.link in text[:limit]:
        return text[:limit]
    link = "".join(message.link.split())
    return f"{text[: max(0, limit - len(link) - 1)]}\n{link}"
