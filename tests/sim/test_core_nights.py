"""Nights of the core alone: fifty thousand that are always the same and some thousands that are
never, judged by what an onlooker knows.

A night that fails is seen again, alone and as small as it gets, with the seed the test prints:
``stillhere simulate --core --nights 1 --seed N``.
"""

from __future__ import annotations

import pytest

from stillhere.sim.core import nights

FEW = range(1, 1001)
SLICE = 1_250
MANY = range(100_000, 150_000, SLICE)
FRESH = range(0, 5_000, SLICE)


def _nights(seeds: range) -> dict[str, int]:
    """Live through all of them; fails with the seed, the rule and the smallest night of each that
    broke, three at most."""
    counts, broken = nights.lived(seeds)
    for verdict in map(nights.shrunk, broken[:3]):
        print(f"seed {verdict.seed}: {verdict.broken}", *verdict.lines, sep="\n  ")
    assert [(verdict.seed, str(verdict.broken)) for verdict in broken] == []
    return counts


def test_a_thousand_core_nights_hold_and_a_lot_happens_in_them() -> None:
    counts = _nights(FEW)
    assert counts["steps"] > 12_000
    for what in ("asks", "alarms", "told", "outages"):
        assert counts[what] > 50, f"hardly any {what}"


@pytest.mark.slow
@pytest.mark.parametrize("first", MANY)
def test_fifty_thousand_core_nights_hold(first: int) -> None:
    _nights(range(first, first + SLICE))


@pytest.mark.slow
@pytest.mark.parametrize("nth", FRESH)
def test_fresh_core_nights_hold(fresh_seed: int, nth: int) -> None:
    first = fresh_seed + nth
    print(f"again: stillhere simulate --core --nights {SLICE} --seed {first}")
    _nights(range(first, first + SLICE))


JUDGED_WRONGLY = (7_582_383, 554_562_906, 554_563_628, 675_898_141, 91_087_399, 91_130_170)


@pytest.mark.parametrize("seed", JUDGED_WRONGLY)
def test_a_night_that_was_judged_wrongly_holds(seed: int) -> None:
    """Somebody said anew that they are going, once their hold was over; two outages after an ask
    that went out ten seconds late; a text that cannot be read in the millisecond of a check-in, or
    after a clock that went back; the same claim again from somebody who is believed since."""
    _nights(range(seed, seed + 1))


def test_one_seed_is_one_core_night() -> None:
    assert nights.run(2, trace=True).counts == nights.run(2, trace=True).counts
    assert nights.run(2).counts != nights.run(3).counts


@pytest.mark.parametrize("seed", range(1, 40))
def test_leaving_something_out_leaves_all_else_as_it_was(seed: int) -> None:
    plan = nights.planned(seed)
    for name in plan.switches:
        left = plan.without({name})
        assert name not in left.switches
        assert set(left.switches) < set(plan.switches)
        assert set(left.deeds) <= set(plan.deeds)
