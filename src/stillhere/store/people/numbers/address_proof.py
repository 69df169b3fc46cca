"""Whose is a number? Whoever has it shows so once, and until then it is a stranger's.

A contact's is proved by a clear answer from it (a text, a key in a call of ours), one's own by a
yes to our message about it, and both by their code: six digits that were sent to it alone, typed on
the page or carried there by the link of that very message. Proving one of a phone's two ways proves
both, for that owner. Owns codes and proofs; what a stranger may be sent stands in ``strangers.py``.

Tries at six digits are counted. What the link carries is too long to be guessed and never counted,
so whoever uses up the tries shuts nobody out who got our message.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Sequence

from django.db.models import QuerySet

from stillhere.core.refusals import Refusal
from stillhere.store.db import budgets, clock, encryption
from stillhere.store.db.budgets import BudgetLimit
from stillhere.store.models import Address, Contact, Message, Person, sealed_columns
from stillhere.store.people import address_book, notices
from stillhere.store.people.numbers import strangers
from stillhere.store.problems import Problem

DIGITS = 6
CARRIED = 12  # letters in a link, 72 bits: a million tries a second for a million years find none
LONGEST_TYPED = 40
ANSWERED_MS = 86_400_000  # how long a yes to a code shows whose the number is


def code_of(nonce: bytes | memoryview) -> str:
    """The code of the address with this nonce: always the same, and never stored."""
    return code_from(encryption.key_for("address", nonce))


def code_from(secret: str) -> str:
    """The digits that stand for a secret, as somebody types them."""
    number = int.from_bytes(hashlib.sha256(secret.encode()).digest()[:8], "big")
    return f"{number % 10**DIGITS:0{DIGITS}}"


def carried_by(secret: str) -> str:
    """What our own message's link carries in place of the digits for the same secret."""
    return secret[:CARRIED]


def is_carried(typed: str, *secrets: str) -> bool:
    """Whether this is what a link of ours carries for one of them."""
    given = typed.strip().encode()
    return any(hmac.compare_digest(carried_by(secret).encode(), given) for secret in secrets)


def link_part(nonce: bytes | memoryview) -> str:
    """What the link in a message to the address with this nonce carries."""
    return carried_by(encryption.key_for("address", nonce))


def unproved(owner: Person | Contact, ways: Sequence[Address] | None = None) -> list[Address]:
    """The ways to somebody that work and are still a stranger's; of their ``ways``, where the
    caller has them."""
    well = [w for w in ways or () if w.state == Address.State.OK]
    if ways is None:
        well = list(_ways(owner).filter(state=Address.State.OK))
    return [w for w in well if strangers.is_one(w.channel, w.proved_at)]


def prove(address: Address, now: int) -> None:
    """Its owner has shown that it is theirs; the other way to the same phone is theirs too."""
    if address.proved_at or address.channel in strangers.FREE:
        return
    same = address_book.lookups(sealed_columns.address_value(address), address.channel)
    mine = Address.objects.filter(person=address.person_id, contact=address.contact_id)
    mine.filter(lookup__in=same, proved_at=0).update(proved_at=now)
    address.proved_at = now
    if address.person_id is not None:
        text = mine.filter(lookup=same[0]).first()  # of a number that was typed for calls as well
        notices.tell_of_way(text or address, now)


def was_asked(address: Address, now: int) -> bool:
    """Whether its code has left, within a day, for a number that somebody typed as their own: what
    comes later answers something else."""
    if address.proved_at:
        return False
    codes = Message.objects.filter(person=address.person_id, contact=None, word=strangers.CODE)
    recent = codes.filter(attempts__gt=0, created_at__gt=now - ANSWERED_MS)
    return recent.filter(address__lookup=address.lookup).exists()


def vouch(owner: Person | Contact) -> None:
    """All ways to somebody are theirs: we know them by these, or whoever runs this does."""
    _ways(owner).filter(proved_at=0).update(proved_at=clock.now_ms())


def says_code(address: Address, text: str) -> bool:
    """Whether a text from this address is its code, sent back instead of typed."""
    return not address.proved_at and hmac.compare_digest(code_of(address.nonce), digits(text))


def try_code(owner: Person | Contact, typed: str) -> bool:
    """Whether what was typed is the code of a way to them; that way is proved then."""
    known, now = coded(owner, typed), clock.now_ms()
    for way in known:
        prove(way, now)
    return bool(known)


def coded(owner: Person | Contact, typed: str) -> list[Address]:
    """The ways to them whose code was typed, or carried here by a link; nothing is proved. Every
    try at digits is counted before it is looked at."""
    known, ways, code = linked(owner, typed), unproved(owner), digits(typed)
    if known or not ways or len(code) != DIGITS:
        return known
    now, whose = clock.now_ms(), f"{type(owner).__name__} {owner.pk}"
    limits = [strangers.tries_of_owner(whose), *(_tries_at(way, owner, now) for way in ways)]
    if budgets.take(list(dict.fromkeys(limits)), now):
        return []
    return [way for way in ways if hmac.compare_digest(code_of(way.nonce), code)]


def linked(owner: Person | Contact, carried: str) -> list[Address]:
    """The ways to them whose message's link carried this here. Nothing is proved, and nothing
    counted."""
    return [
        way
        for way in unproved(owner)
        if is_carried(carried, encryption.key_for("address", way.nonce))
    ]


def _tries_at(way: Address, owner: Person | Contact, now: int) -> BudgetLimit:
    value, person = sealed_columns.address_value(way), _person(owner)
    words = (strangers.CODE, strangers.INVITE)
    knows = any(strangers.sent(word, person, way.channel, value, now) for word in words)
    return strangers.tries_at(bytes(way.lookup).hex(), knows=knows)


def send_codes(
    owner: Person | Contact, *, again: bool = False, allowed: Callable[[], bool] = lambda: True
) -> bool:
    """Send its code to each stranger's way of theirs, quietly if it can be: once by itself, and
    when they ask for it ``again``. Whether one is on its way. Raises Problem where one is wanted
    and none may be sent; ``allowed`` is asked only where one would be."""
    now, person = clock.now_ms(), _person(owner)
    ways = unproved(owner)
    quiet = [way for way in ways if not way.rings] or ways
    queued, why = [], ""
    for way in quiet:
        value = sealed_columns.address_value(way)
        codes = strangers.sent(strangers.CODE, person, way.channel, value, now)
        asked = strangers.sent(strangers.INVITE, person, way.channel, value, now)
        if (codes or asked) and not again:
            continue
        full = strangers.used_up(strangers.CODE, person, way.channel, value, now)
        why = why or full
        if not full:
            key = f"p{way.id}.{codes}"  # asked for twice before it has left, it leaves once
            queued.append(notices.calm_message(way, person, strangers.CODE, key, now))
    if queued and not allowed():
        raise Problem(Refusal.NO_MORE_CODES)
    if why and not queued:
        raise Problem(Refusal.NO_MORE_CODES)
    Message.objects.bulk_create(queued, ignore_conflicts=True)
    return bool(queued)


def _ways(owner: Person | Contact) -> QuerySet[Address]:
    mine = Address.objects.order_by("id")
    return mine.filter(person=owner) if isinstance(owner, Person) else mine.filter(contact=owner)


def _person(owner: Person | Contact) -> int:
    """Whose list or watch it is about."""
    return owner.id if isinstance(owner, Person) else owner.person_id


def digits(typed: str) -> str:
    """The digits of what was typed, in any script."""
    found = (unicodedata.digit(char, None) for char in typed[:LONGEST_TYPED])
    return "".join(str(digit) for digit in found if digit is not None)
