"""Another installation calls in: ``GET`` or ``POST /beat/<key>``.

Owns the answer, which is empty. The one address of ours where reading is writing, because whoever
watches from outside is given one address to fetch and no more. Refuses cookies, words and logs.
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
    """204 when it was heard, 404 for a key that opens nothing, 429 for too many of those."""
    if peers.beat(key, clock.now_ms()):
        return HttpResponse(status=204)
    if rate_limit.missed(request):
        return HttpResponse(status=429, headers={"Retry-After": "60"})
    return HttpResponse(status=404)
