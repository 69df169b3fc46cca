"""What was tried in vain, tried again before its time.

A message that a carrier refuses rests between two tries, for a minute in the end. An alarm must not
sleep through the minute in which the carrier works again, and two hundred alarms must not all try
every second. So one of them, the most urgent, is tried every few seconds; and once anything has
left by that channel, all the others are due. Owns only when; trying is the engine's.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import (
    BigIntegerField,
    Case,
    ExpressionWrapper,
    F,
    IntegerField,
    QuerySet,
    Value,
    When,
)

from stillhere.store.db.row_locks import hold_messages
from stillhere.store.messages.delivery import BACK_OFF_S
from stillhere.store.models import Message
from stillhere.store.watches import damage

EVERY_MS = 5_000
# A rest that a carrier asked for is longer than ours after as many tries, and is kept.
_REST_MS = Case(
    *(When(attempts=tries, then=Value(s * 1000)) for tries, s in enumerate(BACK_OFF_S, 1)),
    default=Value(BACK_OFF_S[-1] * 1000),
)
# Named, or Django takes the difference for a number that no instant fits.
_TRIED_AT = ExpressionWrapper(F("due_at") - _REST_MS, output_field=BigIntegerField())
# What becomes of a knock, as the first message in this order says.
_LATELY, _RESTS, _IS_DUE = Value(0), Value(1), Value(2)


def knock(channel: str, now: int) -> bool:
    """Where the last try by this channel was a while ago, make the most urgent message that rests
    there due at ``now``, ms UTC. False where nothing was tried in vain, so that there is no need to
    ask again before something is."""
    return damage.around(lambda: _knock(channel, now), lambda: True)


def _knock(channel: str, now: int) -> bool:
    what = Case(
        When(tried_at__gt=now - EVERY_MS, then=_LATELY),
        When(due_at__gt=now, then=_RESTS),
        default=_IS_DUE,
        output_field=IntegerField(),
    )
    vain = _vain(channel).annotate(what=what)
    first = vain.order_by("what", "urgency", "place", "due_at", "id").values_list("id", "what")
    for id, what_it_is in first[:1]:
        if what_it_is == _RESTS.value:
            _make_due([id], now)
        return True
    return False


def wake(channel: str, now: int) -> int:
    """Something has left by this channel: what rests there is due at ``now``, ms UTC; returns how
    many. One that fails for a reason of its own is not tried again within the same few seconds."""
    return damage.around(lambda: _wake(channel, now), lambda: 0)


def _wake(channel: str, now: int) -> int:
    resting = _vain(channel).filter(due_at__gt=now, tried_at__lte=now - EVERY_MS)
    return _make_due(list(resting.values_list("id", flat=True)), now)


def _vain(channel: str) -> QuerySet[Any]:
    queued = Message.objects.filter(status="queued", channel=channel, vain_at__isnull=False)
    return queued.annotate(tried_at=_TRIED_AT)


def _make_due(ids: list[int], now: int) -> int:
    with transaction.atomic():
        theirs = hold_messages(ids)  # somebody else holds those
        mine = [id for id in ids if id not in theirs]
        return Message.objects.filter(id__in=mine, status="queued").update(due_at=now)
