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
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from stillhere.store.db import budgets, clock
from stillhere.store.models import Browser, Person
from stillhere.store.people import browsers, force, persons, pin_tries
from stillhere.store.people.force import ForceWord
from stillhere.store.people.pin_tries import PinWait
from stillhere.web.access import person_session
from stillhere.web.access.fields import pressed
from stillhere.web.access.slow_work import PINS
from stillhere.web.person.account_forms import UNSAFE_PIN, NewPinForm, PinForm
from stillhere.web.site import page_text

_WAIT = {
    PinWait.HOUR: gettext_lazy(
        "Too many tries. Wait an hour, or press “I forgot it”. The watch goes on."
    ),
    PinWait.MINUTE: gettext_lazy("Too many tries. Wait a minute, then try again."),
}
NEW_A_DAY = 10  # each that is refused may be the word under force: they are not tried through


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
        wrong, forced = tried(person, typed["pin"])
        if not wrong:
            persons.keep_pin(person)
            persons.note_opened(person, decoy=forced)
            response = HttpResponseRedirect(typed["next"])
            person_session.remember_pin(response, person, forced=forced)
            return response
    off = page_text.clock_time(person.pin_off_at, person.tz, now) if person.pin_off_at else ""
    given = {"wrong": wrong, "next": typed["next"], "off": off, "light": "night"}
    return render(request, "person/pin.html", given, status=422 if wrong else 200)


def tried(person: Person, typed: str) -> tuple[str, bool]:
    """Try a PIN; what is wrong, or nothing, and whether something else was taken for the PIN. The
    try is counted before it is looked at. The word under force calls for help, and opens unless
    another PIN was set on pages that it opened; then that one does."""
    pin = typed.strip()
    if force.word_in(person, typed) is not None:  # however often a wrong one was typed before
        force.call_for_help(person, typed)
    word = _which_word(person, pin)
    with PINS.turn():
        wait = pin_tries.take(person.id)
        if wait is PinWait.HOUR:
            return _(
                "Too many tries. Wait an hour, or press “I forgot it”. The watch goes on."
            ), False
        if wait is PinWait.MINUTE:
            return _("Too many tries. Wait a minute, then try again."), False
        right = PINS.slowly(check_password, pin, person.pin)
    if not right and word is not ForceWord.DECOY and not _stands_in(person, pin):
        return _("That is not the PIN."), False  # as slow for the one as for the other
    pin_tries.give_back(person.id)
    return "", not right


def _which_word(person: Person, pin: str) -> ForceWord | None:
    """Which of the words this is; one of digits is, like a PIN, nothing but those."""
    bare = "".join(c for c in pin if c.isalnum())
    return None if bare.isdecimal() and bare != pin else force.which_word(person, pin)


def _stands_in(person: Person, pin: str) -> bool:
    """Whether this opens where the word under force does: the PIN that was set there, or else the
    word."""
    decoy = persons.decoy_pin(person)
    if not decoy:
        return _which_word(person, pin) is ForceWord.OWN
    with PINS.turn():
        return bool(PINS.slowly(check_password, pin, decoy))


def is_the_pin(person: Person, typed: str, *, forced: bool) -> bool:
    """Whether this is the PIN as well, or what stood in for it (``forced``). Only what could be one
    is compared."""
    if not person.pin or not typed.isdecimal():
        return False
    with PINS.turn():
        right = bool(PINS.slowly(check_password, typed, person.pin))
    return _stands_in(person, typed) if forced else right


def change(person: Person, typed: Mapping[str, str], here: Browser | None, *, forced: bool) -> str:
    """Set the PIN, or remove it if nothing was typed; returns what is wrong, or nothing. ``here``
    is the browser it was typed in. Where the word under force opened these pages (``forced``), what
    opened them is changed, and the PIN that Sam set stays beside it."""
    form = NewPinForm(typed)
    if not form.is_valid():
        return form.wrong["pin"]
    pin = form.cleaned_data["pin"]
    if not pin:
        persons.set_pin(person, "", decoy=forced)
        return ""
    if budgets.take([budgets.limit("many", NEW_A_DAY, "new pins", person.id)], clock.now_ms()):
        return _("Too many new PINs today. Set one tomorrow.")
    word = force.which_word(person, pin)
    if word is ForceWord.DECOY or (word is ForceWord.OWN and not forced):
        return str(UNSAFE_PIN)
    with PINS.turn():
        hashed = PINS.slowly(make_password, pin)
    hashed = persons.BY_WORD if word is not None else hashed
    browsers.set_pin(person, hashed, here, decoy=forced)
    return ""
