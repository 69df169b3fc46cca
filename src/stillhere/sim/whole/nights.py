"""One seed, one night: who lives in it, what goes wrong, and whether everything held.

Owns the cast, the faults drawn for a night, the loop that lets time pass, and the verdict. Every
night begins with the same rows; what differs comes from the seed alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Protocol

from django.test import override_settings

from stillhere.core.events import State
from stillhere.sim import invariants
from stillhere.sim.circle import Coordinator, Neighbour
from stillhere.sim.forced import Forced
from stillhere.sim.invariants import require
from stillhere.sim.people import MINUTE_MS, Sam
from stillhere.sim.verdict import Lived, Verdict, lived, shrunk
from stillhere.sim.whole.carriers import Carriers, Closed
from stillhere.sim.whole.engine_side import EngineSide
from stillhere.sim.whole.evidence import Evidence, ObservedChange
from stillhere.sim.whole.faults import DamagedRows, SilentWeb
from stillhere.sim.whole.letters import Letters
from stillhere.sim.whole.service import Process, Service
from stillhere.sim.whole.storage import Storage
from stillhere.sim.whole.web_side import WebSide
from stillhere.sim.whole.world import Violation, World
from stillhere.store.messages.leased import LeasedMessage
from stillhere.store.models import Contact, Message, Person
from stillhere.store.people import address_book, invitations, persons
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Problem, Reached

PERSONS, CONTACTS = 6, 5
SHRINK_TRIES = 200
SHORTEST_MS, LONGEST_MS = 20 * MINUTE_MS, 80 * MINUTE_MS
MENDING_MS = 240 * MINUTE_MS  # after this long without faults everything has come to its end
ROUNDS_MS = 20_000
LOOK_EVERY_MS, SELDOM_MS = 5_000, 30_000


class Living(Protocol):
    """A night, or what is lived through in its place."""

    evidence: Any  # its ``counts`` are told

    def live(self) -> None:
        """From the first event to the judgement. Raises Violation."""


Kind = Callable[[World, Storage, list[int]], Living]


@dataclass(slots=True)
class Simulator:
    """Runs nights on one storage. Use it inside ``opened``."""

    storage: Storage
    persons: list[int] = field(default_factory=list)

    def run(
        self,
        seed: int,
        off: frozenset[str] = frozenset(),
        kind: Kind | None = None,
    ) -> Verdict:
        """Live through the night of this seed, without what is named in ``off``; or through
        another ``kind`` of night (``weeks.py``)."""
        world = World(seed, off=off)
        night: Living = (kind or Night)(world, self.storage, self.persons)
        broken = None
        with _clock_of(world), _listening(world):
            try:
                night.live()
            except Violation as violation:
                broken = violation
                world.say(f"VIOLATION {violation}")
        kept = (tuple(world.lines), tuple(world.switches)) if broken is not None else ((), ())
        return Verdict(seed, night.evidence.counts, broken, *kept, world.trace_hash())

    def lived(self, seeds: range, kind: Kind | None = None) -> Lived:
        """Live through many nights."""
        return lived(partial(self.run, kind=kind), seeds)

    def shrunk(self, broken: Verdict, kind: Kind | None = None) -> Verdict:
        """The smallest night found in which the same rule breaks."""
        return shrunk(partial(self.run, kind=kind), broken, SHRINK_TRIES)


@contextmanager
def opened() -> Iterator[Simulator]:
    """A simulator with its own database in place of this thread's."""
    storage = Storage()
    simulator = Simulator(storage)
    with storage.installed():
        with _clock_of(World(0)):
            storage.make_template(partial(_cast, simulator.persons))
        yield simulator


def _cast(made: list[int]) -> None:
    """Six people with five contacts each, everyone confirmed, each with a text and a call way."""
    number = 0
    for _ in range(PERSONS):
        person, _key = persons.new_person("en", "America/Denver")
        persons.set_plan(person, name="Sam", place="12 Elm Street")
        address_book.set_own_addresses(person, _ways(number := number + 1))
        address_proof.vouch(person)
        for name in ("Leo", "Maya", "Ana", "Ines", "Ben")[:CONTACTS]:
            contact = invitations.add_contact(person, name, _ways(number := number + 1))
            invitations.join(contact)
            address_proof.vouch(contact)
        made.append(person.id)
    Message.objects.all().delete()  # the invitations, sent weeks ago


def _ways(number: int) -> list[Reached]:
    """The two ways of one fictional phone."""
    value = f"+1202555{number:04}"
    return [Reached("text", value, rings=False), Reached("call", value, rings=True)]


@contextmanager
def _clock_of(world: World) -> Iterator[None]:
    with override_settings(
        RAW_NOW_MS=world.raw_now_ms,
        BOOT_MS=world.boot_ms,
        BOOT_ID=lambda: world.boot,
        PROVED_MS=world.proved_ms,
    ):
        yield


class _Ear(logging.Handler):
    """What the service logs is part of the trace."""

    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        self._world.say(f"log: {record.getMessage()}")
        if record.exc_info is not None and record.exc_info[1] is not None:
            self._world.say(f"log: {record.exc_info[1]!r}")


@contextmanager
def _listening(world: World) -> Iterator[None]:
    log, ear = logging.getLogger("stillhere"), _Ear(world)
    before, log.propagate = log.propagate, False
    handlers, log.handlers = log.handlers, [ear]
    try:
        yield
    finally:
        log.handlers, log.propagate = handlers, before


class Night:
    """One night, from its first event to the verdict. Somebody looks at everything every
    ``busy_ms``, and ``seldom_ms`` while nothing is going on."""

    busy_ms, seldom_ms = LOOK_EVERY_MS, SELDOM_MS
    p_closed, closed_ms = 0.1, (60_000, 10 * MINUTE_MS, 40 * MINUTE_MS)

    def __init__(self, world: World, storage: Storage, persons: list[int]) -> None:
        storage.fresh()
        self.world, self._storage = world, storage
        self._dice: Random = world.dice("night")
        self._strangers: Random = world.dice("strangers")
        self._ends_t = self._lasts()
        self.evidence = Evidence(storage)
        self._service = Service(world, storage, self.evidence)
        places = self._dice.choice((2, 12, 12, 12))  # how many each carrier takes at once
        carriers = Carriers(world.dice("carriers"), self._ends_t, world.has)
        carriers.closed = self._closures()
        self._letters = Letters(self._service, carriers, places)
        self._engine = EngineSide(self._service, self._letters)
        self._web = WebSide(self._service)
        self._silent = SilentWeb(world, self._service, self.evidence)
        self._coordinator = Coordinator(world, self._web, self.evidence)
        self._sams: dict[int, Sam] = {}
        self._neighbours: dict[int, Neighbour] = {}
        self._looked_t = 0
        self._letters.arrives = self._arrives
        self._service.shows = self._shows
        self._service.away_ms = self._away_ms
        self._service.noticed = self._engine.clock_moved
        for person in persons[: self._dice.randrange(1, PERSONS + 1)]:
            self._moves_in(person)

    def _lasts(self) -> int:
        return self._dice.randrange(SHORTEST_MS, LONGEST_MS)

    # --- who lives here -------------------------------------------------------------------------

    def _moves_in(self, person: int) -> None:
        """One person with a watch tonight, and the people on their list."""
        dice, write = self._dice, self._storage.raw.execute
        sam = self._keeps_a_watch(person)
        if dice.random() < 0.15:
            write("DELETE FROM address WHERE person_id = ?", [person])
        found = self._storage.look("SELECT id FROM contact WHERE person_id = ?", person)
        stays, rung = dice.choice((0, 1, 2, 2, 3, 3, 4, 5)), 0
        for no, (contact,) in enumerate(found):
            if no >= stays:
                write("DELETE FROM address WHERE contact_id = ?", [contact])
                write("UPDATE contact SET status = 'removed' WHERE id = ?", [contact])
                continue
            (status,) = dice.choices(("confirmed", "invited", "left"), (80, 15, 5))
            rung += dice.choice((0, 1, 1))
            write("UPDATE contact SET rung = ?, status = ? WHERE id = ?", [rung, status, contact])
            if status == "left":
                self.evidence.left.add(contact)
            if dice.random() < 0.3:
                only = dice.choice(("text", "call"))
                write("DELETE FROM address WHERE contact_id = ? AND channel = ?", [contact, only])
            self._meets(contact)
        if dice.random() < 0.25:
            t = dice.randrange(self._ends_t)
            if self.world.has(f"person {person} asks another"):
                self.world.at(t, partial(self._asks_another, person, _ways(900 + person)))
        Forced(self.world, self._web, self.evidence, person, sam, self._ends_t).plan()
        for no, number in enumerate(self._known_numbers(person)):
            if self.world.has(f"person {person} asks somebody known {no}"):
                t = self._strangers.randrange(self._ends_t)
                self.world.at(t, partial(self._asks_another, person, _ways(number)))

    def _known_numbers(self, person: int) -> list[int]:
        """Numbers that stand, or stood, on a list: one's own list, or one of another person."""
        dice, most = self._strangers, PERSONS * (CONTACTS + 1)
        return [dice.randrange(1, most + 1) for _ in range(dice.choice((0, 0, 1, 2, 4)))]

    def _keeps_a_watch(self, person: int) -> Sam:
        self._sams[person] = sam = Sam(self.world, self._web, person, self._ends_t)
        begins_t = self._dice.randrange(0, 10 * MINUTE_MS)
        if self.world.has(f"person {person}"):
            self.world.at(begins_t, sam.begins)
        return sam

    def _meets(self, contact: int) -> None:
        self._neighbours.setdefault(
            contact, Neighbour(self.world, self._web, self.evidence, contact)
        )

    def _asks_another(self, person: int, ways: list[Reached]) -> None:
        """Somebody is put on the list in the middle of the night, if they may be asked."""

        def add() -> list[Contact]:
            try:
                return [invitations.add_contact(Person.objects.get(id=person), "Ruth", ways)]
            except Problem:  # they said no, or were asked enough
                return []

        def added(contacts: list[Contact]) -> None:
            for contact in contacts:
                self._meets(contact.id)

        self._web.call(add, added)

    def _arrives(self, message: LeasedMessage) -> None:
        """A message reached a phone."""
        if message.contact is not None:
            if message.contact not in self._neighbours:  # called for help in secret
                self._meets(message.contact)
            self._neighbours[message.contact].hears(message)
        elif message.address is None:
            self._coordinator.hears(message)
        else:
            for sam in self._sams.values():
                if sam.watch == message.watch and message.facts.ask is not None:
                    sam.hears(message.facts.ask)

    def _shows(self, change: ObservedChange) -> None:
        """Pages show what changed; a neighbour may see it without having been called."""
        for sam in self._sams.values():
            sam.sees(change)
        alarm = change.after.alarm
        if alarm is not None and (change.before is None or change.before.alarm is None):
            for contact in alarm.circle.contacts():
                looks = self._dice.random() < 0.06 and contact in self._neighbours
                if looks and self.world.has(f"contact {contact} looks by chance"):
                    self._neighbours[contact].reacts(change.after.id)

    # --- what goes wrong ------------------------------------------------------------------------

    def _away_ms(self, process: Process) -> int:
        """How long a dead process stays away. Between a restart and an outage there is a grey
        zone that depends on the last beat; it is left out."""
        dice = self._dice
        if self.world.t >= self._ends_t:
            return dice.randrange(300, 2_000)
        if process.name == "web":
            return dice.randrange(300, 40_000 if dice.random() < 0.1 else 4_000)
        return (
            dice.randrange(20_000, 600_000) if dice.random() < 0.3 else dice.randrange(300, 9_000)
        )

    def _plan_faults(self) -> None:
        dice, at = self._dice, self.world.at
        engine, web = self._service.engine, self._service.web
        for no in range(dice.choice((0, 1, 2, 4, 8, 16))):
            t, process = dice.randrange(self._ends_t), dice.choice((engine, engine, web))
            if dice.random() < 0.25:
                both = (engine, web) if dice.random() < 0.3 else (process,)
                for each in both if self.world.has(f"fault {no}") else ():
                    at(t, partial(self._service.kill, each))
            else:
                fails = partial(
                    self._service.will_fail, process, dice.randrange(1, 40),
                    dies=dice.random() < 0.8,
                )  # fmt: skip
                if self.world.has(f"fault {no}"):
                    at(t, fails)
        if dice.random() < 0.25:
            for no in range(dice.choice((1, 1, 2))):
                by_ms = dice.choice((3_600_000, 600_000, 120_000, 30_000, 5_000))
                by_ms *= dice.choice((-1, -1, 1))
                t = dice.randrange(self._ends_t)
                if self.world.has(f"clock moves {no}"):
                    at(t, partial(self._moves_clock, by_ms))

    def _closures(self) -> list[Closed]:
        """Ways that are closed to everybody for a while: now and then all of them at once."""
        dice = self.world.dice("closures")
        if dice.random() > self.p_closed:
            return []
        closed = []
        for no in range(dice.choice((1, 1, 2))):
            from_t, removed = dice.randrange(self._ends_t), dice.random() < 0.4
            to_t = min(from_t + dice.randrange(20_000, dice.choice(self.closed_ms)), self._ends_t)
            ways = dice.choice((("text", "call"), ("text", "call"), ("text",), ("call",)))
            if self.world.has(f"closed {no}"):
                closed += [Closed(way, from_t, to_t, removed) for way in ways]
        return closed

    def _plan_holds(self) -> None:
        """Somebody else keeps the database to themselves for a while."""
        dice = self.world.dice("holds")
        for no in range(dice.choice((0, 0, 0, 0, 1, 2))):
            t = dice.randrange(self._ends_t)
            if self.world.has(f"database held {no}"):
                self.world.at(t, self._service.hold)

    def _moves_clock(self, by_ms: int) -> None:
        self.world.move_clock(by_ms)
        self.evidence.moves.append((self.world.t, by_ms))
        self._engine.clock_moved()

    # --- time passes ----------------------------------------------------------------------------

    def live(self) -> None:
        """The whole night, then a quiet time in which everything must come to its end. Raises
        Violation."""
        self._plan_faults()
        self._plan_holds()
        self._silent.plan(self._ends_t)
        DamagedRows(self.world, self._storage, self.evidence).plan(self._ends_t)
        self._keep_looking()
        self._until(self._ends_t)
        self._storage.fuses.clear()
        self.world.say("the night is over")
        while self._unfinished() and self.world.t < self._ends_t + MENDING_MS:
            self._finish()
            self._until(self.world.t + ROUNDS_MS)
        self.evidence.see(self.world.t, self.evidence.now, ())
        require(invariants.WHEN_THE_NIGHT_IS_OVER, self.evidence)

    def _until(self, t: int) -> None:
        while True:
            self._engine.arm()
            comes, rounds = self.world.next_t(), self._engine.next_t()
            next_t = min((each for each in (comes, rounds) if each is not None), default=t + 1)
            if next_t > t:
                self._engine.beat_until(t)
                self.world.t = t
                return
            self._engine.beat_until(next_t)
            if next_t == rounds:
                self._engine.run_round()
            else:
                self.world.happen()

    def _keep_looking(self) -> None:
        """Look at everything every few seconds, as nobody inside does."""
        if self._engine.calm:
            self.evidence.t, self.evidence.now = self.world.t, self._service.now()
            require(invariants.IN_CALM, self.evidence)
        often = 0.02 if self.evidence.alarms_open() else 0.002
        if self._dice.random() < often or self._letters.closed:
            self._engine.audit()
        busy = any(each.watch.state is not State.OPEN for each in self.evidence.open_watches())
        self.world.after(self.busy_ms if busy else self.seldom_ms, self._keep_looking)

    def _unfinished(self) -> bool:
        look = self._storage.look
        waiting = look("SELECT count(*) FROM message WHERE status = 'queued'")[0][0]
        return bool(waiting) or bool(self.evidence.open_watches())

    def _finish(self) -> None:
        """Whoever can ends what is still open."""
        still_open = {each.id for each in self.evidence.open_watches()}
        for sam in self._sams.values():
            if sam.watch in still_open:
                sam.gives_up()
        for story in self.evidence.alarms_open():
            self._coordinator.ends(story.watch)
