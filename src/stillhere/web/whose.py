"""Whose phone this is: a contact's link opens everything only on a phone that we know to be theirs.

A link can be forwarded. Somebody else who opens it sees a first name and may say "I'm going", which
every human may; a place, a number or another name comes only after a number that was invited. Owns
the cookie that says so; it is signed, and worth nothing without the link.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from stillhere.store import sealed
from stillhere.store.models import Address, Contact
from stillhere.web import reach, session, throttle

SALT = "whose"


def theirs(request: HttpRequest, contact: Contact) -> bool:
    """Whether this is a phone of theirs: where they said yes, or proved a number."""
    if contact.person.trial:
        return True
    try:
        kept = signing.Signer(salt=SALT).unsign(request.COOKIES.get(_name(contact), ""))
    except signing.BadSignature:
        return False
    return kept == _worth(contact)


def remember(response: HttpResponse, contact: Contact) -> None:
    """From now on this phone is theirs."""
    name, value = cookie(contact)
    response.set_cookie(
        name,
        value,
        path="/c",
        max_age=session.KEPT_S,
        httponly=True,
        samesite="Lax",
        secure=settings.STILLHERE.https,
    )


def cookie(contact: Contact) -> tuple[str, str]:
    """Name and value of what a phone of theirs keeps."""
    return _name(contact), signing.Signer(salt=SALT).sign(_worth(contact))


def proves(request: HttpRequest, contact: Contact, typed: str) -> bool:
    """Whether what was typed is a number or address of somebody on this list, or the person's own,
    which they know. Guessing is slow, for each line and link."""
    tries = f"{throttle.network_of(request)} {contact.id}"
    if throttle.PROOFS.full(tries):
        return False
    kinds = ("email",) if "@" in typed else ("phone",)
    read = reach.read(dict.fromkeys(kinds, typed))
    lookups = [sealed.lookup(way.channel, way.value) for way in read.ways]
    wanted = Q(contact__person=contact.person_id, contact__status__in=["invited", "confirmed"])
    on_list = Address.objects.filter(wanted | Q(person=contact.person_id))
    found = on_list.filter(lookup__in=lookups).exists()
    if not found:
        throttle.PROOFS.missed(tries)
    return found


def _name(contact: Contact) -> str:
    return f"c{contact.id}"


def _worth(contact: Contact) -> str:
    """It ends with the link: a renewed one must be proved anew."""
    return bytes(contact.key_hash).hex()
