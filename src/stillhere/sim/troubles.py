"""What an onlooker notes of trouble from outside: rows that cannot be read.

Owns the records and nothing else. ``_t`` is true time of the night, ``_at`` the installation's own
time; both in ms.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stillhere.sim.storage import Storage


@dataclass(slots=True)
class Damaged:
    """A watch whose row became garbage; ``over`` are its alarms that had ended. ``aside_t`` is when
    it was set aside, ``first`` whoever stood on the first rung then and had a way."""

    watch: int
    person: int
    at: int
    over: frozenset[int]
    aside_t: int | None = None
    first: frozenset[int] = frozenset()


@dataclass(slots=True)
class Troubles:
    """All of a night."""

    damaged: dict[int, Damaged] = field(default_factory=dict)

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
