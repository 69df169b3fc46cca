"""Whether a phone belongs to the contact: a link shows everything only on a phone that we know to
be theirs.

A link can be forwarded. Anybody else who opens it sees a first name and may say "I'm going", as any
human may. A place, a number or another name is shown only once the code has been typed that we
sent to where the contact is reached: a number is known to many. Owns the signed cookie that
remembers this; without the link it opens no page.

In an alarm the place is shown only where the phone, or the number by which it proved itself, was
known before: until then the link may have been passed on, or the number mistyped. What was said or
proved in one counts a day later, since the alarm may come back as another.
"""

from __future__ import annotations

import re

from django.core import signing
from django.http import HttpRequest, HttpResponse

from stillhere.store.db import clock
from stillhere.store.models import Contact
from stillhere.store.people.numbers import address_proof, known_before, page_code
from stillhere.store.people.numbers.known_before import DAY_MS
from stillhere.web.access import cookies, rate_limit

SALT = "whose phone"  # "whose" until 2026-11: a wrong code gave that to anybody before the yes
PROVED, SAID = "p", "s"  # how it became theirs in an alarm: by a code, or by a mere yes
MOST_LISTS = 20  # that one phone is on


def theirs(request: HttpRequest, contact: Contact) -> bool:
    """Whether this phone is theirs: they said yes on it, or proved a number. A mere yes in an alarm
    counts a day later."""
    given = _given(request, contact)
    return given is not None and (given.startswith(PROVED) or _was_known(contact, given))


def may_read_place(request: HttpRequest, contact: Contact) -> bool:
    """Whether this phone was known to be theirs before the alarm that is open now, if one is."""
    given = _given(request, contact)
    return given is not None and _was_known(contact, given)


def _given(request: HttpRequest, contact: Contact) -> str | None:
    """How and when (ms UTC) this phone became theirs, if that was in an alarm; "" if it was not,
    and None if it is not theirs."""
    if contact.person.trial:
        return ""
    try:
        kept = signing.Signer(salt=SALT).unsign(request.COOKIES.get(_name(contact), ""))
    except signing.BadSignature:
        return None
    worth, _, given = kept.partition(".")
    return given if worth == _worth(contact) else None


def _was_known(contact: Contact, given: str) -> bool:
    if not given:
        return True
    since = given[1:]
    return since.isdecimal() and int(since) + DAY_MS <= known_before.judged_at(contact)


def known(request: HttpRequest) -> list[Contact]:
    """Whose phone this is, without a link: every list on which its holder said yes."""
    ids = [int(name[1:]) for name in request.COOKIES if re.fullmatch(r"c[0-9]{1,15}", name)]
    said_yes = Contact.objects.filter(status=Contact.Status.CONFIRMED, person__trial=False)
    found = said_yes.filter(id__in=ids[:MOST_LISTS]).select_related("person").order_by("id")
    return [contact for contact in found if theirs(request, contact)]


def remember(response: HttpResponse, contact: Contact) -> None:
    """From now on this phone counts as theirs, because they said yes on it; if an alarm is open,
    a day later."""
    calm = known_before.raised_at(contact) is None
    cookies.keep(response, *cookie(contact, "" if calm else f"{SAID}{clock.now_ms()}"))


def remember_proof(response: HttpResponse, contact: Contact, *, old: bool) -> None:
    """From now on this phone counts as theirs, because they typed a code that ``proves`` it.
    ``old``: it came by a way that was known before (``known_before.may_open``)."""
    cookies.keep(response, *cookie(contact, "" if old else f"{PROVED}{clock.now_ms()}"))


def remember_at_once(response: HttpResponse, contact: Contact) -> None:
    """The same for who was known before: they came from a page of their own."""
    cookies.keep(response, *cookie(contact))


def cookie(contact: Contact, given: str = "") -> tuple[str, str]:
    """Name and value of the cookie on a phone of theirs. ``given``: how and when it became theirs,
    if that was in an alarm."""
    worth = ".".join(filter(None, [_worth(contact), given]))
    return _name(contact), signing.Signer(salt=SALT).sign(worth)


def proves(request: HttpRequest, contact: Contact, typed: str) -> bool:
    """Whether what was typed is the code that we sent to the contact. Guessing is bounded by
    line, so that one line does not use up what there is for all, and by link."""
    if page_code.is_carried(contact, typed):
        address_proof.try_code(contact, typed)
        return True
    tries = f"{rate_limit.network_of(request)} {contact.id}"
    if rate_limit.PROOFS.full(tries):
        return False
    right = page_code.is_right(contact, typed)
    if not right:
        rate_limit.PROOFS.missed(tries)
    return right


def _name(contact: Contact) -> str:
    return cookies.CONTACT.format(contact.id)


def _worth(contact: Contact) -> str:
    """What the cookie must contain. It changes with the link, so after the link is replaced the
    phone has to be proved again."""
    return bytes(contact.key_hash).hex()
