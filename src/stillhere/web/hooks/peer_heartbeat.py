"""Another installation calls in: ``GET`` or ``POST /beat/<key>``.

Owns the answer, which is empty. This is our only address at which reading writes something, because
an outside watcher is given one address to fetch and no more. Uses no cookies, no words and no logs.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from stillhere.store.db import clock
from stillhere.store.installation import peers
from stillhere.web.access import rate_limit


@csrf_exempt  # the key in the address is what opens, and no cookie is asked
@require_http_methods(["GET", "POST"])
def take(request: HttpRequest, key: str) -> HttpResponse:
    """204 if it was heard, 404 for a key that opens nothing, 429 for too many of those."""
    if peers.beat(key, clock.now_ms()):
        return HttpResponse(status=204)
    if rate_limit.missed(request):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    return HttpResponse(status=404)
