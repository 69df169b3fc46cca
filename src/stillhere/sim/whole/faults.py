"""What goes wrong from outside, beside processes that die: rows that become garbage, and a web
server that hangs while its engine lives.

Owns when it happens and to whom, drawn with dice of its own. Judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import Error

from stillhere.engine import silence
from stillhere.sim.whole.evidence import Evidence, Story
from stillhere.sim.whole.service import Died, Service
from stillhere.sim.whole.storage import Storage
from stillhere.sim.whole.troubles import DamagedWatch, WebSilence
from stillhere.sim.whole.world import World

P_DAMAGED, P_HANGS = 0.2, 0.2
# What a column of text may be found to hold after a bad disk, or a hand that slipped.
GARBAGE = (
    ("alarm", '{"no":1,"cause":'), ("alarm", "\x00\x00"),
    ("routine", '{"v":'), ("rechecks", "soon"),
)  # fmt: skip

# How long a web server hangs: over by itself, until it is replaced, in its replacements too.
HANGS_MS = ((2_000, 14_000), (15_500, 20_000), (20_000, 60_000), (60_000, 300_000))
UNHEARD_MS, ROUND_MS = 3_000, 1_000  # after so long the supervisor says so, in its next round


class DamagedRows:
    """The text in a watch's row becomes garbage, and nobody is told."""

    def __init__(self, world: World, storage: Storage, night: Evidence) -> None:
        self._world, self._storage, self._night = world, storage, night

    def plan(self, ends_t: int) -> None:
        dice = self._world.dice("damage")
        if dice.random() >= P_DAMAGED:
            return
        for no in range(dice.choice((1, 1, 2))):
            t, luck, garbage = dice.randrange(ends_t), dice.random(), dice.choice(GARBAGE)
            if self._world.has(f"row damaged {no}"):
                self._world.at(t, partial(self._damage, luck, *garbage))

    def _damage(self, luck: float, column: str, text: str) -> None:
        still_open = sorted(kept.id for kept in self._night.open_watches())
        if not still_open:
            return
        watch = still_open[int(luck * len(still_open))]
        self._world.say(f"the row of watch {watch} is damaged: its {column}")
        sql = f"UPDATE watch SET {column} = ? WHERE id = ? RETURNING person_id"  # noqa: S608
        [(person,)] = self._storage.raw.execute(sql, [text, watch]).fetchall()
        over = frozenset(s.no for s in self._stories(watch) if s.ended_t is not None)
        self._forget(watch)
        self._night.troubles.damaged[watch] = DamagedWatch(watch, person, self._night.now, over)
        self._night.count("rows damaged")

    def _forget(self, watch: int) -> None:
        """What was known of it is worth nothing now, except for alarms that were over; and where
        one is open, what its people hear of those before is mixed up with it."""
        night = self._night
        del night.watches[watch]
        night.dailies.pop(watch, None)
        night.owed = [owed for owed in night.owed if owed.story.watch != watch]
        stories = self._stories(watch)
        if any(story.ended_t is None for story in stories):
            for story in stories:
                del night.stories[watch, story.no]

    def _stories(self, watch: int) -> list[Story]:
        return [story for story in self._night.stories.values() if story.watch == watch]


class SilentWeb:
    """A web server that answers nobody, whether it hangs or is not there, and the supervisor, who
    says so to whatever engine lives. A hang that is not over by itself ends when it is replaced, or
    goes on in the replacement."""

    def __init__(self, world: World, service: Service, night: Evidence) -> None:
        self._world, self._service, self._night = world, service, night
        self._dice = world.dice("silence")
        self._since_ms = 0  # by the boot clock; 0: somebody is heard
        self._word, self._life = _Word(None), 0
        service.web.loses = _both(service.web.loses, self._falls_silent)
        service.web.begins = self._is_heard
        service.engine.begins = _both(service.engine.begins, self._tell)

    def plan(self, ends_t: int) -> None:
        """Draw when it hangs."""
        if self._dice.random() >= P_HANGS:
            return
        for no in range(self._dice.choice((1, 2, 4))):
            t, long = self._dice.randrange(ends_t), self._dice.choice(HANGS_MS)
            hang = partial(self._service.hang, self._service.web, self._dice.randrange(*long))
            if self._world.has(f"web hangs {no}"):
                self._world.at(t, hang)

    def _falls_silent(self) -> None:
        silent = WebSilence(self._world.t)
        self._night.troubles.silences.append(silent)
        self._world.after(UNHEARD_MS + self._dice.randrange(ROUND_MS), partial(self._miss, silent))

    def _miss(self, silent: WebSilence) -> None:
        if silent.to_t is None:
            self._since_ms = settings.BOOT_MS() - (self._world.t - silent.from_t)
            self._tell()

    def _is_heard(self) -> None:
        self._night.troubles.silences[-1].to_t = self._world.t
        if self._since_ms:
            self._since_ms = 0
            self._world.after(self._dice.randrange(ROUND_MS), self._tell)

    def _tell(self) -> None:
        """As ``engine/loop.py``: each engine listens, and again where it could not write."""
        engine = self._service.engine
        if not engine.up:
            return
        if self._life != engine.life:
            self._word, self._life = _Word(None), engine.life
        self._word.says(self._since_ms)
        try:
            self._service.act(engine, self._word.listen)
        except Died:
            return
        except Error:
            self._world.after(ROUND_MS, self._tell)
            return
        if self._since_ms:
            self._night.count("silences told", self._night.troubles.told(self._world.t))


def _both(first: Callable[[], None], then: Callable[[], None]) -> Callable[[], None]:
    def both() -> None:
        first()
        then()

    return both


class _Word(silence.Silence):
    """The engine's ear, without a pipe."""

    def says(self, since_ms: int) -> None:
        self._since_ms = since_ms
