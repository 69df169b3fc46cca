"""By text: who is on my list, add somebody, rest a while, erase me. And somebody we never heard of.

Owns what these few words do for a person who has nothing but a phone. Reading them is
``core/replies.py``'s, saying something back ``channels/wording``'s. Each function returns the word
to say and the facts it speaks of: ids and instants, never a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from stillhere.core import events as ev
from stillhere.core.messages import Inbound
from stillhere.core.refusals import Refusal
from stillhere.core.replies import language_of, words_of
from stillhere.store.db import clock
from stillhere.store.installation import upkeep
from stillhere.store.models import Address, Contact, Person, WatchRow
from stillhere.store.people import address_book, contacts, invitations, persons
from stillhere.store.people.numbers import erase_code
from stillhere.store.privacy import erasure
from stillhere.store.problems import Problem, Reached
from stillhere.store.program import shifts
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Change

Said = tuple[str, Mapping[str, Any]]

DAY_MS = 86_400_000
_NUMBER = re.compile(r"\+?[0-9][0-9 ().\-/]{5,20}[0-9]")
NOBODY: Mapping[str, Any] = {}
_NOT_ADDED = {
    Refusal.SUPPRESSED: "reply-add-stopped",
    Refusal.ASKED_ENOUGH: "reply-asked-enough",
}


def on_the_list(person: Person) -> Said:
    """Everyone who would be reached, and who of them has not said yes. With a PIN, on the page."""
    if person.pin:
        return "reply-pin", NOBODY
    mine = Contact.objects.filter(person=person, status__in=["invited", "confirmed"])
    rows = list(mine.order_by("rung", "id").values_list("id", "status"))
    if not rows:
        return "reply-list-empty", NOBODY
    asked = [id for id, status in rows if status == Contact.Status.INVITED]
    return "reply-list", {"on": [id for id, _ in rows], "asked": asked}


def add(person: Person, text: str, now: int) -> Said:
    """ADD, a name if there is one, and a number typed in any way. They are asked by text. With a
    PIN the answer is the same whoever has the number: it tells nobody who is on the list."""
    found = _NUMBER.search(text)
    try:
        number = settings.PHONE_NUMBER(found[0] if found else "")
    except ValueError:
        return ("reply-add-how" if found is None else "reply-add-not"), NOBODY
    assert found is not None
    said = _add(person, text, found, number, now)
    return ("reply-add-pin", NOBODY) if person.pin else said


def _add(person: Person, text: str, found: re.Match[str], number: str, now: int) -> Said:
    if Address.objects.filter(person=person, lookup__in=address_book.lookups(number)).exists():
        return "reply-add-own", NOBODY
    before = text[: found.start()].strip(" (+,:;.-")
    name = _name_in(before)
    ways = [Reached("text", number, rings=False), Reached("call", number, rings=True)]
    there = set(person.contacts.values_list("id", flat=True))
    try:
        contact = invitations.add_contact(person, name or number[-4:], ways)
    except Problem as problem:
        return _NOT_ADDED.get(problem.why, "reply-list-full"), NOBODY
    if contact.id not in there:
        if person.pin:  # it stands before the place; here nobody asked it
            contacts.keep(contact, door=False)
        else:
            contacts.show_door_later(contact, now)
    if contact.id in there:
        return "reply-on-it-already", {"who": contact.id}
    if not invitations.is_asked(contact):
        return "reply-added-asked", {"who": contact.id}
    return "reply-added-later" if _must_wait(now) else "reply-added", {"who": contact.id}


def _name_in(before: str) -> str:
    """The name that stands before a number: "add Maya", "añade a Maya"."""
    words = settings.UNDERSTOOD
    kept = [w for w in before.split() if words.commands.keys().isdisjoint(words_of(w, words))]
    return " ".join(kept[1:] if len(kept) > 1 and kept[0] == "a" else kept)


def _must_wait(now: int) -> bool:
    """Whether no carrier of texts may spend money on an invitation any more this month."""
    texts = [c for c in settings.STILLHERE.carriers if "text" in c.carries]
    over = upkeep.over({c.name: c.cap for c in texts if c.cap is not None}, now)
    return bool(texts) and all(c.name in over for c in texts)


def rest(person: Person, text: str, now: int) -> Said:
    """PAUSE with days or weeks; one day where nothing is said. Only what is asked daily rests. With
    a PIN a longer one is for the page."""
    words = text.lower().split()
    number = next((int(w) for w in words if w.isascii() and w.isdigit() and len(w) < 4), 1)
    many = settings.UNDERSTOOD.days_of
    days = number * next((many[w.strip(".,!")] for w in words if w.strip(".,!") in many), 1)
    if person.pin and days > 1:
        return "reply-pin", NOBODY
    until_at = now + days * DAY_MS
    routines = WatchRow.objects.filter(person=person, closed_at__isnull=True).exclude(routine="")
    changes = [Change(ev.Paused(until_at), watch=w.id) for w in routines.only("id")]
    if not changes:
        return "reply-no-routine", NOBODY
    answers = apply.apply_batch(changes)
    if all(answer.refused for answer in answers):
        return "reply-no-routine", NOBODY
    return "reply-paused", {"at": until_at}


def erase(person: Person, *, sure: bool) -> Said:
    """DELETE brings a code; ``sure``: it was texted back. After that nothing is left to answer
    to."""
    if person.pin:
        return "reply-pin", NOBODY
    if not sure:
        return erase_code.WORD, NOBODY
    try:
        erasure.erase_person(person)
    except Problem:
        return "reply-delete-later", NOBODY
    return "", NOBODY


def newcomer(inbound: Inbound) -> Person:
    """Somebody we never heard of says a word that starts a watch: a phone, and the language of the
    word. No account, no name. Whoever is on shift stands by, as for a caller."""
    lang = language_of(inbound.text, settings.UNDERSTOOD) or settings.LANGUAGE_CODE
    person = persons.new_caller(inbound.sender, lang, inbound.channel)
    if shifts.anybody(clock.now_ms()):
        shifts.stand_by(person)
    return person
