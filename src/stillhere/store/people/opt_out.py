"""What a no does, and what takes it back.

Owns the consequences: who leaves which list, whose own way to be asked ends, who hears of it. The
list itself is ``suppression.py``'s. A no from a number is for that number, whoever has it and on
whatever list it stands; only START from the number takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet

from stillhere.core.events import Undeliverable
from stillhere.store.db import encryption
from stillhere.store.models import Address, Contact, Suppression, WatchRow, sealed_columns
from stillhere.store.people import address_book, invitations, notices, suppression
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches import apply

WANTED = (Contact.Status.INVITED, Contact.Status.CONFIRMED)


def refuse(channel: str, value: str, why: Suppression.Why, now: int) -> None:
    """Whoever has this number or address said no from it. Contacts leave every list, and their
    people hear it. A person is no longer asked by it, and hears so by another way: their watch goes
    on, and nothing rings this number instead."""
    with transaction.atomic():
        suppression.add([(channel, value)], why, now, proved=True)
        theirs = list(_with(channel, value).select_related("contact", "person"))
        left: list[int] = []
        for address in theirs:
            if address.contact is not None and address.contact.status in WANTED:
                invitations.leave(address.contact)
                notices.tell_of_gap(address.contact, now)
                left.append(address.contact.id)
        own = [address for address in theirs if address.person_id is not None]
        _opted_out([address.id for address in theirs], now)
        _goes_by_another_way(own, now)
        invitations.erase_gone(left)


def refuse_at(address: int, now: int) -> None:
    """The same for an address of ours whose carrier says that its owner opted out."""
    found = Address.objects.filter(id=address).first()
    if found is None:
        return
    try:
        value = sealed_columns.address_value(found)
    except encryption.SealBroken:
        _opted_out([address], now)
        return
    refuse(found.channel, value, Suppression.Why.STOP, now)


def leave_by_page(contact: Contact, now: int, *, theirs: bool, carried: str = "") -> None:
    """ "Leave" on the page; the person hears it, and does not add them anew. Nobody else does
    either, by a number that is proved where this phone is known as ``theirs``, or whose message's
    link led here (``carried``): whoever typed the others has this link too, and may press it. On
    other lists they stay. A volunteer leaves this list alone."""
    said_yes, why = contact.status == Contact.Status.CONFIRMED, Suppression.Why.PAGE
    with transaction.atomic():
        if contact.responder_id is None:
            shown = _shown(contact, theirs=theirs, carried=carried)
            others = [way for way in _ways_of(contact) if way not in shown]
            suppression.add(shown, why, now, proved=False)
            suppression.add(others, why, now, proved=False, person=contact.person_id)
        invitations.leave(contact)
        if said_yes:
            notices.tell_of_gap(contact, now)
        _erase(contact, now)


def _shown(contact: Contact, *, theirs: bool, carried: str) -> list[suppression.Way]:
    """The ways of which whoever presses has shown that they are theirs."""
    linked = {way.id for way in address_proof.linked(contact, carried)}
    mine = contact.addresses.all()
    shown = [a for a in mine if a.id in linked or (theirs and a.proved_at)]
    return [(a.channel, sealed_columns.address_value(a)) for a in shown]


def decline(contact: Contact, now: int) -> None:
    """No to one invitation, by phone: this person cannot invite that number again, others can."""
    why, person = Suppression.Why.DECLINED, contact.person_id
    with transaction.atomic():
        suppression.add(_ways_of(contact), why, now, proved=True, person=person)
        invitations.leave(contact)
        _erase(contact, now)


def not_theirs(address: Address, now: int) -> None:
    """ "That's not me", from the very message that went to this address: a no to this one person,
    for that number alone. Where they have no other way, the contact is gone."""
    contact = address.contact
    assert contact is not None
    value = sealed_columns.address_value(address)
    with transaction.atomic():
        same = _with(address.channel, value).filter(contact=contact).values_list("id", flat=True)
        if not contact.addresses.filter(state=Address.State.OK).exclude(id__in=same).exists():
            decline(contact, now)
            return
        why, person = Suppression.Why.DECLINED, contact.person_id
        suppression.add([(address.channel, value)], why, now, proved=True, person=person)
        _opted_out(list(same), now)


def _ways_of(contact: Contact) -> list[suppression.Way]:
    return [(a.channel, sealed_columns.address_value(a)) for a in contact.addresses.all()]


def _erase(contact: Contact, now: int) -> None:
    """Now that the list knows their numbers."""
    _opted_out([address.id for address in contact.addresses.all()], now)
    invitations.erase_gone([contact.id])


def allow(channel: str, value: str, now: int) -> list[int]:
    """START, from the number itself. Everybody may ask it again, and where it was somebody's own it
    is theirs again; returns the ids of those addresses. Whoever left a list stays off it until they
    are asked."""
    with transaction.atomic():
        suppression.lift(channel, value)
        shut = _with(channel, value).filter(state=Address.State.OPTED_OUT)
        own = list(shut.filter(person__isnull=False).values_list("id", flat=True))
        volunteers = shut.filter(contact__responder__isnull=False)
        Contact.objects.filter(
            id__in=list(volunteers.values_list("contact", flat=True)), status=Contact.Status.LEFT
        ).update(status=Contact.Status.REMOVED)  # a shift may put them there again
        again = [*own, *volunteers.values_list("id", flat=True)]
        Address.objects.filter(id__in=again).update(state=Address.State.OK, why="", since_at=now)
    return own


def _with(channel: str, value: str) -> QuerySet[Address]:
    """Every row with this number, as texts and as calls have it."""
    return Address.objects.filter(lookup__in=address_book.lookups(value, channel)).order_by("id")


def _opted_out(addresses: Sequence[int], now: int) -> None:
    Address.objects.filter(id__in=addresses).update(
        state=Address.State.OPTED_OUT, why=suppression.LISTED, since_at=now
    )


def _goes_by_another_way(own: Sequence[Address], now: int) -> None:
    """They hear it by a way that is left. An open ask does not wait for an answer from this number:
    it goes by such a way, now. The deadline stays where it was."""
    persons = {a.person_id: a.id for a in own if a.person_id is not None}
    for person in persons:
        notices.tell_of_stop(person, now)
    watches = WatchRow.objects.filter(person__in=persons, closed_at__isnull=True)
    changes = [
        apply.Change(Undeliverable(None, persons[person]), watch=watch)
        for watch, person in watches.order_by("id").values_list("id", "person_id")
    ]
    if changes:
        apply.apply_batch(changes)
