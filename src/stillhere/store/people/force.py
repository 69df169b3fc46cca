"""A word under force: it looks like "Still here", and calls for help in secret.

Somebody may hold Sam's phone, or stand beside Sam while Sam answers. The word (a text, or typed
where the PIN is asked) is answered like a check-in. The call for help is made by a person of its
own, a copy of what those who come must know and of those whom Sam chose to hear it: whatever is
changed, taken off, renewed or erased on Sam's pages afterwards does not reach it, and nothing that
Sam's phones, cards or exports show speaks of it. What is set on pages that the word opened in place
of the PIN stands beside what Sam set (a ``decoy``): the PIN there is another that opens, and the
word there another that calls. Owns the words, who hears them, and the call.
"""

from __future__ import annotations

import hmac
import secrets
import unicodedata
from collections.abc import Collection
from enum import Enum, auto

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from stillhere.core.circle import Circle
from stillhere.core.events import NeedHelp
from stillhere.core.messages import WRITTEN
from stillhere.core.refusals import Refusal
from stillhere.core.replies import Intent, Role, read_note, read_text, without_signature, words_of
from stillhere.store.db import clock, encryption
from stillhere.store.models import Address, Contact, Person, sealed_columns
from stillhere.store.people import address_book, persons
from stillhere.store.people.numbers.strangers import PROVED
from stillhere.store.problems import Problem, Reached
from stillhere.store.recordings import notes
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change
from stillhere.store.watches.circle import circles_of

LEAST, MOST = 4, 40  # letters and digits of the word
LONGEST_TEXT = 200  # that could still be one
PROFILE = "injected"  # the strictest; nothing of it is asked
_BY_THE_WORD = ~Q(channel="page")  # somebody may stand before an open page
_COPIED = ("lang", "rung", "status", "door", "minutes", "why", "created_at", "answered_at")


class ForceWord(Enum):
    """Which of the words it is."""

    OWN = auto()  # as Sam set it
    DECOY = auto()  # as it was set on pages that Sam's opened


def keep(person: Person, word: str, contacts: Collection[int], *, decoy: bool = False) -> None:
    """Keep the word, and who hears of it: ids of contacts who said yes. Raises Problem where the
    word cannot be told from what people say anyway, where it would be texted from a number that is
    not shown to be theirs, or one of those chosen would not hear it."""
    folded = _folded(word)
    kept = folded.replace(" ", "")
    if not LEAST <= len(kept) <= MOST:
        raise Problem(Refusal.FORCE_LENGTH)
    if _is_said_anyway(word, folded):
        raise Problem(Refusal.FORCE_COMMON)
    texts = person.addresses.filter(channel__in=WRITTEN).values_list("proved_at", flat=True)
    if texts and not any(texts):
        raise Problem(Refusal.FORCE_UNPROVED)
    with transaction.atomic():
        mine = Contact.objects.filter(person=person, responder__isnull=True)
        hearing = mine.filter(id__in=contacts, status=Contact.Status.CONFIRMED)
        if not hearing.exists():
            raise Problem(Refusal.FORCE_NOBODY)
        if not all(is_reached(contact) for contact in hearing):
            raise Problem(Refusal.FORCE_UNREACHED)
        if not decoy:
            mine.update(hears_force=False)
            hearing.update(hears_force=True)
            person.force_word = _hashed(person, kept)
        mine.update(hears_decoy=False)
        if decoy:
            hearing.update(hears_decoy=True)
        person.decoy_word = _hashed(person, kept) if decoy else b""
        person.save(update_fields=["force_word", "decoy_word"])


def is_reached(contact: Contact) -> bool:
    """Whether the word would reach them: by a way that was shown to be theirs. The page they may
    have open is none, because the call is not made from the list that it belongs to."""
    ways = contact.addresses.filter(PROVED, state=Address.State.OK)
    return ways.filter(_BY_THE_WORD).exists()


def forget(person: Person, *, decoy: bool = False) -> None:
    """There is no such word any more; of a ``decoy``, no other one. An alarm that it has raised
    goes on."""
    person.decoy_word = b""
    if not decoy:
        person.force_word = b""
    person.save(update_fields=["force_word", "decoy_word"])


def is_said_from(way: Address, text: str) -> bool:
    """Whether a text from ``way`` is the word of the person whose way it is. Anybody can type a
    number as theirs: it counts once its owner has shown that it is."""
    person = way.person
    return person is not None and way.proved_at > 0 and word_in(person, text) is not None


def word_in(person: Person, text: str) -> ForceWord | None:
    """Which of the words a text is: also with a signature, with one polite word or "ok" beside it,
    or as its plural."""
    if not person.force_word or not text.strip():
        return None
    read = (which_word(person, said) for said in _ways_to_read(text))
    return next((word for word in read if word is not None), None)


def _ways_to_read(text: str) -> list[str]:
    words = settings.UNDERSTOOD
    own = without_signature(text, words)
    said = _folded(own).split()
    found = [text, own]
    for beside, rest in ((said[-1:], said[:-1]), (said[:1], said[1:])):
        here = read_text(" ".join(beside), Role.PERSON, words, watching=True) is Intent.HERE
        if rest and (here or words.polite.issuperset(beside)):
            found.append(" ".join(rest))
    return [*found, *(each[:-1] for each in map(_folded, found) if each.endswith("s"))]


def is_the_word(person: Person, typed: str) -> bool:
    """Whether this is such a word and nothing else. Spaces do not count."""
    return which_word(person, typed) is not None


def which_word(person: Person, typed: str) -> ForceWord | None:
    """Which of the words this is, and nothing else."""
    if not person.force_word or len(typed) > LONGEST_TEXT:
        return None
    folded = _folded(typed)
    hashed = _hashed(person, folded.replace(" ", "")), _hashed(person, folded)  # as once kept
    for word, kept in (
        (ForceWord.OWN, person.force_word),
        (ForceWord.DECOY, person.decoy_word),
    ):
        if any(hmac.compare_digest(bytes(kept), each) for each in hashed):
            return word
    return None


def call_for_help(person: Person, typed: str = "") -> None:
    """Begin the alarm in secret, for those who hear the word that was ``typed``, or Sam's own. Said
    again while it is open, it is the same one."""
    decoy = word_in(person, typed) is ForceWord.DECOY
    with transaction.atomic():
        Person.objects.select_for_update().get(id=person.id)
        mark = encryption.lookup("secret", f"{person.id} decoy" if decoy else str(person.id))
        double = Person.objects.filter(
            secret=True, force_word=mark, watches__closed_at__isnull=True
        ).first() or _double_of(person, mark, decoy=decoy)
        chosen = circles_of([double.id], clock.now_ms()).get(double.id, Circle())
        watch = apply.start(double.id, PROFILE)
        apply.apply(Change(NeedHelp(chosen, forced=True), watch=watch))


def _double_of(person: Person, mark: bytes, *, decoy: bool) -> Person:
    """A copy of the person for whom those chosen are called, with their own keys. ``mark`` is how
    it is found again; no key opens its pages."""
    nonce = encryption.new_nonce()
    double = Person.objects.create(
        nonce=nonce,
        key_hash=encryption.key_hash(secrets.token_urlsafe()),
        lang=person.lang,
        tz=person.tz,
        wish=person.wish,
        created_at=clock.now_ms(),
        secret=True,
        force_word=mark,
    )
    persons.set_plan(double, **{n: sealed_columns.person_note(person, n) for n in persons.NOTES})
    notes.copy(person, double)
    chosen = Q(hears_decoy=True) if decoy else Q(hears_force=True)
    hearing = person.contacts.filter(chosen, status=Contact.Status.CONFIRMED)
    for contact in hearing.order_by("id"):
        _copy(contact, double)
    return double


def _copy(contact: Contact, double: Person) -> None:
    nonce, now = encryption.new_nonce(), clock.now_ms()
    copy = Contact.objects.create(
        person=double,
        nonce=nonce,
        key_hash=encryption.key_hash(encryption.key_for("contact", nonce)),
        name=encryption.seal(sealed_columns.contact_name(contact), "contact.name", nonce),
        **{name: getattr(contact, name) for name in _COPIED},
    )
    for way in contact.addresses.filter(_BY_THE_WORD, state=Address.State.OK):
        reached = Reached(way.channel, sealed_columns.address_value(way), way.rings)
        address_book.add_address(reached, contact=copy, now=now, proved_at=way.proved_at)


def _is_said_anyway(word: str, folded: str) -> bool:
    """Whether it means something else to us, to whomever it is said, or is made of words that we
    know; or is a single word by which people say that they are here: then a plain check-in would
    call for help."""
    words = settings.UNDERSTOOD
    if read_text(word, Role.PERSON, words, watching=True) is Intent.HERE:
        return " " not in folded
    meant = {
        read_text(word, role, words, watching=watching, asked=True)
        for role in Role
        for watching in (True, False)
    }
    known = words.known.union(words.opt_in).issuperset(words_of(word, words))
    return known or meant != {Intent.UNCLEAR} or read_note(word, words) is not None


def _folded(typed: str) -> str:
    """Letters and digits only, without case, marks or punctuation: a phone corrects as it likes."""
    plain = unicodedata.normalize("NFKD", typed[:LONGEST_TEXT]).casefold()[: 2 * LONGEST_TEXT]
    words = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'\u2019")
    return " ".join("".join(c if c.isalnum() else " " for c in words).split())


def _hashed(person: Person, folded: str) -> bytes:
    return encryption.lookup("force", f"{person.id}:{folded}")
