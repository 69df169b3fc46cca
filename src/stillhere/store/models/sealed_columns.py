"""The sealed columns of the tables: which there are, and some of them opened."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model

from stillhere.store.db import encryption
from stillhere.store.models import (
    Address,
    Contact,
    Kit,
    Person,
    Recording,
    Responder,
    SpokenNote,
    WatchRow,
)


@dataclass(frozen=True, slots=True)
class SealedTable:
    """The sealed ``columns`` of a table; each is bound to its name, like ``person.name``."""

    model: type[Model]
    columns: tuple[str, ...]

    def field(self, column: str) -> str:
        """What the values of this column are bound to."""
        return f"{self.model._meta.db_table}.{column}"


SEALED = (
    SealedTable(Person, ("name", "place", "entry", "dispatch", "town")),
    SealedTable(Contact, ("name",)),
    SealedTable(Address, ("value",)),
    SealedTable(Responder, ("name", "phone")),
    SealedTable(Kit, ("place",)),
    SealedTable(Recording, ("sound",)),
    SealedTable(SpokenNote, ("sound",)),
    SealedTable(WatchRow, ("partner",)),
)


def person_note(person: Person, field: str) -> str:
    """One opened note of the plan, named as in ``persons.NOTES``."""
    return encryption.unseal(getattr(person, field), f"person.{field}", person.nonce)


def person_key(person: Person) -> str:
    """The key of a person's recovery link, for the page on which they ask for it."""
    return encryption.key_for("person", person.nonce)


def contact_name(contact: Contact) -> str:
    return encryption.unseal(contact.name, "contact.name", contact.nonce)


def contact_key(contact: Contact) -> str:
    """The key of a contact's page, for the link that Sam sends."""
    return encryption.key_for("contact", contact.nonce)


def address_value(address: Address) -> str:
    return encryption.unseal(address.value, "address.value", address.nonce)
