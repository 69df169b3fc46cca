"""The service under test as processes that die and come back.

Owns ``act``: the only way a simulated process does anything. It may die before any statement and
after the last one; whatever it left behind is looked at and judged at once. Decides nothing about
watches, and does not know what the processes do (``engine_side.py``, ``web_side.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.conf import settings

from stillhere.sim import invariants
from stillhere.sim.invariants import alarms, require
from stillhere.sim.whole.evidence import Attempt, Evidence, ObservedChange, with_gap
from stillhere.sim.whole.storage import Crash, Fuse, Storage
from stillhere.sim.whole.world import World

T = TypeVar("T")


class Died(BaseException):
    """The process died in the middle of this."""


def _nothing() -> None:
    """What a process without belongings loses."""


@dataclass(slots=True)
class Process:
    """One process. ``life`` counts its deaths, so that what belonged to an earlier life is void;
    ``loses`` is what a death takes with it, ``begins`` what a start does first."""

    name: str
    up: bool = True
    up_t: int = 0
    down_t: int = 0
    life: int = 0
    loses: Callable[[], None] = field(default=_nothing)
    begins: Callable[[], None] = field(default=_nothing)


class Service:
    """Both processes on one database. ``away_ms`` says how long a dead process stays away,
    ``shows`` is told what pages would show."""

    def __init__(self, world: World, storage: Storage, night: Evidence) -> None:
        self.world, self.storage, self.night = world, storage, night
        self.engine, self.web = Process("engine"), Process("web")
        self.away_ms: Callable[[Process], int] = lambda _: 1_000
        self.shows: Callable[[ObservedChange], None] = lambda _: None
        self.noticed: Callable[[], None] = lambda: None
        self._seen = -1

    def act(self, process: Process, deed: Callable[[], T], attempts: Sequence[Attempt] = ()) -> T:
        """Let a process do something. Raises Died, or what the database raised."""
        outer, self.storage.acting = self.storage.acting, process.name
        try:
            result = deed()
            self.storage.burn()
        except Crash:
            self._die(process)
            raise Died(process.name) from None
        finally:
            self.storage.acting = outer
            self.look_on(attempts)
        return result

    def now(self) -> int:
        """What the installation's clock would say, asked by nobody."""
        row, boot = self.storage.clock_row(), settings.BOOT_ID()
        return row.now(self.world.raw_now_ms(), row.steady(boot, self.world.boot_ms()))

    def kill(self, process: Process) -> None:
        """Somebody pulls the plug between two deeds."""
        if process.up:
            self._die(process)

    def hang(self, process: Process, ms: int) -> None:
        """It answers nothing for so long, and keeps nothing of what it is asked."""
        if process.up:
            self.night.count("hangs")
            self._leave(process, "hangs", ms)

    def will_fail(self, process: Process, statements: int, *, dies: bool) -> None:
        """After so many more statements this process dies, or the database refuses one."""
        self.storage.fuses.setdefault(process.name, Fuse(statements, dies))

    def hold(self) -> None:
        """Somebody else keeps the database to themselves, as a backup program may."""
        if self.storage.held:
            return
        self.storage.held, held_t = True, self.world.t
        self.night.gone_t.append(held_t)
        away_ms = self.away_ms(self.engine)
        self.world.say(f"the database is held for {away_ms / 1000:.1f} s")
        self.world.after(away_ms, lambda: self._let_go(held_t))

    def _let_go(self, held_t: int) -> None:
        """Nobody could be heard meanwhile, as if there had been no engine."""
        self.storage.held = False
        self.engine.up_t = max(self.engine.up_t, self.world.t)
        self._was_away(held_t)
        self.world.say("the database is free again")
        self.noticed()

    def look_on(self, attempts: Sequence[Attempt] = ()) -> None:
        """Judge what was left behind since we last looked."""
        night, written = self.night, self.storage.written
        night.t, night.now = self.world.t, self.now()
        if written == self._seen:
            return
        self._seen = written
        night.count("rows set aside", night.troubles.see(night.t, self.storage))
        for change in night.see(night.t, night.now, attempts):
            w = change.after
            self.world.say(f"watch {w.id} is {w.state}, ask {w.asks}, alarm {w.alarms}")
            require(invariants.AFTER_EVERY_CHANGE, night, change)
            self.shows(change)
        for mail in night.new_mail():
            self.world.say(f"message {mail.id}: {mail.word} to {mail.contact} by {mail.address}")
            require(invariants.FOR_EVERY_MESSAGE, night, mail)
            story = night.story_of(mail)
            night.file(mail, alarms.rung_ms(night, story) if story is not None else 0)

    def _die(self, process: Process) -> None:
        self.night.count("crashes")
        self._leave(process, "dies", self.away_ms(process))

    def _leave(self, process: Process, how: str, away_ms: int) -> None:
        process.up, process.down_t = False, self.world.t
        if process is self.engine:
            self.night.gone_t.append(process.down_t)
        process.life += 1
        self.world.say(f"{process.name} {how}, back in {away_ms / 1000:.1f} s")
        process.loses()
        self.world.after(away_ms, lambda: self._rise(process))

    def _rise(self, process: Process) -> None:
        process.up, process.up_t = True, self.world.t
        self.world.say(f"{process.name} is back")
        if process is self.engine:
            self._was_away(process.down_t)
        process.begins()

    def _was_away(self, from_t: int) -> None:
        """Nobody could be heard since then, until now."""
        self.night.gone_t.remove(from_t)
        self.night.away = with_gap(self.night.away, from_t, self.world.t)
