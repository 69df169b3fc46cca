"""Who is asking: the person whose browser this is. No account, no password.

The cookie "session" holds a token that opens their pages until it is taken away on any of their
phones (``store/people/browsers.py``). Beside it stand "borrowed" (this phone is somebody else's:
nothing outlives the browser) and "pin" (the PIN was typed here a moment ago). They are sent only to
us, never shown to scripts, and require https if that is how people reach us.

Until there were sessions the cookie "lamp" held the key itself. Such a one is taken once more and
exchanged, as long as its person was there before and has made no new link since.
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

from stillhere.store.models import Browser, Person
from stillhere.store.people import browsers, persons, records
from stillhere.web.access import cookies, user_agent

LONGEST_TOKEN = 64
PIN_S = 15 * 60  # so long the PIN is not asked again

View = Callable[..., HttpResponse]


def browser_of(request: HttpRequest) -> Browser | None:
    """The browser that this request comes from, with its person; read once a request."""
    if not hasattr(request, "_browser"):
        token = request.COOKIES.get(cookies.SESSION, "")
        known = 0 < len(token) <= LONGEST_TOKEN
        request._browser = browsers.by_token(token) if known else None  # type: ignore[attr-defined]
    found: Browser | None = request._browser  # type: ignore[attr-defined]
    return found


def person_of(request: HttpRequest) -> Person | None:
    """The person whose browser this is."""
    browser = browser_of(request)
    return browser.person if browser is not None else _by_old_cookie(request)


def _by_old_cookie(request: HttpRequest) -> Person | None:
    key = request.COOKIES.get(cookies.KEY, "")
    person = records.person_by_key(key) if 0 < len(key) <= LONGEST_TOKEN else None
    return person if person is not None and person.key_in_cookie else None


def remember(
    request: HttpRequest, response: HttpResponse, person: Person, *, borrowed: bool, tell: bool
) -> None:
    """Let this browser be this person's: permanently, or on a borrowed phone until it is closed.
    ``tell`` their own number of it."""
    before, kind = browser_of(request), user_agent.kind_of(request)
    if before is not None and before.person_id == person.id:
        token = browsers.renew(before, kind, borrowed=borrowed)
    else:
        if before is not None:
            browsers.close(before)
        _browser, token = browsers.open_pages(person, kind, borrowed=borrowed, tell=tell)
    _keep(request, response, token, borrowed=borrowed)


def _keep(request: HttpRequest, response: HttpResponse, token: str, *, borrowed: bool) -> None:
    cookies.keep(response, cookies.SESSION, token, None if borrowed else cookies.KEPT_S)
    if borrowed:
        cookies.keep(response, cookies.BORROWED, "1", None)
    elif cookies.BORROWED in request.COOKIES:
        cookies.drop(response, cookies.BORROWED)
    if cookies.KEY in request.COOKIES:
        cookies.drop(response, cookies.KEY)


def forget(request: HttpRequest, response: HttpResponse) -> None:
    """This browser is nobody's any more."""
    browser = browser_of(request)
    if browser is not None:
        browsers.close(browser)
    cookies.drop_all(response)


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
        if browser_of(request) is not None:
            return view(request, person, **named)
        here = borrowed(request)
        kind = user_agent.kind_of(request)
        browser, token = browsers.exchange_key(person, kind, borrowed=here)
        request._browser = browser  # type: ignore[attr-defined]
        response = view(request, person, **named)
        if cookies.KEY not in response.cookies:  # else it has just been forgotten
            _keep(request, response, token, borrowed=here)
        return response

    return shown


def private(view: View) -> View:
    """A page of the person's own that asks for the PIN, if they chose one. Never used for a watch,
    a check-in or a call for help: those must work for shaking hands."""

    @own
    @wraps(view)
    def shown(request: HttpRequest, person: Person, **named: object) -> HttpResponse:
        if locked(request, person):
            return HttpResponseRedirect(f"{reverse('person:pin')}?next={quote(request.path)}")
        forced = opened_by_word(request, person)
        response = view(request, person, **named)
        if person.pin:
            remember_pin(response, person, forced=forced)
        return response

    return shown


def locked(request: HttpRequest, person: Person) -> bool:
    """Whether a PIN stands before this, and was not typed here lately."""
    if not person.pin or persons.drop_forgotten_pin(person):
        return False
    return not pin_typed(request, person)


def may_name(request: HttpRequest, person: Person) -> bool:
    """Whether a page that asks for no PIN may say who is on the list."""
    return not person.pin or pin_typed(request, person)


def _of(person: Person, *, forced: bool) -> str:
    """A token for a person and their PIN: after a change of PIN, an old cookie is worthless. That
    it was the word under force instead, nobody can read in it."""
    of = person.pin + persons.decoy_pin(person)
    of = f"{of} forced" if forced else of
    return f"{person.id}.{hashlib.sha256(of.encode()).hexdigest()[:16]}"


def remember_pin(response: HttpResponse, person: Person, *, forced: bool) -> None:
    """The PIN was typed here just now, or a moment ago; or the word under force in its place."""
    signed = signing.TimestampSigner(salt="pin").sign(_of(person, forced=forced))
    cookies.keep(response, cookies.PIN, signed, None)


def pin_typed(request: HttpRequest, person: Person) -> bool:
    """Whether the PIN, or the word, was typed here within the last quarter of an hour."""
    return _typed(request) in (_of(person, forced=False), _of(person, forced=True))


def opened_by_word(request: HttpRequest, person: Person) -> bool:
    """Whether it was the word under force, or the PIN that was set on such pages, or the PIN was
    removed there. For whoever typed it that is the PIN."""
    typed = bool(person.pin) and _typed(request) == _of(person, forced=True)
    return typed or bool(person.pin_aside)


def _typed(request: HttpRequest) -> str:
    try:
        signed = request.COOKIES.get(cookies.PIN, "")
        return str(signing.TimestampSigner(salt="pin").unsign(signed, max_age=PIN_S))
    except signing.BadSignature:
        return ""
