"""What goes wrong from outside, beside processes that die: rows that become garbage.

Owns when it happens and to whom, drawn with dice of its own. Judges nothing.
"""

from __future__ import annotations

from functools import partial

from stillhere.sim.evidence import Evidence, Story
from stillhere.sim.storage import Storage
from stillhere.sim.troubles import Damaged
from stillhere.sim.world import World

P_DAMAGED = 0.2
# What a column of text may be found to hold after a bad disk, or a hand that slipped.
GARBAGE = (
    ("alarm", '{"no":1,"cause":'), ("alarm", "\x00\x00"),
    ("routine", '{"v":'), ("rechecks", "soon"),
)  # fmt: skip


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
        self._night.troubles.damaged[watch] = Damaged(watch, person, self._night.now, over)
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
