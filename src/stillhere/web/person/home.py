"""The first screen: what this is, what it is not, who runs it, and one button.

Owns ``/``. Nothing is typed here. Pressing Start creates a person, unless this browser has one; on
a borrowed phone the browser forgets it again.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from stillhere.content import sentences
from stillhere.store.people import persons
from stillhere.web.access import person_session, rate_limit
from stillhere.web.person.account_forms import BeginForm
from stillhere.web.site import errors


@require_http_methods(["GET", "HEAD", "POST"])
def first(request: HttpRequest) -> HttpResponse:
    """What this is, and one button. Pressing it creates a person, unless this browser has one."""
    person = person_session.person_of(request)
    if request.method == "POST":
        response = redirect("person:watch")
        if person is None:
            if rate_limit.PERSONS.missed(rate_limit.network_of(request)):
                return errors.too_many()
            typed = BeginForm.read(request.POST)
            someone, _key = persons.new_person(sentences.language(), typed["tz"] or "UTC")
            borrowed = typed["borrowed"]
            person_session.remember(request, response, someone, borrowed=borrowed, tell=False)
        return response
    return render(request, "person/first.html", {"known": person is not None, "light": "night"})
