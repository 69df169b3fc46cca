"""How people and profiles of a core night differ: chances and their weights.

Owns the tables ``plan.py`` draws from. The words for what a contact does are those of the
full-stack nights (``sim/circle.py``). Decides nothing.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Any

from stillhere.core import events as ev
from stillhere.core.events import Event, Outcome
from stillhere.core.profiles import Profile, own
from stillhere.core.schedule import Routine
from stillhere.sim.core.deeds import Help, Tap, What

Between = Callable[[int, int], int]
One = Callable[..., Any]
Says = Callable[[int, Event], None]

ENDINGS = (
    *[Outcome.FINE] * 8, *[Outcome.REVIVED] * 5, *[Outcome.FALSE_ALARM] * 3,
    *[Outcome.HOSPITAL] * 2, Outcome.DIED, Outcome.NOT_FOUND, Outcome.ENDED,
)  # fmt: skip

# (name, chance, what): what comes to Sam's mind at some time of the night.
WHIMS = (
    ("help", 0.14, Help()),
    ("more time", 0.10, ev.Extended(600)),
    ("much more time", 0.03, ev.Extended(7_200)),
    ("ends", 0.09, ev.Ended()),
    ("marks again", 0.08, ev.Marked()),
    ("taps unasked", 0.12, Tap()),
    ("a kept tap", 0.08, Tap(200_000)),
    ("shows an old ask", 0.05, ev.Shown(0)),
    ("unclear unasked", 0.12, ev.Unclear()),
    ("rests", 0.03, ev.Paused(0)),
    ("started again", 0.03, ev.Started()),
)  # fmt: skip
PRESSES: tuple[What, ...] = (
    ev.Marked(), ev.Extended(600), ev.Ended(), ev.Ended(), Help(), Help(),
)  # fmt: skip


def own_numbers(base: Profile, one: One, between: Between) -> Profile:
    """Somebody's own numbers, within what they may be."""
    return _own(
        base, one(60, 75, 90, 120, 180), one(120, 150, 180, 240, 300), one(30, 60, 120, 200),
        one(30, 30, 45, 60, 90, 120),
    )  # fmt: skip


@cache
def _own(base: Profile, early_s: int, later_s: int, first_s: int, grace_s: int) -> Profile:
    return own(
        base, first_ask_s=first_s, early_every_s=early_s, later_every_s=later_s,
        total_s=1200, grace_s=grace_s,
    )  # fmt: skip


@cache
def routine(minutes: int, *, once: bool, well: bool) -> Routine:
    """A check-in every day at so many minutes after midnight, UTC."""
    return Routine(frozenset(range(7)), minutes % 1440, "UTC", once=once, well=well)


# --- contacts -------------------------------------------------------------------------------------


def _ignores(who: int, between: Between, one: One, says: Says) -> None:
    """Sleeps, or looks away."""


def _goes(who: int, between: Between, one: One, says: Says) -> None:
    ms, eta_s = between(3_000, 100_000), one(60, 180, 300)
    says(ms, ev.Claimed(who, eta_s))
    there_ms = ms + eta_s * between(400, 1_600)
    says(there_ms, ev.Arrived(who))
    if one(True, True, True, False):
        says(there_ms + between(20_000, 1_000_000), ev.Resolved(who, one(*ENDINGS)))
    elif one(True, False):
        says(there_ms + between(500_000, 900_000), ev.Arrived(who))


def _falls_silent(who: int, between: Between, one: One, says: Says) -> None:
    says(between(3_000, 100_000), ev.Claimed(who, one(30, 60, 180, 300)))


def _far(who: int, between: Between, one: One, says: Says) -> None:
    says(between(3_000, 100_000), ev.Claimed(who, one(None, 900, 301, 0, -5)))


def _declines(who: int, between: Between, one: One, says: Says) -> None:
    ms = between(1_000, 100_000)
    says(ms, ev.Declined(who))
    if one(True, False, False):
        says(ms + between(1_000, 100_000), ev.Claimed(who, one(60, 300)))


def _goes_back(who: int, between: Between, one: One, says: Says) -> None:
    ms = between(1_000, 60_000)
    says(ms, ev.Claimed(who, one(60, 180, 300)))
    says(ms + between(1_000, 200_000), one(ev.Declined(who), ev.OptedOut(who)))


def _locked_out(who: int, between: Between, one: One, says: Says) -> None:
    ms = between(3_000, 60_000)
    says(ms, ev.Claimed(who, 180))
    ms += between(60_000, 300_000)
    says(ms, ev.CannotGetIn(who))
    if one(True, False):
        says(ms + between(10_000, 200_000), ev.Arrived(who))


def _no_more(who: int, between: Between, one: One, says: Says) -> None:
    says(between(1_000, 200_000), ev.OptedOut(who))


def _says_how(who: int, between: Between, one: One, says: Says) -> None:
    says(between(10_000, 400_000), ev.Resolved(who, one(*ENDINGS)))


def _not_found(who: int, between: Between, one: One, says: Says) -> None:
    says(between(100_000, 400_000), ev.Resolved(who, Outcome.NOT_FOUND))


def _there_and_gone(who: int, between: Between, one: One, says: Says) -> None:
    ms = between(20_000, 400_000)
    says(ms, ev.Arrived(who))
    says(ms + between(5_000, 400_000), one(ev.Declined(who), ev.OptedOut(who), ev.CannotGetIn(who)))


def _lies_that_all_is_well(who: int, between: Between, one: One, says: Says) -> None:
    """At once, and at every alarm: "they are fine", with "I'm with them" before it or without."""
    ms = between(1_000, 5_000)
    if one(True, False):
        says(ms, ev.Arrived(who))
    for _ in range(3):
        says(ms + between(500, 3_000), ev.Resolved(who, one(Outcome.FINE, Outcome.FALSE_ALARM)))
        ms += between(60_000, 200_000)


def _lies_that_they_are_there(who: int, between: Between, one: One, says: Says) -> None:
    """At once, and again and again before anybody looks in."""
    ms = between(1_000, 5_000)
    for _ in range(one(2, 5, 5)):
        says(ms, ev.Arrived(who))
        ms += between(300_000, 860_000)


Reaction = Callable[[int, Between, One, Says], None]
REACTIONS: dict[Reaction, int] = {
    _ignores: 34, _goes: 16, _falls_silent: 10, _far: 7, _declines: 9, _goes_back: 4,
    _locked_out: 6, _no_more: 5, _says_how: 5, _not_found: 3, _there_and_gone: 4,
    _lies_that_all_is_well: 5, _lies_that_they_are_there: 6,
}  # fmt: skip
_SUMS, _MANNERS = list(accumulate(REACTIONS.values())), list(REACTIONS)


def reaction(random: Callable[[], float]) -> Reaction:
    """What one contact does about one alarm."""
    return _MANNERS[bisect(_SUMS, random() * _SUMS[-1])]
