"""What the coordinator's desk needs: its one key, what is waiting to be sent, and the permanent
counts.

Owns the desk's nonce, created once. Knows no names: those come with the watches from
``queries.py``.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Min, Q, Sum
from django.db.models.functions import Coalesce

from stillhere.store.db import encryption
from stillhere.store.models import Installation, Message, Tally

DAY_MS = 24 * 3600 * 1000


def key(*, new: bool = False) -> str:
    """The desk's key. It stays the same until a ``new`` one is requested; then the old one opens
    nothing. Creates the nonce if there is none."""
    with transaction.atomic():
        here = Installation.objects.select_for_update().get_or_create(id=1)[0]
        if new or not here.desk_nonce:
            here.desk_nonce = encryption.new_nonce()
            here.save(update_fields=["desk_nonce"])
    return encryption.key_for("desk", here.desk_nonce)


def opens(tried: str) -> bool:
    """Whether ``tried`` is the desk's key. Writes nothing; before the first ``key()`` no key is
    valid."""
    here = Installation.objects.filter(id=1).first()
    if here is None or not here.desk_nonce:
        return False
    right = encryption.key_for("desk", here.desk_nonce)
    return hmac.compare_digest(right.encode(), tried.encode("utf-8", "replace"))


def mark(here: Installation | None = None) -> str:
    """What the cookie of a browser at the desk must say. It changes with the key; before the first
    ``key()`` it is empty. ``here`` is the installation's row, where the caller has read it."""
    here = here or Installation.objects.filter(id=1).first()
    if here is None or not here.desk_nonce:
        return ""
    return encryption.key_hash(encryption.key_for("desk", here.desk_nonce)).hex()[:32]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What one channel still has to send, grouped by the reason for waiting. ``oldest_s`` is how
    long the first message has been due or was tried in vain; ``why`` is empty if it was never
    tried."""

    channel: str
    queued: int
    oldest_s: int
    why: str


def backlog(now: int) -> list[Backlog]:
    """What is due, or was tried in vain and is due again, by channel and reason."""
    ours = Q(due_at__lte=now) | Q(vain_at__isnull=False)
    due = Message.objects.filter(ours, status="queued").values("channel", "carrier", "why")
    since_at = Min(Coalesce("vain_at", "due_at"))
    waiting = due.annotate(queued=Count("id"), first=since_at).order_by("channel", "carrier", "why")
    return [
        Backlog(
            w["channel"],
            w["queued"],
            (now - w["first"]) // 1000,
            ": ".join(each for each in (w["carrier"], w["why"]) if each),
        )
        for w in waiting
    ]


def failed_lately(now: int) -> int:
    """How many messages failed for good within a day."""
    return Message.objects.filter(status="failed", done_at__gt=now - DAY_MS).count()


def counts(now: int, days: int) -> dict[str, int]:
    """What was counted during the last ``days`` days, by name."""
    first = (datetime.fromtimestamp(now / 1000, UTC) - timedelta(days=days - 1)).date()
    found = Tally.objects.filter(day__gte=first.isoformat()).values("what")
    return {row["what"]: row["total"] for row in found.annotate(total=Sum("count"))}
