"""Every fact that can happen to a watch, and every effect a watch can ask for.

Owns the vocabulary of the core: plain frozen values, no behaviour. ``watch.step`` takes one event
and returns the next watch with effects; the store journals the events and turns the effects into
messages.

All ``_at`` are whole milliseconds since 1970 UTC, all ``_s`` are seconds. A ``contact`` is a
contact's id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from stillhere.core.circle import Circle
from stillhere.core.refusals import Refusal


class State(StrEnum):
    """Where a watch stands. The rows of the transition table in ``watch.py``."""

    OPEN = "open"  # nothing asked just now
    ASKING = "asking"  # an ask is out, grace is running
    ALARM = "alarm"  # nobody answered, or help was called for: the ladder runs
    CLAIMED = "claimed"  # somebody near is going: the ladder is held for a bounded time
    ATTENDED = "attended"  # somebody is with them
    CLOSED = "closed"  # over; nothing is asked, nobody is called


class Cause(StrEnum):
    """Why an alarm was raised."""

    SILENCE = "silence"
    HELP = "help"  # the person asked for it
    FORCE = "force"  # they asked for it in secret: somebody is with them who must not know


class Outcome(StrEnum):
    """How it ended."""

    ENDED = "ended"  # quietly, no alarm open
    FINE = "fine"
    REVIVED = "revived"
    HOSPITAL = "hospital"
    DIED = "died"
    NOT_FOUND = "not-found"  # never ends an alarm: it is news
    FALSE_ALARM = "false-alarm"


GRAVE = frozenset({Outcome.HOSPITAL, Outcome.DIED})  # kept until somebody has looked
UNTOLD = frozenset({Outcome.DIED})  # no machine says it: people tell people


# --- events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The watch began. Always the first event; a second one means the form was sent twice."""


@dataclass(frozen=True, slots=True)
class Marked:
    """ "I've used": from here the profile's asks count."""


@dataclass(frozen=True, slots=True)
class StillHere:
    """A check-in. ``made_at`` is when the person made it, not when it arrived; ``seq`` is the
    page's own counter, or None from a button or text that has none."""

    made_at: int
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The page confirms that ask number ``ask`` is on the screen. That proves a working phone, not
    a living person."""

    ask: int


@dataclass(frozen=True, slots=True)
class Unclear:
    """An answer that we cannot read. It never counts as a check-in; once per ask it buys an extra
    minute."""


@dataclass(frozen=True, slots=True)
class NeedHelp:
    """The person wants somebody now. ``circle`` is the plan as it stands, frozen into the alarm.
    ``forced``: in secret, by the word for that; then ``circle`` holds only those they chose.
    ``wants_to_die``: they say so."""

    circle: Circle
    forced: bool = False
    wants_to_die: bool = False


@dataclass(frozen=True, slots=True)
class Extended:
    """ "More time": a check-in that moves the end by ``by_s`` seconds."""

    by_s: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A routine rests until ``until_at``."""

    until_at: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The person ends the watch. During an alarm it is only an answer."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """``wake_at`` has passed. ``circle`` is the current plan, and ``away`` the (from, to) of our
    own outage since the ask; both are needed only if an alarm starts now."""

    circle: Circle
    away: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceWasDown:
    """We were down between these two instants, and this watch fell due meanwhile: the person is
    asked first."""

    from_at: int
    to_at: int


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    """The installation's time was ahead and has been set back by ``by_ms``: every instant of the
    watch was calculated with the clock before that."""

    by_ms: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """ "I'm going." ``eta_s`` is how soon, None for "I'm far, I'll phone". ``known``: it comes from
    a phone that is known to be the contact's; else anybody may have said it."""

    contact: int
    eta_s: int | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Declined:
    """ "I can't." ``known``: it answers this alarm; a text from somebody who was not told of it yet
    may answer anything, and be anybody's."""

    contact: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class CannotGetIn:
    """Somebody is at the door and it is locked."""

    contact: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """ "I'm with them." Said again, it means "still with them"."""

    contact: int


@dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody says how it ended. ``contact`` None is the coordinator."""

    contact: int | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """One way (address id) of reaching a contact failed for good; ``contact`` None is the
    person's own."""

    contact: int | None
    way: int


@dataclass(frozen=True, slots=True)
class Unheard:
    """One way (address id) of reaching a contact brought no answer this time: nobody picked up, or
    no receipt came. It may work the next time. ``contact`` None is the person's own."""

    contact: int | None
    way: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """The person was staying on a call with us, and it went silent or was cut off."""


@dataclass(frozen=True, slots=True)
class OptedOut:
    """A contact does not want to hear from us again. This overrides everything, even the
    stand-down."""

    contact: int


Event = (
    Started
    | Marked
    | StillHere
    | Shown
    | Unclear
    | NeedHelp
    | Extended
    | Paused
    | Ended
    | TimePassed
    | ServiceWasDown
    | ClockSetBack
    | Claimed
    | Declined
    | CannotGetIn
    | Arrived
    | Resolved
    | Undeliverable
    | Unheard
    | Dropped
    | OptedOut
)
EVENTS: tuple[type, ...] = Event.__args__


# --- effects --------------------------------------------------------------------------------------


class Way(StrEnum):
    """How loudly an ask goes out."""

    SHOW = "show"  # on the open page, nothing sent
    NEXT = "next"  # whatever reaches the phone quietly: text, mail, chat
    RING = "ring"  # whatever rings


class Word(StrEnum):
    """What a contact is told. The sentences live in ``channels/wording``."""

    ALARM = "alarm"
    HELP = "help"  # the person asks for help
    FORCED = "forced"  # the same in secret, and each time again: do not phone, do not go alone
    AGAIN = "again"  # still nobody
    GOING = "going"  # somebody claimed
    REOPENED = "reopened"  # the one who was going has not arrived
    ARE_YOU_THERE = "are-you-there"  # to the one who was going, or who is with them
    ARRIVED = "arrived"
    STILL_THERE = "still-there"  # to those nobody had told: somebody says so for half an hour
    CANNOT_GET_IN = "cannot-get-in"
    NOT_FOUND = "not-found"
    AMBULANCE = "ambulance"  # nobody arrived: call now, in the words of the plan's wish
    ANSWERED_ONCE = "answered-once"  # one answer, not yet believed
    UNREADABLE = "unreadable"  # a sign from the phone that says nothing clear; it ends nothing
    STAND_DOWN = "stand-down"  # the phone was answered; or somebody says how it ended
    SERVICE_WAS_DOWN = "service-was-down"
    WELL = "well"  # a routine was answered, and the person wants the others to hear it


CALLS = frozenset({Word.ALARM, Word.HELP, Word.FORCED})  # to an alarm, for the first time


class Paging(StrEnum):
    """Why the coordinator is paged."""

    EXHAUSTED = "exhausted"  # the whole ladder was tried and nobody is going
    QUARANTINED = "quarantined"  # a watch our own code could not step
    GRAVE = "grave"  # one contact alone says that the person died or is taken to hospital


class Urgency(IntEnum):
    """The order in which messages leave. Smaller leaves first."""

    ALARM = 0
    RING = 1
    NEWS = 2
    ASK = 3
    REPEAT = 4
    CALM = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the person "still here?". ``no`` counts the asks of this watch; it lapses at
    ``lapses_at``."""

    no: int
    way: Way
    lapses_at: int
    after_outage: bool = False


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell one contact ``word``. ``at`` is the instant the message is about, ``who`` the contact it
    is about, ``place`` its position within the alarm (the first contacts of every alarm are sent
    before the second ones)."""

    contact: int
    word: Word
    at: int
    urgency: Urgency
    place: int = 0
    who: int | None = None
    eta_s: int | None = None
    outcome: Outcome | None = None
    round: int = 0


@dataclass(frozen=True, slots=True)
class PageCoordinator:
    """Wake the coordinator."""

    why: Paging
    round: int = 0


@dataclass(frozen=True, slots=True)
class Withdraw:
    """What was queued is no longer true: drop what has not been sent yet, either ``asks`` only or
    everything."""

    asks_only: bool


@dataclass(frozen=True, slots=True)
class AllWell:
    """A routine check-in was answered at ``at`` and the person wants that passed on: every contact
    who said yes is told quietly."""

    at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The event changed nothing, and whoever sent it should hear why."""

    why: Refusal


Effect = Ask | Tell | AllWell | PageCoordinator | Withdraw | Refused
