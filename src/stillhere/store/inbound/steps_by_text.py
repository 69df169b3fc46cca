"""The steps by text: one a text, for a contact whose phone opens no page.

Owns which step comes next for whom; the messages that were sent in this alarm are its memory. The
words stand in ``content/steps.py`` and are put in when a message leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import F

from stillhere.core.replies import Intent
from stillhere.store.inbound.intents import contacts_intent
from stillhere.store.inbound.reply import ParsedInbound, alarms_of, is_stranger, queue
from stillhere.store.models import Address, Message
from stillhere.store.watches.queries import ALARMED

WORDS = frozenset({"reply-steps", "reply-there"})  # what a step belongs to
STAY = "reply-stay"  # how to be with somebody who wants to die
_FEW = 40  # messages of an alarm among which the last step is looked for


def first(parsed: ParsedInbound, alarms: Sequence[int]) -> str:
    """The word that answers "what do I do?": where the person says they want to die, how to be with
    them comes before the steps, once."""
    if parsed.inbound.kind != "text" or not dying(parsed.address, alarms):
        return "reply-steps"
    told = Message.objects.filter(
        contact=parsed.contact, watch__in=alarms, alarm=F("watch__alarms"), word=STAY
    )
    return "reply-steps" if told.exists() else STAY


def dying(address: Address, alarms: Sequence[int]) -> bool:
    """Whether the person said that they want to die, and the one at ``address`` may hear it."""
    return not is_stranger(address) and any(a.wants_to_die for a in alarms_of(alarms))


def facts(parsed: ParsedInbound, word: str, now: int) -> Mapping[str, Any]:
    """The step that belongs to this ``word``, if one does: the next one, or the last again.
    Queues the look at the chest that is due some minutes after the medicine."""
    if word not in WORDS or parsed.inbound.kind != "text":
        return {}
    order, (given, then, after_s) = settings.TOLD_STEPS()
    last = _last(parsed)
    again = contacts_intent(parsed.inbound, watching=True) is Intent.REPEAT
    if word == "reply-there" or last not in order:
        step = order[0]
    else:
        step = last if again else order[min(order.index(last) + 1, len(order) - 1)]
    if step == given and not again and then in order:
        queue(parsed, "reply-steps", {"step": then}, now, due_at=now + after_s * 1000)
    return {"step": step}


def _last(parsed: ParsedInbound) -> str:
    """The step that this contact was told last in the open alarm, by its id."""
    mine = Message.objects.filter(
        contact=parsed.contact, watch__state__in=ALARMED, word__in=WORDS, attempts__gt=0
    ).order_by("-due_at", "-id")
    told = mine.values_list("facts", "alarm", "watch__alarms")[:_FEW]
    steps = (json.loads(kept).get("step") for kept, alarm, newest in told if alarm == newest)
    return next((step for step in steps if step), "")
