"""Writes about people themselves: who is new, their plan, their PIN, their key."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from stillhere.core.messages import TELEGRAM
from stillhere.core.refusals import Refusal
from stillhere.store.db import clock, encryption
from stillhere.store.models import Person
from stillhere.store.people import address_book, clean_text, invitations, notices, suppression
from stillhere.store.problems import Problem, Reached

WISHES = ("phone-first", "call-now", "never")
PIN_OFF_MS = 24 * 3_600_000  # a whole day: long enough to be seen by whoever has the PIN
BY_WORD = "word"  # what opens in place of the PIN is the word under force itself
USED_MS = 30 * 86_400_000  # how exact it is when somebody was last here
NOTES = ("name", "place", "entry", "dispatch", "town")  # of the plan, sealed


def new_person(lang: str, tz: str = "UTC") -> tuple[Person, str]:
    """Someone new, and the key that only they get. There is no account: whoever has the key is
    taken for them."""
    nonce, now = encryption.new_nonce(), clock.now_ms()
    key = encryption.key_for("person", nonce)
    hashed = encryption.key_hash(key)
    person = Person.objects.create(
        nonce=nonce, key_hash=hashed, lang=lang, tz=tz, created_at=now, used_at=now
    )
    return person, key


def new_caller(number: str, lang: str, channel: str = "text") -> Person:
    """Somebody who texted or rang us for the first time, or wrote by another ``channel``: a phone,
    and nothing else about them but the time zone of its area.
    Nobody gets their key: they come back with their number."""
    with transaction.atomic():
        tz = "UTC" if channel == TELEGRAM else settings.TIME_ZONE_OF(number)
        person, _ = new_person(lang, tz)
        person.caller = True
        person.save(update_fields=["caller"])
        ways = [Reached(each, number, rings=each == "call") for each in suppression.same(channel)]
        for way in ways:  # one that told us to stop is kept, and not used
            address_book.add_address(
                way, person=person, now=person.created_at, proved_at=person.created_at
            )
    return person


def new_trial(lang: str, tz: str, name: str, friend: str) -> tuple[Person, str]:
    """Somebody who only tries it out, with one friend who is reached through their open page.
    Erased an hour later."""
    with transaction.atomic():
        person, key = new_person(lang, tz)
        person.trial = True
        person.save(update_fields=["trial"])
        set_plan(person, name=name)
        contact = invitations.add_contact(person, friend, [], lang=lang)
        address_book.add_address(
            Reached("page", "here", rings=False), contact=contact, now=clock.now_ms()
        )
    return person, key


def set_plan(person: Person, **notes: str) -> None:
    """Store the parts of the plan that were given: those of ``NOTES``, wish, lang, tz."""
    changed = []
    for name, typed in notes.items():
        value = clean_text.readable(typed)
        if name in NOTES:
            limit = clean_text.LONGEST_NAME if name == "name" else clean_text.LONGEST_NOTE
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


def note_use(person: Person, now: int) -> None:
    """They were here: nothing about them is erased for lack of use. Written once a month."""
    if person.used_at > now - USED_MS and not person.idle_told_at:
        return
    person.used_at, person.idle_told_at = now, 0
    person.save(update_fields=["used_at", "idle_told_at"])


def set_pin(person: Person, hashed: str, *, decoy: bool = False) -> None:
    """Keep a PIN, already hashed, or none at all. Another one is as old as the first: whoever
    changes it has typed that. Set or removed on pages that the word under force opened (``decoy``),
    the one that Sam set stays and opens beside it."""
    if not person.pin:
        person.pin_at = clock.now_ms()
    own = (person.pin or person.pin_aside) if decoy else hashed
    person.pin, person.pin_aside = (own, "") if hashed else ("", own)
    person.decoy_pin, person.pin_off_at = hashed if decoy and hashed else "", 0
    person.save(update_fields=["pin", "pin_at", "pin_off_at", "pin_aside", "decoy_pin"])


def note_opened(person: Person, *, decoy: bool) -> None:
    """The pages were opened: by the word under force, or a PIN that was set there (``decoy``), or
    by the PIN that Sam set."""
    before, after = ("", BY_WORD) if decoy else (BY_WORD, "")
    if person.decoy_pin == before:
        person.decoy_pin = after
        person.save(update_fields=["decoy_pin"])


def decoy_pin(person: Person) -> str:
    """The hash of the PIN that was set on pages which the word under force opened, and which opens
    in its place; or nothing."""
    return "" if person.decoy_pin == BY_WORD else person.decoy_pin


def forget_pin(person: Person) -> None:
    """Take the PIN away a day from now, and tell the person's own number so at once. Not a code to
    that number: whoever holds their phone would read it. Asked for twice it comes no sooner."""
    now = clock.now_ms()
    off_at = now + PIN_OFF_MS
    asked = Person.objects.filter(id=person.id, pin_off_at=0).exclude(pin="")
    with transaction.atomic():
        if asked.update(pin_off_at=off_at):
            notices.tell_of_pin(person.id, off_at, now)
    person.refresh_from_db(fields=["pin_off_at"])


def keep_pin(person: Person) -> None:
    """It was not forgotten: somebody typed it."""
    Person.objects.filter(id=person.id).exclude(pin_off_at=0).update(pin_off_at=0)
    person.pin_off_at = 0


def drop_forgotten_pin(person: Person) -> bool:
    """Take away a PIN whose day is over; whether that was so."""
    if not person.pin_off_at or clock.now_ms() < person.pin_off_at:
        return False
    due = Person.objects.filter(id=person.id, pin_off_at=person.pin_off_at)
    aside = person.pin if person.decoy_pin else ""  # whoever forces Sam may have asked for it
    gone = bool(due.update(pin="", pin_off_at=0, pin_aside=aside))
    if gone:
        person.pin, person.pin_off_at, person.pin_aside = "", 0, aside
    return gone


def new_key(person: Person) -> str:
    """A new key for the person; the old one no longer opens anything, in a link or in a cookie."""
    nonce = encryption.new_nonce()
    notes = {n: encryption.unseal(getattr(person, n), f"person.{n}", person.nonce) for n in NOTES}
    key = encryption.key_for("person", nonce)
    person.nonce, person.key_hash, person.key_in_cookie = nonce, encryption.key_hash(key), False
    for name, text in notes.items():
        setattr(person, name, encryption.seal(text, f"person.{name}", nonce))
    person.save(update_fields=["nonce", "key_hash", "key_in_cookie", *notes])
    return key
