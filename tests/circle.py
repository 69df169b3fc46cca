"""Sam and the people Sam chose, as rows: what shell tests begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stillhere.engine.heartbeat import pulse_once
from stillhere.engine.tick import tick_once
from stillhere.store.db import clock
from stillhere.store.models import Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.people import address_book, browsers, invitations, persons, records
from stillhere.store.people.numbers import address_proof
from stillhere.store.problems import Reached
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Asked, Change, ChangeResult, CheckIn
from stillhere.web.access import contact_device

if TYPE_CHECKING:  # a process that only looks on needs none of the tests' own tools
    from tests.conftest import Clock


_SESSIONS: dict[str, str] = {}  # by key


@dataclass
class SamsNight:
    """Sam's plan and watch in a real database. ``contacts`` by name; ``watch`` is the watch's
    id."""

    person: Person
    key: str
    contacts: dict[str, Contact] = field(default_factory=dict)
    watch: int = 0

    def start(self, profile: str = "injected", own: str = "") -> int:
        self.watch = apply.start(self.person.id, profile, own)
        return self.watch

    def does(self, what: Asked) -> ChangeResult:
        """Something happens to Sam's watch."""
        return apply.apply(Change(what, watch=self.watch))

    def row(self) -> WatchRow:
        return WatchRow.objects.get(id=self.watch)

    def queued(self, *words: str) -> list[Message]:
        """Messages still to be sent, in the order they leave; of these words only, if any are
        given."""
        found = Message.objects.filter(status="queued").order_by("urgency", "place", "due_at", "id")
        return list(found.filter(word__in=words) if words else found.exclude(word="invite"))


def sams_night(*rungs: tuple[str, ...], phones: bool = True, first: int = 100) -> SamsNight:
    """Sam with contacts on rungs, everyone confirmed; each has a text and a call address. Their
    numbers end with ``first`` and what follows: two nights with the same share their phones."""
    person, key = persons.new_person("en", "America/New_York")
    persons.set_plan(person, name="Sam", place="12 Elm Street", entry="code 4711")
    number = first
    if phones:
        address_book.set_own_addresses(person, ways(number))
        address_proof.vouch(person)
    night = SamsNight(person, key)
    session_of(key)
    for rung, names in enumerate(rungs):
        for name in names:
            number += 1
            contact = invitations.add_contact(person, name, ways(number), rung=rung)
            invitations.join(contact)
            address_proof.vouch(contact)
            night.contacts[name] = contact
    return night


def session_of(key: str) -> str:
    """The token of the browser of the person with this key; it was there from the beginning."""
    if key not in _SESSIONS:
        person = records.person_by_key(key)
        token = (
            browsers.open_pages(person, "/", tell=False)[1] if person is not None else "nobody's"
        )
        _SESSIONS[key] = token
    return _SESSIONS[key]


def open_links(people: int, each: int) -> list[dict[str, Any]]:
    """People with an open alarm and ``each`` on their list, who said yes: for everyone on a list
    the key of the page, what makes their phone known, and of whom (watch and contact)."""
    found = []
    for no in range(people):
        person, _key = persons.new_person("en", "America/New_York")
        persons.set_plan(person, name=f"Sam {no}", place="12 Elm Street", town="Denver")
        put_on_list(person, each, no)
        watch = apply.start(person.id, "injected")
        apply.apply(Change(apply.CallForHelp(), watch=watch))
        found += [
            {
                "watch": watch,
                "contact": contact.id,
                "key": sealed_columns.contact_key(contact),
                "cookies": dict([contact_device.cookie(contact)]),
            }
            for contact in person.contacts.order_by("id")
        ]
    return found


def put_on_list(person: Person, each: int, no: int) -> None:
    """As many people who said yes, each with one number; ``no`` sets these lists apart."""
    for other in range(each):
        way = Reached("text", f"+1202556{no:02d}{other:02d}", rings=False)
        leo = invitations.add_contact(person, f"Leo {other}", [way], rung=other % 4)
        invitations.join(leo)
        address_proof.vouch(leo)


def ways(number: int) -> list[Reached]:
    """The two ways of one fictional phone."""
    return [
        Reached("text", f"+12025550{number}", rings=False),
        Reached("call", f"+12025550{number}", rings=True),
    ]


def tick_all() -> None:
    """Let the engine catch up with the clock."""
    while tick_once(clock.now_ms()):
        pass


def answers_both_looks(night: SamsNight, clock: Clock) -> None:
    """Sam is asked after one minute and after three, because a contact ended the alarm, and
    answers."""
    for seconds in (60, 120):
        clock.advance(seconds)
        tick_all()
        assert night.row().state == "asking"
        night.does(CheckIn())


def live(clock: Clock, seconds: int) -> None:
    """The engine does its rounds while time passes."""
    for _ in range(seconds):
        clock.advance(1)
        pulse_once()
        tick_all()
