"""The seeded world: one seed, one night, always the same.

Owns the virtual clock, the order of events and the trace. Nothing in the simulator reads a real
clock or a hash order: every die is rolled from the seed and a name, so that one agent's luck does
not move another's. Knows nothing about watches.

``t`` is true time: milliseconds since the night began. What the service's machine shows instead
(``raw_now_ms``) may be set back or forward; its boot clock may not.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

EVENING_AT = 1_769_896_800_000  # a Saturday, 22:00 UTC
BOOTED_MS = 1_000_000
LINES_KEPT = 60

Deed = Callable[[], object]


class Violation(AssertionError):
    """Something that must never be. ``invariant`` is the name of the rule, a sentence."""

    def __init__(self, invariant: str, says: str) -> None:
        super().__init__(f"{invariant.replace('_', ' ')}: {says}")
        self.invariant, self.says = invariant, says

    def __reduce__(self) -> tuple[type[Violation], tuple[str, str]]:
        return Violation, (self.invariant, self.says)  # to come home from another process


@dataclass(slots=True)
class World:
    """Time, luck and memory of one night."""

    seed: int
    t: int = 0
    skew_ms: int = 0
    jumped_t: int = -1_000_000  # when somebody last moved the machine's clock
    begins_at: int = EVENING_AT
    boot: str = "boot 0"  # which start of the machine it is
    boot_t: int = 0
    proved: bool = False  # whether anybody can say what time it is
    off: frozenset[str] = frozenset()  # what this night is lived without
    switches: dict[str, None] = field(default_factory=dict)  # what could be left out
    _coming: list[tuple[int, int, Deed]] = field(default_factory=list)
    _numbers: int = 0
    _digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))

    # --- luck -----------------------------------------------------------------------------------

    def dice(self, name: str) -> Random:
        """A die of one's own: the same for the same seed and name, whatever others roll."""
        return Random(f"{self.seed}/{name}")

    def has(self, name: str) -> bool:
        """Whether this optional thing of the night is there. Ask after its dice were rolled: then
        leaving it out changes nobody else's luck."""
        self.switches[name] = None
        return name not in self.off

    # --- time -----------------------------------------------------------------------------------

    def raw_now_ms(self, _connection: object = None) -> int:
        """What the machine's clock shows."""
        return self.begins_at + self.t + self.skew_ms

    def boot_ms(self) -> int:
        """What the machine's boot clock shows."""
        return BOOTED_MS + self.t - self.boot_t

    def proved_ms(self) -> int | None:
        """The right time, where anybody can say it."""
        return self.begins_at + self.t if self.proved else None

    def restart(self, skew_ms: int) -> None:
        """The machine starts anew, with its clock so far off."""
        self.boot, self.boot_t = f"boot at {self.t}", self.t
        self.skew_ms, self.proved = skew_ms, False
        self.say(f"the machine starts, its clock off by {skew_ms / 1000:.0f} s")

    def move_clock(self, by_ms: int) -> None:
        """Somebody sets the machine's clock."""
        self.skew_ms += by_ms
        self.jumped_t = self.t
        self.say(f"clock moved by {by_ms / 1000:.0f} s")

    # --- events ---------------------------------------------------------------------------------

    def at(self, t: int, deed: Deed) -> None:
        """Let ``deed`` happen at ``t``, or now if that has passed."""
        self._numbers += 1
        heapq.heappush(self._coming, (max(t, self.t), self._numbers, deed))

    def after(self, ms: int, deed: Deed) -> None:
        self.at(self.t + ms, deed)

    def next_t(self) -> int | None:
        """When the next event happens."""
        return self._coming[0][0] if self._coming else None

    def happen(self) -> None:
        """Let the next event happen."""
        t, _, deed = heapq.heappop(self._coming)
        self.t = max(self.t, t)
        deed()

    # --- memory ---------------------------------------------------------------------------------

    def say(self, what: str) -> None:
        """Write one line of the trace."""
        line = f"{self.t / 1000:10.3f} {what}"
        self.lines.append(line)
        self._digest.update(line.encode())

    def trace_hash(self) -> str:
        """Two runs of one seed have the same."""
        return self._digest.hexdigest()
