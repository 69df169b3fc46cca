"""Try it: a friend's phone rings in 30 seconds. The real thing, with nobody in danger.

Owns the person's side of a try-out: a throw-away person, opened by the key in the address; a link
for the friend's phone, whose side is the contact's page; a watch that asks after seconds. Nothing
is sent to anybody: the friend's page rings by itself.
"""

from __future__ import annotations

from typing import Any

import segno
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from stillhere.content import sentences
from stillhere.core.events import State
from stillhere.core.profiles import TRIAL
from stillhere.store.db import clock
from stillhere.store.models import Person, sealed_columns
from stillhere.store.people import persons, records
from stillhere.store.watches import apply, queries
from stillhere.web.access.rate_limit import Guesses, client_of
from stillhere.web.person.account_forms import BeginForm
from stillhere.web.site import errors, health, links, watch_text

PLAYED = ("Sam", "Maya")  # whom the two phones stand for
MINE = Guesses(most=5)  # a minute, from one address
ALL = Guesses(most=60)  # a minute, for everyone together


@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """A new try-out, unless there were too many a moment ago."""
    if request.method != "POST":
        return redirect("person:first")
    if MINE.missed(client_of(request)) or ALL.missed("all"):
        response = errors.trouble(
            429, _("Too many try-outs at once"), _("Wait a minute, then try again.")
        )
        response["Retry-After"] = "60"
        return response
    _person, key = persons.new_trial(
        sentences.language(),
        BeginForm.read(request.POST)["tz"] or "UTC",
        *PLAYED,
    )
    return links.see_other("person:trial", key)


@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, key: str) -> HttpResponse:
    """The try-out as it stands; pressing Start begins it, or begins it again."""
    person = records.trial_by_key(key)
    if person is None:
        return errors.unknown_key(request)
    if request.method == "POST":
        apply.start(person.id, TRIAL)
        return links.see_other("person:trial", key)
    return render(request, "person/try.html", _given(person, key))


@require_safe
def part(request: HttpRequest, key: str) -> HttpResponse:
    """The changing part of the page, for its script."""
    person = records.trial_by_key(key)
    if person is None:
        return errors.unknown_key(request)
    return render(request, "person/parts/try.html", _given(person, key))


@require_safe
def state(request: HttpRequest, key: str) -> HttpResponse:
    """Small and often: whether the page must change."""
    person = records.trial_by_key(key)
    if person is None:
        raise Http404
    shown = queries.watch_of(person)
    said: dict[str, Any] = {
        "v": _version(person, shown),
        "open": _open(shown),
        "now": clock.now_ms(),
    }
    if shown is not None:
        said |= {"state": shown.watch.state, "ask": shown.watch.asks}
    return JsonResponse(said)


def _open(shown: queries.ShownWatch | None) -> bool:
    return shown is not None and shown.watch.state is not State.CLOSED


def _version(person: Person, shown: queries.ShownWatch | None) -> str:
    ready = person.contacts.filter(status="confirmed").exists()
    return f"{ready:d}.{health.behind():d}.{watch_text.version(shown)}"


def _given(person: Person, key: str) -> dict[str, Any]:
    now = clock.now_ms()
    shown = queries.watch_of(person)
    people = watch_text.on_the_list(records.circle_list(person), now)
    contact = person.contacts.order_by("id")[0]
    link = links.full("contact:page", sealed_columns.contact_key(contact))
    given: dict[str, Any] = {
        "key": key,
        "shown": shown,
        "open_now": _open(shown),
        "ready": any(one.confirmed for one in people),
        "rang": shown is not None and shown.watch.alarms > 0,
        "version": _version(person, shown),
        "link": link,
        "drawn": segno.make(link, micro=False).svg_inline(scale=4, border=2, omitsize=True),
        "now": now,
        "rate": clock.read().rate,
        "refresh": 3,
        "light": "night",
    }
    if shown is not None:
        telling = watch_text.tell(shown, people, now, person.tz)
        given |= {"telling": telling, "ring": watch_text.ring(telling, now)}
    return given
