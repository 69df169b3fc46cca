"""The optional PIN: typed before the plan, the contacts and the data of a person are shown.

Owns asking for it, setting it and removing it. A forgotten one goes after a day, unless somebody
types it until then; no link and no code removes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.hashers import check_password, make_password
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from stillhere.store.db import clock
from stillhere.store.models import Person
from stillhere.store.people import persons
from stillhere.web.access import person_session
from stillhere.web.access.fields import pressed
from stillhere.web.access.rate_limit import Guesses
from stillhere.web.person.account_forms import NewPinForm, PinForm
from stillhere.web.site import page_text

TRIES = Guesses(most=5)  # wrong ones a minute, for one person
MANY = Guesses(most=20, window_ms=24 * 3600 * 1000)  # so many in a day, and it goes on slowly
SLOW = Guesses(most=5, window_ms=3600 * 1000)  # wrong ones an hour from then on


@person_session.own
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, person: Person) -> HttpResponse:
    """The page that asks. A right PIN leads on to where one was going."""
    posted, now = request.method == "POST", clock.now_ms()
    typed, wrong = PinForm.read(request.POST if posted else request.GET), ""
    if not person.pin or persons.drop_forgotten_pin(person):
        return HttpResponseRedirect(typed["next"])
    if posted and pressed(request) == "forgotten":
        persons.forget_pin(person)
        return redirect("person:pin")
    if posted:
        who = str(person.id)
        if SLOW.full(who) and MANY.full(who):
            wrong = _("Too many tries. Wait an hour, or press “I forgot it”. The watch goes on.")
        elif TRIES.full(who):
            wrong = _("Too many tries. Wait a minute, then try again.")
        elif check_password(typed["pin"].strip(), person.pin):
            persons.keep_pin(person)
            response = HttpResponseRedirect(typed["next"])
            person_session.remember_pin(response, person)
            return response
        else:
            TRIES.missed(who)
            MANY.missed(who)
            if MANY.full(who):
                SLOW.missed(who)
            wrong = _("That is not the PIN.")
    off = page_text.clock_time(person.pin_off_at, person.tz, now) if person.pin_off_at else ""
    given = {"wrong": wrong, "next": typed["next"], "off": off, "light": "night"}
    return render(request, "person/pin.html", given, status=422 if wrong else 200)


def change(person: Person, typed: Mapping[str, str]) -> str:
    """Set the PIN, or remove it if nothing was typed; returns what is wrong, or nothing."""
    form = NewPinForm(typed)
    if not form.is_valid():
        return form.wrong["pin"]
    pin = form.cleaned_data["pin"]
    persons.set_pin(person, make_password(pin) if pin else "")
    return ""
