"""What became of a night, of either kind.

Owns the verdict, living many nights, and making a broken one small. Knows no world.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from stillhere.sim.shrink import smallest
from stillhere.sim.whole.world import Violation


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one night. ``broken`` names the rule that did not hold, and how; then
    ``lines`` are the last of its trace and ``switches`` what can be left out of it."""

    seed: int
    counts: Mapping[str, int]
    broken: Violation | None = None
    lines: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    trace_hash: str = ""


Run = Callable[[int, frozenset[str]], Verdict]
Lived = tuple[Counter[str], list[Verdict]]


def lived(run: Run, seeds: range) -> Lived:
    """Live through many nights: what happened in all of them, and the ones in which a rule
    broke."""
    counts: Counter[str] = Counter()
    broken = []
    for seed in seeds:
        verdict = run(seed, frozenset())
        counts.update(verdict.counts)
        if verdict.broken is not None:
            broken.append(verdict)
    return counts, broken


def shrunk(run: Run, broken: Verdict, most_tries: int) -> Verdict:
    """The smallest night found, in at most so many, in which the same rule breaks."""
    assert broken.broken is not None
    rule = broken.broken.invariant

    def breaks(off: frozenset[str]) -> bool:
        found = run(broken.seed, off).broken
        return found is not None and found.invariant == rule

    off = smallest(broken.switches, breaks, most_tries)
    small = run(broken.seed, off)
    return replace(small, switches=tuple(name for name in small.switches if name not in off))
