"""What a fault gets into its hands, and what a fault is."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from tests.chaos.place import POSTGRESQL, SQLITE, Ground, Place, plain_ground


@dataclass
class Scene:
    """A night under way. ``windows`` are the times in which something was wrong, on the monotonic
    clock; ``done`` counts what was done; ``undone`` is what we should have done and did not."""

    place: Place
    chance: random.Random
    ground: Ground
    windows: list[tuple[float, float]] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    undone: list[str] = field(default_factory=list)
    green_in_vain_s: float = 0.0  # how long all was said to be well while nobody could be reached
    kept: Callable[[], int] = lambda: 0  # how many check-ins were acknowledged so far
    harmed: set[int] | None = None  # watches a fault is about; None: about everybody
    aside: set[int] = field(default_factory=set)  # whose rows cannot be used; people were told

    @contextmanager
    def wrong(self, what: str) -> Iterator[None]:
        """The time in which ``what`` is wrong."""
        self.done[what] += 1
        began = time.monotonic()
        try:
            yield
        finally:
            self.windows.append((began, time.monotonic()))


@dataclass(frozen=True)
class Fault:
    """One kind of trouble. ``happen`` returns when it is over; ``ground`` prepares for it.

    ``night_s`` is how long people are awake, in real seconds; ``rate`` is how fast the
    installation's clock runs. ``none_in_vain_s``: whoever goes on pressing may not be alarmed for
    where all was well again this soon; what takes longer is beyond the promise, and is only told.
    """

    name: str
    happen: Callable[[Scene], Awaitable[None]]
    on: tuple[str, ...] = (SQLITE, POSTGRESQL)
    ground: Callable[[], AbstractContextManager[Ground]] = plain_ground
    night_s: float = 18.0
    rate: float = 10.0
    none_in_vain_s: float = 0.0

    def in_vain(self, scene: Scene, alarmed: int) -> int:
        """How many of those who were alarmed for should not have been."""
        longest_s = max((end - began for began, end in scene.windows), default=0.0)
        return alarmed if longest_s <= self.none_in_vain_s else 0
