"""How late a text is, by the stamp of a gateway whose clock is somebody else's.

A phone on a window sill passes on the stamp of its carrier, and some carriers stamp an hour early.
No text arrives before it was sent, so the smallest age of the last ones is what the stamps are off.
Owns what was noticed of each gateway, and no text. Other carriers stamp nothing: their webhooks are
prompt, or come again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from stillhere.core.messages import Inbound
from stillhere.store.models import GatewayClock

KEPT = 20  # texts of each gateway
KEPT_MS = 24 * 3600 * 1000
OFF_MS = 60_000  # a clock less wrong than this is believed
MOST_OFF_MS = 15 * 3600 * 1000  # and one further off than a wrong time zone
SURE = 3  # texts, and over how long they came, before a stamp is known to be off
SURE_MS = 60_000

Stamp = tuple[int, int]  # when it came, how old its stamp was


def learn(inbounds: Iterable[Inbound], now_ms: int) -> dict[str, list[Stamp]]:
    """What is known of each of their gateways, with these. ``now_ms`` is real time. Writes nothing
    where nobody stamps."""
    ages_ms: dict[str, list[int]] = {}
    for inbound in inbounds:
        if inbound.gateway:
            ages_ms.setdefault(inbound.gateway, []).append(inbound.age_ms)
    known = {}
    for gateway, ages in ages_ms.items():
        row, _ = GatewayClock.objects.select_for_update().get_or_create(gateway=gateway)
        stamps = [*_recent(row, now_ms), *((now_ms, age_ms) for age_ms in ages)][-KEPT:]
        row.stamps = json.dumps(stamps)
        row.save(update_fields=["stamps"])
        known[gateway] = stamps
    return known


def aged(inbound: Inbound, known: Mapping[str, list[Stamp]]) -> Inbound:
    """The same, as old as it is by a right clock, and at the most."""
    if not inbound.gateway:
        return replace(inbound, oldest_ms=inbound.age_ms) if inbound.age_ms else inbound
    stamps = known[inbound.gateway]
    late_ms = max(inbound.age_ms - _off_ms(stamps), 0)
    times = [at for at, _ in stamps]
    sure = len(times) >= SURE and max(times) - min(times) >= SURE_MS
    return replace(
        inbound, age_ms=late_ms, oldest_ms=late_ms if sure else max(inbound.age_ms, late_ms)
    )


def offsets(now_ms: int) -> Mapping[str, int]:
    """By how much each gateway stamps too early, in ms, or too late where negative; those whose
    clock is right are left out."""
    found = {row.gateway: _recent(row, now_ms) for row in GatewayClock.objects.order_by("gateway")}
    return {name: _off_ms(stamps) for name, stamps in found.items() if stamps and _off_ms(stamps)}


def _recent(row: GatewayClock, now_ms: int) -> list[Stamp]:
    """Those of the last day; of what is not to be understood, nothing."""
    try:
        stamps = [(int(at), int(age_ms)) for at, age_ms in json.loads(row.stamps or "[]")]
    except (ValueError, TypeError):
        return []
    return [(at, age_ms) for at, age_ms in stamps if now_ms - KEPT_MS < at <= now_ms]


def _off_ms(stamps: list[Stamp]) -> int:
    least_ms = min(age_ms for _, age_ms in stamps)
    off = least_ms < 0 or least_ms >= OFF_MS
    return least_ms if off and abs(least_ms) <= MOST_OFF_MS else 0
