"""The sealed columns of the tables, opened."""

from __future__ import annotations

from stillhere.store.db import encryption
from stillhere.store.models import (
    Address,
    Contact,
    Person,
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
