"""How often a watch cries wolf: false alarms in 100 watches, by profile and by grace.

``make bench-false-alarms``. Lives through watches of somebody who is fine, with the real profiles
and the real core on a clock of its own, and lets them miss asks as people do. Nothing of this is
measured on people: it is a model, and every number it stands on is named here.

What is published, and what it can tell us
- NORS, 14 months: 2,172 watched events, 53 emergencies, each asked by a human voice
  (https://cmja.info/e1568.html). That is 2.4 in 100, real and false together.
- Lifeguard, British Columbia: 102,538 sessions to May 2022 and 130 calls to a responder, 0.13 in
  100; in its first ten months 62 calls, 46 of them accidental or the person came to (74 %).
- UnityPhilly: 291 alerts, 30.6 % of them false.
None says how often a single ask is missed. We take the range that these figures allow, and say what
would have to be true for the goal of 3 in 100.

What is assumed (each drawn anew for every night, evenly from its range)
- ``SEES``: the chance that somebody who is fine notices an ask on the screen within 20 s. The page
  makes a sound that grows, and the phone lies beside them.
- ``TEXT``: the chance that a text reaches them in time, where the screen did not.
- ``RING``: the chance that a ringing phone does, where both did not.
- ``AWAY_NIGHTS``: asks are not missed independently: on some nights somebody has left the phone in
  the other room. On such a night every chance is cut to ``AWAY`` of itself for one ask.
- ``REACTS_S``: how long it takes from noticing to tapping; too long for the grace is a miss.
"""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, replace
from importlib import resources

from stillhere.core import profiles
from stillhere.core.circle import Circle
from stillhere.core.events import Ask, Marked, State, StillHere, TimePassed, Way
from stillhere.core.profiles import Profile
from stillhere.core.watch import start, step, wake_at

SEED = 20261124
WATCHES = 2_000
DRAWS = 40  # of the assumptions, for the interval
SEES = (0.93, 0.99)
TEXT = (0.3, 0.7)
RING = (0.6, 0.9)
AWAY_NIGHTS = (0.02, 0.10)
AWAY = (0.3, 0.7)
REACTS_S = (3, 25)
GOAL = 3.0


@dataclass(frozen=True)
class People:
    """One draw of everything that is assumed."""

    sees: float
    text: float
    ring: float
    away_nights: float
    away: float
    reacts_s: tuple[float, float] = REACTS_S

    @classmethod
    def drawn(cls, chance: random.Random) -> People:
        ranges = (SEES, TEXT, RING, AWAY_NIGHTS, AWAY)
        sees, text, ring, nights, away = (chance.uniform(*each) for each in ranges)
        return cls(sees, text, ring, nights, away)


def lives_through(profile: Profile, people: People, chance: random.Random) -> tuple[int, bool]:
    """One watch of somebody who is fine: how many asks, and whether it ended in an alarm."""
    watch = step(start(1, profile, 0), Marked(), 5_000).watch
    away_at = chance.randint(1, 12) if chance.random() < people.away_nights else 0
    answers_at: int | None = None
    asks = 0
    while watch.state is not State.CLOSED:
        due = wake_at(watch)
        assert due is not None
        if answers_at is not None and answers_at <= due:
            watch, answers_at = step(watch, StillHere(answers_at), answers_at).watch, None
            continue
        done = step(watch, TimePassed(Circle()), due)
        watch = done.watch
        if watch.alarm is not None:
            return asks, True
        for effect in done.effects:
            if isinstance(effect, Ask):
                asks += effect.way is Way.SHOW
                part = people.away if watch.asks == away_at else 1.0
                if answers_at is None:
                    answers_at = _notices(effect.way, due, people, part, chance)
    return asks, False


def _notices(way: Way, at: int, people: People, part: float, chance: random.Random) -> int | None:
    """When somebody who is fine taps, if this way of asking gets through to them."""
    gets_through = {Way.SHOW: people.sees, Way.NEXT: people.text, Way.RING: people.ring}[way]
    if chance.random() >= gets_through * part:
        return None
    return at + round(chance.uniform(*people.reacts_s) * 1000)


def rate(profile: Profile, people: People, watches: int, seed: int) -> tuple[float, float]:
    """Asks a watch, and false alarms in 100 watches."""
    chance = random.Random(seed)
    nights = [lives_through(profile, people, chance) for _ in range(watches)]
    asks = sum(asked for asked, _ in nights) / watches
    return asks, 100 * sum(alarmed for _, alarmed in nights) / watches


def table(profile: Profile, seed: int) -> tuple[float, list[float]]:
    """Asks a watch, and the rate under each draw of the assumptions, smallest first."""
    chance = random.Random(seed)
    found = [
        rate(profile, People.drawn(chance), WATCHES // DRAWS * 4, seed + i) for i in range(DRAWS)
    ]
    return sum(asks for asks, _ in found) / DRAWS, sorted(alarms for _, alarms in found)


def main() -> None:
    """Print the table and what the goal demands."""
    text = resources.files("stillhere.content").joinpath("profiles.toml").read_text("utf-8")
    known = profiles.load(text)
    sys.stdout.write(f"seed={SEED} goal={GOAL} in 100\n")
    sys.stdout.write(
        f"{'profile':>10} {'grace':>6} {'asks':>6} {'5 %':>6} {'half':>6} {'95 %':>6}\n"
    )
    for key in ("injected", "snorted", "swallowed"):
        for grace_s in (60, 30):
            profile = replace(known[key], grace_s=grace_s)
            profiles.validate(profile)
            asks, rates = table(profile, SEED)
            low, half, high = (rates[round(q * (DRAWS - 1))] for q in (0.05, 0.5, 0.95))
            line = f"{key:>10} {grace_s:>6} {asks:>6.1f} {low:>6.2f} {half:>6.2f} {high:>6.2f}"
            sys.stdout.write(f"{line}\n")
    sys.stdout.write("\nthe goal in terms of one ask (injected, 60 s):\n")
    worst = needed(known["injected"])
    sys.stdout.write(f"missed by every way at most once in {round(1 / worst)} asks\n")


def needed(profile: Profile) -> float:
    """The largest chance of missing one ask altogether that keeps the goal, each ask by itself."""
    asks, _ = rate(profile, People(1.0, 1.0, 1.0, 0.0, 1.0, (1, 2)), 20, SEED)
    return 1 - float((1 - GOAL / 100) ** (1 / asks))


if __name__ == "__main__":
    main()
