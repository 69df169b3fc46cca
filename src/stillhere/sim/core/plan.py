"""What one seed draws for a night of the core alone: whom it is about, what they do, what breaks.

Owns the cast and its deeds. Everything is drawn before the night begins and in a fixed order, so
that leaving one thing out (``without``) moves nothing else: that is how a failing night is made
small. Every deed and fault has a name, its switch. Decides nothing about watches.

A deed waits for its cue (an instant of the night, an ask, being told, the alarm, the coordinator's
page) and comes ``delay_ms`` after it, whatever became of the watch by then. ``_t`` counts ms of
the night.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TypeVar

from stillhere.core import events as ev
from stillhere.core.circle import Circle, Reach
from stillhere.core.events import Event
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine
from stillhere.sim.core import distributions
from stillhere.sim.core.deeds import (
    BEGIN,
    Away,
    Cue,
    Help,
    OtherTick,
    PlannedDeed,
    Still,
    Tap,
    What,
)

T = TypeVar("T")
EVENING_AT = 1_769_896_800_000  # a Saturday, 22:00 UTC
MINUTE_MS = 60_000
SAYS_MORE_MS = 20_000  # a second cry
ASKS = 12  # how many asks Sam has an answer ready for
OPENS_MS = 12 * 3_600_000
STRANGER = 99


@dataclass(frozen=True, slots=True)
class Plan:
    """One night. ``deadline_at`` is a routine's first; ``lates`` is how late each tick comes, in
    turn; ``twice`` lets every tick come from two engines; ``weeks`` is many days of a routine
    (``weeks.py``)."""

    seed: int
    profile: Profile
    circle: Circle
    deeds: tuple[PlannedDeed, ...]
    ends_t: int
    routine: Routine | None = None
    deadline_at: int | None = None
    lates: tuple[int, ...] = (0,)
    twice: bool = False
    begins_at: int = EVENING_AT
    steps_most: int = 400
    weeks: bool = False

    @property
    def switches(self) -> tuple[str, ...]:
        """Everything of this night that can be left out."""
        people = [f"contact {c}" for c in self.circle.contacts()]
        faults = (["late ticks"] if any(self.lates) else []) + (["two engines"] * self.twice)
        return (*faults, *people, *dict.fromkeys(deed.name for deed in self.deeds))

    def without(self, off: Collection[str]) -> Plan:
        """The same night without the named people, deeds and faults."""
        gone = {c for c in self.circle.contacts() if f"contact {c}" in off}
        rungs = (tuple(r for r in rung if r.contact not in gone) for rung in self.circle.rungs)
        deeds = (d for d in self.deeds if d.name not in off)
        return replace(
            self,
            circle=Circle(tuple(rung for rung in rungs if rung)),
            deeds=tuple(d for d in deeds if getattr(d.what, "contact", None) not in gone),
            lates=(0,) if "late ticks" in off else self.lates,
            twice=self.twice and "two engines" not in off,
        )


class Draw:
    """Draws deeds one after another, each with a name of its own."""

    def __init__(self, seed: int, profiles: Mapping[str, Profile]) -> None:
        dice = Random(seed)
        self.random, self.profiles = dice.random, profiles
        self.deeds: list[PlannedDeed] = []
        self.slips = dice.random() < 0.1

    def below(self, most: int) -> int:
        return int(self.random() * most)

    def between(self, least: int, most: int) -> int:
        return least + int(self.random() * (most - least))

    def one(self, *of: T) -> T:
        return of[int(self.random() * len(of))]

    def deed(self, name: str, cue: Cue, delay_ms: int, what: What) -> None:
        back_ms = self.below(1_000) if self.slips and self.random() < 0.3 else 0
        self.deeds.append(PlannedDeed(name, cue, delay_ms, what, back_ms))


def drawn(seed: int, profiles: Mapping[str, Profile]) -> Plan:
    """The night of this seed."""
    draw = Draw(seed, profiles)
    random = draw.random
    profile, routine, deadline_t = _watch(draw)
    ends_t = draw.between(3 * MINUTE_MS, draw.one(12, 20, 35, 35, 60) * MINUTE_MS)
    if deadline_t is not None:
        ends_t = deadline_t + draw.between(0, profile.grace_s * 1000 + 40 * MINUTE_MS)
    _sam(draw, ends_t, routine is not None)
    circle = circle_of(draw)
    _faults(draw, ends_t, profile)
    lates: tuple[int, ...] = (0,)
    if random() < 0.7:
        most_ms = 13_000 if random() < 0.15 else 900
        lates = tuple(draw.below(most_ms) for _ in range(5))
    deadline_at = None if deadline_t is None else EVENING_AT + deadline_t
    return Plan(
        seed, profile, circle, tuple(draw.deeds), ends_t, routine, deadline_at, lates,
        random() < 0.2,
    )  # fmt: skip


# --- the watch ------------------------------------------------------------------------------------


def _watch(draw: Draw) -> tuple[Profile, Routine | None, int | None]:
    """Which profile, and for a routine when it is due."""
    roll = draw.random()
    if roll < 0.84:
        kind = "own" if roll < 0.14 else draw.one("injected", "injected", "snorted", "swallowed")
        profile = draw.profiles[kind]
        if kind == "own":
            profile = distributions.own_numbers(profile, draw.one, draw.between)
        return profile, None, None
    kind = draw.one("routine", "routine", "after")
    due_min = draw.between(2, 150 if kind == "routine" else 40)
    routine = distributions.routine(
        22 * 60 + due_min, once=kind == "after", well=draw.random() < 0.5
    )
    return draw.profiles[kind], routine, due_min * MINUTE_MS


# --- Sam ------------------------------------------------------------------------------------------


def _sam(draw: Draw, ends_t: int, routine: bool) -> None:
    """What Sam does: marks, answers or not, and what comes to mind."""
    random, below, deed = draw.random, draw.below, draw.deed
    if not routine and random() < 0.85:
        deed("mark", BEGIN, draw.between(1_000, 200_000), ev.Marked())
    _answers(draw)
    if random() < 0.6:
        for no in range(1, ASKS, draw.one(1, 1, 2, 5)):
            deed(f"ask {no} is shown", ("ask", no), 900, ev.Shown(no))
    for name, chance, what in distributions.WHIMS:
        if random() < chance:
            deed(name, BEGIN, below(ends_t), what)
    if random() < 0.08:
        no = draw.between(1, 5)
        deed(f"unclear {no}", ("ask", no), draw.between(500, 70_000), ev.Unclear())
    if random() < 0.08:
        no = draw.between(1, 5)
        dies = random() < 0.5
        fails: Event = ev.Undeliverable(None, 1) if dies else ev.Unheard(None, 1)
        deed(f"own way fails {no}", ("ask", no), below(20_000), fails)
    if routine and random() < 0.15:
        until_at = EVENING_AT + draw.between(0, 3 * ends_t)
        deed("pause", BEGIN, below(ends_t), ev.Paused(until_at))
    _wakes(draw)


def _answers(draw: Draw) -> None:
    """Which asks Sam answers, how soon, and which of the taps the phone kept for a while."""
    random, below, deed = draw.random, draw.below, draw.deed
    silent = draw.between(1, 7) if random() < 0.55 else ASKS + 1
    p_answer, p_kept = draw.one(1.0, 0.97, 0.85, 0.6), draw.one(0.0, 0.05, 0.3)
    seqs = random() < 0.7
    for no in range(1, min(silent, ASKS + 1)):
        if random() > p_answer:
            continue
        slow_ms = 240_000 if random() < 0.08 else 40_000
        age_ms = draw.between(100, draw.one(4_000, 40_000, 400_000)) if random() < p_kept else 0
        seq = no + draw.one(0, 0, -1, -3) if seqs else None
        wait_ms = draw.between(1_000, slow_ms)
        deed(f"answer {no}", ("ask", no), wait_ms, Tap(age_ms, seq))
        if random() < 0.08:
            deed(f"answer {no} again", ("ask", no), wait_ms + below(45_000), Tap(age_ms, seq))


def _wakes(draw: Draw) -> None:
    """What Sam does once an alarm is open."""
    random, deed = draw.random, draw.deed
    for no in (1, 2):
        alarm = ("alarm", no)
        if random() < 0.35:
            at_ms = draw.between(1_000, draw.one(60_000, 500_000))
            deed(f"wakes {no}", alarm, at_ms, Tap(0, 100 * no))
            if random() < 0.5:
                again_ms = at_ms + draw.between(1_000, draw.one(40_000, 400_000))
                deed(f"wakes {no} twice", alarm, again_ms, Tap(0, 100 * no + 1))
        if random() < 0.1:
            age_ms = draw.between(6_000, 300_000)
            deed(f"late letter {no}", alarm, draw.below(120_000), Tap(age_ms, draw.one(None, 50)))
        if random() < 0.06:
            what = draw.one(*distributions.PRESSES)
            at_ms = draw.between(1_000, 300_000)
            deed(f"presses {no}", alarm, at_ms, what)
            if isinstance(what, Help):
                deed(f"says more {no}", alarm, at_ms + SAYS_MORE_MS, what)


# --- the circle -----------------------------------------------------------------------------------


def circle_of(draw: Draw) -> Circle:
    """The people on the list, each with two ways or one, and what they will do when called."""
    random, rungs = draw.random, list[list[Reach]]()
    for contact in range(1, draw.one(1, 2, 3, 3, 4, 5, 6)):
        ways = (2 * contact, 2 * contact + 1)[: 1 if random() < 0.3 else 2]
        reach = Reach(contact, () if random() < 0.03 else ways, random() < 0.85)
        if rungs and random() < 0.35:
            rungs[-1].append(reach)
        else:
            rungs.append([reach])
        _contact(draw, contact, ways)
    if random() < 0.03:
        deed = ev.Claimed(STRANGER, 60)
        draw.deed("a stranger", ("alarm", 1), draw.below(200_000), deed)
    if random() < 0.3:
        ends = ev.Resolved(None, draw.one(*distributions.ENDINGS))
        draw.deed("coordinator", ("page", 1), draw.between(20_000, 600_000), ends)
    return Circle(tuple(tuple(rung) for rung in rungs))


def _contact(draw: Draw, contact: int, ways: tuple[int, ...]) -> None:
    """One contact: dead numbers, and what they do on the first and the second alarm."""
    random = draw.random
    cue = ("told", contact)
    for way in ways:
        if random() < 0.14:
            late_ms = draw.below(draw.one(800, 60_000, 200_000))
            draw.deed(f"way {way} dies", cue, late_ms, ev.Undeliverable(contact, way))
    if random() < 0.2:
        silent = ev.Unheard(contact, ways[0])
        draw.deed(f"{contact} is not heard of", cue, draw.between(5_000, 90_000), silent)
    seen = random() < 0.06
    for told in (("alarm", 1) if seen else cue, ("told again", contact)):
        says = partial(_says, draw, contact, told)
        distributions.reaction(random)(contact, draw.between, draw.one, says)


def _says(draw: Draw, contact: int, cue: Cue, delay_ms: int, what: Event) -> None:
    """Say something after a while, now and then twice."""
    name = f"{contact} {type(what).__name__.lower()} {cue[0]} {delay_ms}"
    draw.deed(name, cue, delay_ms, what)
    if draw.random() < 0.12:
        draw.deed(f"{name} again", cue, delay_ms + draw.below(45_000), what)


# --- what breaks ----------------------------------------------------------------------------------


def _faults(draw: Draw, ends_t: int, profile: Profile) -> None:
    """Outages, a clock that stands still, ticks that come unasked."""
    random, below, deed = draw.random, draw.below, draw.deed
    if profile.is_routine and random() < 0.25:
        long_ms = draw.between(16_000, 600_000)
        deed("outage in the evening", ("ask", 1), below(profile.grace_s * 1000), Away(long_ms))
    for no in range(draw.one(0, 0, 0, 0, 1, 1, 2, 3) if random() < 0.5 else 0):
        long_ms = draw.between(16_000, draw.one(60_000, 300_000, 900_000))
        cue = draw.one(BEGIN, ("alarm", 1), ("ask", draw.between(1, 6)))
        deed(f"outage {no}", cue, below(ends_t) if cue is BEGIN else below(200_000), Away(long_ms))
    if random() < 0.12:
        for no in range(draw.between(1, 3)):
            cue = draw.one(BEGIN, ("alarm", 1))
            deed(f"clock stands {no}", cue, below(ends_t // 2), Still(draw.between(1_000, 90_000)))
    if random() < 0.25:
        for no in range(draw.between(1, 5)):
            deed(f"early tick {no}", BEGIN, below(ends_t), OtherTick())
