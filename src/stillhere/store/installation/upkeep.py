"""What a careful coordinator checks every week. Counts only: no name, no number, no watch.

Owns the reads behind `stillhere check`; changes nothing and judges nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Count, Sum

from stillhere.store.models import Address, Contact, Message, Person
from stillhere.store.watches import queries
from stillhere.store.watches.outbox import COORDINATOR

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Lists:
    """How many people keep a list, how many contacts are on one, and how many of those have no
    recent test ring."""

    people: int
    contacts: int
    untested: int


def lists(now: int, days: int) -> Lists:
    """``untested`` have not confirmed within ``days`` that a test rang."""
    on_lists = Contact.objects.filter(status__in=["invited", "confirmed"], person__trial=False)
    return Lists(
        Person.objects.filter(trial=False).count(),
        on_lists.count(),
        on_lists.filter(rang_at__lt=now - days * DAY_MS).count(),
    )


def learnt() -> tuple[int, int]:
    """How many of those who said yes have answered the questions, and how many said yes."""
    yes = Contact.objects.filter(status="confirmed", person__trial=False)
    return yes.filter(trained_at__gt=0).count(), yes.count()


def pages_lost(now: int, days: int) -> int:
    """Messages to the coordinator that failed within ``days``, or are being tried again and
    again."""
    mine = Message.objects.filter(channel=COORDINATOR, created_at__gt=now - days * DAY_MS)
    tried = mine.filter(status="queued", attempts__gt=3).count()
    return mine.filter(status="failed").count() + tried


def rang(channels: Sequence[str], since_at: int) -> int:
    """How many of our calls somebody picked up since then."""
    ours = Message.objects.filter(channel__in=channels, done_at__gt=since_at)
    return ours.filter(status=Message.Status.DELIVERED).count()


def refusing(refused: str) -> list[tuple[str, str, str, int]]:
    """The ways whose account is being refused while something waits to leave through them: channel,
    carrier, its wording, and how many messages wait. ``refused`` is how such a ``why`` begins."""
    waiting = Message.objects.filter(status=Message.Status.QUEUED, why__startswith=refused)
    rows = waiting.values_list("channel", "carrier", "why").annotate(Count("id"))
    return list(rows.order_by("channel", "carrier", "why"))


def cut_off(here: Collection[str]) -> list[tuple[str, int]]:
    """The channels that are not ``here``, and how many contacts can be reached in no other way."""
    ways = Address.objects.filter(
        state=Address.State.OK,
        contact__status__in=["invited", "confirmed"],
        contact__person__trial=False,
    )
    lost = ways.exclude(contact__in=ways.filter(channel__in=here).values("contact"))
    rows = lost.values_list("channel").annotate(Count("contact", distinct=True))
    return [(channel, count) for channel, count in rows.order_by("channel")]


def unseen() -> int:
    """Watches that were set aside or ended gravely, and that nobody has looked at."""
    return len(queries.to_look_at())


def database_bytes() -> int | None:
    """The size of a database that is on another machine's disk; None for SQLite."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def over(caps: Mapping[str, int], now: int) -> set[str]:
    """Which of these carriers have reached their monthly limit. ``caps`` are whole units of their
    currency, by name."""
    return {
        name
        for name, _, micros, _ in spent(now)
        if name in caps and micros >= caps[name] * 1_000_000
    }


def spent(now: int) -> list[tuple[str, str, int, int]]:
    """What each carrier charged this month (UTC), as far as it reports it: its name, the currency,
    millionths of it, and for how many messages."""
    today = datetime.fromtimestamp(now / 1000, UTC)
    month = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since_at = int(month.timestamp() * 1000)
    paid = Message.objects.filter(created_at__gte=since_at, cost_micros__isnull=False)
    rows = paid.values_list("carrier", "currency").annotate(Sum("cost_micros"), Count("id"))
    return [(name, currency, micros, count) for name, currency, micros, count in rows.order_by()]
