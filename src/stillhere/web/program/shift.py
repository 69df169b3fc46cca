"""The page of somebody who takes shifts: on, off, and the alarms that are theirs now.

The key in the address gives access. Each alarm leads to the same page as for a contact; a place or
a door is shown there, and only to somebody who says "I'm going".
"""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from stillhere.content import reading
from stillhere.store.db import clock
from stillhere.store.kits import kits
from stillhere.store.messages.spoken_of import WHERE
from stillhere.store.models import Contact, sealed_columns
from stillhere.store.problems import Problem
from stillhere.store.program import shifts
from stillhere.store.recordings import notes, strangers
from stillhere.web.access import contact_device, installed_channels
from stillhere.web.access.fields import pressed
from stillhere.web.kits import pages
from stillhere.web.program.list_page import FIRST, PageTurner
from stillhere.web.program.program_forms import ShiftForm
from stillhere.web.site import errors, links, page_text

HOURS = (2, 4, 8, 12)


@require_safe
def page(request: HttpRequest, key: str) -> HttpResponse:
    """Whether they are on shift, and what is open."""
    responder = shifts.by_key(key)
    if responder is None:
        return errors.unknown_key(request)
    now = clock.now_ms()
    turner = PageTurner("program:responder", request.GET, (FIRST,), [key])
    alarms = turner.page_of_query(FIRST, shifts.alarms_of(responder))
    on = responder.until_at > now
    given = {
        "key": key,
        "name": shifts.name_of(responder),
        "until": page_text.clock_time(responder.until_at, "UTC", now) if on else "",
        "left": page_text.span(responder.until_at - now) if on else "",
        "hours": HOURS,
        "alarms": _alarms(alarms.rows),
        "alarm_page": alarms,
        "stopped": shifts.stopped(responder),
        "by": by_what(),
        "kits": [pages.shown(each, now) for each in kits.of(responder)],
        "trained": responder.trained_at,
        "door": reading.parts("door"),
        "note": page_text.note(request.GET.get("said", "")),
        "refresh": 20,
        "light": "",
    }
    response = render(request, "program/responder.html", given)
    for contact in alarms.rows:  # opened from here, the alarm knows whose phone it is
        contact_device.remember_at_once(response, contact)
    return response


def _alarms(contacts: Sequence[Contact]) -> list[tuple[str, str, str]]:
    """Of each of these who needs somebody, where, and the key of their page of it."""
    persons = [c.person_id for c in contacts]
    spoke = strangers.said_by(persons) if persons else set()
    noted = notes.kept_by(persons, WHERE) if persons else set()
    return [
        (
            page_text.someone(sealed_columns.person_note(c.person, "name")),
            _where(c, spoke=c.person_id in spoke, noted=c.person_id in noted),
            sealed_columns.contact_key(c),
        )
        for c in contacts
    ]


def _where(contact: Contact, *, spoke: bool, noted: bool) -> str:
    """What is known about where an alarm is, for somebody who has not said "I'm going": the town.
    The address is shown on the page of the alarm. ``spoke``: what they said in
    a call can be heard; ``noted``: so can a note of their plan."""
    person = contact.person
    if town := sealed_columns.person_note(person, "town"):
        return _("In %(town)s.") % {"town": town}
    if spoke:
        return _("They said where they are. Open it to hear that.")
    known = sealed_columns.person_note(person, "place") or noted
    if contact.door and known:
        return _("No town is known. The address comes when you say “I'm going”.")
    return _("Nobody wrote down where. Open it, and phone them.")


def by_what() -> str:
    """How an alarm reaches whoever is on shift, in one sentence, or nothing if it cannot."""
    here = installed_channels.here(shifts.WAYS)
    says = {
        ("text", "call"): _("Alarms come by text and call."),
        ("text",): _("Alarms come by text. Nothing rings, so look at it often."),
        ("call",): _("Alarms come by call."),
    }
    return says.get(tuple(here), "")


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_POST
def shift(request: HttpRequest, key: str) -> HttpResponse:
    """On for some hours, or off."""
    responder = shifts.by_key(key)
    if responder is None:
        return errors.unknown_key(request)
    try:
        if pressed(request) == "off":
            shifts.end(responder)
        else:
            shifts.begin(responder, ShiftForm.read(request.POST)["hours"] or 0)
    except Problem as problem:
        return links.see_other("program:responder", key, said=problem.why)
    return links.see_other("program:responder", key)
