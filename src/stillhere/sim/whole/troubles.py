"""What an onlooker notes of trouble from outside: rows that cannot be read, a web that is silent.

Owns the records and nothing else. ``_t`` is true time of the night, ``_at`` the installation's own
time; both in ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stillhere.sim.whole.storage import Storage

MOST_MS, MOST_OF_ALL_MS, WINDOW_MS = 30_000, 60_000, 300_000
AGAIN_MS = 10_000


@dataclass(slots=True)
class DamagedWatch:
    """A watch whose row became garbage; ``over`` are its alarms that had ended. ``aside_t`` is when
    it was set aside, ``first`` whoever stood on the first rung then and had a way."""

    watch: int
    person: int
    at: int
    over: frozenset[int]
    aside_t: int | None = None
    first: frozenset[int] = frozenset()


@dataclass(slots=True)
class WebSilence:
    """The web answered nobody from ``from_t`` to ``to_t``; the engine wrote that down at
    ``told_t``, and may hold alarms back until ``most_t`` if it goes on so long."""

    from_t: int
    told_t: int | None = None
    to_t: int | None = None
    most_t: int = 0

    @property
    def until_t(self) -> int:
        """Until when an alarm may be held back. Whoever was refused has a moment to come back."""
        return self.most_t if self.to_t is None else min(self.most_t, self.to_t + AGAIN_MS)


@dataclass(slots=True)
class Troubles:
    """All of a night."""

    damaged: dict[int, DamagedWatch] = field(default_factory=dict)
    silences: list[WebSilence] = field(default_factory=list)

    def see(self, t: int, storage: Storage) -> int:
        """Look whether what cannot be read was set aside; returns how many were just now."""
        fresh = 0
        for each in self.damaged.values():
            if each.aside_t is None and storage.set_aside(each.watch):
                each.aside_t, fresh = t, fresh + 1
                each.first = frozenset(storage.first_rung(each.person))
        return fresh

    def unnoticed(self) -> bool:
        """Whether there is garbage that was not set aside yet: then red is the truth."""
        return any(each.aside_t is None for each in self.damaged.values())

    def told(self, t: int) -> bool:
        """The engine wrote down the silence that goes on: for how long that may count. Whether it
        was news."""
        silence = self.silences[-1]
        if silence.told_t is not None:
            return False
        earlier = (s for s in self.silences[:-1] if s.told_t is not None)
        spent_ms = sum(s.until_t - s.from_t for s in earlier if s.until_t > t - WINDOW_MS)
        silence.told_t = t
        silence.most_t = silence.from_t + max(min(MOST_MS, MOST_OF_ALL_MS - spent_ms), 0)
        return True

    def put_off_ms(self, from_t: int, to_t: int) -> int:
        """By how much silences may have put off what was to come between these times."""
        some = [s for s in self.silences if s.told_t is not None and s.told_t <= to_t]
        lasted_ms = sum(MOST_MS for s in some if s.from_t + MOST_MS >= from_t)
        return min(lasted_ms, MOST_OF_ALL_MS * (1 + (to_t - from_t) // WINDOW_MS))
