"""Writes ways to reach people: a contact's, and the person's own.

Takes addresses that a channel has already normalized.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from stillhere.core.messages import TELEGRAM
from stillhere.core.reading import same_address
from stillhere.store.db import clock, encryption
from stillhere.store.db.prepared import Prepared
from stillhere.store.models import Address, Browser, Contact, Person, sealed_columns
from stillhere.store.people import suppression
from stillhere.store.problems import Reached

PUSH = "push"
GIVEN = (PUSH, TELEGRAM)  # a browser or an app gives this address itself; nobody types it
SECRET = (*GIVEN, "chat")  # who knows one may read or write there: no file and no list shows it

_OF_PERSON = Prepared(Address, "WHERE person_id = %s ORDER BY id")
_OF_CONTACTS = Prepared(Address, "WHERE contact_id IN ({marks}) ORDER BY id")


def of_person(person: int) -> list[Address]:
    """The person's own ways, in the order in which they came."""
    return _OF_PERSON.all(person)


def of_contacts(contacts: Sequence[int]) -> dict[int, list[Address]]:
    """The ways to these contacts, by the contact's id, in the order in which they came."""
    found: dict[int, list[Address]] = {}
    for way in _OF_CONTACTS.among(contacts):
        found.setdefault(way.contact_id or 0, []).append(way)
    return found


def add_address(
    way: Reached,
    *,
    now: int,
    contact: Contact | None = None,
    person: Person | None = None,
    browser: Browser | None = None,
    proved_at: int = 0,
    shut: bool = False,
) -> Address:
    """One way to reach a contact or the person; ``browser`` is where notifications go,
    ``proved_at`` as the column says. One whose owner told us to stop, or that was ``shut`` to us
    before, is stored as such."""
    whose = contact.person_id if contact is not None else suppression.ANYBODY
    said_no = shut or suppression.refuses([(way.channel, way.value)], whose)
    nonce = encryption.new_nonce()
    return Address.objects.create(
        contact=contact,
        person=person,
        browser=browser,
        nonce=nonce,
        channel=way.channel,
        value=encryption.seal(way.value, "address.value", nonce),
        lookup=encryption.lookup(way.channel, same_address.plain(way.channel, way.value)),
        rings=way.rings,
        state=Address.State.OPTED_OUT if said_no else Address.State.OK,
        why=suppression.LISTED if said_no else "",
        since_at=now,
        proved_at=proved_at,
    )


def lookups(value: str, channel: str = "text") -> list[bytes]:
    """The look-up hashes of one address: a phone number has one for texts and one for calls, any
    other one for its one spelling and, from before there was that, for how it was typed."""
    spelled = dict.fromkeys([same_address.plain(channel, value), value])
    return [encryption.lookup(each, as_) for each in suppression.same(channel) for as_ in spelled]


def set_own_addresses(person: Person, ways: Sequence[Reached]) -> None:
    """How we reach the person; this replaces what was typed there before. Raises Problem for a new
    one that asked us to stop; one that was theirs already stays, and is not used."""
    with transaction.atomic():
        _check(person, ways)
        mine = Address.objects.filter(person=person).exclude(channel__in=GIVEN)
        replace(mine, ways, person=person)


def add_own_addresses(person: Person, ways: Sequence[Reached]) -> None:
    """More ways to reach the person; earlier ones on the same channels are replaced. Raises
    Problem as ``set_own_addresses`` does."""
    with transaction.atomic():
        _check(person, ways)
        same = [way.channel for way in ways]
        replace(Address.objects.filter(person=person, channel__in=same), ways, person=person)


def replace(
    old: QuerySet[Address],
    ways: Sequence[Reached],
    *,
    contact: Contact | None = None,
    person: Person | None = None,
) -> None:
    """Put these ``ways`` in the place of the ``old`` ones. What was proved stays so, and what was
    opted out."""
    now = clock.now_ms()
    proved = {bytes(a.lookup): a.proved_at for a in old if a.proved_at}
    shut = {bytes(a.lookup) for a in old if a.state == Address.State.OPTED_OUT}
    old.delete()
    for way in ways:
        same = lookups(way.value, way.channel)
        known_at = next((proved[each] for each in same if each in proved), 0)
        add_address(
            way,
            contact=contact,
            person=person,
            now=now,
            proved_at=known_at,
            shut=not shut.isdisjoint(same),
        )


def _check(person: Person, ways: Sequence[Reached]) -> None:
    suppression.check(ways, known=values(person.addresses.all()))


def values(addresses: Iterable[Address]) -> set[suppression.Way]:
    """Channel and address in clear, of each."""
    return {(a.channel, sealed_columns.address_value(a)) for a in addresses}


def break_address(address: int, why: str, now: int) -> None:
    """A receipt says that this address can never work; Sam's page shows it from now on."""
    Address.objects.filter(id=address, state=Address.State.OK).update(
        state=Address.State.BROKEN, why=why[:200], since_at=now
    )
