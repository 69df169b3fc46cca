"""Who is on call: the coordinators of an installation, their hours, and whom a page goes to next.

Somebody is always paged: those whose hours it is one after the other, then everybody at once, again
and again. Where it is nobody's hour it is everybody at once from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class OnCall:
    """Somebody who is paged, by all their ``ways`` at once: e-mail addresses, addresses of chat
    apps, phone numbers as E.164. ``hours``: from and until which minute of the day they are reached
    in ``tz``, an IANA name; None: always. From later than until means through the night."""

    name: str
    ways: tuple[str, ...]
    lang: str = ""
    hours: tuple[int, int] | None = None
    tz: str = "UTC"

    def is_reached(self, now: int) -> bool:
        """Whether it is their hour at ``now``, ms UTC."""
        if self.hours is None:
            return True
        there = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(self.tz))
        minute, (begin, end) = there.hour * 60 + there.minute, self.hours
        return begin <= minute < end if begin < end else minute >= begin or minute < end


def turn(people: Sequence[OnCall], now: int, tried: Collection[str]) -> tuple[OnCall, ...]:
    """Whom a page goes to next, after those ``tried``, by their names."""
    ready = [each for each in people if each.is_reached(now) and each.name not in tried]
    return (ready[0],) if ready else tuple(people)
