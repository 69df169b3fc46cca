"""Tells the coordinator that urgent messages reach nobody: once, every half hour, and when it is
over.

Owns those pages, which belong to no watch, and since when this has been so (``Installation``): it
lasts until something gets through again, not until nothing waits. What is stuck, and what got
through, is decided by the audit; by which way a page goes is decided by the pager, never by the one
that failed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import transaction

from stillhere.core.events import Urgency
from stillhere.store.installation.peers import REPEAT_MS
from stillhere.store.models import Installation, Message
from stillhere.store.watches.outbox import COORDINATOR

LASTS_MS = 10_000  # real time: what was cleared by then is told to nobody
STUCK, FREE = "page-stuck", "page-free"


def since_at() -> int:
    """Since when something urgent has reached nobody without anything getting through since; 0 if
    that is not so."""
    return Installation.objects.filter(id=1).values_list("stuck_at", flat=True).first() or 0


def look(now: int, rate: float, *, stuck: bool, free: bool) -> str:
    """Page the coordinator if it is time; returns the word that was queued, or nothing. Two engines
    may look at once: whichever moves ``stuck_told_at`` queues the page."""
    here = Installation.objects.filter(id=1).values("stuck_at", "stuck_told_at").first()
    if here is None or not (stuck or here["stuck_at"]):
        return ""
    since_at, told_at = here["stuck_at"], here["stuck_told_at"]
    if not stuck:
        if not free:
            return ""
        return _page(FREE if told_at else "", now, here, now, stuck_at=0, stuck_told_at=0)
    if not since_at:
        return _page("", now, here, now, stuck_at=now)
    # Where the clock was set back both lie ahead, and count as long ago.
    young = 0 <= now - since_at < LASTS_MS * rate
    told = 0 <= now - told_at < REPEAT_MS * rate
    return "" if young or told else _page(STUCK, min(since_at, now), here, now, stuck_told_at=now)


@transaction.atomic
def _page(word: str, at: int, seen: Mapping[str, object], now: int, **changes: int) -> str:
    """Write down the current state, and queue ``word`` if there is one; nothing if another engine
    was first."""
    if not Installation.objects.filter(id=1, **seen).update(**changes) or not word:
        return ""
    Message.objects.create(
        key=f"stuck.{now}.{word}",
        channel=COORDINATOR,
        word=word,
        facts=json.dumps({"at": at}),
        urgency=Urgency.RING,
        due_at=now,
        # What could not leave until it is said again need not leave any more.
        lapses_at=now + REPEAT_MS if word == STUCK else None,
        created_at=now,
    )
    return word
