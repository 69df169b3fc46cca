"""Weeks on a machine whose clock is not to be trusted: nobody is forgotten, and the simulator sees
it where somebody is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stillhere.core import events as ev
from stillhere.core import quiet_handlers, watch
from stillhere.engine import heartbeat
from stillhere.sim.whole.clock_weeks import ClockWeek
from stillhere.sim.whole.nights import Simulator
from stillhere.store.db.clock import ClockRow

pytestmark = pytest.mark.slow
FRESH = 20


def test_sixty_weeks_of_wrong_clocks_hold(simulator: Simulator, fresh_seed: int) -> None:
    counts, broken = simulator.lived(range(1, 41), ClockWeek)
    assert [(each.seed, str(each.broken)) for each in broken] == []
    assert counts["leaps"] > 20
    assert counts["starts"] > 10
    assert counts["days"] > 300
    assert counts["held"] > 10
    assert counts["refused"] > 300
    assert counts["alarms judged"] > 60
    fresh = range(fresh_seed, fresh_seed + FRESH)
    print(f"stillhere simulate --clocks --nights {FRESH} --seed {fresh_seed}")
    _counts, broken = simulator.lived(fresh, ClockWeek)
    assert [(each.seed, str(each.broken)) for each in broken] == []


def test_a_seed_lives_the_same_week_again(simulator: Simulator) -> None:
    once, again = (simulator.run(18, kind=ClockWeek) for _ in range(2))
    assert once.trace_hash == again.trace_hash
    assert once.counts == again.counts


def watches_do_not_follow(patch: pytest.MonkeyPatch) -> None:
    for state, event in list(watch.TABLE):
        if event is ev.ClockSetBack:
            patch.setitem(watch.TABLE, (state, event), quiet_handlers.ignore)


def a_clock_that_leaps_is_followed(patch: pytest.MonkeyPatch) -> None:
    def right(row: ClockRow, told: int) -> int:
        return told

    patch.setattr(heartbeat, "_right", right)


@pytest.mark.parametrize(
    ("plant", "seeds"),
    [(watches_do_not_follow, range(18, 19)), (a_clock_that_leaps_is_followed, range(39, 40))],
)
def test_a_bug_planted_in_the_clock_is_found(
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    seeds: range,
) -> None:
    assert simulator.lived(seeds, ClockWeek)[1] == []
    plant(monkeypatch)
    _counts, broken = simulator.lived(seeds, ClockWeek)
    assert [each.broken.invariant for each in broken if each.broken] == ["no_day_is_forgotten"]
