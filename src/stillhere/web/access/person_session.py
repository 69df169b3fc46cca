"""Who is asking: the person whose key lies in the cookie "lamp". No account, no password.

Owns that cookie and the two beside it: "borrowed" (this phone is somebody else's: nothing outlives
the browser) and "pin" (the PIN was typed here a moment ago). They are only sent back to us, never
shown to scripts, and travel only over https where that is how people reach us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse

from stillhere.store.models import Person
from stillhere.store.people import records

COOKIE, BORROWED, PIN = "lamp", "borrowed", "pin"
KEPT_S = 400 * 24 * 3600  # the longest a browser keeps one
LONGEST_KEY = 64
PIN_S = 15 * 60  # so long the PIN is not asked again

View = Callable[..., HttpResponse]


def person_of(request: HttpRequest) -> Person | None:
    """The person whose key came with this request."""
    key = request.COOKIES.get(COOKIE, "")
    return records.person_by_key(key) if 0 < len(key) <= LONGEST_KEY else None


def keep(response: HttpResponse, name: str, value: str, max_age: int | None = KEPT_S) -> None:
    """Set one of our cookies. Without ``max_age`` (s) it goes when the browser is closed."""
    response.set_cookie(
        name, value, max_age=max_age, httponly=True, samesite="Lax", secure=settings.STILLHERE.https
    )


def remember(response: HttpResponse, key: str, *, borrowed: bool = False) -> None:
    """Let this browser be this person: for good, or on a borrowed phone until it is closed."""
    keep(response, COOKIE, key, None if borrowed else KEPT_S)
    if borrowed:
        keep(response, BORROWED, "1", None)


def borrowed(request: HttpRequest) -> bool:
    """Whether this phone is somebody else's."""
    return BORROWED in request.COOKIES


def forget(response: HttpResponse) -> None:
    """Let this browser be nobody, and keep nothing of us."""
    ours = (COOKIE, BORROWED, PIN, "light", settings.LANGUAGE_COOKIE_NAME)
    for name in (*ours, settings.CSRF_COOKIE_NAME):
        response.delete_cookie(name, samesite="Lax")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'


def own(view: View) -> View:
    """A page of the person's own: called with them, or the first page when we do not know them."""

    @wraps(view)
    def shown(request: HttpRequest, **named: object) -> HttpResponse:
        person = person_of(request)
        if person is None:
            return redirect("person:first")
        return view(request, person, **named)

    return shown


def private(view: View) -> View:
    """A page of the person's own that asks for the PIN, where they chose one. Never a watch, a
    check-in or a call for help: those must work for shaking hands."""

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
    """What stands for a person and their PIN: another PIN, and the old cookie is worth nothing."""
    return f"{person.id}.{hashlib.sha256(person.pin.encode()).hexdigest()[:16]}"


def remember_pin(response: HttpResponse, person: Person) -> None:
    """The PIN was typed here just now, or a moment ago."""
    keep(response, PIN, signing.TimestampSigner(salt="pin").sign(_of(person)), None)


def pin_typed(request: HttpRequest, person: Person) -> bool:
    """Whether the PIN was typed here within the last quarter of an hour."""
    try:
        signed = request.COOKIES.get(PIN, "")
        return signing.TimestampSigner(salt="pin").unsign(signed, max_age=PIN_S) == _of(person)
    except signing.BadSignature:
        return False
