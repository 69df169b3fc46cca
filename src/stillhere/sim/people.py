"""Sam: the person who keeps a watch, on whatever phone, in whatever state.

Owns when somebody taps, late, early, twice, from a kept page or from two devices; when they ask
for help or for more, end it, or fall silent for good. Sees only what a person sees: the page, and
the messages that arrive. Decides nothing about watches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from stillhere.core import events as ev
from stillhere.core.events import State
from stillhere.core.schedule import Routine
from stillhere.sim.whole.evidence import ObservedChange
from stillhere.sim.whole.web_side import Request, WebSide
from stillhere.sim.whole.world import World
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Asked, CallForHelp, ChangeResult, CheckIn

MINUTE_MS = 60_000
ACUTE = ("injected", "injected", "snorted", "swallowed")
OWN = ("", "", '{"grace_s": 30}', '{"first_ask_s": 90, "grace_s": 90, "early_every_s": 120}')
MOST_TRIES = 40


@dataclass(frozen=True, slots=True)
class Nature:
    """What this person is like tonight. ``p_`` are chances; ``silent_t`` when they answer nobody
    any more, ``page`` whether the page is open, ``offline`` how often a tap is kept for a while."""

    routine: str
    p_answer: float
    p_late: float
    p_kept: float
    p_twice: float
    p_unclear: float
    page: bool
    devices: int
    silent_t: int | None

    @classmethod
    def drawn(cls, dice: Random, ends_t: int, from_t: int = 0) -> Nature:
        silent = dice.random() < 0.45
        return cls(
            routine=dice.choice(("routine", "release")) if dice.random() < 0.2 else "",
            p_answer=dice.choice((1.0, 0.97, 0.85, 0.6)),
            p_late=dice.choice((0.0, 0.05, 0.3)),
            p_kept=dice.choice((0.0, 0.05, 0.3)),
            p_twice=dice.choice((0.0, 0.2)),
            p_unclear=dice.choice((0.0, 0.05)),
            page=dice.random() < 0.7,
            devices=dice.choice((1, 1, 1, 2)),
            silent_t=from_t + dice.randrange(MINUTE_MS, ends_t - from_t) if silent else None,
        )


class Sam:
    """One person and their watch. ``moved`` is called for every change of it that a page shows."""

    def __init__(
        self, world: World, web: WebSide, person: int, ends_t: int, from_t: int = 0
    ) -> None:
        self._world, self._web, self._person, self._ends_t = world, web, person, ends_t
        self._dice: Random = world.dice(f"sam {person}")
        self._nature = Nature.drawn(self._dice, ends_t, from_t)
        self._seq = [self._dice.choice((0, 0, 1000 * n)) for n in range(self._nature.devices)]
        self._heard = 0  # the last ask they reacted to
        self._over = False
        self.watch = 0
        if self._nature.routine and self._nature.silent_t is None and self._dice.random() < 0.6:
            self._quiet_until = self._ends_t
        else:
            self._quiet_until = 0

    @property
    def silent(self) -> bool:
        """Whether nothing will come from this person any more."""
        gone_t = self._nature.silent_t
        return self._over or (gone_t is not None and self._world.t >= gone_t)

    # --- the evening ----------------------------------------------------------------------------

    def begins(self) -> None:
        """Start a watch, and draw what else the evening holds."""
        own = ""
        routine = None
        if self._nature.routine:
            due_min = (22 * 60 + self._dice.randrange(15, 65)) % 1440
            routine = Routine(frozenset(range(7)), due_min, "UTC")
            profile = self._nature.routine
        elif self._dice.random() < 0.2:
            profile, own = "own", self._dice.choice(OWN)
        else:
            profile = self._dice.choice(ACUTE)
        begin = partial(apply.start, self._person, profile, own, routine)
        self._web.call(begin, self._began)

    def _began(self, watch: int) -> None:
        if self.watch:
            return
        self.watch = watch
        dice, after = self._dice, self._world.after
        if not self._nature.routine and dice.random() < 0.8:
            after(dice.randrange(3_000, 200_000), partial(self._does, ev.Marked()))
        left_ms = max(self._ends_t - self._world.t, MINUTE_MS)
        for chance, what in (
            (0.18, CallForHelp(wants_to_die=left_ms % 5 == 0)),
            (0.15, ev.Extended(dice.choice((30, 600, 7_200)))),
            (0.12, ev.Ended()),
            (0.10, ev.Marked()),
            (0.15, CheckIn(0)),
            (0.10, ev.Shown(dice.randrange(3))),
        ):
            if dice.random() < chance:
                ms = dice.randrange(left_ms)
                if self._world.has(f"person {self._person} {type(what).__name__.lower()}"):
                    after(ms, partial(self._does, what))
        if self._nature.routine and dice.random() < 0.2:
            until_at = self._world.begins_at + dice.randrange(30 * MINUTE_MS, 30 * 60 * MINUTE_MS)
            after(dice.randrange(left_ms), partial(self._does, ev.Paused(until_at)))

    def answers(self) -> None:
        """Unasked, because they want to or have to."""
        if self.watch:
            self._taps()

    def gives_up(self) -> None:
        """The night is over: end it, however often it takes."""
        self._over = True
        self._send(ev.Ended(), lambda _: None, 0)

    # --- hearing --------------------------------------------------------------------------------

    def sees(self, change: ObservedChange) -> None:
        """The page shows what is, if it is open."""
        w = change.after
        if not self._nature.page or self.silent or w.id != self.watch:
            return
        if w.state is State.ASKING and (change.before is None or change.before.asks != w.asks):
            if self._dice.random() < 0.8:
                self._world.after(900, partial(self._does, ev.Shown(w.asks)))
            self._world.after(self._dice.randrange(200, 1_500), partial(self.hears, w.asks))

    def hears(self, ask: int) -> None:
        """An ask reached them: on the screen, by a text, by a ring."""
        dice, nature = self._dice, self._nature
        if self.silent or ask <= self._heard or self._world.t < self._quiet_until:
            return
        self._heard = ask
        if dice.random() < nature.p_unclear:
            self._world.after(dice.randrange(1_000, 30_000), partial(self._does, ev.Unclear()))
        if dice.random() > nature.p_answer:
            return
        slow_ms = 240_000 if dice.random() < nature.p_late else 40_000
        self._world.after(dice.randrange(1_000, slow_ms), self._taps)

    # --- saying ---------------------------------------------------------------------------------

    def _taps(self) -> None:
        """One tap on one device. It has a time, and on a page a number; it may be kept for a
        while, and sent twice."""
        dice = self._dice
        if self.silent:
            return
        seq = None
        if dice.random() < 0.8:
            device = dice.randrange(len(self._seq))
            self._seq[device] += 1
            seq = self._seq[device]
        made_t, wait_ms = self._world.t, 0
        if seq is not None and dice.random() < self._nature.p_kept:
            wait_ms = dice.randrange(1_000, 200_000)
        for _ in range(2 if dice.random() < self._nature.p_twice else 1):
            self._world.after(wait_ms, partial(self._sends_tap, made_t, seq, 0))
            wait_ms += dice.randrange(0, 3_000)

    def _sends_tap(self, made_t: int, seq: int | None, tries: int) -> None:
        """A page tries until it is told; the phone does that even when its owner cannot."""
        age_ms = self._world.t - made_t if seq is not None else 0
        if tries < MOST_TRIES:
            again = partial(self._sends_tap, made_t, seq, tries + 1)
            self._request(CheckIn(age_ms, seq), lambda _: None, again)

    def _does(self, what: Asked) -> None:
        if not self.silent:
            self._send(what, lambda _: None, 0)

    def _send(self, what: Asked, done: Callable[[ChangeResult], None], tries: int) -> None:
        again = partial(self._send, what, done, tries + 1)
        if tries < MOST_TRIES:
            self._request(what, done, again)

    def _request(
        self, what: Asked, done: Callable[[ChangeResult], None], failed: Callable[[], None]
    ) -> None:
        self._web.send(Request(what, self.watch, done, failed))
