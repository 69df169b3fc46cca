"""Whom to reach, how to reach Sam, and what those who come must know: the plan, typed by hand.

Makes every address regular through its channel before anything is kept; what was wrong is said
beside the field, and nothing that was typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from stillhere.store import clock, queries, services
from stillhere.store.models import Address, Contact, Person
from stillhere.store.services import Problem
from stillhere.web import night, reach, session, words
from stillhere.web.context import light

NOTES = ("name", "place", "entry", "dispatch")


@session.private
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, person: Person) -> HttpResponse:
    """The list, and the forms that change it."""
    if request.method != "POST":
        return _page(request, person, note=words.note(request.GET.get("said", "")))
    work = {"add": _add, "remove": _remove, "own": _own, "plan": _plan}.get(
        request.POST.get("do", "")
    )
    if work is None:
        return _page(request, person)
    try:
        said, wrong = work(person, request.POST)
    except Problem as problem:
        said, wrong = "", {"": words.put(str(problem))}
    if wrong:
        return _page(request, person, wrong=wrong, typed=request.POST, status=422)
    return HttpResponseRedirect(f"/people?said={said}")


Done = tuple[str, dict[str, str]]  # the name of what is said, or what is wrong by field


def _add(person: Person, typed: Mapping[str, str]) -> Done:
    """Someone new, invited at once. The same address twice is one contact."""
    read = reach.read(typed)
    if read.wrong:
        return "", read.wrong
    if not read.ways:
        return "", {"": words.put("say how to reach them")}
    mine = typed.get("my_name", "").strip()
    if mine:
        services.set_plan(person, name=mine)
    before = set(person.contacts.values_list("id", flat=True))
    lang = typed.get("lang", "")
    added = services.add_contact(
        person,
        typed.get("name", ""),
        read.ways,
        rung=0 if typed.get("rung") == "first" else None,
        lang=lang if lang in dict(settings.LANGUAGES) else person.lang,
    )
    return "known" if added.id in before else "added", {}


def _remove(person: Person, typed: Mapping[str, str]) -> Done:
    """Off the list, without a word to them."""
    wanted = typed.get("contact", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 16:
        gone = person.contacts.filter(id=int(wanted), status__in=["invited", "confirmed"]).first()
        if gone is not None:
            services.leave(gone, Contact.Status.REMOVED)
    return "removed", {}


def _own(person: Person, typed: Mapping[str, str]) -> Done:
    """How we reach Sam. What is the same stays as it is: an ask may be on its way to it."""
    read = reach.read(typed)
    if read.wrong:
        return "", read.wrong
    have = {(a.channel, queries.address_value(a)) for a in _addresses(person) if a.state == "ok"}
    if {(way.channel, way.value) for way in read.ways} != have:
        services.set_own_addresses(person, read.ways)
    return "kept", {}


def _plan(person: Person, typed: Mapping[str, str]) -> Done:
    """What those who come must know."""
    notes = {name: typed[name] for name in (*NOTES, "wish") if name in typed}
    if typed.get("lang") in dict(settings.LANGUAGES):
        notes["lang"] = typed["lang"]
    services.set_plan(person, **notes)
    return "kept", {}


def _addresses(person: Person) -> list[Address]:
    return list(person.addresses.order_by("id"))


def own_typed(person: Person) -> dict[str, str]:
    """Sam's own addresses by kind, as a form shows them again."""
    return {reach.kind_of(a.channel): queries.address_value(a) for a in _addresses(person)}


def _page(
    request: HttpRequest,
    person: Person,
    *,
    note: str = "",
    wrong: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    listed = queries.circle_list(person)
    plan = {name: queries.person_note(person, name) for name in NOTES}
    plan |= {"wish": person.wish, "lang": person.lang}
    own = own_typed(person)
    do = (typed or {}).get("do", "")
    if do == "plan" and typed is not None:
        plan |= {name: typed[name] for name in plan if name in typed}
    if do == "own" and typed is not None:
        own = {kind: typed.get(kind, "") for kind in reach.KINDS}
    given: dict[str, Any] = {
        "people": night.on_the_list(listed, clock.now_ms()),
        "kinds": reach.kinds(),
        "plan": plan,
        "own": own,
        "own_broken": [a.channel for a in _addresses(person) if a.state != "ok"],
        "add": typed if do == "add" else {"lang": person.lang},
        "do": do,
        "wrong": wrong or {},
        "note": note,
        "wishes": services.WISHES,
        "light": light(clock.now_ms(), person.tz),
    }
    return render(request, "people.html", given, status=status)
