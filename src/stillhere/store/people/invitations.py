"""Who is put on a list, who says yes to it, who leaves or is taken off, and when they are erased.

Plain functions that either store what they are given or raise ``Problem``. Watches are written by
``apply.py``.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from stillhere.core.events import OptedOut
from stillhere.core.refusals import Refusal
from stillhere.store import changes
from stillhere.store.db import clock, encryption
from stillhere.store.models import Address, Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.people import address_book, clean_text, notices, suppression
from stillhere.store.people.numbers import strangers
from stillhere.store.problems import Problem, Reached
from stillhere.store.watches import apply

MOST_CONTACTS = 20
ALARMED = ("alarm", "claimed", "attended")
GONE = (Contact.Status.LEFT, Contact.Status.REMOVED)
MOST_ERASED = 500  # in one transaction, as in ``privacy/erasure.py``


def add_contact(
    person: Person, name: str, ways: list[Reached], *, rung: int | None = None, lang: str = ""
) -> Contact:
    """Add someone to the list and invite them by every way given. The same address twice is one
    contact.

    Without a way nothing is sent: the invitation goes out from the person's own phone, and whoever
    accepts it says how to reach them; so it does where this number was asked before. ``rung`` None
    puts them last, on a rung of their own. Raises Problem if the list is full, one of the ways
    asked us to stop, or none of them can be asked today.
    """
    with transaction.atomic():
        now = clock.now_ms()
        Person.objects.select_for_update().get(id=person.id)
        mine = list(Contact.objects.filter(person=person, status__in=["invited", "confirmed"]))
        same = [each for way in ways for each in address_book.lookups(way.value, way.channel)]
        again = Address.objects.filter(contact__in=mine, lookup__in=same).first()
        if again is not None and again.contact is not None:
            return again.contact
        suppression.check(ways, person.id)
        if len(mine) >= MOST_CONTACTS:
            raise Problem(Refusal.LIST_FULL)
        if ways and not _may_ask(person, ways, now):
            raise Problem(Refusal.ASKED_ENOUGH)
        nonce = encryption.new_nonce()
        contact = Contact.objects.create(
            person=person,
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("contact", nonce)),
            name=encryption.seal(
                clean_text.readable(name)[: clean_text.LONGEST_NAME], "contact.name", nonce
            ),
            lang=lang or person.lang,
            rung=max((c.rung for c in mine), default=-1) + 1 if rung is None else rung,
            created_at=now,
        )
        for way in ways:
            address_book.add_address(way, contact=contact, now=now)
        invite(contact, now)
    return contact


def _may_ask(person: Person, ways: Sequence[Reached], now: int) -> bool:
    """Whether one of these ways can take an invitation today, or has had the one it gets."""
    whys = [strangers.used_up("invite", person.id, way.channel, way.value, now) for way in ways]
    return any(why in ("", strangers.ASKED_BEFORE) for why in whys)


def invite(contact: Contact, now: int) -> None:
    """Queue the invitation, by the quiet ways if there are any. What is not proved yet is asked
    once."""
    addresses = list(Address.objects.filter(contact=contact, state=Address.State.OK))
    quiet = [a for a in addresses if not a.rings] or addresses
    Message.objects.bulk_create(
        notices.calm_message(a, contact.person_id, "invite", f"i{contact.id}.{now}.{a.id}", now)
        for a in quiet
        if not strangers.is_one(a.channel, a.proved_at) or not _is_used_up(contact, a, now)
    )


def _is_used_up(contact: Contact, a: Address, now: int) -> bool:
    value = sealed_columns.address_value(a)
    return bool(strangers.used_up("invite", contact.person_id, a.channel, value, now))


def is_asked(contact: Contact) -> bool:
    """Whether we have sent them an invitation, or are about to."""
    return Message.objects.filter(contact=contact, word="invite").exists()


def join(contact: Contact) -> None:
    """The contact accepts an invitation. An acceptance that comes too late, after a no or after Sam
    took them off the list, changes nothing."""
    status, now = Contact.Status.CONFIRMED, clock.now_ms()
    asked = Contact.objects.filter(id=contact.id, status=Contact.Status.INVITED)
    with transaction.atomic():
        if not asked.update(status=status, answered_at=now):
            return
        changes.note([contact.person_id], now)
    contact.status, contact.answered_at = status, now


def leave(contact: Contact, status: Contact.Status = Contact.Status.LEFT) -> None:
    """The contact says no more (``LEFT``), or Sam took them off the list (``REMOVED``, silently).
    Nothing is sent to them again, and an open alarm moves on at once."""
    with transaction.atomic():
        now = clock.now_ms()
        contact.status, contact.answered_at = status, now
        contact.save(update_fields=["status", "answered_at"])
        changes.note([contact.person_id], now)
        if status is Contact.Status.LEFT:
            Address.objects.filter(contact=contact).update(
                state=Address.State.OPTED_OUT, since_at=now
            )
        open_alarms = WatchRow.objects.filter(person=contact.person_id, state__in=ALARMED)
        apply.apply_batch(
            [
                apply.Change(OptedOut(contact.id), watch=w)
                for w in open_alarms.values_list("id", flat=True)
            ]
        )


# --- erased ---------------------------------------------------------------------------------------


def require_calm(person: Person) -> None:
    """Raises Problem while an alarm of theirs is open: whoever holds their phone must not be able
    to take those who were called for help off it, one after another."""
    if WatchRow.objects.filter(person=person, state__in=ALARMED).exists():
        raise Problem(Refusal.STAYS_ON)


def take_off(contact: Contact) -> None:
    """Off the list, without telling them. They are not kept from being added again."""
    with transaction.atomic():
        leave(contact, Contact.Status.REMOVED)
        erase_gone([contact.id])


def erase_gone(contacts: Sequence[int] | None = None) -> int:
    """Erase those of these ``contacts``, or of all, who are gone and whom nothing needs any more;
    returns how many. What was sent and what happened stays as long as its watch, under a number
    that leads to nobody. A volunteer stays until they are dismissed: a no of theirs must not be
    forgotten, and a shift may put them there again."""
    gone = Contact.objects.filter(
        status__in=GONE,
        responder__isnull=True,
        person__trial=False,  # that one goes as a whole
    )
    if contacts is not None:
        gone = gone.filter(id__in=contacts)
    with transaction.atomic():
        unneeded = gone.filter(~Exists(_needing()), ~Exists(_unlisted()))
        _strip(
            list(
                unneeded.filter(addresses__isnull=False).values_list("id", flat=True)[:MOST_ERASED]
            )
        )
        ids = list(unneeded.filter(~Exists(_naming())).values_list("id", flat=True)[:MOST_ERASED])
        if ids:
            _strip(ids)
            Contact.objects.filter(id__in=ids).delete()
    return len(ids)


def _needing() -> QuerySet[WatchRow]:
    """An alarm that is open, or one that somebody still has to look at."""
    theirs = WatchRow.objects.filter(person=OuterRef("person"))
    alarmed = Q(state__in=ALARMED)
    return theirs.filter(alarmed | Q(held=True, looked_at__isnull=True))


def _unlisted() -> QuerySet[Address]:
    """A no from before there was a list, which it does not know yet."""
    theirs = Address.objects.filter(contact=OuterRef("pk"), state=Address.State.OPTED_OUT)
    return theirs.exclude(why=suppression.LISTED)


def _naming() -> QuerySet[Message]:
    """News that is still to leave and says their name."""
    key = Concat(Value("g"), Cast(OuterRef("id"), CharField()), Value("."))
    return Message.objects.filter(
        person=OuterRef("person"), word="gap", status=Message.Status.QUEUED, key__startswith=key
    )


def _strip(contacts: Sequence[int]) -> None:
    """Nothing more is sent to them, nothing opens, and no message leads to them."""
    if not contacts:
        return
    theirs = Message.objects.filter(contact__in=contacts)
    theirs.filter(status=Message.Status.QUEUED).delete()
    theirs.update(contact=None, address=None)
    Address.objects.filter(contact__in=contacts).delete()
    for contact in Contact.objects.filter(id__in=contacts):
        contact.key_hash = encryption.key_hash(secrets.token_urlsafe())
        contact.save(update_fields=["key_hash"])
