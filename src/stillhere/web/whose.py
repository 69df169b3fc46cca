"""Whose phone this is: a contact's link opens everything only on a phone that we know to be theirs.

A link can be forwarded. Somebody else who opens it sees a first name and may say "I'm going", which
every human may; a place, a number or another name comes only after a number that was invited. Owns
the cookie that says so; it is signed, and worth nothing without the link.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from stillhere.store import sealed
from stillhere.store.models import Address, Contact
from stillhere.web import reach, session, throttle

PHONES = ("text", "call")
SALT = "whose"


def theirs(request: HttpRequest, contact: Contact) -> bool:
    """Whether this is a phone of theirs. Who never gave a number or an address has none to prove it
    with: their page is all there is."""
    if contact.person.trial or not _provable(contact):
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
    """Whether what was typed is a number or address somebody on this list was invited by. Guessing
    is slow."""
    network = throttle.network_of(request)
    if throttle.GUESSES.full(network):
        return False
    kinds = ("email",) if "@" in typed else ("phone",)
    read = reach.read(dict.fromkeys(kinds, typed))
    lookups = [sealed.lookup(way.channel, way.value) for way in read.ways]
    on_list = Address.objects.filter(
        contact__person=contact.person_id, contact__status__in=["invited", "confirmed"]
    )
    found = on_list.filter(lookup__in=lookups).exists()
    if not found:
        throttle.GUESSES.missed(network)
    return found


def _provable(contact: Contact) -> bool:
    return contact.addresses.filter(channel__in=(*PHONES, "email")).exists()


def _name(contact: Contact) -> str:
    return f"c{contact.id}"


def _worth(contact: Contact) -> str:
    """It ends with the link: a renewed one must be proved anew."""
    return bytes(contact.key_hash).hex()
