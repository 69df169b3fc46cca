"""Being asked to be there, and quiet days: what a contact says yes, no and "not tonight" to.

Owns the part of the contact's page that stands there while no alarm is open, and what is pressed on
it. A GET changes nothing.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from stillhere.store import queries, services
from stillhere.store.models import Contact

ANSWERS = ("join", "leave")


def given(contact: Contact, now: int) -> dict[str, Any]:
    """What ``parts/invitation.html`` shows."""
    return {"contact": contact, "me": queries.contact_name(contact)}


def answer(request: HttpRequest, contact: Contact, key: str) -> HttpResponse:
    """What was pressed. Pressed twice, it is said once."""
    if request.POST.get("do") == "leave":
        services.leave(contact)
        return render(request, "left.html", {"light": ""})
    services.join(contact)
    return HttpResponseRedirect(f"/c/{key}?said=joined", status=303)
