"""What one seed draws for two or three weeks with a routine, instead of one night.

Owns when Sam answers on each day, rests, falls ill, and when we are away for hours; the days
themselves come from ``calendar.py``, near a change of the clocks more often than not. The people
on the list are those of a night (``plan.py``). Decides nothing about watches.
"""

from __future__ import annotations

from collections.abc import Mapping

from stillhere.core import events as ev
from stillhere.core.events import Event, Outcome
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from stillhere.sim.core import calendar, distributions
from stillhere.sim.core.calendar import DAY_MS
from stillhere.sim.core.deeds import BEGIN, Away, OtherTick, Tap, What
from stillhere.sim.core.plan import Draw, Plan, circle_of

HOUR_MS = 3_600_000
ALARMS = 30  # for how many somebody has an end ready
STEPS_MOST = 4_000
OUTAGES_MS = (20_000, 60_000, 600_000, HOUR_MS, 9 * HOUR_MS, 30 * HOUR_MS)
ENDINGS = (*[Outcome.FINE] * 12, *[Outcome.FALSE_ALARM] * 6, *[Outcome.REVIVED] * 3, Outcome.DIED)


def drawn(seed: int, profiles: Mapping[str, Profile]) -> Plan:
    """The weeks of this seed."""
    draw = Draw(seed, profiles)
    profile, routine = profiles["routine"], _routine(draw)
    begins_at = _begins_at(draw, routine.tz)
    ends_t = draw.between(12, 22) * DAY_MS + draw.below(DAY_MS)
    due = list(
        calendar.deadlines(routine.days, routine.at, routine.tz, begins_at, begins_at + ends_t)
    )
    for no, due_at in enumerate(due):
        _day(draw, no, due_at - begins_at, routine.opens_s * 1000, profile)
    _whims(draw, begins_at, ends_t)
    circle = circle_of(draw)
    for no in range(1, ALARMS):
        _alarm(draw, no)
    _faults(draw, [at - begins_at for at in due], ends_t)
    most_ms = 13_000 if draw.random() < 0.15 else 900
    lates = tuple(draw.below(most_ms) for _ in range(5)) if draw.random() < 0.7 else (0,)
    return Plan(
        seed, profile, circle, tuple(draw.deeds), ends_t, routine, None, lates,
        draw.random() < 0.2, begins_at, STEPS_MOST, weeks=True,
    )  # fmt: skip


def _routine(draw: Draw) -> Routine:
    """Every day, or some days of the week, at a time on the wall of some place."""
    few = frozenset(day for day in range(7) if draw.random() < 0.5)
    days = few if few and draw.random() < 0.5 else frozenset(range(7))
    at = draw.one(draw.below(1440), draw.below(240), 22 * 60, 0, 1439, 150)
    opens_s = draw.one(1, 6, 12, 12, 18) * 3600
    return Routine(days, at, draw.one(*calendar.ZONES), opens_s, well=draw.random() < 0.3)


def _begins_at(draw: Draw, tz: str) -> int:
    """Most weeks have a change of the clocks in them, where there is one."""
    changes = calendar.changes(tz)
    if changes and draw.random() < 0.7:
        return draw.one(*changes) - draw.below(12 * DAY_MS) - DAY_MS
    return calendar.changes("Europe/Berlin")[0] + draw.below(900 * DAY_MS)


# --- Sam ------------------------------------------------------------------------------------------


def _day(draw: Draw, no: int, due_t: int, opens_ms: int, profile: Profile) -> None:
    """What Sam does about one deadline: early, at a reminder, at the last moment, late, or not."""
    roll, grace_ms = draw.random(), profile.grace_s * 1000
    if roll < 0.22:
        t = due_t - draw.below(opens_ms + 2 * HOUR_MS)  # now and then before it counts
    elif roll < 0.55:
        t = due_t - draw.one(*profile.reminders_s) * 1000 + draw.between(1_000, 600_000)
    elif roll < 0.75:
        t = due_t + draw.below(grace_ms)
    elif roll < 0.85:
        t = due_t + grace_ms + draw.below(3 * HOUR_MS)
    else:
        return  # slept, or is not well
    age_ms = draw.one(0, 0, 0, 20_000, 900_000, 5 * HOUR_MS)
    whats: list[What] = [*[Tap(age_ms)] * 8, ev.Extended(600), ev.Marked()]
    what = draw.one(*whats)
    draw.deed(f"day {no} answers", BEGIN, max(t, 1_000), what)
    if draw.random() < 0.1:
        draw.deed(f"day {no} answers again", BEGIN, max(t, 1_000) + draw.below(45_000), what)


def _whims(draw: Draw, begins_at: int, ends_t: int) -> None:
    """Rests, unclear answers, dead phones of one's own, calls for help; some end it."""
    random, below, deed = draw.random, draw.below, draw.deed
    for no in range(draw.one(0, 0, 1, 2, 3)):
        t = below(ends_t)
        for_ms = draw.one(0, below(HOUR_MS), below(DAY_MS), below(6 * DAY_MS))
        deed(f"rests {no}", BEGIN, t, ev.Paused(begins_at + t + for_ms))
    for no in range(draw.one(0, 0, 1, 2)):
        fails: tuple[Event, ...] = (
            ev.Unclear(), ev.Undeliverable(None, 1), ev.Unheard(None, 1), ev.Shown(below(9)),
        )  # fmt: skip
        deed(f"own phone {no}", ("ask", draw.between(1, 40)), below(900_000), draw.one(*fails))
    for name, chance, what in distributions.WHIMS:
        if random() < chance / 4 and name != "rests":
            deed(name, BEGIN, below(ends_t), what)


def _alarm(draw: Draw, no: int) -> None:
    """How an alarm comes to its end: Sam wakes, or somebody says so, soon or after days."""
    cue, random = ("alarm", no), draw.random
    if random() < 0.4:
        at_ms = draw.between(1_000, draw.one(60_000, HOUR_MS, 20 * HOUR_MS))
        draw.deed(f"wakes {no}", cue, at_ms, Tap())
        draw.deed(f"wakes {no} twice", cue, at_ms + draw.between(1_000, 100_000), Tap())
    long_ms = draw.one(HOUR_MS, 8 * HOUR_MS, 8 * HOUR_MS, 50 * HOUR_MS)
    ends = ev.Resolved(None, draw.one(*ENDINGS))
    draw.deed(f"coordinator {no}", cue, draw.between(60_000, long_ms), ends)


# --- what breaks ----------------------------------------------------------------------------------


def _faults(draw: Draw, due: list[int], ends_t: int) -> None:
    """We are away, mostly about the time of a deadline; and ticks come unasked."""
    for no in range(draw.one(0, 0, 1, 2, 4, 8)):
        ms = draw.between(16_000, draw.one(*OUTAGES_MS))
        t = draw.below(ends_t)
        if due and draw.random() < 0.8:
            t = max(draw.one(*due) + draw.between(-2 * HOUR_MS, HOUR_MS), 1)
        draw.deed(f"outage {no}", BEGIN, t, Away(ms))
    for no in range(draw.one(0, 0, 5, 20)):
        near = draw.one(*due) if due else 0
        t = max(near + draw.between(-2 * HOUR_MS, HOUR_MS), draw.below(60_000))
        draw.deed(f"early tick {no}", BEGIN, t, OtherTick())
