"""The people around Sam, and the coordinator: what they do when something reaches them.

Owns who goes, who falls silent on the way, who stands before a locked door, who is far, who says
no, who says no more and perhaps START later, for whom a stranger answers, who never answered the
invitation. Each acts only on what arrived, except the neighbour who looks at the page by chance.
Decides nothing about watches.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from django.db.models import QuerySet

from stillhere.core import events as ev
from stillhere.core.events import Outcome
from stillhere.sim.whole.evidence import Evidence
from stillhere.sim.whole.web_side import Request, WebSide
from stillhere.sim.whole.world import World
from stillhere.store.db import clock, encryption
from stillhere.store.messages.leased import LeasedMessage
from stillhere.store.models import Address, Contact, Suppression
from stillhere.store.people import invitations, opt_out
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Asked
from stillhere.store.watches.contact_alarm import UNKNOWN_S

MOST_TRIES = 8
SUMMONS = frozenset(
    {"alarm", "help", "forced", "again", "ambulance", "reopened", "going", "cannot-get-in"}
)
PHONE = ("text", "call")
REACTIONS = {
    "ignores": 30, "goes": 24, "goes and falls silent": 9, "far": 7, "declines": 8,
    "locked out": 8, "says no more": 5, "says it is fine": 5, "does not find": 4,
}  # fmt: skip
# Whoever does the same in every alarm, whatever happened; most do not.
LIES = {"": 88, "always says it is fine": 6, "always says they are there": 6}
ODDLY = {"": 85, "a stranger says they go": 8, "STOP": 4, "not me, never again": 3}
ENDINGS = {
    Outcome.FINE: 45, Outcome.REVIVED: 25, Outcome.FALSE_ALARM: 12, Outcome.HOSPITAL: 10,
    Outcome.DIED: 3, Outcome.NOT_FOUND: 3, Outcome.ENDED: 2,
}  # fmt: skip


class Neighbour:
    """One contact of one person."""

    def __init__(self, world: World, web: WebSide, night: Evidence, contact: int) -> None:
        self._world, self._web, self._night, self._contact = world, web, night, contact
        self._dice: Random = world.dice(f"contact {contact}")
        (self._lie,) = self._dice.choices(list(LIES), list(LIES.values()))
        self._odd: Random = world.dice(f"contact {contact} oddly")  # what moves nobody's luck
        self._last: LeasedMessage | None = None
        self._leaving: set[int] = set()
        self._of: set[int] = set()  # whose lists they stand on
        self._reacted: set[tuple[int, int]] = set()
        self._there = False
        self._gone = False

    # --- hearing --------------------------------------------------------------------------------

    def hears(self, message: LeasedMessage) -> None:
        """A message reached their phone."""
        if self._gone:
            return
        self._last = message
        if message.word == "invite":
            self._invited()
        elif message.word == "are-you-there" and message.watch is not None:
            if self._there and self._dice.random() < 0.6:
                self._later(5_000, 200_000, message.watch, ev.Arrived(self._contact))
        elif message.word in SUMMONS and message.watch is not None:
            alarm = self._night.mails[message.id].alarm
            fresh = (message.watch, alarm) not in self._reacted
            if fresh or self._dice.random() < 0.1:
                self._reacted.add((message.watch, alarm))
                self.reacts(message.watch)

    def _invited(self) -> None:
        roll = self._dice.random()
        if roll < 0.4:
            join = partial(self._service, _says_yes)
            self._world.after(self._dice.randrange(5_000, 900_000), join)
        elif roll < 0.5:
            self._world.after(self._dice.randrange(5_000, 900_000), self.says_no_more)

    def reacts(self, watch: int) -> None:
        """Whatever this person does about an alarm, this time."""
        (reaction,) = self._dice.choices(list(REACTIONS), list(REACTIONS.values()))
        (oddly,) = self._odd.choices(list(ODDLY), list(ODDLY.values()))
        if oddly and self._world.has(f"contact {self._contact} {oddly}"):
            self._does_oddly(oddly, watch)
        elif self._lie and self._world.has(f"contact {self._contact} {self._lie}"):
            self._lies(watch)
        elif self._world.has(f"contact {self._contact} {reaction}"):
            self._does(reaction, watch)

    def _lies(self, watch: int) -> None:
        """At once, and again and again: that all is well, or that they are there."""
        who, later = self._contact, self._later
        if self._lie == "always says they are there":
            self._there = True
            for no in range(6):
                later(no * 500_000 + 1_000, no * 500_000 + 5_000, watch, ev.Arrived(who))
            return
        if self._dice.random() < 0.5:
            later(500, 1_000, watch, ev.Arrived(who))
        for wait_ms in (1_000, 60_000, 200_000):
            later(wait_ms, wait_ms + 4_000, watch, ev.Resolved(who, Outcome.FINE))

    def _does_oddly(self, oddly: str, watch: int) -> None:
        ms = self._odd.randrange(2_000, 90_000)
        match oddly:
            case "a stranger says they go":  # with the link, on a phone that may be anybody's
                eta_s = self._odd.choice((UNKNOWN_S, 900, None))
                claim = ev.Claimed(self._contact, eta_s, known=False)
                self._world.after(ms, partial(self._says, watch, claim, 0))
            case "STOP":
                self._world.after(ms, partial(self._refuses, everybody=True))
            case _:
                self._world.after(ms, partial(self._refuses, everybody=False))

    def _does(self, reaction: str, watch: int) -> None:
        who, later = self._contact, self._later
        match reaction:
            case "goes" | "goes and falls silent":
                eta_s = self._dice.choice((60, 180, 300))
                claim_ms = later(3_000, 100_000, watch, ev.Claimed(who, eta_s))
                if reaction == "goes":
                    self._walks(watch, claim_ms, eta_s)
            case "far":
                later(3_000, 100_000, watch, ev.Claimed(who, self._dice.choice((None, 900, 301))))
            case "declines":
                later(3_000, 100_000, watch, ev.Declined(who))
            case "locked out":
                claim_ms = later(3_000, 60_000, watch, ev.Claimed(who, 180))
                at_door = claim_ms + self._dice.randrange(60_000, 300_000)
                later(at_door, at_door + 1, watch, ev.CannotGetIn(who))
                if self._dice.random() < 0.4:
                    self._walks(watch, at_door, 60)
            case "says no more":
                self._world.after(self._dice.randrange(3_000, 200_000), self.says_no_more)
            case "says it is fine":
                later(10_000, 400_000, watch, ev.Resolved(who, self._ending()))
            case "does not find":
                later(100_000, 400_000, watch, ev.Resolved(who, Outcome.NOT_FOUND))
            case _:
                pass

    # --- doing ----------------------------------------------------------------------------------

    def _walks(self, watch: int, from_ms: int, eta_s: int) -> None:
        """On the way; there; and perhaps the one who says how it ended."""
        there_ms = from_ms + round(eta_s * 1000 * self._dice.uniform(0.4, 1.6))
        self._later(there_ms, there_ms + 1, watch, ev.Arrived(self._contact))
        self._world.after(there_ms, self._is_there)
        if self._dice.random() < 0.75:
            end_ms = there_ms + self._dice.randrange(20_000, 1_500_000)
            self._later(end_ms, end_ms + 1, watch, ev.Resolved(self._contact, self._ending()))

    def _is_there(self) -> None:
        self._there = True

    def _ending(self) -> Outcome:
        (outcome,) = self._dice.choices(list(ENDINGS), list(ENDINGS.values()))
        return outcome

    def _later(self, least_ms: int, most_ms: int, watch: int, what: Asked) -> int:
        """Say something after a while, sometimes twice; returns when."""
        ms = self._dice.randrange(least_ms, most_ms)
        self._world.after(ms, partial(self._says, watch, what, 0))
        if self._dice.random() < 0.2:
            self._world.after(ms + self._dice.randrange(2_000), partial(self._says, watch, what, 0))
        return ms

    def _says(self, watch: int, what: Asked, tries: int) -> None:
        if tries < MOST_TRIES and not self._gone:
            again = partial(self._says, watch, what, tries + 1)
            self._web.send(Request(what, watch, lambda _: None, again))

    def _service(self, deed: Callable[[Contact], None]) -> None:
        contact = self._contact

        def act() -> None:
            there = Contact.objects.filter(id=contact).first()
            if there is not None:  # who left is erased, and no page of theirs opens
                deed(there)

        self._web.call(act, lambda _: None)

    # --- no, and never again --------------------------------------------------------------------

    def _refuses(self, *, everybody: bool) -> None:
        """A no from their number, in answer to what reached it: STOP, to everybody, or "not me,
        never again", to this one person. It counts once it was answered."""
        message = self._last
        if message is None or self._gone:
            return
        self._gone = True
        no = "STOP" if everybody else "not me, never again"
        self._world.say(f"contact {self._contact} says {no}")
        says = self._stop if everybody else self._not_me
        self._web.call(partial(says, message), lambda _: self._refused(message, everybody))
        if self._odd.random() < 0.5:
            self._world.after(self._odd.randrange(60_000, 900_000), partial(self._start, message))

    def _refused(self, message: LeasedMessage, everybody: bool) -> None:
        self._night.count("refusals")
        for contact in self._leaving:
            self._night.gone(contact)
        if everybody:
            self._night.silenced.add(message.to)
        else:
            self._night.unwanted |= {(person, message.to) for person in self._of}

    def _stop(self, message: LeasedMessage) -> None:
        self._may_leave(_rows_of(message))
        opt_out.refuse(message.channel, message.to, Suppression.Why.STOP, clock.now_ms())

    def _not_me(self, message: LeasedMessage) -> None:
        assert message.address is not None
        theirs = Address.objects.filter(id=message.address, contact__isnull=False)
        self._may_leave(theirs)
        for address in theirs.select_related("contact"):
            opt_out.not_theirs(address, clock.now_ms())

    def _may_leave(self, rows: QuerySet[Address]) -> None:
        """Remembered over tries: the one that was stored may not be the one that was answered."""
        for contact, person in rows.values_list("contact", "contact__person"):
            self._night.may_move(contact)
            self._leaving.add(contact)
            self._of.add(person)

    def _start(self, message: LeasedMessage) -> None:
        """START, from the number itself. It may count from the moment it is sent."""
        self._world.say(f"contact {self._contact} says START")
        self._started(message)
        allow = partial(opt_out.allow, message.channel, message.to)
        self._web.call(lambda: allow(clock.now_ms()), lambda _: self._started(message))

    def _started(self, message: LeasedMessage) -> None:
        night, to = self._night, message.to
        night.silenced.discard(to)
        night.unwanted -= {each for each in night.unwanted if each[1] == to}

    def says_no_more(self) -> None:
        """STOP: nobody may write to them again."""
        contact, status = self._contact, Contact.Status.LEFT
        if self._dice.random() < 0.3:
            status = Contact.Status.REMOVED  # it was Sam who took them off the list

        def leave() -> None:
            self._night.may_move(contact)
            for there in Contact.objects.filter(id=contact):  # or erased: who has their number left
                invitations.leave(there, status)

        self._gone = True
        self._web.call(leave, lambda _: self._night.gone(contact))


def _rows_of(message: LeasedMessage) -> QuerySet[Address]:
    """Wherever this number stands on a list."""
    lookups = [encryption.lookup(channel, message.to) for channel in PHONE]
    return Address.objects.filter(lookup__in=lookups, contact__isnull=False)


def _says_yes(contact: Contact) -> None:
    """By text: it comes from their number."""
    invitations.join(contact)
    address_proof.vouch(contact)


class Coordinator:
    """Ruth: is paged, looks, and now and then says how it ended."""

    def __init__(self, world: World, web: WebSide, night: Evidence) -> None:
        self._world, self._web, self._night = world, web, night
        self._dice: Random = world.dice("coordinator")

    def hears(self, message: LeasedMessage) -> None:
        """Paged about a watch."""
        if message.watch is not None and self._dice.random() < 0.3:
            (outcome,) = self._dice.choices(list(ENDINGS), list(ENDINGS.values()))
            says = partial(self._says, message.watch, ev.Resolved(None, outcome), 0)
            ms = self._dice.randrange(20_000, 900_000)
            if self._world.has("coordinator"):
                self._world.after(ms, says)

    def ends(self, watch: int) -> None:
        """The night is over: whatever is open is closed by hand."""
        self._says(watch, ev.Resolved(None, Outcome.FALSE_ALARM), 0)

    def _says(self, watch: int, what: Asked, tries: int) -> None:
        if tries < MOST_TRIES:
            again = partial(self._says, watch, what, tries + 1)
            self._web.send(Request(what, watch, lambda _: self._looks(watch), again))

    def _looks(self, watch: int) -> None:
        kept = self._night.watches.get(watch)
        aside = watch in self._night.troubles.damaged
        if aside or (kept is not None and kept.watch.held):
            self._web.call(partial(apply.looked, watch), lambda _: None)
