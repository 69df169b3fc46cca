"""The link in a page: whoever is on call says that they look, so that nobody else is woken.

The key in the address gives access, to that one press. Opening it changes nothing: machines open
links before people do. Shows no name of anybody in need.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from stillhere.store.db import clock
from stillhere.store.messages import pages
from stillhere.web.site import errors, links, page_text


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest, key: str, who: str) -> HttpResponse:
    """What waits, and the one button."""
    page = pages.by_key(key, clock.now_ms())
    somebody = pages.find(who)
    if page is None or somebody is None:
        return errors.unknown_key(request)
    if request.method == "POST":
        pages.looks(who, clock.now_ms(), page.id)
        return links.see_other("program:look", key, who)
    looked = pages.find(page.looked_by)
    given = {
        "count": page.count,
        "since": page_text.clock_time(page.opened_at, somebody.tz, clock.now_ms()),
        "waits": page.next_at is not None,
        "looks": looked.name if looked is not None else "",
        "mine": page.looked_by == who,
        "light": "",
    }
    with translation.override(somebody.lang or translation.get_language()):
        return render(request, "program/look.html", given)
