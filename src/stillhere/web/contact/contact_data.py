"""What is kept about a contact: to see, to take away, to erase. On their own phone only.

A link can be passed on: whoever holds it alone sees nothing here and erases nothing. Reads and
erases nothing itself.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from stillhere.store.db import clock
from stillhere.store.models import Contact
from stillhere.store.people import opt_out, records
from stillhere.store.privacy import contact_data, erasure
from stillhere.web.access import contact_device
from stillhere.web.site import errors, links, page_text


@csrf_exempt  # the key in the address is what opens, and the phone is known by a cookie of its own
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, key: str) -> HttpResponse:
    """All of it in words; a POST erases it."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    if not contact_device.theirs(request, contact):
        return links.see_other("contact:page", key, said="prove")
    if request.method == "POST" and request.POST.get("sure"):
        opt_out.leave_by_page(contact, clock.now_ms(), theirs=True)
        erasure.vacuum_traces()
        return render(request, "contact/erased.html", {"light": ""})
    kept = contact_data.everything(contact)
    given = {"key": key, "contact": contact, "opened": _opened(kept, contact), "light": ""}
    return render(request, "contact/mine.html", given)


@require_safe
def take(request: HttpRequest, key: str) -> HttpResponse:
    """All of it, as a file."""
    contact = records.contact_by_key(key)
    if contact is None:
        return errors.unknown_key(request)
    if not contact_device.theirs(request, contact):
        return links.see_other("contact:page", key, said="prove")
    kept = contact_data.everything(contact)
    response = JsonResponse(kept, json_dumps_params={"indent": 1})
    response["Content-Disposition"] = 'attachment; filename="lamp.json"'
    response["Cache-Control"] = "no-store"
    return response


def _opened(kept: dict[str, Any], contact: Contact) -> list[tuple[str, list[str]]]:
    """What is stored, readable: headings, and what belongs under each."""
    now, tz = clock.now_ms(), contact.person.tz

    def at(ms: int) -> str:
        return page_text.clock_time(ms, tz, now)

    ways = [page_text.way(each) for each in kept["addresses"]]
    times = {
        _("Asked on: %(at)s"): kept["created_at"],
        _("Answered on: %(at)s"): kept["answered_at"],
        _("A test rang: %(at)s"): kept["rang_at"],
        _("Learnt on: %(at)s"): kept["trained_at"],
    }
    said = [line % {"at": at(ms)} for line, ms in times.items() if ms]
    sent = [at(each["created_at"]) for each in kept["messages"]]
    done = [at(each["at"]) for each in (*kept["what_you_said"], *kept["what_you_did"])]
    return [
        (_("Your name, and how we reach you"), [kept["name"], *ways]),
        (_("Since when"), said),
        (_("Naloxone you carry"), [each["expires"] or each["form"] for each in kept["kits"]]),
        (_("When we wrote or called"), sent),
        (_("When you said or did something in an alarm"), done),
    ]
