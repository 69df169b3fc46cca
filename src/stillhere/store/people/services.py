"""Writes about people: themselves, their contacts and addresses, and messages that can wait.

Plain functions that take input (already normalized by a channel) and either store it or raise
``Problem``. Watches are written by ``apply.py``, messages are moved by the engine.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping

from django.db import transaction

from stillhere.core.events import OptedOut, Urgency
from stillhere.core.refusals import Refusal
from stillhere.store.db import clock, encryption
from stillhere.store.models import Address, Contact, Message, Person, WatchRow
from stillhere.store.problems import Problem, Reached
from stillhere.store.watches import apply

LONGEST_NAME = 80
LONGEST_NOTE = 1000
MOST_CONTACTS = 20
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
WISHES = ("phone-first", "call-now", "never")
NOTES = ("name", "place", "entry", "dispatch", "town")  # of the plan, sealed
PUSH = "push"  # a browser gives this address itself; nobody types it


def new_person(lang: str, tz: str = "UTC") -> tuple[Person, str]:
    """Someone new, and the key that only they get. There is no account: whoever has the key is
    taken for them."""
    nonce = encryption.new_nonce()
    key = encryption.key_for("person", nonce)
    person = Person.objects.create(
        nonce=nonce, key_hash=encryption.key_hash(key), lang=lang, tz=tz, created_at=clock.now_ms()
    )
    return person, key


def new_caller(number: str, lang: str, tz: str = "UTC") -> Person:
    """Somebody who texted or rang us for the first time: a phone, and nothing else about them.
    Nobody gets their key: they come back with their number."""
    with transaction.atomic():
        person, _ = new_person(lang, tz)
        person.caller = True
        person.save(update_fields=["caller"])
        ways = [Reached("text", number, rings=False), Reached("call", number, rings=True)]
        set_own_addresses(person, ways)
    return person


def new_trial(lang: str, tz: str, name: str, friend: str) -> tuple[Person, str]:
    """Somebody who only tries it out, with one friend who is reached through their open page.
    Erased an hour later."""
    with transaction.atomic():
        person, key = new_person(lang, tz)
        person.trial = True
        person.save(update_fields=["trial"])
        set_plan(person, name=name)
        contact = add_contact(person, friend, [], lang=lang)
        add_address(Reached("page", "here", rings=False), contact=contact, now=clock.now_ms())
    return person, key


def readable(typed: str) -> str:
    """What was typed, without anything that could garble the words around it: control characters
    (line breaks stay) and marks that change the writing direction."""
    kept = (c for c in typed if c == "\n" or not (unicodedata.category(c) == "Cc" or c in TURNING))
    return "".join(kept).strip()


def set_plan(person: Person, **notes: str) -> None:
    """Store the parts of the plan that were given: those of ``NOTES``, wish, lang, tz."""
    changed = []
    for name, typed in notes.items():
        value = readable(typed)
        if name in NOTES:
            limit = LONGEST_NAME if name == "name" else LONGEST_NOTE
            setattr(person, name, encryption.seal(value[:limit], f"person.{name}", person.nonce))
        elif name == "wish":
            if value not in WISHES:
                raise Problem(Refusal.WISH)
            person.wish = value
        elif name in ("lang", "tz"):
            setattr(person, name, value)
        else:
            raise ValueError(f"there is no such note: {name}")
        changed.append(name)
    person.save(update_fields=changed)


def set_speak(person: Person, speak: bool) -> None:
    """Whether the person's own phone calls out during an alarm."""
    person.speak = speak
    person.save(update_fields=["speak"])


def set_pin(person: Person, hashed: str) -> None:
    """Keep a PIN, already hashed, or none at all."""
    person.pin = hashed
    person.save(update_fields=["pin"])


def add_contact(
    person: Person, name: str, ways: list[Reached], *, rung: int | None = None, lang: str = ""
) -> Contact:
    """Add someone to the list and invite them by every way given. The same address twice is one
    contact.

    Without a way nothing is sent: the invitation goes out from the person's own phone, and whoever
    accepts it says how to reach them. ``rung`` None puts them last, on a rung of their own.
    """
    with transaction.atomic():
        now = clock.now_ms()
        Person.objects.select_for_update().get(id=person.id)
        mine = list(Contact.objects.filter(person=person, status__in=["invited", "confirmed"]))
        again = Address.objects.filter(
            contact__in=mine, lookup__in=[encryption.lookup(way.channel, way.value) for way in ways]
        ).first()
        if again is not None and again.contact is not None:
            return again.contact
        if len(mine) >= MOST_CONTACTS:
            raise Problem(Refusal.LIST_FULL)
        nonce = encryption.new_nonce()
        contact = Contact.objects.create(
            person=person,
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("contact", nonce)),
            name=encryption.seal(readable(name)[:LONGEST_NAME], "contact.name", nonce),
            lang=lang or person.lang,
            rung=max((c.rung for c in mine), default=-1) + 1 if rung is None else rung,
            created_at=now,
        )
        for way in ways:
            add_address(way, contact=contact, now=now)
        invite(contact, now)
    return contact


def add_address(
    way: Reached, *, now: int, contact: Contact | None = None, person: Person | None = None
) -> Address:
    """One way to reach a contact or the person."""
    nonce = encryption.new_nonce()
    return Address.objects.create(
        contact=contact,
        person=person,
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


def invite(contact: Contact, now: int) -> None:
    """Queue the invitation, by the quiet ways if there are any."""
    addresses = list(Address.objects.filter(contact=contact, state=Address.State.OK))
    quiet = [a for a in addresses if not a.rings] or addresses
    Message.objects.bulk_create(
        calm_message(a, contact.person_id, "invite", f"i{contact.id}.{now}.{a.id}", now)
        for a in quiet
    )


def join(contact: Contact) -> None:
    """The contact accepts an invitation. An acceptance that comes too late, after a no or after Sam
    took them off the list, changes nothing."""
    status, now = Contact.Status.CONFIRMED, clock.now_ms()
    asked = Contact.objects.filter(id=contact.id, status=Contact.Status.INVITED)
    if asked.update(status=status, answered_at=now):
        contact.status, contact.answered_at = status, now


def leave(contact: Contact, status: Contact.Status = Contact.Status.LEFT) -> None:
    """The contact says no more (``LEFT``), or Sam took them off the list (``REMOVED``, silently).
    Nothing is sent to them again, and an open alarm moves on at once."""
    with transaction.atomic():
        now = clock.now_ms()
        contact.status, contact.answered_at = status, now
        contact.save(update_fields=["status", "answered_at"])
        if status is Contact.Status.LEFT:
            Address.objects.filter(contact=contact).update(
                state=Address.State.OPTED_OUT, since_at=now
            )
        open_alarms = WatchRow.objects.filter(
            person=contact.person_id, state__in=["alarm", "claimed", "attended"]
        )
        apply.apply_batch(
            [
                apply.Change(OptedOut(contact.id), watch=w)
                for w in open_alarms.values_list("id", flat=True)
            ]
        )


def tell_of_gap_if_any(contact: int, now: int) -> None:
    """The same, once no way to reach them is left."""
    if not Address.objects.filter(contact=contact, state=Address.State.OK).exists():
        tell_of_gap(Contact.objects.get(id=contact), now)


def tell_of_gap(contact: Contact, now: int) -> None:
    """Tell the person now that somebody can no longer be reached, and not on the night itself."""
    _tell_quietly(contact.person_id, "gap", f"g{contact.id}", {"who": contact.id}, now)


def tell_of_lost_way(address: int, now: int) -> None:
    """Tell the person, by a way that is left, that one of their own no longer works."""
    person = Address.objects.filter(id=address).values_list("person", flat=True).first()
    if person is not None:
        _tell_quietly(person, "way-gone", f"o{address}", {}, now)


def _tell_quietly(person: int, word: str, key: str, facts: dict[str, int], now: int) -> None:
    """Something that can be read in the morning, sent by every way of the person's that wakes
    nobody. Sent once per key."""
    mine = Address.objects.filter(person=person, state=Address.State.OK, rings=False)
    Message.objects.bulk_create(
        [
            calm_message(a, person, word, f"{key}.{a.id}", now, facts=facts)
            for a in mine.order_by("id")
        ],
        ignore_conflicts=True,
    )


def calm_message(
    way: Address,
    person: int | None,
    word: str,
    key: str,
    now: int,
    *,
    due_at: int | None = None,
    facts: Mapping[str, int] | None = None,
) -> Message:
    """A message to the owner of this ``way`` in which nobody is in danger, not stored yet. ``key``
    names it; of two with the same key only the first is stored. ``due_at``, ms UTC, is ``now``
    unless it is to be sent later."""
    return Message(
        key=key,
        person_id=person,
        contact_id=way.contact_id,
        address=way,
        channel=way.channel,
        word=word,
        facts=json.dumps(facts or {}),
        urgency=Urgency.CALM,
        due_at=now if due_at is None else due_at,
        created_at=now,
    )


def break_address(address: int, state: Address.State, why: str, now: int) -> None:
    """A receipt says that this address is useless; Sam's page shows it from now on."""
    Address.objects.filter(id=address, state=Address.State.OK).update(
        state=state, why=why[:200], since_at=now
    )


def new_key(person: Person) -> str:
    """A new key for the person; the old one no longer opens anything, wherever it is."""
    nonce = encryption.new_nonce()
    notes = {n: encryption.unseal(getattr(person, n), f"person.{n}", person.nonce) for n in NOTES}
    key = encryption.key_for("person", nonce)
    person.nonce, person.key_hash = nonce, encryption.key_hash(key)
    for name, text in notes.items():
        setattr(person, name, encryption.seal(text, f"person.{name}", nonce))
    person.save(update_fields=["nonce", "key_hash", *notes])
    return key
