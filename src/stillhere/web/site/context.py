"""What every page shows, whoever looks at it: practice, whether the watch runs, who runs it.

Owns the one place where pages learn this, with a request and, for pages that must work when nothing
else does, without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.functional import SimpleLazyObject

from stillhere.web.access import person_session, readiness
from stillhere.web.site import daily_check_in, health, preferences
from stillhere.web.site import standing as standing_row
from stillhere.web.site.page_text import hour

DAWN, DUSK = 7, 19


def standing() -> dict[str, Any]:
    """What does not change while we run. Needs no database."""
    here = settings.STILLHERE
    return {
        "practice": readiness.practice(),
        "leaving": readiness.leaving(),
        "demo": here.demo,
        "program": here.program,
        "languages": settings.LANGUAGES,
    }


def page(request: HttpRequest) -> dict[str, Any]:
    """The context processor of every page."""
    here = None
    with suppress(Error):
        here = standing_row.of(request)
        readiness.learn(here)
    return standing() | {
        "behind": health.behind(here),
        "chosen": preferences.light_of(request),
        "borrowed": person_session.borrowed(request),
        "dues_anywhere": SimpleLazyObject(lambda: daily_check_in.on_every_page(request)),
    }


def without_request(template: str, given: Mapping[str, Any]) -> str:
    """A page that needs neither database nor request."""
    return render_to_string(template, {**standing(), **given})


def light(now: int, tz: str) -> str:
    """How bright a page should be there: dark after nightfall; by day as the phone prefers."""
    return "" if DAWN <= hour(now, tz) < DUSK and tz != "UTC" else "night"
