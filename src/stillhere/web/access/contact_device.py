"""Whether a phone belongs to the contact: a link shows everything only on a phone that we know to
be theirs.

A link can be forwarded. Anybody else who opens it sees a first name and may say "I'm going", as any
human may. A place, a number or another name is shown only once the code has been typed that we
sent to where the contact is reached: a number is known to many. Owns the signed cookie that
remembers this; without the link it opens no page.
"""

from __future__ import annotations

import re

from django.core import signing
from django.http import HttpRequest, HttpResponse

from stillhere.store.models import Contact
from stillhere.store.people.numbers import address_proof, page_code
from stillhere.store.watches import contact_alarm
from stillhere.web.access import cookies, rate_limit

SALT = "whose phone"  # "whose" until 2026-11: a wrong code gave that to anybody before the yes
MOST_LISTS = 20  # that one phone is on


def theirs(request: HttpRequest, contact: Contact) -> bool:
    """Whether this phone is theirs: they said yes on it, or proved a number. A yes in an alarm
    counts once that alarm is over: until then the link may just have been passed on."""
    if contact.person.trial:
        return True
    try:
        kept = signing.Signer(salt=SALT).unsign(request.COOKIES.get(_name(contact), ""))
    except signing.BadSignature:
        return False
    worth, _, said_in = kept.partition(".")
    return worth == _worth(contact) and (not said_in or said_in != _open_alarm(contact))


def known(request: HttpRequest) -> list[Contact]:
    """Whose phone this is, without a link: every list on which its holder said yes."""
    ids = [int(name[1:]) for name in request.COOKIES if re.fullmatch(r"c[0-9]{1,15}", name)]
    said_yes = Contact.objects.filter(status=Contact.Status.CONFIRMED, person__trial=False)
    found = said_yes.filter(id__in=ids[:MOST_LISTS]).select_related("person").order_by("id")
    return [contact for contact in found if theirs(request, contact)]


def remember(response: HttpResponse, contact: Contact) -> None:
    """From now on this phone counts as theirs; or from the end of the alarm that is open now."""
    name, value = cookie(contact, _open_alarm(contact))
    cookies.keep(response, name, value)


def remember_at_once(response: HttpResponse, contact: Contact) -> None:
    """The same, in an alarm too: they proved it."""
    cookies.keep(response, *cookie(contact))


def cookie(contact: Contact, said_in: str = "") -> tuple[str, str]:
    """Name and value of the cookie on a phone of theirs. ``said_in``: the alarm in which they said
    yes there."""
    worth = ".".join(filter(None, [_worth(contact), said_in]))
    return _name(contact), signing.Signer(salt=SALT).sign(worth)


def _open_alarm(contact: Contact) -> str:
    """Which alarm of the person is open; "" if none is."""
    shown = contact_alarm.alarm_for(contact)
    if shown is None or shown.watch.alarm is None:
        return ""
    return f"{shown.row.id}-{shown.watch.alarms}"


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
