"""A word that looks like "Still here" and calls for help in secret: setting it, and taking it away.

The page never shows whether there is one, nor who would hear it: whoever forces somebody may make
them open it.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock
from stillhere.store.models import Contact, Person, sealed_columns
from stillhere.store.people import force
from stillhere.store.problems import Problem
from stillhere.web.access import person_session
from stillhere.web.access.fields import pressed
from stillhere.web.person import pin
from stillhere.web.person.account_forms import SecretWordForm
from stillhere.web.site import page_text
from stillhere.web.site.context import light


@person_session.private
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest, person: Person) -> HttpResponse:
    """The page; "keep" sets the word anew, "forget" takes it away."""
    do = pressed(request) if request.method == "POST" else ""
    decoy = person_session.opened_by_word(request, person)
    if do == "forget":
        force.forget(person, decoy=decoy)
        return _page(request, person, note=page_text.note("kept"))
    if do != "keep":
        return _page(request, person)
    form = SecretWordForm(request.POST, people=[contact.id for contact in people(person)])
    if not form.is_valid():
        return _page(request, person, wrong=next(iter(form.wrong.values())))
    if pin.is_the_pin(person, form.cleaned_data["word"].strip(), forced=decoy):
        return _page(request, person, wrong=page_text.put(Refusal.FORCE_PIN))
    try:
        force.keep(person, form.cleaned_data["word"], form.cleaned_data["contacts"], decoy=decoy)
    except Problem as problem:
        return _page(request, person, wrong=page_text.put(problem.why))
    return _page(request, person, note=page_text.note("kept"))


def people(person: Person) -> list[Contact]:
    """Those who can be chosen: chosen by the person, and they said yes."""
    said_yes = person.contacts.filter(status=Contact.Status.CONFIRMED, responder__isnull=True)
    return list(said_yes.order_by("rung", "id"))


def _page(request: HttpRequest, person: Person, *, note: str = "", wrong: str = "") -> HttpResponse:
    given = {
        "people": [
            (
                contact,
                page_text.someone(sealed_columns.contact_name(contact)),
                force.is_reached(contact),
            )
            for contact in people(person)
        ],
        "note": note,
        "wrong": wrong,
        "light": light(clock.now_ms(), person.tz),
    }
    status = 422 if wrong else 200
    return render(request, "person/secret_word.html", given, status=status)
