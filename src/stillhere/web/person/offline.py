"""What a phone stores for when it has no connection: the service worker and the page it then shows.

Owns ``/sw.js`` and ``/offline``. Stored are our own files, the first steps, the lines, and the page
of an open watch; on a borrowed phone nothing. Never looks at the database.
"""

from __future__ import annotations

import hashlib
import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from stillhere.content import helplines
from stillhere.web.access import installed_channels
from stillhere.web.site.context import without_request

FILES = (
    "lamp.css", "walk.css", "lamp.js", "walk.js", "ring.js", "push.js", "lamp.svg", "lamp-192.png",
)  # fmt: skip
PAGES = ("person:offline", "guide:help_now", "guide:helplines")
KEEP = "Lamp-Keep"  # on an answer: this page may be kept until the next one says otherwise


@require_safe
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker, with the names that our files have in this release."""
    files = [static(name) for name in FILES]
    version = hashlib.sha256(repr(files).encode()).hexdigest()[:8]
    given = {"kept": json.dumps([*files, *map(reverse, PAGES)]), "version": version}
    given["lost"] = json.dumps(_("Not counted: no connection. Press again."))
    given["push_key"] = json.dumps(installed_channels.public_key())
    given["icon"] = json.dumps(static("lamp-192.png"))
    return render(request, "site/sw.js", given, content_type="text/javascript; charset=utf-8")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """There is no connection, and what helps without one. Works on a phone that kept it."""
    given = {
        "request": request,
        "number": installed_channels.text_number(),
        "emergency": helplines.emergency(),
    }
    return HttpResponse(without_request("person/offline.html", given))
