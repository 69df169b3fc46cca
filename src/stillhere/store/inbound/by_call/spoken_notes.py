"""What whoever rings says of themselves: a first name, where they are, how to get in.

Owns who may change these notes in a call (whoever has shown that the number is theirs, and has no
PIN), the words that go back, and the text by which their own phone learns of it. What becomes of a
note is decided in ``store/recordings/notes.py``.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from stillhere.core.messages import Facts
from stillhere.store.db import budgets, clock
from stillhere.store.inbound.calls import caller
from stillhere.store.inbound.reply import Reply, own_text, tell
from stillhere.store.models import Message, Person, SpokenNote
from stillhere.store.recordings import at_carriers, notes

TOLD_MOST = 6  # texts a day to their own phone that something was changed
KEY_MOST = 80  # letters of a message's key


def in_alarm(number: str) -> bool:
    """Whether the people of whoever rings are being called."""
    person = caller(number)
    return person is not None and notes.in_alarm(person.id)


def asks_notes(number: str) -> Reply | None:
    """Which note of their plan whoever rings wants to say; with a PIN that is done on the page.
    None: nobody we know."""
    person = caller(number)
    if person is None:
        return None
    return Reply("reply-pin" if person.pin else "call-notes", person.lang, Facts())


def lacks_place(number: str) -> bool:
    """Whether nothing says where whoever calls for help is, and they could say it now."""
    person = _speaker(number)
    return person is not None and not (person.place or notes.has(person, "place"))


def asks_note(number: str, kind: str) -> Reply | None:
    """How to say it; or that one is kept already, and in an alarm stays."""
    person = _speaker(number)
    if person is None:
        return None
    word = f"call-say-{kind}"
    if notes.has(person, kind):
        word = "call-note-stays" if notes.in_alarm(person.id) else "call-note-there"
    return Reply(word, person.lang, Facts())


def says_note(number: str, call: str, kind: str, carrier: str, ref: str) -> int | None:
    """They said it; the id it is heard by. Durable when it returns. With nobody to keep it for it
    is owed to be deleted at the carrier all the same."""
    person = _speaker(number)
    if person is None:
        at_carriers.owe(carrier, ref, clock.now_ms())
        return None
    with transaction.atomic():
        note = notes.said(person, kind, carrier, ref)
        _tell_own(person, call)
    return note


def hears_note(number: str, note: int) -> tuple[Reply, str]:
    """What was just said, by its kind and key; no key while it is not here."""
    found = _just_said(number, note)
    if found is None:
        return Reply("call-note-lost", _lang(number), Facts()), ""
    return Reply(f"call-say-{found.kind}", found.person.lang, Facts()), notes.key_of(found)


def keeps_note(number: str, call: str, note: int) -> Reply:
    """It was heard, and is as it should be. Durable when it returns."""
    found = _just_said(number, note)
    if found is None:
        return Reply("call-note-lost", _lang(number), Facts())
    with transaction.atomic():
        kept = notes.keep(found)
        if kept:
            _tell_own(found.person, call)
    return Reply("call-note-kept" if kept else "call-note-stays", found.person.lang, Facts())


def takes_back_note(number: str, note: int) -> str:
    """It was wrong: its kind, to be said again; "" where it is not there."""
    found = _just_said(number, note)
    if found is None:
        return ""
    notes.take_back(found)
    return str(found.kind)


def takes_note_away(number: str, call: str, kind: str) -> Reply | None:
    """Nothing of this kind is kept any more. Durable when it returns."""
    person = _speaker(number)
    if person is None:
        return None
    with transaction.atomic():
        gone = notes.take_away(person, kind)
        if gone:
            _tell_own(person, call)
    return Reply("call-note-gone" if gone else "call-note-stays", person.lang, Facts())


def _speaker(number: str) -> Person | None:
    """Whoever may change their plan in a call."""
    person = caller(number)
    return None if person is None or person.pin else person


def _just_said(number: str, note: int) -> SpokenNote | None:
    person = _speaker(number)
    return notes.just_said(person, note) if person is not None else None


def _lang(number: str) -> str:
    person = caller(number)
    return person.lang if person is not None else str(settings.LANGUAGE_CODE)


def _tell_own(person: Person, call: str) -> None:
    """Their own phone reads once a ``call`` that something was changed: the number that rang may be
    forged."""
    now, key = clock.now_ms(), f"spoken.{call}"[:KEY_MOST]
    if Message.objects.filter(key=key).exists():
        return
    own = own_text(person)
    each = budgets.limit("enough", TOLD_MOST, "spoken", person.id)
    if own is not None and not budgets.take([each], now):
        tell(own, "reply-spoken", key, now, watch=None)
