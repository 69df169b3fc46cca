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
from stillhere.store.models import Browser, Person
from stillhere.store.people import browsers, force, persons, pin_tries
from stillhere.store.people.pin_tries import PinWait
from stillhere.web.access import person_session
from stillhere.web.access.fields import pressed
from stillhere.web.access.slow_work import PINS
from stillhere.web.person.account_forms import NewPinForm, PinForm
from stillhere.web.site import page_text


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
        forced = force.is_the_word(person, typed["pin"])
        wrong = tried(person, typed["pin"])
        if not wrong:
            persons.keep_pin(person)
            response = HttpResponseRedirect(typed["next"])
            person_session.remember_pin(response, person, forced=forced)
            return response
    off = page_text.clock_time(person.pin_off_at, person.tz, now) if person.pin_off_at else ""
    given = {"wrong": wrong, "next": typed["next"], "off": off, "light": "night"}
    return render(request, "person/pin.html", given, status=422 if wrong else 200)


def tried(person: Person, typed: str) -> str:
    """Try a PIN; what is wrong, or nothing. The try is counted before it is looked at. The word
    under force, where it is that, calls for help, and is taken for the PIN."""
    pin, forced = typed.strip(), force.is_the_word(person, typed)
    if forced:  # however often a wrong one was typed before
        force.call_for_help(person)
    with PINS.turn():
        wait = pin_tries.take(person.id)
        if wait is PinWait.HOUR:
            return _("Too many tries. Wait an hour, or press “I forgot it”. The watch goes on.")
        if wait is PinWait.MINUTE:
            return _("Too many tries. Wait a minute, then try again.")
        right = PINS.slowly(check_password, pin, person.pin)
    if not right and not forced:  # as slow for the one as for the other
        return _("That is not the PIN.")
    pin_tries.give_back(person.id)
    return ""


def is_the_pin(person: Person, typed: str) -> bool:
    """Whether this is the PIN as well. Only what could be one is compared."""
    if not person.pin or not typed.isdecimal():
        return False
    with PINS.turn():
        return bool(PINS.slowly(check_password, typed, person.pin))


def change(person: Person, typed: Mapping[str, str], here: Browser | None, *, forced: bool) -> str:
    """Set the PIN, or remove it if nothing was typed; returns what is wrong, or nothing. ``here``
    is the browser it was typed in. Where the word under force opened these pages (``forced``), that
    word is the PIN that was typed."""
    form = NewPinForm(typed)
    if not form.is_valid():
        return form.wrong["pin"]
    pin = form.cleaned_data["pin"]
    if pin and force.is_the_word(person, pin):
        return "" if forced else _("Choose another one.")
    if not pin:
        persons.set_pin(person, "")
        return ""
    with PINS.turn():
        hashed = PINS.slowly(make_password, pin)
    browsers.set_pin(person, hashed, here)
    return ""
