"""Pages to read in peace: before using, afterwards, and what everybody on a list should know.

Owns ``/before``, ``/after`` and ``/learn`` with its six questions. They open without a database,
but for what somebody has answered.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from stillhere.content import steps
from stillhere.content.reading import KINDS, parts, questions
from stillhere.store.db import clock
from stillhere.store.kits import supply_warnings
from stillhere.store.models import Contact, sealed_columns
from stillhere.store.people import contacts, drills, records
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.web.access import contact_device, installed_channels, person_session
from stillhere.web.access.fields import Form, Words, pressed
from stillhere.web.site import daily_check_in, errors, links
from stillhere.web.site import page_text as words
from stillhere.web.site.context import light, without_request


@require_safe
def before(request: HttpRequest) -> HttpResponse:
    """What makes it safer, without a sermon, and what was found in the supply: near their
    town first, on a phone that we know."""
    try:
        person = person_session.person_of(request)
        town = sealed_columns.person_note(person, "town") if person is not None else ""
        warnings, more = supply_warnings.shown(clock.now_ms(), town)
    except Error:
        warnings, more = [], 0
    given = {"request": request, "parts": parts("before"), "warnings": warnings, "more": more}
    given["place"] = settings.STILLHERE.checked_place
    given["dues_anywhere"] = daily_check_in.on_every_page(request)
    return HttpResponse(without_request("guide/before.html", given))


@require_safe
def after(request: HttpRequest) -> HttpResponse:
    """Afterwards: for the person, for the one who came, for the circle."""
    groups = [(group, parts("after", *kinds)) for group, kinds in KINDS.items()]
    given = {"request": request, "groups": groups}
    given["dues_anywhere"] = daily_check_in.on_every_page(request)
    return HttpResponse(without_request("guide/after.html", given))


# --- to learn in ten minutes ----------------------------------------------------------------------


@csrf_exempt  # nothing is kept but for whoever's key is in the address
@require_http_methods(["GET", "HEAD", "POST"])
def learn(request: HttpRequest) -> HttpResponse:
    """The lessons and the questions, for anybody."""
    return _lesson(request, reverse("guide:lesson"))


@csrf_exempt  # the key in the address is what opens
@require_http_methods(["GET", "HEAD", "POST"])
def contact_learns(request: HttpRequest, key: str) -> HttpResponse:
    """The same for somebody on a list: who has answered is marked."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    theirs = contact_device.theirs(request, contact)
    if request.method == "POST" and pressed(request) == "drill":
        said = _drill(contact, theirs=theirs)
        return links.see_other("guide:contact_lesson", key, said=said, part="drill")
    if _passed(request) and theirs:
        contacts.trained(contact)
    ways = contact.addresses.filter(state="ok").values_list("channel", flat=True)
    rings = contact.status == contact.Status.CONFIRMED and {"text", "call"} & set(
        installed_channels.here(ways)
    )
    name = words.someone(sealed_columns.person_note(contact.person, "name"))
    here = reverse("guide:contact_lesson", args=[key])
    return _lesson(request, here, {"with": name, "drills": theirs and rings})


def _drill(contact: Contact, *, theirs: bool) -> str:
    """A drill for somebody who asks for one, on a phone of theirs; returns what the page then
    says."""
    if not theirs:
        return "prove"
    try:
        drills.begin(contact.person, contact)
    except Problem as problem:
        return problem.why
    return "drill-me"


@csrf_exempt  # the key in the address is what opens
@require_http_methods(["GET", "HEAD", "POST"])
def responder_learns(request: HttpRequest, key: str) -> HttpResponse:
    """The same for a volunteer."""
    responder = shifts.by_key(key)
    if responder is None:
        return errors.unknown_key(request)
    if _passed(request):
        shifts.trained(responder)
    return _lesson(request, reverse("guide:responder_lesson", args=[key]), {"volunteer": True})


class QuestionsForm(Form):
    """The questions, each with the answer that was chosen and whether it is right."""

    def __init__(self, typed: Mapping[str, str]) -> None:
        super().__init__(typed)
        self.fields = {f"q{q.no}": Words() for q in questions()}
        self.full_clean()
        given = [(q, self.cleaned_data[f"q{q.no}"]) for q in questions()]
        self.answers = [(q, said, said == q.right) for q, said in given]
        self.passed = all(right for _, _, right in self.answers)


def _passed(request: HttpRequest) -> bool:
    return request.method == "POST" and QuestionsForm(request.POST).passed


def _lesson(
    request: HttpRequest, here: str, who: Mapping[str, object] | None = None
) -> HttpResponse:
    """The page. ``who`` says how its reader can have a drill: as a contact, ``with`` whom and
    whether one press ``drills`` them; or as a ``volunteer``."""
    answered, form = request.method == "POST", QuestionsForm(request.POST)
    passed = answered and form.passed
    given = {
        "token": signing.dumps("all six", salt="learnt") if passed else "",
        "here": here,
        "parts": parts("learn"),
        "asked": form.answers,
        "answered": answered,
        "passed": passed,
        "wrong": sum(not right for _, _, right in form.answers),
        "signed": steps.signature(),
        "light": light(clock.now_ms(), "UTC"),
        "who": who or {},
        "note": words.note(request.GET.get("said", "")),
    }
    status = 422 if answered and not passed else 200
    return render(request, "guide/learn.html", given, status=status)
