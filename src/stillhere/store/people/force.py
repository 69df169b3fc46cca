"""A word under force: it looks like "Still here", and calls for help in secret.

Somebody may hold Sam's phone, or stand beside Sam while Sam answers. The word (a text, or typed
where the PIN is asked) is answered like a check-in, and begins a hidden watch with an alarm of its
own, which only those hear whom Sam chose for this. What Sam's phones show goes on as if nothing had
happened, and no later check-in reaches that alarm. Owns the word, who hears of it, and the call.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import transaction

from stillhere.core.circle import Circle
from stillhere.core.events import NeedHelp
from stillhere.core.refusals import Refusal
from stillhere.core.replies import Intent, Role, read_text
from stillhere.store.db import clock, encryption
from stillhere.store.models import Contact, Person
from stillhere.store.problems import Problem
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change
from stillhere.store.watches.circle import circles_of

LEAST, MOST = 4, 40  # letters and digits of the word
LONGEST_TEXT = 200  # that could still be one
PROFILE = "injected"  # the strictest; nothing of it is asked
_SOUNDS_LIKE = (Intent.HERE, Intent.UNCLEAR)


def keep(person: Person, word: str, contacts: Collection[int]) -> None:
    """Keep the word, and who hears of it: ids of contacts who said yes. Raises Problem where the
    word cannot be told from what people say anyway, or nobody would hear it."""
    folded = _folded(word)
    if not LEAST <= len(folded.replace(" ", "")) <= MOST:
        raise Problem(Refusal.FORCE_LENGTH)
    if person.pin and check_password(word.strip(), person.pin):
        raise Problem(Refusal.FORCE_PIN)
    if _is_said_anyway(word, folded):
        raise Problem(Refusal.FORCE_COMMON)
    with transaction.atomic():
        mine = Contact.objects.filter(person=person, responder__isnull=True)
        hearing = mine.filter(id__in=contacts, status=Contact.Status.CONFIRMED)
        if not hearing.exists():
            raise Problem(Refusal.FORCE_NOBODY)
        mine.update(hears_force=False)
        hearing.update(hears_force=True)
        person.force_word = _hashed(person, folded)
        person.save(update_fields=["force_word"])


def forget(person: Person) -> None:
    """There is no such word any more. An alarm that it has raised goes on."""
    person.force_word = b""
    person.save(update_fields=["force_word"])


def is_the_word(person: Person, typed: str) -> bool:
    """Whether this is the word and nothing else."""
    if not person.force_word or len(typed) > LONGEST_TEXT:
        return False
    return hmac.compare_digest(bytes(person.force_word), _hashed(person, _folded(typed)))


def call_for_help(person: Person) -> None:
    """Begin the hidden alarm. Said again while it is open, it is the same one."""
    with transaction.atomic():
        chosen = circles_of([person.id], clock.now_ms(), forced=True).get(person.id, Circle())
        watch = apply.start(person.id, PROFILE, hidden=True)
        apply.apply(Change(NeedHelp(chosen, forced=True), watch=watch))


def _is_said_anyway(word: str, folded: str) -> bool:
    """Whether it means something else to us, or is a single word by which people say that they are
    here: then a plain check-in would call for help."""
    read = read_text(word, Role.PERSON, settings.UNDERSTOOD, watching=True)
    return read not in _SOUNDS_LIKE or (read is Intent.HERE and " " not in folded)


def _folded(typed: str) -> str:
    """Letters and digits only, without case, marks or punctuation: a phone corrects as it likes."""
    plain = unicodedata.normalize("NFKD", typed[:LONGEST_TEXT]).casefold()[: 2 * LONGEST_TEXT]
    words = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'\u2019")
    return " ".join("".join(c if c.isalnum() else " " for c in words).split())


def _hashed(person: Person, folded: str) -> bytes:
    return encryption.lookup("force", f"{person.id}:{folded}")
