"""Who is asking: the person whose key is in the cookie "lamp". No account, no password.

Owns that cookie and the two beside it: "borrowed" (this phone is somebody else's: nothing outlives
the browser) and "pin" (the PIN was typed here a moment ago). They are sent only to us, never shown
to scripts, and require https if that is how people reach us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from urllib.parse import quote

from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from stillhere.store.models import Person
from stillhere.store.people import records
from stillhere.web.access import cookies

LONGEST_KEY = 64
PIN_S = 15 * 60  # so long the PIN is not asked again

View = Callable[..., HttpResponse]


def person_of(request: HttpRequest) -> Person | None:
    """The person whose key came with this request."""
    key = request.COOKIES.get(cookies.PERSON, "")
    return records.person_by_key(key) if 0 < len(key) <= LONGEST_KEY else None


def remember(response: HttpResponse, key: str, *, borrowed: bool = False) -> None:
    """Let this browser be this person: permanently, or on a borrowed phone until it is closed."""
    cookies.keep(response, cookies.PERSON, key, None if borrowed else cookies.KEPT_S)
    if borrowed:
        cookies.keep(response, cookies.BORROWED, "1", None)


def borrowed(request: HttpRequest) -> bool:
    """Whether this phone is somebody else's."""
    return cookies.BORROWED in request.COOKIES


def own(view: View) -> View:
    """A page of the person's own: called with the person, or replaced by the first page if we do
    not know them."""

    @wraps(view)
    def shown(request: HttpRequest, **named: object) -> HttpResponse:
        person = person_of(request)
        if person is None:
            return redirect("person:first")
        return view(request, person, **named)

    return shown


def private(view: View) -> View:
    """A page of the person's own that asks for the PIN, if they chose one. Never used for a watch,
    a check-in or a call for help: those must work for shaking hands."""

    @own
    @wraps(view)
    def shown(request: HttpRequest, person: Person, **named: object) -> HttpResponse:
        if person.pin and not pin_typed(request, person):
            return HttpResponseRedirect(f"{reverse('person:pin')}?next={quote(request.path)}")
        response = view(request, person, **named)
        if person.pin:
            remember_pin(response, person)
        return response

    return shown


def _of(person: Person) -> str:
    """A token for a person and their PIN: after a change of PIN, an old cookie is worthless."""
    return f"{person.id}.{hashlib.sha256(person.pin.encode()).hexdigest()[:16]}"


def remember_pin(response: HttpResponse, person: Person) -> None:
    """The PIN was typed here just now, or a moment ago."""
    signed = signing.TimestampSigner(salt="pin").sign(_of(person))
    cookies.keep(response, cookies.PIN, signed, None)


def pin_typed(request: HttpRequest, person: Person) -> bool:
    """Whether the PIN was typed here within the last quarter of an hour."""
    try:
        signed = request.COOKIES.get(cookies.PIN, "")
        return signing.TimestampSigner(salt="pin").unsign(signed, max_age=PIN_S) == _of(person)
    except signing.BadSignature:
        return False
