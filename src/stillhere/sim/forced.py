"""A word under force: it looks like "Still here", and calls for help in secret.

Owns who was chosen to hear it, when it is said, and what Sam's phone sends besides. Decides nothing
about watches.
"""

from __future__ import annotations

from functools import partial

from stillhere.sim.people import MINUTE_MS, Sam
from stillhere.sim.whole.evidence import Evidence
from stillhere.sim.whole.web_side import WebSide
from stillhere.sim.whole.world import World
from stillhere.store.db import encryption
from stillhere.store.models import Address, Contact, Person, WatchRow
from stillhere.store.people import force

WORD = "blue kettle"
LONGEST_MS = 40 * MINUTE_MS  # for so long they are made to answer


class Forced:
    """One person who keeps a word. ``sam`` is how else they speak to us that evening."""

    def __init__(
        self, world: World, web: WebSide, night: Evidence, person: int, sam: Sam, ends_t: int
    ) -> None:
        self._world, self._web, self._night = world, web, night
        self._person, self._sam, self._ends_t = person, sam, ends_t
        self._dice = world.dice(f"person {person} forced")

    def plan(self) -> None:
        """In some nights: choose who hears the word, long before, and say it once or twice."""
        said_yes = Contact.objects.filter(person=self._person, status=Contact.Status.CONFIRMED)
        ids = [contact.id for contact in said_yes.order_by("id") if self._dice.random() < 0.6]
        if self._dice.random() > 0.25 or not ids:
            return
        force.keep(Person.objects.get(id=self._person), WORD, ids)
        t = self._dice.randrange(self._ends_t)
        for again_ms in (0, *self._dice.choice(((), (30_000,), (300_000,)))):
            if self._world.has(f"person {self._person} says the word"):
                self._world.at(t + again_ms, partial(self._says, ids))

    def _says(self, ids: list[int]) -> None:
        """Their phone takes it for a check-in, and they go on answering as they are told to."""
        if self._sam.silent:
            return

        def calls() -> None:
            if not self._is_open():
                self._night.chosen[self._person] = _numbers(ids)
            force.call_for_help(Person.objects.get(id=self._person))

        self._world.say(f"person {self._person} says the word")
        self._web.call(calls, lambda _: self._night.count("words under force"))
        for _ in range(self._dice.randrange(4)):
            self._world.after(self._dice.randrange(LONGEST_MS), self._sam.answers)

    def _is_open(self) -> bool:
        """Whether the word was said before, and the alarm about it goes on."""
        mark = encryption.lookup("secret", str(self._person))
        theirs = WatchRow.objects.filter(person__secret=True, person__force_word=mark)
        return theirs.filter(closed_at__isnull=True).exists()


def _numbers(contacts: list[int]) -> set[bytes]:
    """Where those of them who still want to hear it can be reached."""
    theirs = Address.objects.filter(
        contact__in=contacts, contact__status=Contact.Status.CONFIRMED, state=Address.State.OK
    )
    return {bytes(lookup) for lookup in theirs.values_list("lookup", flat=True)}
