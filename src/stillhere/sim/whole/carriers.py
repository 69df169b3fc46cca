"""Faulty carriers: what becomes of a message once it was handed over.

Owns how an address behaves (works, dead now or later, slow, loses, repeats, muddles the order,
falls silent after sending, refuses for a while, wants no more) and outages of a whole carrier.
Nobody in here decides anything about watches; a carrier does not even know what it carries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from stillhere.channels.base import REFUSED
from stillhere.core.messages import Fate

DEADLINE_S = {"text": 10.0, "call": 30.0, "coordinator": 10.0}
CHANNELS = tuple(DEADLINE_S)


class Habit(StrEnum):
    """How an address behaves."""

    WORKS = "works"
    DEAD = "dead"  # refused for good at once
    DEAD_LATER = "dead-later"  # taken; a receipt says much later that it is dead
    DIES = "dies"  # works until some time in this night
    SLOW = "slow"
    LOSES = "loses"  # taken, and never seen again
    REPEATS = "repeats"  # arrives more than once
    MUDDLES = "muddles"  # arrives late, and receipts overtake each other
    SILENT = "silent"  # sent, but we are never told
    BUSY = "busy"  # refused for a while, then it comes back
    STOP = "stop"  # whoever has it answered STOP


WEIGHTS = {
    Habit.WORKS: 45, Habit.DEAD: 8, Habit.DEAD_LATER: 9, Habit.DIES: 8, Habit.SLOW: 7,
    Habit.LOSES: 5, Habit.REPEATS: 5, Habit.MUDDLES: 6, Habit.SILENT: 5, Habit.BUSY: 5,
    Habit.STOP: 2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Passage:
    """What will become of one message, in ms from when it was handed over. ``answer`` None: we
    are never told. ``arrivals`` at the phone, ``receipts`` with what they say; ``knows_us`` where
    a receipt brings back our own number of the message."""

    answer: Fate | None
    answer_ms: int
    ref: str
    arrivals: tuple[int, ...] = ()
    receipts: tuple[tuple[int, Fate], ...] = ()
    knows_us: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """A way that is closed to everybody between two times: the company refuses our account, or
    somebody took it out of the settings (``removed``)."""

    channel: str
    from_t: int
    to_t: int
    removed: bool


class Carriers:
    """Every address of the night, and whole carriers that are away between two times."""

    def __init__(self, dice: Random, ends_t: int, has: Callable[[str], bool]) -> None:
        self._dice, self._has = dice, has
        self._ends_t = ends_t
        self._habits: dict[int, Habit] = {}
        self._dies_t: dict[int, int] = {}
        self._number = 0
        self.troubled = False  # whether anything was not simply taken so far
        self.closed: list[Closed] = []
        self._away = {channel: self._outage(channel) for channel in CHANNELS}

    def _outage(self, channel: str) -> tuple[int, int]:
        if self._dice.random() > 0.25:
            return (0, 0)
        from_t = self._dice.randrange(self._ends_t)
        to_t = min(from_t + self._dice.randrange(10_000, 400_000), self._ends_t)
        return (from_t, to_t) if self._has(f"carrier of {channel}s away") else (0, 0)

    def is_closed(self, channel: str, t: int, *, removed: bool) -> bool:
        """Whether a way is closed just now, in the one sense or the other."""
        mine = (each for each in self.closed if each.channel == channel)
        return any(each.from_t <= t < each.to_t and each.removed == removed for each in mine)

    def _habit(self, address: int | None, t: int) -> Habit:
        """How this address behaves by now; the coordinator's works."""
        if address is None:
            return Habit.WORKS
        if address not in self._habits:
            (drawn,) = self._dice.choices(list(WEIGHTS), list(WEIGHTS.values()))
            self._habits[address] = drawn
            if drawn is Habit.DIES:
                self._dies_t[address] = self._dice.randrange(self._ends_t)
            if drawn is not Habit.WORKS and not self._has(f"address {address} {drawn}"):
                self._habits[address] = Habit.WORKS
        if self._habits[address] is Habit.DIES:
            return Habit.DEAD if t >= self._dies_t[address] else Habit.WORKS
        return self._habits[address]

    def hand(self, channel: str, address: int | None, t: int) -> Passage:
        """Take one message."""
        passage = self._passage(channel, address, t)
        told_no = any(fate is not Fate.DELIVERED for _, fate in passage.receipts)
        self.troubled = self.troubled or passage.answer is not Fate.ACCEPTED or told_no
        return replace(passage, knows_us=self._dice.random() < 0.5)

    def _passage(self, channel: str, address: int | None, t: int) -> Passage:
        self._number += 1
        ref, dice = f"{channel}-{self._number}", self._dice
        if self.is_closed(channel, t, removed=False):
            return Passage(Fate.BUSY, dice.randrange(20, 400), ref, why=f"{REFUSED} (401)")
        away_from, away_to = self._away[channel]
        if away_from <= t < away_to:
            if dice.random() < 0.5:
                return Passage(Fate.BUSY, dice.randrange(20, 400), ref)
            return self._untold(channel, ref, arrives=False)
        good = Passage(Fate.ACCEPTED, dice.randrange(10, 250), ref, (dice.randrange(30, 900),))
        habit = self._habit(address, t)
        odd = self._for_good(habit, good)
        if odd is None and t < self._ends_t:
            odd = self._for_tonight(habit, good, channel)
        if odd is None and dice.random() < 0.15:
            odd = replace(good, receipts=((dice.randrange(100, 5_000), Fate.DELIVERED),))
        return odd or good

    def _for_good(self, habit: Habit, good: Passage) -> Passage | None:
        """What an address does for ever."""
        dice = self._dice
        quick = good.arrivals[0]
        match habit:
            case Habit.DEAD:
                return Passage(Fate.FAILED, dice.randrange(10, 500), good.ref)
            case Habit.DEAD_LATER:
                late = dice.randrange(200, dice.choice((2_000, 60_000, 600_000, 600_000)))
                return replace(good, arrivals=(), receipts=((late, Fate.FAILED),))
            case Habit.STOP if dice.random() < 0.5:
                return Passage(Fate.OPTED_OUT, dice.randrange(10, 500), good.ref)
            case Habit.SLOW:
                late = dice.randrange(1_500, 9_500)
                return replace(good, answer_ms=late, arrivals=(late + quick,))
            case Habit.REPEATS:
                again = tuple(dice.randrange(30, 20_000) for _ in range(dice.randrange(1, 4)))
                twice = ((quick + 50, Fate.DELIVERED), (quick + 700, Fate.DELIVERED))
                told = twice if dice.random() < 0.4 else ()
                return replace(good, arrivals=(quick, *again), receipts=told)
            case _:
                return None

    def _for_tonight(self, habit: Habit, good: Passage, channel: str) -> Passage | None:
        """What an address does until the night is over."""
        dice = self._dice
        match habit:
            case Habit.LOSES:
                return replace(good, arrivals=())
            case Habit.MUDDLES:
                late = dice.randrange(1_000, 60_000)
                early = ((dice.randrange(0, 30), Fate.DELIVERED), (late, Fate.FAILED))
                return replace(good, arrivals=(late,), receipts=early)
            case Habit.SILENT if dice.random() < 0.6:
                return self._untold(channel, good.ref, arrives=True)
            case Habit.BUSY if dice.random() < 0.8:
                return Passage(Fate.BUSY, dice.randrange(10, 500), good.ref)
            case _:
                return None

    def _untold(self, channel: str, ref: str, *, arrives: bool) -> Passage:
        wait_ms = round((DEADLINE_S[channel] + 1) * 1000)
        return Passage(None, wait_ms, ref, (self._dice.randrange(30, 900),) if arrives else ())
