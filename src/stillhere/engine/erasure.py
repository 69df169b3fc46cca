"""What is erased, ended or reminded of because its time has come.

Owns the round; what is erased when, and how completely, is decided in ``store/privacy/erasure.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings

from stillhere.store import changes
from stillhere.store.db import budgets
from stillhere.store.inbound import chat_codes, gateway_clocks
from stillhere.store.installation import peers
from stillhere.store.kits import kits, supply_warnings
from stillhere.store.messages import alarm_numbers, pages
from stillhere.store.people import browsers, invitations, suppression
from stillhere.store.privacy import erasure, expiry
from stillhere.store.program import shifts
from stillhere.store.watches import damage

log = logging.getLogger("stillhere.erasure")


def erase_once(now: int) -> int:
    """Erase what has been kept long enough; returns how many watches that was."""
    here = settings.STILLHERE
    quiet_h, alarm_days = here.keep_quiet_h, here.keep_alarm_days
    duties: tuple[Callable[[], object], ...] = (
        lambda: erasure.erase_trials(now),
        lambda: erasure.erase_callers(now, quiet_h),
        erasure.erase_secret,
        lambda: shifts.end_due(now),
        lambda: browsers.end_due(now),
        lambda: kits.remind(now),
        lambda: supply_warnings.end_due(now),
        lambda: peers.erase_pages(now, alarm_days),
        lambda: pages.erase(now, alarm_days),
        lambda: alarm_numbers.erase(now),
        lambda: suppression.carry_over(now),
        lambda: budgets.forget(now, erasure.MOST_ERASED),
        invitations.erase_gone,
        lambda: expiry.erase_idle(now, here.keep_idle_months),
        lambda: expiry.end_invitations(now, here.keep_invited_days),
        lambda: expiry.erase_messages(now, alarm_days),
        lambda: expiry.erase_arrivals(now),
        lambda: changes.forget(now),
        lambda: gateway_clocks.forget(settings.WALL_MS()),
        lambda: chat_codes.forget(now),
        lambda: expiry.erase_set_aside(now, alarm_days),
        lambda: expiry.erase_copies(here.data, now, alarm_days),
    )
    damage.around(lambda: expiry.note_use(now), lambda: None)  # before their watches go
    gone = damage.around(lambda: erasure.erase_due(now, quiet_h, alarm_days), lambda: 0)
    for duty in duties:  # a damaged row keeps one of them from its work, never the others
        damage.around(duty, lambda: None)
    if gone:
        log.info("erased watches=%d", gone)
    return gone
