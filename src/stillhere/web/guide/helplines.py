"""`/lines`: whom a person can phone besides their own people."""

from __future__ import annotations

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from stillhere.content import helplines
from stillhere.store.db import clock
from stillhere.web.site.context import without_request


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """Every line on one page. It opens without a database, and then does not know the date."""
    try:
        now_ms: int | None = clock.now_ms()
    except Error:
        now_ms = None
    given = {
        "request": request,
        "lines": helplines.all_staffed(now_ms),
        "emergency": helplines.emergency(),
    }
    return HttpResponse(without_request("guide/lines.html", given))
