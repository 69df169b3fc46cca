"""Who is asking: the person whose key lies in the cookie "lamp". No account, no password.

Owns that cookie. It is only sent back to us, never shown to scripts, and travels only over https
where that is how people reach us.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from stillhere.store import queries
from stillhere.store.models import Person

COOKIE = "lamp"
KEPT_S = 400 * 24 * 3600  # the longest a browser keeps one
LONGEST_KEY = 64


def person_of(request: HttpRequest) -> Person | None:
    """The person whose key came with this request."""
    key = request.COOKIES.get(COOKIE, "")
    return queries.person_by_key(key) if 0 < len(key) <= LONGEST_KEY else None


def remember(response: HttpResponse, key: str) -> None:
    """Let this browser be this person."""
    response.set_cookie(
        COOKIE, key, max_age=KEPT_S, httponly=True, samesite="Lax", secure=settings.STILLHERE.https
    )


def forget(response: HttpResponse) -> None:
    """Let this browser be nobody."""
    response.delete_cookie(COOKIE, samesite="Lax")


def own(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of the person's own: called with them, or the first page when we do not know them."""

    @wraps(view)
    def shown(request: HttpRequest, **named: object) -> HttpResponse:
        person = person_of(request)
        if person is None:
            return HttpResponseRedirect("/")
        return view(request, person, **named)

    return shown
