"""Who has a given key, and a person's list as it is shown. Changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from stillhere.store.db import encryption
from stillhere.store.db.prepared import Prepared
from stillhere.store.models import (
    Address,
    Contact,
    Person,
    sealed_columns,
)
from stillhere.store.people import address_book, suppression
from stillhere.store.people.numbers import strangers
from stillhere.store.watches import damage

M = TypeVar("M", bound=Model)
ON_LIST = ("invited", "confirmed")

_BY_KEY = Prepared(
    Contact,
    "WHERE contact.key_hash = %s AND contact.status IN ('invited', 'confirmed')",
    whose="person",
)
_ON_THE_LIST = Prepared(
    Contact, "WHERE person_id = %s AND status IN ('invited', 'confirmed') ORDER BY rung, id"
)


def person_by_key(key: str) -> Person | None:
    """The person with this key, by its hash. A try-out's person does not count: what they begin is
    erased within the hour, so no real watch may belong to them."""
    return Person.objects.filter(key_hash=encryption.key_hash(key), trial=False).first()


def trial_by_key(key: str) -> Person | None:
    """The person whose try-out this key opens."""
    return Person.objects.filter(key_hash=encryption.key_hash(key), trial=True).first()


def contact_by_key(key: str) -> Contact | None:
    """The contact with this key. Someone who left or was removed does not count."""
    return _BY_KEY.first(encryption.key_hash(key))


@dataclass(frozen=True, slots=True)
class Listed:
    """A contact as Sam's own page shows them."""

    contact: Contact
    name: str
    ways: tuple[tuple[str, str, str], ...]  # (channel, address in clear, state)
    proved: bool  # at least one working way is known to be theirs

    @property
    def reachable(self) -> bool:
        return any(state == "ok" for _, _, state in self.ways)


def circle_list(person: Person) -> list[Listed]:
    """Sam's list, rung by rung."""
    found = _ON_THE_LIST.all(person.id)
    ways = address_book.of_contacts([contact.id for contact in found])
    return [_listed(contact, ways.get(contact.id, [])) for contact in found]


def _listed(contact: Contact, ways: Sequence[Address]) -> Listed:
    return Listed(
        contact,
        sealed_columns.contact_name(contact),
        tuple((a.channel, sealed_columns.address_value(a), a.state) for a in ways),
        any(a.state == "ok" and not strangers.is_one(a.channel, a.proved_at) for a in ways),
    )


@dataclass(frozen=True, slots=True)
class Roster:
    """Everybody a person ever had on their list, rung by rung, and the numbers that work: the
    person's own, and by contact those of who is on it now."""

    contacts: Sequence[Contact]
    own: Collection[str]
    numbers: Mapping[int, Collection[str]]

    def listed(self) -> Iterator[tuple[Contact, Collection[str]]]:
        """Who is on the list now, with their numbers."""
        for contact in self.contacts:
            if contact.status in ON_LIST:
                yield contact, self.numbers.get(contact.id, ())


def rosters(persons: Collection[int]) -> dict[int, Roster]:
    """The roster of each of these, in two reads for all of them."""
    contacts: dict[int, list[Contact]] = {id: [] for id in persons}
    own: dict[int, dict[str, None]] = {id: {} for id in persons}
    theirs: dict[int, dict[str, None]] = {}
    for contact in Contact.objects.filter(person__in=persons).order_by("rung", "id"):
        contacts[contact.person_id].append(contact)
        if contact.status in ON_LIST:
            theirs[contact.id] = {}
    phones = Address.objects.filter(
        Q(person__in=persons) | Q(contact__in=theirs), state="ok", channel__in=suppression.PHONE
    )
    rows = phones.order_by("id").values_list("person_id", "contact_id", "value", "nonce")
    for person, listed, value, nonce in rows:
        numbers = theirs[listed] if listed in theirs else own[person]
        numbers[encryption.unseal(value, "address.value", nonce)] = None
    return {id: Roster(contacts[id], own[id], theirs) for id in persons}


def numbers(person: int) -> list[tuple[str, str]]:
    """(name, number) of a person and of everybody on their list, each read separately: in a damaged
    database, those that can be read. An unreadable name is empty."""
    whose = damage.around(Person.objects.filter(id=person).first, lambda: None)
    name = sealed_columns.person_note(whose, "name") if whose is not None else ""
    found = [(name, number) for number in _numbers(Address.objects.filter(person=person))]
    theirs = Contact.objects.filter(person=person)
    for contact in _each(theirs.order_by("id")):
        if contact.status in ON_LIST:
            ways = _numbers(Address.objects.filter(contact=contact.id))
            found += [(sealed_columns.contact_name(contact), number) for number in ways]
    return list(dict.fromkeys(found))


def _numbers(ways: QuerySet[Address]) -> list[str]:
    well = [a for a in _each(ways.order_by("id")) if a.state == "ok"]
    return [sealed_columns.address_value(a) for a in well if a.channel in suppression.PHONE]


def _each(rows: QuerySet[M]) -> list[M]:
    """Those of these rows that can be read: an index lists them."""
    ids = damage.around(lambda: list(rows.values_list("id", flat=True)), list)
    whole = rows.model._default_manager
    found = damage.readable(ids, lambda part: {row.pk: row for row in whole.filter(id__in=part)})
    return [found[id] for id in ids if id in found]


def channels_of(person: Person) -> dict[int, str]:
    """The channel of every way to the contacts on a list, by the id of the way (address)."""
    return dict(Address.objects.filter(contact__person=person).values_list("id", "channel"))


def own_channels(person: Person, ways: Sequence[Address] | None = None) -> list[str]:
    """The channels on which the person can be asked, as far as we know: without those that did not
    work before, or are not proved yet. ``ways`` are their own, where the caller has them."""
    mine = address_book.of_person(person.id) if ways is None else ways
    well = [a for a in mine if a.state == "ok" and not strangers.is_one(a.channel, a.proved_at)]
    return list(dict.fromkeys(a.channel for a in well))


def has_stopped(person: Person, ways: Sequence[Address] | None = None) -> bool:
    """Whether the person's own phone told us to stop, so that nothing asks them by it."""
    mine = address_book.of_person(person.id) if ways is None else ways
    return any(a.state == Address.State.OPTED_OUT for a in mine)
