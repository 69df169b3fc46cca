"""The webhook of the demo's phones: texts, key presses, missed calls and receipts.

Owns the signature check and the answer: 200 only after the commit, 503 when nothing could be
stored, so that the phones tell us again. A key press is answered with what the voice says next. The
meaning of what came in is left to ``store/inbound``.
"""

from __future__ import annotations

import logging

from django.conf import settings
from django.db import Error, connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from stillhere.channels.base import GarbageError, SignatureError
from stillhere.channels.carriers.carrier import Carrier
from stillhere.channels.carriers.voice import CallTold
from stillhere.channels.demo import parse_webhook
from stillhere.core.messages import Inbound
from stillhere.store.inbound import calls, inbox
from stillhere.store.watches.apply import SwapMissed
from stillhere.web.access.fields import whole
from stillhere.web.hooks import calls as turns
from stillhere.web.hooks.call_turns import CallStep

PHONES = Carrier("phones", "phones", "", "", "", "", ("text", "call"))
log = logging.getLogger("stillhere.inbound")


@csrf_exempt
@require_POST
def phones(request: HttpRequest) -> HttpResponse:
    """The demo's phones tell us something. Outside demo mode there is no such page."""
    if not settings.STILLHERE.demo:
        raise Http404
    secret = settings.DERIVED_SECRET(settings.STILLHERE, "demo-phones").hex()
    try:
        now_ms = settings.RAW_NOW_MS(connection)
        told = parse_webhook(request.headers, request.body, secret, now_ms)
        answers = [_take(each) for each in told]
    except SignatureError:
        return JsonResponse({"error": "Wrong signature."}, status=403)
    except GarbageError:
        return JsonResponse({"error": "This makes no sense."}, status=400)
    except (Error, SwapMissed) as failure:
        log.warning("not stored: %s", type(failure).__name__)
        return JsonResponse({"error": "Tell us again."}, status=503, headers={"Retry-After": "1"})
    return JsonResponse(answers[-1] if answers else {})


def _take(inbound: Inbound) -> dict[str, object]:
    """Store and apply one thing; in a call, what is said next."""
    if inbound.kind in ("key", "turn"):
        return _talk(inbound)
    if inbound.kind == "ended":
        calls.broke_off(f"phones:{inbound.call}", inbound.sender)
        return {}
    inbox.take(inbound)
    return {}


def _talk(inbound: Inbound) -> dict[str, object]:
    """One turn of a call, as with any carrier. A key in a call of ours is known by its own id."""
    ours = inbound.kind == "key"
    ref = inbound.provider_id if ours else f"phones:{inbound.call}"
    keys = inbound.text
    phone, typed = inbound.sender, keys.strip("#")
    told = CallTold(ref, phone, phone, outbound=ours, key=keys[:1], typed=typed)
    message = whole(inbound.reply_ref, 18)
    at = inbound.at or ("answer" if ours else "")
    then = turns.take(CallStep(told, at, inbound.turn, message, PHONES))
    return {
        "say": " ".join(part for part in then.turn.say if isinstance(part, str)),
        "listen_s": then.turn.listen_s,
        "at": then.at,
        "turn": inbound.turn + 1,
        "hang_up": then.turn.hang_up,
        "reject": then.turn.reject,
    }
