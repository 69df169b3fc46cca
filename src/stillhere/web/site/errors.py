"""When something goes wrong: one kind page for each kind of trouble, never a stack trace.

Owns the error pages and the middleware that turns a missing database, or a full queue, into an
honest 503. None of these pages needs the database.
"""

from __future__ import annotations

import logging

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from stillhere.store.db.disk import DISK, FULL
from stillhere.store.watches.group_commit import Full, NotStored
from stillhere.web.access import rate_limit, slow_work
from stillhere.web.site.context import without_request

log = logging.getLogger("stillhere.web")

RETRY_S = 2


def trouble(status: int, title: str, *says: str) -> HttpResponse:
    """One page of trouble: what happened, and what to do."""
    body = without_request("site/trouble.html", {"title": title, "says": says})
    return HttpResponse(body, status=status)


def unknown_key(request: HttpRequest) -> HttpResponse:
    """A key that opens nothing; counted, because only somebody who is guessing has many of them."""
    if rate_limit.missed(request):
        response = trouble(
            429, _("Too many links that open nothing"), _("Wait a minute, then try again.")
        )
        response["Retry-After"] = "60"
        return response
    return trouble(
        404,
        _("This link opens nothing"),
        _("Links change now and then. Use the newest one you have."),
    )


def too_many() -> HttpResponse:
    """More new people or invitations from one address than anybody creates by hand."""
    response = trouble(
        429,
        _("Too many at once"),
        _("Too many people were added from here in the last hour. Nothing was kept."),
        _("Try again in an hour. What you have goes on: watches, alarms and calls for help."),
    )
    response["Retry-After"] = "3600"
    return response


def not_there(request: HttpRequest, exception: Exception) -> HttpResponse:
    return trouble(404, _("There is no such page"), _("Look at the address, or begin again."))


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    return trouble(
        400, _("We could not read that"), _("Nothing was changed. Go back and try once more.")
    )


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return trouble(403, _("That is not possible from here"), _("Nothing was changed."))


def our_fault(request: HttpRequest) -> HttpResponse:
    return trouble(
        500,
        _("Something broke on our side"),
        _("We do not know whether that was kept. Go back and look."),
        _("The watch may not be running. Ask a person, or call your emergency number."),
    )


def not_kept(request: HttpRequest) -> HttpResponse:
    """We cannot read or write now, so we must not promise anything."""
    first = (
        _("Nothing was kept. Go back and press again.")
        if request.method == "POST"
        else _("We cannot show this page now. Load it again.")
    )
    response = trouble(
        503,
        _("We could not keep that") if request.method == "POST" else _("We cannot look right now"),
        first,
        *(
            [_("The machine has no room left. Nothing can be kept until somebody makes room.")]
            if DISK.says() == FULL
            else []
        ),
        _("The watch may not be running. Ask a person, or call your emergency number."),
    )
    response["Retry-After"] = str(RETRY_S)
    return response


def too_busy() -> HttpResponse:
    """Somebody else has the place for work that takes long; nothing was begun."""
    response = trouble(
        503,
        _("Too much at once"),
        _("This takes the machine some time, and others are before you. Nothing was changed."),
        _("Wait a few seconds, then try again. Watches, alarms and calls for help go on."),
    )
    response["Retry-After"] = str(slow_work.RETRY_S)
    return response


class HonestMiddleware(MiddlewareMixin):
    """No page of ours is cached by browsers or found by search engines; what cannot be stored is
    said."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Error | Full | NotStored | TimeoutError):
            log.warning("could not keep or look: %s", type(error).__name__)
            return not_kept(request)
        if isinstance(error, slow_work.TooBusyError):
            return too_busy()
        return None
