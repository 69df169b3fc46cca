"""Who sits at the coordinator's desk: a browser that opened the desk's link within twelve hours.

The link's key is exchanged for a signed cookie, so that it stands in no address of the desk and in
no history but once. A new link ends every session of the old one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from stillhere.store.installation import desk_key
from stillhere.store.models import Installation
from stillhere.store.watches import queries
from stillhere.web.access import cookies

LASTS_S = 12 * 3600  # a shift

View = Callable[..., HttpResponse]
_SIGNER = "desk"


def begin(response: HttpResponse) -> None:
    """This browser opened the link just now."""
    signed = signing.TimestampSigner(salt=_SIGNER).sign(desk_key.mark())
    cookies.keep(response, cookies.DESK, signed, LASTS_S)


def is_open(request: HttpRequest) -> bool:
    """Whether it did within the last twelve hours, and the link is still the same."""
    try:
        signed = request.COOKIES.get(cookies.DESK, "")
        mark = signing.TimestampSigner(salt=_SIGNER).unsign(signed, max_age=LASTS_S)
    except signing.BadSignature:
        return False
    return mark == desk_key.mark(installation_of(request))


def installation_of(request: HttpRequest) -> Installation:
    """The installation's row; read once a request."""
    if not hasattr(request, "_installation"):
        request._installation = queries.installation()  # type: ignore[attr-defined]
    found: Installation = request._installation  # type: ignore[attr-defined]
    return found


def at_the_desk(view: View) -> View:
    """A page of the desk; before anybody else it stays shut, and says how to open it."""

    @wraps(view)
    def shown(request: HttpRequest, **named: object) -> HttpResponse:
        if is_open(request):
            return view(request, **named)
        pressed = request.method not in ("GET", "HEAD")
        given = {"pressed": pressed, "light": ""}
        return render(request, "program/desk_door.html", given, status=403 if pressed else 200)

    return shown
