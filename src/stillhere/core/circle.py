"""The plan as the core sees it: whom to reach, in what order.

Owns the snapshot that is frozen into a watch when an alarm starts. Refuses to know how a person is
reached: a contact is an id with a number of ways.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reach:
    """One contact on a rung. ``ways`` are address ids; ``confirmed`` False is an invitation
    nobody answered: rung once, marked so."""

    contact: int
    ways: tuple[int, ...]
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Circle:
    """Whom to reach, in what order. Frozen into the watch when an alarm starts."""

    rungs: tuple[tuple[Reach, ...], ...] = ()

    def contacts(self) -> tuple[int, ...]:
        return tuple(reach.contact for rung in self.rungs for reach in rung)
