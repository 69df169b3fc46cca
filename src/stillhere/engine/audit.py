"""The proof that all is well. Every open alarm must have a timer ahead of it and a message still in
play, and must have reached somebody unless it is very recent; nothing urgent may be left waiting.
Only then do we say so.

No proof, no ping: an outside watcher that stops hearing from us raises the alarm about us. For the
installations that we look after, we are that watcher.
"""

from __future__ import annotations

import logging

from django.db import transaction

from stillhere.channels.base import NO_CONNECTION, REFUSED
from stillhere.store.db import clock
from stillhere.store.db.disk import DISK
from stillhere.store.installation import peers
from stillhere.store.messages import reach
from stillhere.store.messages import stuck as stuck_pages
from stillhere.store.models import Installation
from stillhere.store.people import sealed
from stillhere.store.watches import damage, queries

log = logging.getLogger("stillhere.audit")

UNREADABLE = "the disk is damaged, and nobody is watched: it cannot be read who is due or told"
BEHIND_MS = 10_000  # real time: a timer this late means the engine does not keep up
FLIGHT_MS = 40_000  # real time: three carriers, one after the other, each until its deadline
UNHEARD_MS = 20_000  # real time: with one round of the audit less than half a minute


def audit_once(now: int) -> list[str]:
    """Check the invariants that must never break, store the proof or what is missing, and return
    the reasons (empty: all well). Bounded, indexed queries only."""
    rate = clock.read().rate  # a demo's clock runs faster than the machine under it
    reasons: list[str] = damage.around(lambda: _amiss(now, rate), lambda: [UNREADABLE])
    if DISK.says():
        reasons.append(DISK.says())
    with transaction.atomic():
        proof = {"proof_says": "; ".join(reasons)} | ({} if reasons else {"proof_at": now})
        Installation.objects.filter(id=1).update(**proof)
    for reason in reasons:
        log.error("no proof: %s", reason)
    return reasons


def _amiss(now: int, rate: float) -> list[str]:
    """What does not hold. Beside one row that cannot be read the others are looked at; raises where
    that cannot be."""
    reasons = []
    queries.require_due()
    reach.require_queue()
    late_ms = queries.latest_due_ms(now) / rate
    if late_ms > BEHIND_MS:
        reasons.append(f"watches are looked at {late_ms / 1000:.0f} s late")
    untried_ms = damage.around(lambda: reach.untried_ms(now, int(FLIGHT_MS * rate)), int) / rate
    if untried_ms > UNHEARD_MS:
        reasons.append(f"an urgent message has been waiting for {untried_ms / 1000:.0f} s")
    dead = queries.alarms_without_life(now)
    if dead:
        reasons.append(f"{len(dead)} open alarms have nothing on its way: {dead[:5]}")
    if not damage.around(sealed.opens, lambda: True):
        reasons.append(sealed.FAULT)
    elif damage.around(sealed.lacks_a_key, lambda: False):
        reasons.append(sealed.MISSING)
    return reasons + _stuck(now, rate)


def _stuck(now: int, rate: float) -> list[str]:
    """Whatever reaches nobody; the coordinator is paged about it. Until a message gets through
    again, new ones are given no time either: nobody has seen that any way works."""
    stuck: list[str] = damage.around(lambda: unheard(now, rate), list)
    since_at = min(stuck_pages.since_at(), now)
    still: list[str] = stuck
    if since_at and not stuck:
        still = damage.around(lambda: unheard(now, rate, 0), list)
    free = bool(since_at) and not still
    free = free and damage.around(lambda: reach.went_through(since_at, now), bool)
    if word := stuck_pages.look(now, rate, stuck=bool(stuck), free=free):
        log.warning("coordinator paged word=%s", word)
    return still


def unheard(now: int, rate: float, given_ms: int = UNHEARD_MS) -> list[str]:
    """What has been tried and has not reached people for longer than ``given_ms`` of real time."""
    reasons = []
    in_vain_ms = reach.in_vain_ms(now, REFUSED, NO_CONNECTION) / rate
    if in_vain_ms > given_ms:
        reasons.append(f"an urgent message has been tried in vain for {in_vain_ms / 1000:.0f} s")
    unreached = reach.unreached(now - int(given_ms * rate))
    if unreached:
        reasons.append(_reached_nobody(unreached))
    return reasons


def _reached_nobody(watches: list[int]) -> str:
    many = "1 open alarm has" if len(watches) == 1 else f"{len(watches)} open alarms have"
    why = "; ".join(map(str, reach.obstacles(watches)))
    return f"{many} reached nobody{f': {why}' if why else ''}"


class Lookout:
    """Looks after our peers. Remembers when we ourselves were last behind: we may have heard nobody
    then, so the time that a peer is allowed to be silent starts again."""

    def __init__(self) -> None:
        self._behind_at = 0

    def look_once(self, now: int, well: bool) -> None:
        """Page the coordinator about peers that have fallen silent. ``well``: our own proof
        holds."""
        if not well:
            self._behind_at = now
            return
        for word in peers.look(now, self._behind_at):
            log.warning("peer paged word=%s", word)
