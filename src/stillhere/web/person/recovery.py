"""Coming back without an account: the link, and the code that can be printed and typed.

Owns the code: the person's key as 32 letters and digits that are hard to confuse, in groups of
four. It opens exactly what the link opens.
"""

from __future__ import annotations

import base64
import binascii
import re

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from stillhere.store.models import Person
from stillhere.store.people import records
from stillhere.store.watches import queries
from stillhere.web.access import person_session, rate_limit
from stillhere.web.person import pin
from stillhere.web.person.account_forms import CodeForm, PinForm
from stillhere.web.site import errors, links

LONGEST_TYPED = 400
MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B"})  # what base 32 leaves out
_KEY = re.compile(r"[A-Za-z0-9_-]{27}")


def code_of(key: str) -> str:
    """A key as it is printed: "ABCD EFGH ..."."""
    code = base64.b32encode(base64.urlsafe_b64decode(key + "=")).decode()
    return " ".join(code[i : i + 4] for i in range(0, len(code), 4))


def key_of(typed: str) -> str:
    """The key in what was typed or pasted: a link, a key, or the code in any spacing. May be
    empty."""
    text = "".join(typed[:LONGEST_TYPED].split())
    last = text.rstrip("/").rpartition("/")[2]
    if _KEY.fullmatch(last):
        return last
    letters = re.sub(r"[^A-Z2-7]", "", text.upper().translate(MISREAD))
    try:
        return base64.urlsafe_b64encode(base64.b32decode(letters)).decode().rstrip("=")
    except (binascii.Error, ValueError):
        return ""


def link_of(key: str) -> str:
    return links.full("person:recovery", key)


def printed(request: HttpRequest, key: str) -> HttpResponse:
    """The page to print."""
    drawn = segno.make(link_of(key), micro=False).svg_inline(scale=4, border=2, omitsize=True)
    given = {"code": code_of(key), "base": settings.STILLHERE.base_url, "drawn": drawn, "light": ""}
    return render(request, "person/recovery.html", given)


@require_http_methods(["GET", "HEAD", "POST"])
def typed(request: HttpRequest) -> HttpResponse:
    """ "I have a code"."""
    if request.method != "POST":
        return render(request, "person/code.html", {"light": "night"})
    text = CodeForm.read(request.POST)["code"]
    key = key_of(text)
    person = records.person_by_key(key) if key else None
    if person is not None and _before(request, person) is not None:
        return redirect("person:recovery", key)  # which says what that means
    if person is not None:
        return _opened(request, person)
    if rate_limit.missed(request):
        return errors.unknown_key(request)
    wrong = _("This code opens nothing. Look at each letter once more, or find a newer one.")
    return render(
        request, "person/code.html", {"wrong": wrong, "code": text, "light": "night"}, status=404
    )


@require_http_methods(["GET", "HEAD", "POST"])
def come_back(request: HttpRequest, key: str) -> HttpResponse:
    """The recovery link: a page with one button, because scanners follow links. The button must be
    pressed on our own page: if another site could press it, Sam would end up in somebody else's
    account. Where this browser is somebody else's already, it says so first."""
    person = records.person_by_key(key)
    if person is None:
        return errors.unknown_key(request)
    before = _before(request, person)
    if before is not None:
        return _instead(request, person, before)
    if request.method == "POST":
        return _opened(request, person)
    return render(request, "person/come_back.html", {"has_pin": bool(person.pin), "light": "night"})


def _before(request: HttpRequest, person: Person) -> Person | None:
    """Whose browser this is, if it is somebody else's than this ``person``'s."""
    before = person_session.person_of(request)
    return before if before is not None and before.id != person.id else None


def _instead(request: HttpRequest, person: Person, before: Person) -> HttpResponse:
    """Open these pages in place of those of somebody else, ``before``: never while a watch of
    theirs runs here, and only with their PIN where they have one. Their number is told."""
    given = {
        "has_pin": bool(person.pin),
        "instead": True,
        "watched": queries.is_watched(before),
        "locked": person_session.locked(request, before),
        "light": "night",
    }
    if request.method != "POST":
        return render(request, "person/come_back.html", given)
    if given["watched"]:
        return render(request, "person/come_back.html", given, status=409)
    entered = PinForm.read(request.POST)["pin"]
    wrong, _forced = pin.tried(before, entered) if given["locked"] else ("", False)
    if wrong:
        return render(request, "person/come_back.html", given | {"wrong": wrong}, status=422)
    return _opened(request, person)


def _opened(request: HttpRequest, person: Person) -> HttpResponse:
    """This browser is the person's from now on. A PIN stays: whoever was sent the link, or found
    it, is not the one who chose the PIN."""
    response = redirect("person:watch")
    borrowed = CodeForm.read(request.POST)["borrowed"]
    person_session.remember(request, response, person, borrowed=borrowed, tell=True)
    return response
