"""What was known to be a contact's before an alarm: only that lets a place be read in it.

A link may have been passed on, a text forwarded, a number mistyped; while an alarm is open there is
no time to find out. Owns from when a proof counts: at once on a quiet day, and a day later if it
was made in an alarm, which may come back as another. Sends nothing, and proves nothing.
"""

from __future__ import annotations

import hmac

from stillhere.store.db import clock, encryption
from stillhere.store.models import Address, Contact
from stillhere.store.people.numbers import address_proof, strangers
from stillhere.store.watches import contact_alarm, queries

DAY_MS = 24 * 3_600_000


def raised_at(contact: Contact) -> int | None:
    """When the alarm was raised that is open (ms UTC); None if none is."""
    shown = contact_alarm.alarm_for(contact)
    alarm = shown.watch.alarm if shown is not None else None
    return None if alarm is None else alarm.raised_at


def judged_at(contact: Contact) -> int:
    """The instant (ms UTC) before which something must have been known: when the open alarm was
    raised; now on a quiet day."""
    at = raised_at(contact)
    return clock.now_ms() if at is None else at


def was_theirs(address: Address, contact: Contact, at: int) -> bool:
    """Whether this way had been shown to be the contact's at an instant, and not in an alarm of the
    day before it."""
    since = address.since_at if address.channel in strangers.FREE else address.proved_at
    if not 0 < since <= at:
        return False
    return since <= at - DAY_MS or not queries.was_in_alarm(contact.person_id, since)


def ways(contact: Contact) -> list[Address]:
    """The ways to them, other than an open page, of which this is so now."""
    at = judged_at(contact)
    mine = Address.objects.filter(contact=contact, state=Address.State.OK)
    found = mine.exclude(channel="page").order_by("id")
    return [way for way in found if was_theirs(way, contact, at)]


def may_open(contact: Contact, typed: str) -> bool:
    """Whether a code, or what a link carried, came by such a way; asked before it is tried. The
    code for a page goes to no other where there is one. On a quiet day a first proof does too."""
    mine = Address.objects.filter(contact=contact)
    own = {way.id for way in mine if _is_of(way, typed)}
    if own and raised_at(contact) is None and mine.filter(id__in=own, proved_at=0).exists():
        return True
    known = ways(contact)
    return any(way.id in own for way in known) if own else bool(known)


def _is_of(way: Address, typed: str) -> bool:
    code = address_proof.digits(typed)
    return hmac.compare_digest(address_proof.code_of(way.nonce), code) or address_proof.is_carried(
        typed, encryption.key_for("address", way.nonce)
    )
