"""How often a PIN may be tried: counted in the database, before it is looked at.

Owns the count: five wrong ones a minute, and after twenty in a day five an hour. It is taken before
the slow comparison begins, so that sixty tries at once are five, in every process and after a
restart. A right one is given back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from stillhere.store.db import clock
from stillhere.store.models import PinTries


class PinWait(StrEnum):
    """Until when no further try is taken."""

    NONE = ""
    MINUTE = "minute"
    HOUR = "hour"


class Window(NamedTuple):
    """``most`` wrong ones within ``ms`` of the first."""

    name: str
    most: int
    ms: int


MINUTE = Window("minute", 5, 60_000)
DAY = Window("day", 20, 24 * 3_600_000)  # so many in a day, and it goes on slowly
HOUR = Window("hour", 5, 3_600_000)


def take(person: int) -> PinWait:
    """Take one try, or say how long to wait."""
    with transaction.atomic():
        row = PinTries.objects.select_for_update().get_or_create(person_id=person)[0]
        now = clock.now_ms()
        used = {window: _used(row, window, now) for window in (MINUTE, DAY, HOUR)}
        slow = used[DAY] >= DAY.most
        if slow and used[HOUR] >= HOUR.most:
            return PinWait.HOUR
        if used[MINUTE] >= MINUTE.most:
            return PinWait.MINUTE
        for window in (MINUTE, DAY, HOUR) if slow else (MINUTE, DAY):
            _count(row, window, used[window], now)
        row.save()
    return PinWait.NONE


def give_back(person: int) -> None:
    """It was the right one."""
    names = [window.name for window in (MINUTE, DAY, HOUR)]
    less = {name: Greatest(F(name) - 1, 0) for name in names}
    PinTries.objects.filter(person_id=person).update(**less)


def _used(row: PinTries, window: Window, now: int) -> int:
    age_ms = now - int(getattr(row, f"{window.name}_at"))
    return int(getattr(row, window.name)) if 0 <= age_ms < window.ms else 0


def _count(row: PinTries, window: Window, used: int, now: int) -> None:
    if used == 0:
        setattr(row, f"{window.name}_at", now)
    setattr(row, window.name, used + 1)
