"""Nights in which a row becomes garbage, or the web hangs: drawn always here, and now and then in
every other night. And bugs planted in what is done about it, each with the rule that has to find
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from stillhere.core.circle import Circle
from stillhere.core.watch import Watch
from stillhere.engine import silence
from stillhere.sim.whole import faults
from stillhere.sim.whole.nights import Simulator
from stillhere.sim.whole.weeks import Weeks
from stillhere.store.models import WatchRow
from stillhere.store.watches import apply, outbox, queries, rows

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]
MOST_NIGHTS = 40


def _counts(simulator: Simulator, seeds: range, kind: type[Weeks] | None = None) -> Counter[str]:
    counts, broken = simulator.lived(seeds, kind)
    for verdict in broken:
        print(f"seed {verdict.seed}: {verdict.broken}", *verdict.lines, sep="\n  ")
    assert [(verdict.seed, str(verdict.broken)) for verdict in broken] == []
    return counts


def test_nights_hold_in_which_a_row_becomes_garbage(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "P_DAMAGED", 1.0)
    assert _counts(simulator, range(1, 9))["rows set aside"] > 0


def test_nights_hold_in_which_the_web_hangs_while_the_engine_lives(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "P_HANGS", 1.0)
    assert _counts(simulator, range(1, 9))["silences told"] > 0


def test_many_nights_and_weeks_hold_in_which_the_web_hangs(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "P_HANGS", 1.0)
    assert _counts(simulator, range(1, 61))["silences told"] > 30
    assert _counts(simulator, range(1, 11), Weeks)["silences told"] > 5


def test_many_nights_and_weeks_hold_in_which_a_row_becomes_garbage(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faults, "P_DAMAGED", 1.0)
    assert _counts(simulator, range(1, 61))["rows set aside"] > 20
    assert _counts(simulator, range(1, 11), Weeks)["rows set aside"] > 3


# --- planted --------------------------------------------------------------------------------------


def only_the_coordinator_hears_of_a_row_set_aside(patch: pytest.MonkeyPatch) -> None:
    real = outbox.quarantine_alert

    def alert(watch: Watch, circle: Circle, now: int) -> outbox.StepEffects:
        return real(watch, Circle(), now)

    patch.setattr(apply, "quarantine_alert", alert)


def what_cannot_be_read_is_taken_for_a_new_watch(patch: pytest.MonkeyPatch) -> None:
    real = rows.thaw_or_stand_in
    patch.setattr(rows, "thaw_or_stand_in", lambda row: (real(row)[0], True))


def what_cannot_be_read_is_left_where_it_is(patch: pytest.MonkeyPatch) -> None:
    real = queries.due

    def due(now: int, most: int) -> list[tuple[int, int]]:
        found = real(now, most)
        ids = [id for id, _ in found]
        lines = WatchRow.objects.filter(id__in=ids).values_list(*rows.COLUMNS)
        whole = {line[0] for line in lines if rows.thaw_or_stand_in(line)[1]}
        return [(id, at) for id, at in found if id in whole]

    patch.setattr(queries, "due", due)


def nobody_writes_down_that_the_web_is_silent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(silence, "begin", lambda now, silent_ms: None)


def a_web_that_is_silent_for_ever_puts_alarms_off_for_ever(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(silence, "MOST_MS", 3_600_000)
    patch.setattr(silence, "MOST_OF_ALL_MS", 3_600_000)


PLANTED: dict[Plant, tuple[str, ...]] = {
    only_the_coordinator_hears_of_a_row_set_aside: (
        "people_are_told_of_a_row_that_cannot_be_read",
    ),
    what_cannot_be_read_is_taken_for_a_new_watch: (
        "nobody_hears_got_it_of_a_row_that_cannot_be_read",
        "a_row_that_cannot_be_read_is_set_aside_when_it_falls_due",
    ),
    what_cannot_be_read_is_left_where_it_is: (
        "a_row_that_cannot_be_read_is_set_aside_when_it_falls_due",
    ),
    nobody_writes_down_that_the_web_is_silent: ("nobody_is_alarmed_while_the_web_is_silent",),
    a_web_that_is_silent_for_ever_puts_alarms_off_for_ever: (
        "silence_raises_the_alarm_as_soon_as_the_time_to_answer_is_over",
    ),
}


# Shows in a late night only: the hunt begins there, and goes on as far as any other.
LATE: dict[Plant, int] = {nobody_writes_down_that_the_web_is_silent: 37}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_bug_planted_in_what_is_done_about_trouble_is_found(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    for fault in ("P_DAMAGED", "P_HANGS"):
        monkeypatch.setattr(faults, fault, 1.0)
    plant(monkeypatch)
    first = LATE.get(plant, 1)
    verdicts = (simulator.run(seed) for seed in range(first, first + MOST_NIGHTS))
    found = next((v for v in verdicts if v.broken is not None), None)
    assert found is not None, f"{MOST_NIGHTS} nights found nothing"
    assert found.broken is not None
    print(f"found in night {found.seed}: {found.broken}")
    assert found.broken.invariant in PLANTED[plant]
