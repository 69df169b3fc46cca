"""Who is meant by a key, and a person's list as it is shown. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.store.db import encryption
from stillhere.store.models import (
    Address,
    Contact,
    Person,
    sealed_columns,
)


def person_by_key(key: str) -> Person | None:
    """Whose key this is, by its hash. Somebody of a try-out is nobody: what they begin is erased
    within the hour, so no real watch may be theirs."""
    return Person.objects.filter(key_hash=encryption.key_hash(key), trial=False).first()


def trial_by_key(key: str) -> Person | None:
    """Whose try-out this key opens."""
    return Person.objects.filter(key_hash=encryption.key_hash(key), trial=True).first()


def contact_by_key(key: str) -> Contact | None:
    """Whose key this is. Someone who left or was removed is nobody."""
    found = Contact.objects.select_related("person").filter(key_hash=encryption.key_hash(key))
    return found.filter(status__in=["invited", "confirmed"]).first()


@dataclass(frozen=True, slots=True)
class Listed:
    """A contact as Sam's own page shows them."""

    contact: Contact
    name: str
    ways: tuple[tuple[str, str, str], ...]  # (channel, address in clear, state)

    @property
    def reachable(self) -> bool:
        return any(state == "ok" for _, _, state in self.ways)


def circle_list(person: Person) -> list[Listed]:
    """Sam's list, rung by rung."""
    found = Contact.objects.filter(person=person, status__in=["invited", "confirmed"]).order_by(
        "rung", "id"
    )
    return [
        Listed(
            contact,
            sealed_columns.contact_name(contact),
            tuple(
                (a.channel, sealed_columns.address_value(a), a.state)
                for a in sorted(contact.addresses.all(), key=lambda a: a.id)
            ),
        )
        for contact in found.prefetch_related("addresses")
    ]


def channels_of(person: Person) -> dict[int, str]:
    """The channel of every way to those on a list, by the way's (address's) id."""
    return dict(Address.objects.filter(contact__person=person).values_list("id", "channel"))


def own_channels(person: Person) -> list[str]:
    """The channels by which the person can be asked, as far as we know: what did not work before
    is not among them."""
    mine = Address.objects.filter(person=person, state=Address.State.OK).order_by("id")
    return list(dict.fromkeys(mine.values_list("channel", flat=True)))
