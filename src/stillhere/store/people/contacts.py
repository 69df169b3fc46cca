"""What Sam decides about one contact, and what that contact decides: everything except joining and
leaving.

Writes contacts and addresses, and queues the test ring. Takes input that a channel has already
normalized. Never tells a contact anything about Sam's decisions.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from stillhere.core.refusals import Refusal
from stillhere.store import changes
from stillhere.store.db import budgets, clock, encryption
from stillhere.store.models import Address, ChatCode, Contact, Message, Person
from stillhere.store.people import address_book, notices, suppression
from stillhere.store.people.numbers import address_proof, strangers
from stillhere.store.problems import Problem, Reached

MOST_MINUTES = 24 * 60
DOOR_MS = 24 * 3_600_000  # how long one added by text hears no place in a call for help
TEST_AGAIN_MS = 60_000  # a second test before this is the same test
MORNING = time(12)  # "not tonight" is over at noon
WITH_DOOR_CODE = ("reply-added", "reply-door-code")  # texts to the person that bring it
_ONLY_DIGITS = re.compile(r"[\d\s.-]{6,12}")


def keep(
    contact: Contact,
    *,
    minutes: int | None = None,
    why: bool | None = None,
    door: bool | None = None,
    lang: str = "",
    rung: int | None = None,
) -> None:
    """Store what Sam decided: how far away they are, what they may know beforehand, whether they
    ever get the door code, in what language and when they are reached. What is None (or "") stays
    as it is; ``minutes`` -1 means unknown. Raises Problem."""
    if minutes is not None:
        if minutes > MOST_MINUTES:
            raise Problem(Refusal.MINUTES)
        contact.minutes = minutes if minutes >= 0 else None
    contact.why = contact.why if why is None else why
    if door is not None:
        contact.door, contact.door_at = door, 0
    contact.lang = lang or contact.lang
    contact.rung = contact.rung if rung is None else rung
    contact.save(update_fields=["minutes", "why", "door", "door_at", "lang", "rung"])


def show_door_later(contact: Contact, now: int) -> None:
    """They were added by text, and whoever forges a number can do that and then call for help: a
    day later the person had time to read of it, or has kept them on the page before."""
    contact.door_at = now + DOOR_MS
    contact.save(update_fields=["door_at"])


def door_code(nonce: bytes | memoryview) -> str:
    """What this contact's person texts back from the number they were added from, to show the
    door before that day is over: whoever forges the number never reads it."""
    return address_proof.code_from(encryption.key_for("door", nonce))


def show_door_by_code(person: Person, typed: str, now: int) -> Contact | None:
    """The contact whose code a text of the person's is, and who hears the place from now on. A try
    is counted before it is looked at."""
    waiting = [c for c in person.contacts.all() if c.door and c.door_at > now]
    if not waiting or not _ONLY_DIGITS.fullmatch(typed.strip()):
        return None
    if budgets.take([strangers.tries_of_owner(f"door {person.id}")], now):
        return None
    code = address_proof.digits(typed)
    for contact in waiting:
        if hmac.compare_digest(door_code(contact.nonce), code):
            contact.door_at = 0
            contact.save(update_fields=["door_at"])
            return contact
    return None


def reach_at(contact: Contact, ways: Sequence[Reached]) -> None:
    """The contact says how to reach them; this replaces what Sam typed. Raises Problem if there is
    no way, or one of them asked us to stop."""
    if not ways:
        raise Problem(Refusal.NO_WAY)
    with transaction.atomic():
        Contact.objects.select_for_update().get(id=contact.id)
        old = Address.objects.filter(contact=contact).exclude(channel__in=address_book.GIVEN)
        if suppression.refuses([(way.channel, way.value) for way in ways], contact.person_id):
            raise Problem(Refusal.SUPPRESSED)
        suppression.check(ways, contact.person_id, known=address_book.values(old))
        address_book.replace(old, ways, contact=contact)


def not_tonight(contact: Contact, away: bool = True) -> None:
    """The contact cannot come tonight: until noon they are reached last. ``away`` False: they can
    after all."""
    now = clock.now_ms()
    contact.away_until_at = _noon_after(now, contact.person.tz) if away else 0
    with transaction.atomic():
        contact.save(update_fields=["away_until_at"])
        changes.note([contact.person_id], now)


def _noon_after(now: int, tz: str) -> int:
    there = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(tz or "UTC"))
    noon = datetime.combine(there.date(), MORNING, there.tzinfo)
    if noon <= there:
        noon = datetime.combine(there.date() + timedelta(days=1), MORNING, there.tzinfo)
    return round(noon.timestamp() * 1000)


def test_ring(contact: Contact) -> int:
    """Try every way to this contact that is theirs for sure, in words that say it is a test;
    returns how many there are. Asked twice within a minute, they are tried once."""
    with transaction.atomic():
        now = clock.now_ms()
        Contact.objects.select_for_update().get(id=contact.id)
        theirs = Address.objects.filter(contact=contact, state=Address.State.OK)
        addresses = list(theirs.filter(strangers.PROVED))
        lately = Message.objects.filter(
            contact=contact, word="test", created_at__gt=now - TEST_AGAIN_MS
        )
        if lately.exists():
            return len(addresses)
        Message.objects.bulk_create(
            notices.calm_message(a, contact.person_id, "test", f"t{contact.id}.{now}.{a.id}", now)
            for a in addresses
        )
    return len(addresses)


def rang(contact: Contact) -> None:
    """The contact confirms that the test rang."""
    contact.rang_at = clock.now_ms()
    contact.save(update_fields=["rang_at"])


def renew(contact: Contact) -> str:
    """A new key for this contact, which is returned. A link that ended up with somebody else opens
    nothing, no phone is known as theirs any more, and nothing goes to where its holder said."""
    name = encryption.unseal(contact.name, "contact.name", contact.nonce)
    nonce = encryption.new_nonce()
    key = encryption.key_for("contact", nonce)
    contact.nonce, contact.key_hash = nonce, encryption.key_hash(key)
    contact.name = encryption.seal(name, "contact.name", nonce)
    with transaction.atomic():
        contact.save(update_fields=["nonce", "key_hash", "name"])
        if contact.responder_id is None:
            _drop_own_ways(contact)
    return key


def _drop_own_ways(contact: Contact) -> None:
    """Forget where whoever held the link is reached: browsers, and what was typed on the page. What
    Sam typed came with the invitation itself. Where nothing is left they are asked anew, with the
    link that Sam hands them."""
    ChatCode.objects.filter(contact=contact).delete()
    used = Address.objects.filter(contact=contact, state=Address.State.OK)
    used.filter(Q(channel=address_book.PUSH) | ~Q(since_at=contact.created_at)).delete()
    if not used.exists():
        contact.status, contact.created_at = Contact.Status.INVITED, clock.now_ms()
        contact.save(update_fields=["status", "created_at"])


def trained(contact: Contact) -> None:
    """They answered all the questions."""
    contact.trained_at = clock.now_ms()
    contact.save(update_fields=["trained_at"])
