"""Whose phone is it? Whoever holds a contact's link, which may have been passed on, has a code sent
to where the contact is reached, and types it on the page.

Owns that code, which is good for an hour or two and never stored, and how often it is sent and
tried. The link of that message carries more than can be guessed: it opens the page also where
others have used up the tries at the digits. An address that is not proved yet has a code of its own
(``address_proof.py``), which does as well.
"""

from __future__ import annotations

import hmac

from django.db import transaction

from stillhere.core.events import Urgency
from stillhere.core.refusals import Refusal
from stillhere.store.db import budgets, clock, encryption
from stillhere.store.models import Address, Contact, Message
from stillhere.store.people import notices
from stillhere.store.people.numbers import address_proof, known_before, strangers
from stillhere.store.problems import Problem

WORD = "page-code"
HOUR_MS = 3_600_000
# An hour, to one contact, whoever asks: both are the same code. So whoever uses them up for
# somebody else has sent them what they need.
SENT = 2
# A day, by all lines together: two codes are good at a time, so somebody who uses up all of them is
# right on one day in five thousand. One line has a fifth (``web/access/rate_limit.py``).
TRIED = 100


def code_of(nonce: bytes | memoryview, at: int) -> str:
    """The code of the contact with this nonce, made at an instant (ms UTC)."""
    return address_proof.code_from(f"{encryption.key_for('page', nonce)}.{at // HOUR_MS}")


def link_part(nonce: bytes | memoryview, at: int) -> str:
    """What the link carries in a message with that code."""
    return address_proof.carried_by(_linked(nonce, at))


def _linked(nonce: bytes | memoryview, at: int) -> str:
    return encryption.key_for(f"page {at // HOUR_MS}", nonce)


def send(contact: Contact) -> None:
    """Send it by every way that rings nobody, or by those that ring if there is no other; where one
    was known before an alarm, to no other. Raises Problem where there is no way, or too many were
    sent."""
    ways = known_before.ways(contact) or list(
        Address.objects.filter(strangers.PROVED, contact=contact, state=Address.State.OK)
        .exclude(channel="page")
        .order_by("id")
    )
    if not ways:
        if not address_proof.send_codes(contact, again=True):
            raise Problem(Refusal.NO_WAY_FOR_CODE)
        return
    with transaction.atomic():
        now = clock.now_ms()
        used = budgets.limit("codes", SENT, "page codes", contact.id, now // HOUR_MS)
        if budgets.take([used], now):
            raise Problem(Refusal.NO_MORE_CODES)
        messages = [
            notices.calm_message(
                way, contact.person_id, WORD, f"c{way.id}.{now}", now, facts={"at": now}
            )
            for way in [way for way in ways if not way.rings] or ways
        ]
        for message in messages:
            message.urgency = Urgency.NEWS  # somebody may be on their way
        Message.objects.bulk_create(messages, ignore_conflicts=True)


def may_come(contact: Contact) -> bool:
    """Whether there is a way to send them one by."""
    ways = Address.objects.filter(contact=contact, state=Address.State.OK)
    return ways.exclude(channel="page").exists()


def is_carried(contact: Contact, typed: str) -> bool:
    """Whether this is what the link of our own message carries: of this hour or the last, or of an
    address of theirs. Nothing is counted."""
    now = clock.now_ms()
    mine = (_linked(contact.nonce, at) for at in (now, now - HOUR_MS))
    return address_proof.is_carried(typed, *mine) or bool(address_proof.linked(contact, typed))


def is_right(contact: Contact, typed: str) -> bool:
    """Whether this is the code of this hour or the last, or that of an address of theirs. Every try
    is counted before it is looked at."""
    now, code = clock.now_ms(), address_proof.digits(typed)
    if len(code) != address_proof.DIGITS:
        return False
    if budgets.take([budgets.limit("tried", TRIED, "page tries", contact.id)], now):
        return False
    mine = (code_of(contact.nonce, at) for at in (now, now - HOUR_MS))
    if any(hmac.compare_digest(each, code) for each in mine):
        return True
    return address_proof.try_code(contact, typed)
