"""Seeded nights: the real core, store and engine under faults, judged by what an onlooker knows.

A night that fails is seen again, alone, with the seed the test prints:
``stillhere simulate --nights 1 --seed N``.
"""

from __future__ import annotations

import pytest

from stillhere.sim.verdict import Verdict
from stillhere.sim.whole.nights import Simulator

pytestmark = pytest.mark.slow

FEW = range(1, 7)
SLICE = 20  # small enough that two workers end at the same time
MANY = range(100, 1_100, SLICE)
FRESH = range(0, 60, SLICE)


def _nights(simulator: Simulator, seeds: range) -> list[Verdict]:
    """Live through all of them; fails with the seed, the rule and the last events of each that
    broke."""
    verdicts = [simulator.run(seed) for seed in seeds]
    broken = [verdict for verdict in verdicts if verdict.broken is not None]
    for verdict in broken:
        print(f"seed {verdict.seed}: {verdict.broken}", *verdict.lines, sep="\n  ")
    assert [(verdict.seed, str(verdict.broken)) for verdict in broken] == []
    return verdicts


def test_a_few_nights_hold(simulator: Simulator) -> None:
    verdicts = _nights(simulator, FEW)
    for what in (
        "watches", "check-ins", "alarms", "messages", "crashes", "refusals", "words under force",
    ):  # fmt: skip
        assert sum(verdict.counts.get(what, 0) for verdict in verdicts) > 0, f"no {what}"


@pytest.mark.parametrize("first", MANY)
def test_a_thousand_nights_hold(simulator: Simulator, first: int) -> None:
    _nights(simulator, range(first, first + SLICE))


@pytest.mark.parametrize("nth", FRESH)
def test_fresh_nights_hold(simulator: Simulator, fresh_seed: int, nth: int) -> None:
    first = fresh_seed + nth
    print(f"again: stillhere simulate --nights {SLICE} --seed {first}")
    _nights(simulator, range(first, first + SLICE))


def test_one_seed_is_one_night(simulator: Simulator) -> None:
    once, other = simulator.run(2), simulator.run(3)
    again = simulator.run(2)
    assert again.trace_hash == once.trace_hash
    assert again.counts == once.counts
    assert other.trace_hash != once.trace_hash
