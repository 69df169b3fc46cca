"""Nights and weeks of the whole product, on a simulator in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stillhere.sim.verdict import Lived, Verdict
from stillhere.sim.whole import nights
from stillhere.sim.whole.clock_weeks import ClockWeek
from stillhere.sim.whole.nights import Kind, Night
from stillhere.sim.whole.weeks import Weeks

KINDS: dict[str, Kind] = {"nights": Night, "weeks": Weeks, "clocks": ClockWeek}


@dataclass(frozen=True, slots=True)
class OneKind:
    """A simulator that lives through one kind of night."""

    simulator: nights.Simulator
    kind: Kind

    def lived(self, seeds: range) -> Lived:
        """Live through the nights of these seeds."""
        return self.simulator.lived(seeds, self.kind)

    def shrunk(self, broken: Verdict) -> Verdict:
        """The smallest night found in which the same rule breaks."""
        return self.simulator.shrunk(broken, self.kind)


@contextmanager
def opened(kind: str) -> Iterator[OneKind]:
    """A simulator of one of `KINDS`, with its own database in place of this thread's."""
    with nights.opened() as simulator:
        yield OneKind(simulator, KINDS[kind])
