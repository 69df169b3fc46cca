"""Writes ways to reach people: a contact's, and the person's own.

Takes addresses that a channel has already normalized.
"""

from __future__ import annotations

from django.db import transaction

from stillhere.store.db import clock, encryption
from stillhere.store.models import Address, Browser, Contact, Person
from stillhere.store.problems import Reached

PUSH = "push"  # a browser gives this address itself; nobody types it


def add_address(
    way: Reached,
    *,
    now: int,
    contact: Contact | None = None,
    person: Person | None = None,
    browser: Browser | None = None,
) -> Address:
    """One way to reach a contact or the person; ``browser`` is where notifications go."""
    nonce = encryption.new_nonce()
    return Address.objects.create(
        contact=contact,
        person=person,
        browser=browser,
        nonce=nonce,
        channel=way.channel,
        value=encryption.seal(way.value, "address.value", nonce),
        lookup=encryption.lookup(way.channel, way.value),
        rings=way.rings,
        since_at=now,
    )


def lookups(number: str) -> list[bytes]:
    """The look-up hashes of a phone number, as an address for texts and for calls."""
    return [encryption.lookup(channel, number) for channel in ("text", "call")]


def set_own_addresses(person: Person, ways: list[Reached]) -> None:
    """How we reach the person; this replaces what was typed there before."""
    with transaction.atomic():
        now = clock.now_ms()
        Address.objects.filter(person=person).exclude(channel=PUSH).delete()
        for way in ways:
            add_address(way, person=person, now=now)


def add_own_addresses(person: Person, ways: list[Reached]) -> None:
    """More ways to reach the person; earlier ones on the same channels are replaced."""
    with transaction.atomic():
        Address.objects.filter(person=person, channel__in=[way.channel for way in ways]).delete()
        for way in ways:
            add_address(way, person=person, now=clock.now_ms())


def break_address(address: int, state: Address.State, why: str, now: int) -> None:
    """A receipt says that this address is useless; Sam's page shows it from now on."""
    Address.objects.filter(id=address, state=Address.State.OK).update(
        state=state, why=why[:200], since_at=now
    )
