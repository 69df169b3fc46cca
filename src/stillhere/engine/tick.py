"""Due ``wake_at`` -> ``apply``. Decides nothing: a watch that fell due while we were away hears
that we were."""

from __future__ import annotations

from stillhere.core.events import ServiceWasDown
from stillhere.store import queries
from stillhere.store.apply import Change, Tick, apply_batch

MOST = 200  # one transaction: the first alarms leave before the last due watch is looked at


def tick_once(now: int, most: int = MOST) -> int:
    """Wake up to ``most`` due watches, longest due first; returns how many. Late, twice or from
    two engines at once is harmless: the step compares every timer with the clock."""
    due = queries.due(now, most)
    if not due:
        return 0
    gaps = queries.outages_since(min(wake_at for _, wake_at in due))
    changes = []
    for watch, wake_at in due:
        away = queries.away(gaps, wake_at)
        changes.append(Change(ServiceWasDown(*away) if away else Tick(), watch=watch))
    apply_batch(changes)
    return len(changes)
