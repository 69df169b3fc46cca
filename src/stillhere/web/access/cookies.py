"""Every cookie of ours: its name, how long it is kept, and how it is set and taken away.

None is shown to a script, none is sent by another site's form, and where people reach us over https
none travels without it. Django sets its own two by the same rules (config/settings.py).

Over https those that say who somebody is are called ``__Host-...``: a browser takes such a one from
this very host alone, so that no neighbour under the same domain can plant it. Over plain http
browsers refuse that name. Views read and keep them by their plain names; ``PrefixMiddleware`` is
between. The others are what somebody likes, or bound to one page.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

SESSION = "session"  # the token of this browser, which is one person's
KEY = "lamp"  # until there were sessions: the key of the person whose phone this is
BORROWED = "borrowed"  # this phone is somebody else's: nothing outlives the browser
PIN = "pin"  # the PIN was typed here a moment ago
LIGHT = "light"  # how bright the pages are
DESK = "desk"  # the key of the desk
CONTACT = "c{}"  # of a contact, by its number: this phone is theirs
CODE = "p{}"  # of a contact, by its number: the code that our message to them carried here
KEPT_S = 400 * 24 * 3600  # the longest a browser keeps one

PREFIX = "__Host-"
_PREFIXED = re.compile(f"{SESSION}|{BORROWED}|{PIN}|{DESK}|{CONTACT.format('[0-9]{1,15}')}")
# From before there were such names, and worth nothing to whoever plants it: taken once more.
_EXCHANGED = re.compile(f"{BORROWED}|{CONTACT.format('[0-9]{1,15}')}")


def keep(
    response: HttpResponse, name: str, value: str, max_age_s: int | None = KEPT_S, path: str = "/"
) -> None:
    """Set one. Without ``max_age_s`` it goes when the browser is closed."""
    response.set_cookie(
        sent_as(name),
        value,
        max_age=max_age_s,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=settings.STILLHERE.https,
    )


def drop(response: HttpResponse, name: str) -> None:
    """Take one away."""
    response.delete_cookie(sent_as(name), samesite="Lax")


def sent_as(name: str) -> str:
    """The name by which a browser knows it."""
    prefixed = settings.STILLHERE.https and _PREFIXED.fullmatch(name)
    return f"{PREFIX}{name}" if prefixed else name


def drop_all(response: HttpResponse) -> None:
    """Take away what says who somebody is, or what they like, and whatever else is kept here."""
    django = (settings.LANGUAGE_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
    for name in (SESSION, KEY, BORROWED, PIN, LIGHT, *django):
        drop(response, name)
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'


class PrefixMiddleware(MiddlewareMixin):
    """Over https: plain names for the views, and an end to those that a neighbour may have
    planted. A phone that is known by an old name gets the new one."""

    def process_request(self, request: HttpRequest) -> None:
        request._old = {}  # type: ignore[attr-defined]
        if not settings.STILLHERE.base_url.startswith("https:"):
            return
        sent = dict(request.COOKIES)
        for name, value in sent.items():
            plain = name.removeprefix(PREFIX)
            if not _PREFIXED.fullmatch(plain):
                continue
            if name != plain:
                request.COOKIES[plain] = value
            elif f"{PREFIX}{plain}" not in sent:
                if _EXCHANGED.fullmatch(plain):
                    request._old[plain] = value  # type: ignore[attr-defined]
                else:
                    del request.COOKIES[plain]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        for name, value in getattr(request, "_old", {}).items():
            if sent_as(name) not in response.cookies:
                keep(response, name, value, None if name == BORROWED else KEPT_S)
            response.delete_cookie(name, samesite="Lax")
        return response
