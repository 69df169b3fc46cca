"""Weeks of the whole product: routines and acute watches, the real core, store and engine. And bugs
planted in the days, each with the rule that has to find it.

What fails is seen again with the seed the test prints: ``stillhere simulate --weeks --nights 1
--seed N``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from stillhere.core import quiet_handlers, schedule
from stillhere.core.events import Effect
from stillhere.core.watch_state import Watch
from stillhere.sim.invariants import weeks
from stillhere.sim.whole.evidence import DailyEvidence, Evidence
from stillhere.sim.whole.nights import Simulator
from stillhere.sim.whole.weeks import HOUR_MS, Weeks
from stillhere.store.messages import delivery
from stillhere.store.watches import outbox

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]
SLICE = 3
MANY = range(1, 31, SLICE)
FRESH = range(0, 6, SLICE)
MOST_WEEKS = 15


def _weeks(simulator: Simulator, seeds: range) -> dict[str, int]:
    counts, broken = simulator.lived(seeds, Weeks)
    for verdict in broken:
        print(f"seed {verdict.seed}: {verdict.broken}", *verdict.lines, sep="\n  ")
    assert [(verdict.seed, str(verdict.broken)) for verdict in broken] == []
    return counts


def test_two_times_two_or_three_weeks_hold_and_a_lot_happens_in_them(simulator: Simulator) -> None:
    counts = _weeks(simulator, range(101, 103))
    for what in ("watches", "check-ins", "alarms", "messages", "crashes"):
        assert counts[what] > 0, f"no {what}"


@pytest.mark.parametrize("first", MANY)
def test_thirty_times_two_or_three_weeks_hold(simulator: Simulator, first: int) -> None:
    _weeks(simulator, range(first, first + SLICE))


@pytest.mark.parametrize("nth", FRESH)
def test_fresh_weeks_hold(simulator: Simulator, fresh_seed: int, nth: int) -> None:
    first = fresh_seed + nth
    print(f"again: stillhere simulate --weeks --nights {SLICE} --seed {first}")
    _weeks(simulator, range(first, first + SLICE))


# --- planted --------------------------------------------------------------------------------------


def a_day_is_left_out(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers._next_deadline
    patch.setattr(quiet_handlers, "_next_deadline", lambda w, now: real(replace(w), real(w, now)))


def a_row_forgets_where_somebody_lives(patch: pytest.MonkeyPatch) -> None:
    real = schedule.to_text
    patch.setattr(schedule, "to_text", lambda r: real(replace(r, tz="UTC")))


def a_reminder_is_lost(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers.louder

    def louder(w: Watch, now: int, out: list[Effect], *, after_outage: bool = False) -> Watch:
        said: list[Effect] = []
        after = real(w, now, said, after_outage=after_outage)
        out += said if w.routine is None or after.stage != 2 else []
        return after

    patch.setattr(quiet_handlers, "louder", louder)


def whoever_answers_early_is_asked_all_the_same(patch: pytest.MonkeyPatch) -> None:
    def next_deadline(w: Watch, now: int) -> int:
        assert w.routine is not None
        return schedule.next_deadline(w.routine, now)

    patch.setattr(quiet_handlers, "_next_deadline", next_deadline)


def whoever_has_a_routine_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    """As for somebody who had no way to be asked, and was alarmed about."""
    real = outbox._messages

    def messages(job: outbox._Job, *facts: object) -> list[outbox.NewMessage]:
        found = real(job, *facts)  # type: ignore[arg-type]
        return [m for m in found if job.watch.routine is None or m.word not in delivery.QUESTIONS]

    patch.setattr(outbox, "_messages", messages)


PLANTED: dict[Plant, tuple[str, ...]] = {
    a_day_is_left_out: ("every_day_is_answered_or_alarmed_in_time",),
    a_row_forgets_where_somebody_lives: (
        "every_day_is_answered_or_alarmed_in_time", "every_reminder_of_a_day_goes_out",
        "whoever_answered_early_is_not_asked_that_day",
    ),
    a_reminder_is_lost: ("every_reminder_of_a_day_goes_out",),
    whoever_answers_early_is_asked_all_the_same: (
        "whoever_answered_early_is_not_asked_that_day", "nobody_is_alarmed_over_a_check_in_we_had",
    ),
    whoever_has_a_routine_is_not_asked: (
        "nobody_is_alarmed_without_having_been_asked", "every_reminder_of_a_day_goes_out",
    ),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_bug_planted_in_the_days_is_found(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch)
    verdicts = (simulator.run(seed, kind=Weeks) for seed in range(1, MOST_WEEKS + 1))
    found = next((v for v in verdicts if v.broken is not None), None)
    assert found is not None, f"{MOST_WEEKS} times nothing was found"
    assert found.broken is not None
    print(f"found in {found.seed}: {found.broken}")
    assert found.broken.invariant in PLANTED[plant]


def test_an_outage_that_outlasts_the_weeks_is_no_missed_day(simulator: Simulator) -> None:
    """The engine dies before the last deadline, and the weeks are over before it is back: nobody
    can be alarmed about meanwhile."""
    due_t, over_t = 100 * HOUR_MS, 103 * HOUR_MS
    daily = DailyEvidence(1, (due_t,), 12 * HOUR_MS, (HOUR_MS,), HOUR_MS // 2)
    night = Evidence(simulator.storage, t=over_t)
    assert weeks._until(night, daily, due_t) < over_t, "while we are there it is late"
    night.gone_t.append(due_t - HOUR_MS)
    assert weeks._until(night, daily, due_t) > over_t, "nobody is there yet"
    night.away.append((due_t - 3 * HOUR_MS, due_t - HOUR_MS + 1))
    assert night.gaps() == [(due_t - 3 * HOUR_MS, over_t)], "one absence"
