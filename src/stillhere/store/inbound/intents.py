"""What somebody means, and what each meaning shows: shared by what a person and a contact say.

Owns which intents are whose, which of them prove a number, and the no that ends all of it. Reading
the text is done in ``core/replies.py``.
"""

from __future__ import annotations

from django.conf import settings

from stillhere.core.messages import Inbound
from stillhere.core.replies import READ_MOST, Intent, Role, read_key, read_text, words_of
from stillhere.store.inbound.reply import ParsedInbound
from stillhere.store.models import Suppression
from stillhere.store.people import opt_out
from stillhere.store.people.numbers import address_proof

# Digits that stand in our messages beside those the core reads; whole texts only.
DIGITS = {"4": Intent.ARRIVED, "6": Intent.CANT_GET_IN}
# What only a person says to us for themselves, and what answers us as somebody's contact.
PERSONS = frozenset({
    Intent.GO, Intent.GO_LONG, Intent.MARK, Intent.HERE, Intent.MORE, Intent.DONE, Intent.LIST,
    Intent.ADD, Intent.PAUSE, Intent.DELETE,
})  # fmt: skip
ANSWERS = frozenset({
    Intent.CLAIM, Intent.DECLINE, Intent.FAR, Intent.ARRIVED, Intent.CANT_GET_IN, Intent.AT_DOOR,
    Intent.NOT_FOUND,
})  # fmt: skip
# What shows that a number is theirs: all of it but a no, and what takes everything away.
PROVING = PERSONS - {Intent.DELETE} | ANSWERS - {Intent.DECLINE}


def persons_intent(inbound: Inbound, *, watching: bool, asked: bool = False) -> Intent:
    """What it means from a person; ``watching``: they have an open watch; ``asked``: which waits
    for a sign of life."""
    if inbound.kind == "missed-call":
        return Intent.HERE
    if inbound.opted_out:
        return Intent.OPT_OUT
    if inbound.kind == "key":
        return read_key(inbound.text, Role.PERSON)
    return read_text(inbound.text, Role.PERSON, settings.UNDERSTOOD, watching=watching, asked=asked)


def contacts_intent(inbound: Inbound, *, watching: bool, invited: bool = False) -> Intent:
    """What it means from a contact; ``watching``: there is an alarm they know of; ``invited``: they
    have not said yes or no yet."""
    typed = inbound.text.strip()
    if inbound.opted_out:
        return Intent.OPT_OUT
    if typed in DIGITS:
        return DIGITS[typed]
    if inbound.kind == "key":
        return read_key(typed, Role.CONTACT)
    return read_text(
        inbound.text, Role.CONTACT, settings.UNDERSTOOD, watching=watching, asked=invited
    )


def opts_in(inbound: Inbound) -> bool:
    """START and its like, by text."""
    return inbound.kind == "text" and inbound.text.strip().lower() in settings.UNDERSTOOD.opt_in


def prove(parsed: ParsedInbound, intent: Intent, now: int) -> None:
    """A clear answer from a number shows that it is theirs and that they want to hear us. A no does
    not, nor a question, nor a cry for help; nor a missed call, for which anybody can borrow a
    number. Of a number that somebody typed as their own only a yes to our message about it does:
    whoever has it may never have heard of them."""
    inbound, address = parsed.inbound, parsed.address
    if inbound.kind == "missed-call":
        return
    if parsed.contact is None:
        yes = intent is Intent.HERE or (inbound.kind == "text" and _says_yes(inbound.text))
        shows = yes and address_proof.was_asked(address, now)
    else:
        shows = intent in PROVING
    if shows:
        address_proof.prove(address, now)


def _says_yes(text: str) -> bool:
    """Whether a text is a yes and nothing else."""
    words = settings.UNDERSTOOD
    said = words_of(text[:READ_MOST], words)
    return tuple(word for word in said if word not in words.polite) in words.yes


def opt_out_of(inbound: Inbound, now: int) -> str:
    """A no is for the number. After a text the carrier itself says so; in a call we do."""
    by_key = inbound.kind == "key"
    why = Suppression.Why.KEY if by_key else Suppression.Why.STOP
    opt_out.refuse(inbound.channel, inbound.sender, why, now)
    return "call-never" if by_key else ""
