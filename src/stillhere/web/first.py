"""The first screen: what this is, what it is not, who runs it, and one button.

Owns ``/``. Nothing is typed here. Pressing Start makes a person, unless this browser has one; on a
phone that is not theirs the browser forgets it again.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from stillhere.store import services
from stillhere.web import errors, session, throttle, words


@require_http_methods(["GET", "HEAD", "POST"])
def first(request: HttpRequest) -> HttpResponse:
    """What this is, and one button. Pressing it makes a person, unless this browser has one."""
    person = session.person_of(request)
    if request.method == "POST":
        response = HttpResponseRedirect("/watch")
        if person is None:
            if throttle.PERSONS.missed(throttle.network_of(request)):
                return errors.too_many()
            tz = request.POST.get("tz", "")
            _someone, key = services.new_person(
                get_language() or "en", tz if words.zone_known(tz) else "UTC"
            )
            session.remember(response, key, borrowed=bool(request.POST.get("borrowed")))
        return response
    return render(request, "first.html", {"known": person is not None, "light": "night"})
