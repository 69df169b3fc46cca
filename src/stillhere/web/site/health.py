"""Is anybody watching? ``GET /healthz`` for machines, ``behind()`` for every page.

Reads the engine's heartbeat, its last proof and the last write of this process, and writes nothing.
Says 200 only when all three are fresh; otherwise 503 with plain reasons.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from functools import partial

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from stillhere.store.db import clock
from stillhere.store.db.disk import DISK, FULL, full
from stillhere.store.db.optional_tables import JOURNAL, OUTAGES
from stillhere.store.installation import proof
from stillhere.store.messages import pages
from stillhere.store.models import Installation, SetAside
from stillhere.store.watches import damage, queries
from stillhere.store.watches.group_commit import WRITER

log = logging.getLogger("stillhere.health")

BEAT_MS = 10_000
PROOF_MS = 30_000
WROTE_MS = 5_000
PROVED_MS = 600_000


def now_of(here: Installation) -> int:
    """The installation's time."""
    return clock.now_of(clock.row_of(here))


def engine_reasons(here: Installation, now: int) -> list[str]:
    """What the engine has failed to do lately. Ages are real seconds, even if a demo runs
    faster."""
    rate = here.clock_rate or 1.0
    reasons = []
    if (now - here.beat_at) / rate >= BEAT_MS:
        reasons.append("the engine is not running")
    if (now - here.proof_at) / rate >= PROOF_MS:
        reasons.append("it is not proved that every alarm is looked after")
    if here.proof_says:
        reasons.append(here.proof_says)
    return reasons + clock_reasons(here, now)


def clock_reasons(here: Installation, now: int) -> list[str]:
    """What is wrong with the time: daily check-ins depend on the time of day."""
    if here.clock_back_ms != here.clock_reckoned_ms:
        return ["the clock was set back, and the watches are following it"]
    doubt = abs(here.clock_held_ms) >= clock.DOUBT_MS and now - here.clock_proved_at >= PROVED_MS
    if not doubt:
        return []
    apart = clock.in_words(here.clock_held_ms)
    return [f"the machine's clock was set by {apart}, and nothing proves which time is right"]


def damage_reasons() -> list[str]:
    """Which tables cannot be read: those found at this start, and one that we do without."""
    found = []
    if others := [name for name in settings.DAMAGED if name != OUTAGES.name]:
        found.append(f"not all of {', '.join(others)} could be read when this started")
    if JOURNAL.lost and JOURNAL.name not in settings.DAMAGED:
        found.append("not all of journal can be read: what happens may not be written down")
    if not damage.outages_whole():
        found.append(
            "not all of outage can be read: after an absence nobody is asked before the alarm"
        )
    return found


def aside_reasons(now: int, aside: Sequence[SetAside] | None = None) -> list[str]:
    """How many are watched by nobody; a person who has looked at them does not watch them
    either. ``aside`` are those that were set aside, where the caller has read them."""
    if aside is None:
        aside = damage.around(damage.aside, lambda: None)
    if aside is None:
        return ["not all of set_aside can be read: it is not known whom nobody watches"]
    many, looked = damage.unwatched(aside, now)
    if not many:
        return []
    was = "was" if looked == 1 else "were"
    seen = f"; {looked} {was} looked at" if looked else ""
    which, them = ("1 watch", "it") if many == 1 else (f"{many} watches", "them")
    return [f"{which} cannot be read and nobody watches {them}{seen}"]


def coordinator_reasons() -> list[str]:
    """How many of those on call are paged by no phone any more: a STOP can be forged."""
    many, all_of_them = len(pages.stopped()), len(settings.STILLHERE.coordinators)
    if not many:
        return []
    return [f"numbers of {many} of {all_of_them} on call said STOP: START from them lifts it"]


def reasons(
    here: Installation | None = None,
    now: int | None = None,
    aside: Sequence[SetAside] | None = None,
) -> list[str]:
    """Everything that is not as it should be. If the disk accepts no writes, all the rest follows
    from that. The installation's row, its time and whom was set aside, where the caller has read
    them."""
    if disk := _of_the_disk():
        return [disk]
    try:
        here = here or queries.installation()
        now = now_of(here) if now is None else now
        found = engine_reasons(here, now)
        for part in (partial(aside_reasons, now, aside), damage_reasons, coordinator_reasons):
            found += damage.around(part, lambda: ["not all of the database can be read"])
    except Error as failure:
        log.warning("database: %s", type(failure).__name__)
        found = ["the database cannot be read"]
    wrote_ms = WRITER.wrote_ms
    if wrote_ms is None or settings.BOOT_MS() - wrote_ms >= WROTE_MS:
        found.append("nothing could be written lately")
    return found


def _of_the_disk() -> str:
    """What is wrong with it, or nothing. PostgreSQL's may be another machine's."""
    if said := DISK.says():
        return said
    return FULL if connection.vendor == "sqlite" and full(settings.STILLHERE.data) else ""


def behind(here: Installation | None = None) -> bool:
    """Whether people must be told that nobody is watching. If we cannot tell, we must. ``here`` is
    the installation's row, where the caller has read it."""
    if DISK.says():
        return True
    try:
        here = here or queries.installation()
        now, rate = now_of(here), here.clock_rate or 1.0
        late = (now - here.beat_at) / rate >= BEAT_MS or (now - here.proof_at) / rate >= PROOF_MS
        following = here.clock_back_ms != here.clock_reckoned_ms
        return late or following or bool(here.proof_says)
    except Error:
        return True


@csrf_exempt  # so that the wrong method hears 405
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """For whoever watches us from outside."""
    found = reasons()
    said = {"ok": not found, "reasons": found}
    with contextlib.suppress(Error):
        said["id"] = proof.identity_of(queries.installation())
    return JsonResponse(said, status=503 if found else 200)
