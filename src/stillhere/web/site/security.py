"""Where somebody who found a hole in this installation is heard: ``/.well-known/security.txt``
(RFC 9116), and ``/security``, which says what we ask of them.

Owns both. The address is one that was chosen for it: the coordinator's may be private, and what is
sent to the sender of our mails may go to `stillhere bounce`, which drops whatever is no returned
mail. Without one there is no file, for a report must not go where nobody reads. Neither page needs
the database, sets a cookie, or is ever slowed down.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from stillhere.web.site.context import without_request

HOLDS = timedelta(days=180)  # RFC 9116 advises less than a year


@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    """Whom to tell, for people and for programs that look for holes. It runs out at a midnight, so
    that it is the same all day."""
    here = settings.STILLHERE
    if not here.security_contact:
        raise Http404
    today = datetime.fromtimestamp(settings.WALL_MS() // 1000, UTC).replace(
        hour=0, minute=0, second=0
    )
    lines = [f"Contact: {here.security_contact}", f"Expires: {today + HOLDS:%Y-%m-%dT%H:%M:%SZ}"]
    lines.append(f"Preferred-Languages: {', '.join(code for code, _name in settings.LANGUAGES)}")
    if here.https:  # the standard knows no other address
        lines.append(f"Canonical: {here.base_url}{reverse('site:security_contact')}")
        lines.append(f"Policy: {here.base_url}{reverse('site:security_policy')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """What we ask of whoever found a hole."""
    here = settings.STILLHERE
    given = {
        "request": request,
        "contact": here.security_contact,
        "shown": here.security_contact.removeprefix("mailto:"),
    }
    return HttpResponse(without_request("site/security.html", given))
