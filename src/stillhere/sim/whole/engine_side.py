"""The engine process: its real rounds, called when its real loops would call them.

Owns the timing of ``pulse_once``, ``tick_once`` and ``audit_once``, and jumps over the time in
which they would find nothing. What leaves and what carriers say is ``letters.py``'s.
"""

from __future__ import annotations

from random import Random

from django.db import Error

from stillhere.engine.audit import audit_once, unheard
from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.tick import tick_once
from stillhere.sim import invariants
from stillhere.sim.invariants import require
from stillhere.sim.whole.carriers import CHANNELS
from stillhere.sim.whole.letters import Letters
from stillhere.sim.whole.service import Died, Service
from stillhere.sim.whole.world import Violation
from stillhere.store.db import clock
from stillhere.store.messages import delivery, stuck

ROUND_MS = 100  # how often the real loops look
BEAT_MS = 1_000
CALM_MS = 3_000  # up this long, the engine has caught up
FULL_MS = 60_000  # a carrier that had no place left may still have a queue
_NEXT_MAIL = """
SELECT channel, min(max(due_at, lease_until_at)) FROM message
WHERE status = 'queued' GROUP BY channel
"""
WAITS = "an urgent message has been waiting"
_NEXT_WAKE = "SELECT min(wake_at) FROM watch WHERE quarantined_at IS NULL"


class EngineSide:
    """The loops of the engine. ``_due`` is what each loop waits for, ``_coming`` when it looks."""

    def __init__(self, service: Service, letters: Letters) -> None:
        self._service, self._letters = service, letters
        self._world, self._storage = service.world, service.storage
        self._dice: Random = self._world.dice("engine")
        self._coming: dict[str, int] = {}
        self._due: dict[str, int | None] = {}
        self._pulsed_t = -BEAT_MS
        self._pulse_now = True
        self._armed, self._written = False, -1
        self._due_at: dict[str, int | None] = {}
        service.engine.loses = self._lose
        service.engine.begins = self._begin

    def _lose(self) -> None:
        self._coming.clear()
        self._due.clear()
        self._letters.lose()

    def _begin(self) -> None:
        """As ``engine/loop.py``: nobody else is alive, so what was leased is free again."""
        self._pulse_now, self._armed = True, False
        try:
            self._service.act(self._service.engine, delivery.release_leases)
        except Died:
            return
        except Error:
            self._service.kill(self._service.engine)  # it could not even begin

    def arm(self) -> None:
        """Find out when each loop would next find something to do."""
        written = self._storage.written
        if not self._service.engine.up or (self._armed and written == self._written):
            return
        if written != self._written:
            self._due_at = self._look()
        self._armed, self._written = True, written
        now, t = self._service.now(), self._world.t
        found = self._due_at | {"tick": now} if self._pulse_now else self._due_at
        for name, due_at in found.items():
            due_t = None if due_at is None else t + max(due_at - now, 0)
            if name in self._due and due_t == self._due[name]:
                continue
            self._due[name] = due_t
            if due_t is None:
                self._coming.pop(name, None)
            else:
                self._coming[name] = due_t + self._dice.randrange(1, ROUND_MS)

    def _look(self) -> dict[str, int | None]:
        """What the rows say each loop waits for, mere beats aside."""
        found: dict[str, int | None] = dict.fromkeys(("tick", *CHANNELS))
        found["tick"] = self._storage.look(_NEXT_WAKE)[0][0]
        found.update(self._storage.look(_NEXT_MAIL))
        return found

    def next_t(self) -> int | None:
        """When the next round is."""
        return min(self._coming.values(), default=None)

    def run_round(self) -> None:
        """Let the loop do its round that comes next."""
        name = min(self._coming, key=lambda each: (self._coming[each], each))
        self._world.t = max(self._world.t, self._coming.pop(name))
        self._due.pop(name)  # whatever is still due then is for the next round
        if name != "tick" and self._letters.full(name):
            self._rest(name)  # nothing moved: all else comes when it was to come
            return
        self._armed = False
        try:
            if name == "tick":
                self._service.act(self._service.engine, self._tick)
            elif self._letters.missing(name):
                self._letters.turn_away(name)
            else:
                self._letters.lease(name)
        except Died:
            return
        except Error as failure:
            self._world.say(f"engine: {name}: {type(failure).__name__}")
            self._rest(name)

    def _rest(self, name: str) -> None:
        """Look again one round later."""
        self._coming[name] = self._world.t + ROUND_MS
        self._due[name] = self._world.t + ROUND_MS

    def _tick(self) -> None:
        if self._pulse_now or self._world.t - self._pulsed_t >= BEAT_MS:
            pulse_once()
            self._pulsed_t, self._pulse_now = self._world.t, False
        tick_once(clock.now_ms())
        self._letters.silences()

    def clock_moved(self) -> None:
        """The next beat comes within a second, and notices."""
        self._pulse_now, self._armed = True, False
        if self._service.engine.up:
            self._due["tick"] = self._world.t
            self._coming["tick"] = self._world.t + self._dice.randrange(1, BEAT_MS)

    def beat_until(self, t: int) -> None:
        """The beats of a stretch in which nothing else happens: one statement instead of one
        transaction a second, with the same row in the end."""
        quiet = self._service.engine.up and not self._storage.held and not self._pulse_now
        if not quiet or t - self._pulsed_t < BEAT_MS:
            return
        self._pulsed_t += (t - self._pulsed_t) // BEAT_MS * BEAT_MS
        ahead_ms = self._pulsed_t - self._world.t
        now = self._storage.clock_row().now(self._world.raw_now_ms() + ahead_ms)
        self._storage.beat(now, self._world.boot_ms() + ahead_ms)

    @property
    def calm(self) -> bool:
        """Whether the engine has had time to catch up with whatever happened."""
        engine = self._service.engine
        if not engine.up or self._storage.held:
            return False
        return max(engine.up_t, self._world.jumped_t) <= self._world.t - CALM_MS

    def audit(self) -> None:
        """What the audit says must agree with what we know: up and caught up, the proof holds."""
        if not self._service.engine.up:
            return
        try:
            told, reasons = self._service.act(self._service.engine, self._reasons)
        except (Died, Error):
            return
        if self.calm and not told:
            require(invariants.WHILE_ALL_IS_PROVED, self._service.night)
        full = self._service.night.full_since(self._world.t - FULL_MS)
        if reasons and self.calm and not full and not self._service.night.troubles.unnoticed():
            raise Violation("the_proof_holds_while_the_engine_is_up", "; ".join(reasons))

    def _reasons(self) -> tuple[list[str], list[str]]:
        """Why nothing is proved, and what of it has no excuse. That nobody is reached is true where
        carriers refuse or addresses are dead; where all of them work it never is, but for what is
        young before anything was taken again. What the engine lost twice waits until the third
        answer to it."""
        now, rate = clock.now_ms(), clock.read().rate
        troubled, excused = self._letters.troubled, list[str]()
        if troubled or stuck.since_at():
            late = unheard(now, rate)
            excused = late if troubled else []
            excused = excused if late else unheard(now, rate, 0)
        told = audit_once(now)
        twice = "status = 'queued' AND attempts > 2 AND lease_until_at > ?"
        if self._storage.look(f"SELECT 1 FROM message WHERE {twice}", now):  # noqa: S608
            excused += [reason for reason in told if reason.startswith(WAITS)]
        return told, [reason for reason in told if reason not in excused]
