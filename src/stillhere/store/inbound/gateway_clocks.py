"""How late a text is, by the stamp of a gateway whose clock is somebody else's.

A phone on a window sill passes on the stamp of its carrier, and some carriers stamp an hour early.
No text arrives before it was sent, so the smallest age of somebody's last ones is what their stamps
are off. Owns what was noticed of each gateway and sender, for a day, and no text. Other carriers
stamp nothing: their webhooks are prompt, or come again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from statistics import median_low

from stillhere.core.messages import Inbound
from stillhere.store.models import GatewayClock

KEPT = 20  # texts of each sender
KEPT_MS = 24 * 3600 * 1000
OFF_MS = 60_000  # a clock less wrong than this is believed
MOST_OFF_MS = 15 * 3600 * 1000  # and one further off than a wrong time zone
SURE = 3  # texts, and over how long they came, before a stamp is known to be off
SURE_MS = 60_000

Stamp = tuple[int, int]  # when it came, how old its stamp was


def learn(inbounds: Iterable[tuple[Inbound, int]], now_ms: int) -> dict[str, list[Stamp]]:
    """What is known of the stamps of each of these senders, with these. Each comes with the id of
    an address with its number, 0: nobody has it, and it teaches nothing. ``now_ms`` is real
    time."""
    ages_ms: dict[str, list[int]] = {}
    for inbound, address in inbounds:
        if name := _name(inbound, address):
            ages_ms.setdefault(name, []).append(inbound.age_ms)
    found = {}
    for name, ages in ages_ms.items():
        row, _ = GatewayClock.objects.select_for_update().get_or_create(gateway=name)
        stamps = [*_recent(row, now_ms), *((now_ms, age_ms) for age_ms in ages)][-KEPT:]
        row.stamps = json.dumps(stamps)
        row.save(update_fields=["stamps"])
        found[name] = stamps
    return found


def aged(inbound: Inbound, address: int, learned: Mapping[str, list[Stamp]]) -> Inbound:
    """The same, as old as it is by a right clock, and at the most."""
    if not inbound.gateway:
        return replace(inbound, oldest_ms=inbound.age_ms) if inbound.age_ms else inbound
    stamps = learned.get(_name(inbound, address), [])
    off_ms = _off_ms(stamps)
    # A stamp that lies ahead makes no other text older, but where it would end an alarm.
    late_ms = max(inbound.age_ms - max(off_ms, 0), 0)
    times = [at for at, _ in stamps]
    sure = len(times) >= SURE and max(times) - min(times) >= SURE_MS
    oldest_ms = inbound.age_ms - off_ms if sure else inbound.age_ms
    return replace(inbound, age_ms=late_ms, oldest_ms=max(oldest_ms, late_ms))


def offsets(now_ms: int) -> Mapping[str, int]:
    """By how much most texts of each gateway are stamped too early, in ms, or too late where
    negative; those whose clock is right are left out."""
    found: dict[str, list[int]] = {}
    for row in GatewayClock.objects.order_by("gateway"):
        if stamps := _recent(row, now_ms):
            found.setdefault(row.gateway.partition(":")[0], []).append(_off_ms(stamps))
    middle = {name: int(median_low(offs)) for name, offs in found.items()}
    return {name: off_ms for name, off_ms in middle.items() if off_ms}


def forget(now_ms: int) -> None:
    """Drop what is older than a day."""
    old = [row.gateway for row in GatewayClock.objects.all() if not _recent(row, now_ms)]
    GatewayClock.objects.filter(gateway__in=old).delete()


def _name(inbound: Inbound, address: int) -> str:
    """The gateway and whose text it is; nothing where no stamp is to be learned from. Networks
    stamp each in their own way, so nobody's text says anything of another's."""
    return f"{inbound.gateway[:24]}:{address}" if inbound.gateway and address else ""


def _recent(row: GatewayClock, now_ms: int) -> list[Stamp]:
    """Those of the last day; of what is not to be understood, nothing."""
    try:
        stamps = [(int(at), int(age_ms)) for at, age_ms in json.loads(row.stamps or "[]")]
    except (ValueError, TypeError):
        return []
    return [(at, age_ms) for at, age_ms in stamps if now_ms - KEPT_MS < at <= now_ms]


def _off_ms(stamps: list[Stamp]) -> int:
    least_ms = min((age_ms for _, age_ms in stamps), default=0)
    off = least_ms < 0 or least_ms >= OFF_MS
    return least_ms if off and abs(least_ms) <= MOST_OFF_MS else 0
