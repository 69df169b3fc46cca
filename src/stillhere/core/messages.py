"""Messages as every floor passes them on: one that came in, what became of one of ours, and what
one speaks of.

Owns ``Inbound``, ``Receipt``, ``DeliveryResult`` and ``Facts``. Whoever builds one hands the same
object on, so that nothing is copied from one type into another on the way. Plain values: no table,
no channel, no sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# The channels by which people write to us and read us: an answer goes back as the words came.
TELEGRAM = "telegram"  # a chat with our bot: it has no number, and connects itself
WRITTEN = ("text", "whatsapp", TELEGRAM)


class Fate(StrEnum):
    """What is known about one message after a channel had it.

    ``UNKNOWN`` (a timeout, a cut connection) may or may not have arrived: it is sent again.
    ``BUSY`` is a no for now: as far as anyone said, nothing arrived; try again soon.
    """

    ACCEPTED = "accepted"  # the provider has it; delivery not yet known
    DELIVERED = "delivered"  # it reached the device
    ANSWERED = "answered"  # a call was picked up by someone or something
    BUSY = "busy"  # not this time, try again soon: busy line, greylisting, provider's 429 or 5xx
    UNKNOWN = "unknown"  # we never heard: send again
    FAILED = "failed"  # permanent: dead number, no such mailbox, rejected for ever
    OPTED_OUT = "opted-out"  # this address asked not to be contacted
    NOWHERE = "nowhere"  # not by this channel, or not now: the address may be fine


ARRIVED = frozenset({Fate.DELIVERED, Fate.ANSWERED})
LEFT = ARRIVED | {Fate.ACCEPTED}
AGAIN = frozenset({Fate.BUSY, Fate.UNKNOWN})  # it is sent once more
HOPELESS = frozenset({Fate.FAILED, Fate.OPTED_OUT, Fate.NOWHERE})  # the ladder moves at once


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message took: millionths of ``currency`` (ISO 4217, like ``USD``)."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel learned about one message, from the send or later.

    ``provider_ref`` names it at the provider; a late receipt comes back with the same one, so it
    is worth storing with an ``UNKNOWN`` too. ``why`` is one plain line for the log, without names,
    numbers or texts. ``retry_after_s`` is a provider's wish, never more than a minute. ``carrier``
    names who carried it, where a channel has several; ``cost`` is what the provider says it took.
    """

    fate: Fate
    provider_ref: str = ""
    why: str = ""
    retry_after_s: int | None = None
    carrier: str = ""
    cost: Cost | None = None


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """A ``receipt`` and the message of ours that it is about.

    ``message``, ``watch``, ``contact`` and ``address`` are our ids, None where the message has none
    or nobody looked it up yet; ``attempts`` counts the sends so far. ``also``: those of the other
    messages that left within this one.
    """

    channel: str
    receipt: Receipt
    message: int | None = None
    watch: int | None = None
    contact: int | None = None
    address: int | None = None
    attempts: int = 0
    also: tuple[DeliveryResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """Something that came in from a phone: a text, a key press in a call, a missed call, a receipt.

    ``provider_id`` is unique per channel: a webhook that comes five times is one Inbound.
    ``kind`` is ``text``, ``key``, ``missed-call`` or ``receipt``; the demo's phones also tell of a
    ``turn`` of a call to us, and that it ``ended``. ``reply_ref`` is the id of our message that it
    answers, where the provider knows. ``age_ms`` is how long ago it happened, in real time, as far
    as the provider says so: a text that comes an hour late is no sign of life of now. ``gateway``
    names the phone whose carrier stamped it; its clock may be off, and ``age_ms`` below 0. The
    inbox corrects that, and adds how old it is at the most, ``oldest_ms``.
    ``call``, ``at`` and ``turn`` say where in a call this is, ``minutes`` how soon somebody comes,
    by a second key. ``opted_out``: the carrier took the text as "stop" and blocks us from now on.
    ``connects`` is the one-time code by which a chat says whose it is.
    ``rang_us``: a key in a call that came to us, whose number may be forged.
    ``pictures`` is how many came with a text; we never look at them. ``called`` is our number they
    wrote to or rang.
    """

    channel: str
    provider_id: str
    kind: str
    sender: str = ""
    text: str = ""
    reply_ref: str = ""
    receipt: Receipt | None = None
    age_ms: int = 0
    gateway: str = ""
    oldest_ms: int = 0
    called: str = ""
    opted_out: bool = False
    pictures: int = 0
    call: str = ""
    at: str = ""
    turn: int = 0
    minutes: int | None = None
    connects: str = ""
    rang_us: bool = False


# Of the alarms on a list a text names at least so many, whatever they are called.
NAMED_AT_LEAST = {"list": 3, "list-busy": 3, "reply-alarms": 6}


@dataclass(frozen=True, slots=True)
class Facts:
    """What one message speaks of. Names are as people typed them; ``at`` is ms UTC.

    ``partner`` is the other one of "two of us", ``who`` the contact the words speak of, ``contact``
    the one they are spoken to. ``ask`` is the number of the question. ``wish`` is the plan's
    ambulance wish, ``outcome`` one of ``core.events.Outcome``. ``unasked``: no ask found a way to
    the person; ``untold``: nothing was queued for anybody on their list; ``wants_to_die``: they
    say so. ``code`` proves the address that it goes to, ``""`` where that is proved. ``step`` is
    one of the walk-through, by its id, and ``says`` what it says, or a line to phone. ``phone``,
    ``place``, ``entry``, ``town`` and ``dispatch`` are the person's, where this message may tell
    them; ``spoken``: they said it in a call too, which is heard at the number ``says``. ``n`` is
    how many things a page is about, or how many of the ``total`` on a list said yes; ``asks``:
    whoever reads it is asked to say that they look.
    ``listed`` are open alarms: number, name, and since when (ms UTC), in their turn; ``over`` is
    the name of one that is over, ``ambulance``: to one of them nobody came for minutes. ``number``
    is the one by which this alarm stands on the reader's list, None where it is on none, 0 where no
    digit means this one. ``by``: the channel it goes by.
    """

    person: str = ""
    partner: str = ""
    contact: str = ""
    who: str = ""
    at: int | None = None
    ask: int | None = None
    tz: str = "UTC"
    eta_s: int | None = None
    outcome: str = ""
    round: int = 0
    after_outage: bool = False
    confirmed: bool = True
    unasked: bool = False
    untold: bool = False
    wants_to_die: bool = False
    wish: str = "phone-first"
    program: str = ""
    code: str = ""
    step: str = ""
    says: str = ""
    phone: str = ""
    place: str = ""
    entry: str = ""
    spoken: bool = False
    town: str = ""
    dispatch: str = ""
    n: int = 0
    total: int = 0
    asks: bool = False
    listed: tuple[tuple[int, str, int], ...] = ()
    over: str = ""
    ambulance: bool = False
    by: str = "text"
    number: int | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any], **known: Any) -> Facts:
        """From what a message keeps (ids and instants) and what is known besides, by name."""
        return cls(
            at=kept.get("at"),
            ask=kept.get("ask"),
            eta_s=kept.get("eta_s"),
            outcome=kept.get("outcome") or "",
            step=kept.get("step") or "",
            round=kept.get("round") or 0,
            after_outage=bool(kept.get("after_outage")),
            unasked=bool(kept.get("unasked")),
            untold=bool(kept.get("untold")),
            wants_to_die=bool(kept.get("wants_to_die")),
            n=kept.get("n") or 0,
            asks=bool(kept.get("page")),
            ambulance=bool(kept.get("ambulance")),
            number=kept.get("number"),
            **known,
        )
