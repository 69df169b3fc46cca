"""Every cookie of ours: its name, how long it is kept, and how it is set and taken away.

None is shown to a script, none is sent by another site's form, and where people reach us over https
none travels without it. Django sets its own two by the same rules (config/settings.py).
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

SESSION = "session"  # the token of this browser, which is one person's
KEY = "lamp"  # until there were sessions: the key of the person whose phone this is
BORROWED = "borrowed"  # this phone is somebody else's: nothing outlives the browser
PIN = "pin"  # the PIN was typed here a moment ago
LIGHT = "light"  # how bright the pages are
DESK = "desk"  # the key of the desk
CONTACT = "c{}"  # of a contact, by its number: this phone is theirs
CODE = "p{}"  # of a contact, by its number: the code that our message to them carried here
KEPT_S = 400 * 24 * 3600  # the longest a browser keeps one


def keep(
    response: HttpResponse, name: str, value: str, max_age_s: int | None = KEPT_S, path: str = "/"
) -> None:
    """Set one. Without ``max_age_s`` it goes when the browser is closed."""
    response.set_cookie(
        name,
        value,
        max_age=max_age_s,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=settings.STILLHERE.https,
    )


def drop(response: HttpResponse, name: str) -> None:
    """Take one away."""
    response.delete_cookie(name, samesite="Lax")


def drop_all(response: HttpResponse) -> None:
    """Take away what says who somebody is, or what they like, and whatever else is kept here."""
    django = (settings.LANGUAGE_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
    for name in (SESSION, KEY, BORROWED, PIN, LIGHT, *django):
        drop(response, name)
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'
