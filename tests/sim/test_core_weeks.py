"""Weeks of a routine, core alone: days, time zones and changes of the clocks, reckoned a second
time by the rules. And bugs planted in the days, each with the rule that has to find it.

A night that fails is seen again with the seed the test prints:
``stillhere simulate --core --weeks --nights 1 --seed N``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stillhere.core import quiet_handlers, schedule
from stillhere.core.events import Ask, Effect, Way
from stillhere.core.schedule import Routine
from stillhere.core.watch_state import Watch
from stillhere.sim.core import calendar, nights

pytestmark = pytest.mark.slow

Plant = Callable[[pytest.MonkeyPatch], None]
SLICE = 100
MANY = range(1, 601, SLICE)
FRESH = range(0, 200, SLICE)
MOST_WEEKS = 200


def _weeks(seeds: range) -> dict[str, int]:
    counts, broken = nights.lived(seeds, long=True)
    for each in broken[:3]:
        verdict = nights.shrunk(each, long=True)
        print(f"seed {verdict.seed}: {verdict.broken}", *verdict.lines, sep="\n  ")
    assert [(verdict.seed, str(verdict.broken)) for verdict in broken] == []
    return counts


def test_some_weeks_hold_and_a_lot_happens_in_them() -> None:
    counts = _weeks(range(1001, 1021))
    assert counts["steps"] > 2_000
    for what in ("asks", "alarms", "told", "outages"):
        assert counts[what] > 10, f"hardly any {what}"


@pytest.mark.parametrize("first", MANY)
def test_six_hundred_times_two_or_three_weeks_hold(first: int) -> None:
    _weeks(range(first, first + SLICE))


@pytest.mark.parametrize("nth", FRESH)
def test_fresh_weeks_hold(fresh_seed: int, nth: int) -> None:
    first = fresh_seed + nth
    print(f"again: stillhere simulate --core --weeks --nights {SLICE} --seed {first}")
    _weeks(range(first, first + SLICE))


@pytest.mark.parametrize("seed", [7_200_910, 7_201_648])
def test_weeks_that_were_judged_wrongly_hold(seed: int) -> None:
    """An answer came while a tick was late; and a phone rang early, for an unclear one."""
    _weeks(range(seed, seed + 1))


@pytest.mark.parametrize("tz", calendar.ZONES)
def test_two_reckonings_of_the_days_agree_about_every_change_of_the_clocks(tz: str) -> None:
    """Every half hour of the day, from two days before a change to two days after it."""
    for change_at in (calendar.changes(tz) or (1_800_000_000_000,))[:4]:
        from_at, to_at = change_at - 2 * calendar.DAY_MS, change_at + 2 * calendar.DAY_MS
        for minutes in (*range(0, 1440, 30), 1, 61, 1439):
            routine = Routine(frozenset(range(7)), minutes, tz)
            found, at = [], schedule.next_deadline(routine, from_at)
            while at <= to_at:
                found.append(at)
                at = schedule.next_deadline(routine, at)
            mine = calendar.deadlines(routine.days, minutes, tz, from_at, to_at)
            assert found == list(mine), minutes


# --- planted --------------------------------------------------------------------------------------


def a_day_is_left_out(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers._next_deadline
    patch.setattr(
        quiet_handlers,
        "_next_deadline",
        lambda w, now: real(w, real(w, now)) if now % 3 else real(w, now),
    )


def whoever_answers_early_is_asked_all_the_same(patch: pytest.MonkeyPatch) -> None:
    def next_deadline(w: Watch, now: int) -> int:
        assert w.routine is not None
        return schedule.next_deadline(w.routine, now)

    patch.setattr(quiet_handlers, "_next_deadline", next_deadline)


def the_clocks_never_change(patch: pytest.MonkeyPatch) -> None:
    """The next day is twenty-four hours later."""
    real = quiet_handlers._next_deadline

    def next_deadline(w: Watch, now: int) -> int:
        assert w.deadline_at is not None
        day_ms = calendar.DAY_MS
        at, later = real(w, now), w.deadline_at + day_ms
        return later if abs(at - later) <= 3_600_000 and later > now else at

    patch.setattr(quiet_handlers, "_next_deadline", next_deadline)


def a_time_that_comes_twice_is_due_the_second_time(patch: pytest.MonkeyPatch) -> None:
    real = schedule._instant

    def instant(day: object, minutes: int, zone: object) -> int:
        first = real(day, minutes, zone)
        hour = timedelta(hours=1)
        at = datetime.fromtimestamp(first / 1000, UTC)
        walls = [(at + n * hour).astimezone(zone).replace(tzinfo=None) for n in (0, 1)]  # type: ignore[arg-type]
        return first + 3_600_000 * (walls[0] == walls[1])

    patch.setattr(schedule, "_instant", instant)
    # What is kept of it would be wrong for every test after this one.
    patch.setattr(schedule, "_deadline", schedule._deadline.__wrapped__)


def a_reminder_is_lost(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers.louder

    def louder(w: Watch, now: int, out: list[Effect], *, after_outage: bool = False) -> Watch:
        said: list[Effect] = []
        after = real(w, now, said, after_outage=after_outage)
        out += said if after.stage != 2 else []
        return after

    patch.setattr(quiet_handlers, "louder", louder)


def the_time_to_answer_begins_with_the_first_reminder(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers.ask

    def ask(w: Watch, base_at: int, now: int, out: list[Effect], **more: bool) -> Watch:
        after = real(w, base_at, now, out, **more)
        return replace(after, grace_at=now + w.profile.grace_s * 1000)

    patch.setattr(quiet_handlers, "ask", ask)


def the_time_to_answer_is_an_hour_longer(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers.ask

    def ask(w: Watch, base_at: int, now: int, out: list[Effect], **more: bool) -> Watch:
        after = real(w, base_at, now, out, **more)
        assert after.grace_at is not None
        return replace(after, grace_at=after.grace_at + 3_600_000)

    patch.setattr(quiet_handlers, "ask", ask)


def nobody_is_asked(patch: pytest.MonkeyPatch) -> None:
    """As for somebody who had no way to be asked: and then they were alarmed about."""
    real = quiet_handlers.louder

    def louder(w: Watch, now: int, out: list[Effect], *, after_outage: bool = False) -> Watch:
        said: list[Effect] = []
        after = real(w, now, said, after_outage=after_outage)
        out += [e for e in said if not isinstance(e, Ask) or e.way is Way.SHOW]
        return after

    patch.setattr(quiet_handlers, "louder", louder)


def a_rest_lasts_a_day_too_long(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers.rest
    patch.setattr(
        quiet_handlers, "rest", lambda w, until, now: real(w, until + calendar.DAY_MS, now)
    )


def a_day_after_an_alarm_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = quiet_handlers.missed

    def missed(w: Watch, now: int) -> Watch:
        after = real(w, now)
        if after.routine is None or after.deadline_at is None:
            return after
        return quiet_handlers.due(after, schedule.next_deadline(after.routine, after.deadline_at))

    patch.setattr(quiet_handlers, "missed", missed)


PLANTED: dict[Plant, tuple[str, ...]] = {
    a_day_is_left_out: ("no_deadline_is_let_pass",),
    whoever_answers_early_is_asked_all_the_same: ("a_day_is_asked_about_once",),
    the_clocks_never_change: (
        "no_deadline_is_let_pass", "a_day_is_asked_about_once",
        "silence_on_a_day_raises_the_alarm_in_time",
    ),
    a_time_that_comes_twice_is_due_the_second_time: (
        "a_day_is_asked_about_once", "no_deadline_is_let_pass",
        "silence_on_a_day_raises_the_alarm_in_time",
    ),
    a_reminder_is_lost: ("every_reminder_of_a_day_goes_out",),
    the_time_to_answer_begins_with_the_first_reminder: (
        "nobody_is_alarmed_before_their_day_is_over",
    ),
    the_time_to_answer_is_an_hour_longer: ("silence_on_a_day_raises_the_alarm_in_time",),
    nobody_is_asked: (
        "nobody_is_alarmed_before_their_day_is_over", "every_reminder_of_a_day_goes_out",
    ),
    a_rest_lasts_a_day_too_long: ("no_deadline_is_let_pass",),
    a_day_after_an_alarm_is_forgotten: ("no_deadline_is_let_pass", "there_is_always_a_next_look"),
}  # fmt: skip


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_bug_planted_in_the_days_is_found(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    plant(monkeypatch)
    verdicts = (nights.run(seed, long=True) for seed in range(1, MOST_WEEKS + 1))
    found = next((v for v in verdicts if v.broken is not None), None)
    assert found is not None, f"{MOST_WEEKS} times nothing was found"
    assert found.broken is not None
    print(f"found in {found.seed}: {found.broken}")
    assert found.broken.invariant in PLANTED[plant]
