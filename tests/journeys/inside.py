"""Looks into a town's database from a process of its own: ``python -m tests.journeys.inside``.

For seeding before a story and for checking after it. Reads one JSON line a question,
``["what", {facts}]``, and answers each with one JSON line.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import InterfaceError, OperationalError, connection, transaction  # noqa: E402
from django.db.models import F  # noqa: E402

from stillhere.config.wiring import derived_secret  # noqa: E402
from stillhere.core import events as ev  # noqa: E402
from stillhere.core.schedule import Routine  # noqa: E402
from stillhere.engine.erasure import erase_once  # noqa: E402
from stillhere.store.db import clock, encryption  # noqa: E402
from stillhere.store.installation import desk_key, peers  # noqa: E402
from stillhere.store.kits import kits  # noqa: E402
from stillhere.store.kits.kits import Inside  # noqa: E402
from stillhere.store.models import (  # noqa: E402
    Address,
    Budget,
    Contact,
    Installation,
    Message,
    Outage,
    Peer,
    Person,
    SetAside,
    Suppression,
    Tally,
    WatchRow,
    sealed_columns,
)
from stillhere.store.people import address_book, contacts, invitations, persons, records  # noqa: E402
from stillhere.store.people.numbers import address_proof  # noqa: E402
from stillhere.store.problems import Reached  # noqa: E402
from stillhere.store.program import shifts  # noqa: E402
from stillhere.store.watches import apply, damage, queries  # noqa: E402
from stillhere.web.access import contact_device  # noqa: E402
from tests.circle import SamsNight, open_links, sams_night, session_of  # noqa: E402
from tests.web.pages import make  # noqa: E402


def phones_secret() -> str:
    return derived_secret(settings.STILLHERE, "demo-phones").hex()


def set_rate(rate: float) -> bool:
    """Let the installation's clock run ``rate`` times as fast from now on."""
    now = clock.now_ms()  # before any engine ran there is no row yet
    Installation.objects.update_or_create(
        id=1, defaults={"clock_rate": rate, "clock_anchor_at": now, "beat_at": 0}
    )
    return True


def pass_time(seconds: float) -> int:
    """Move the clock and the engine's beat together: time has passed, and we were there."""
    by_ms = round(seconds * 1000)
    Installation.objects.filter(id=1).update(
        clock_offset_ms=F("clock_offset_ms") + by_ms, beat_at=F("beat_at") + by_ms
    )
    return clock.now_ms()


def away(seconds: float) -> int:
    """Move the clock alone: time has passed, and we were not there. As after a start of the
    machine: else the clock that counts since then would know that it has not."""
    by_ms = round(seconds * 1000)
    Installation.objects.filter(id=1).update(
        clock_offset_ms=F("clock_offset_ms") + by_ms, beat_boot="the start before this one"
    )
    return clock.now_ms()


def sweep() -> int:
    """Erase what is due, as the engine does once a minute."""
    return erase_once(clock.now_ms())


def left_of(watch: int) -> dict[str, int]:
    """What is still kept about a watch, and the counts."""
    return {
        "rows": WatchRow.objects.filter(id=watch).count(),
        "lines": len(queries.journal(watch)),
        "messages": Message.objects.filter(watch=watch).count(),
        "counts": Tally.objects.count(),
    }


def settled() -> bool:
    """Nothing is due, and no message of an installed channel waits."""
    now = clock.now_ms()
    waiting = Message.objects.filter(status="queued", due_at__lte=now).exists()
    return not waiting and not queries.due(now, 1)


@transaction.atomic  # no invitation leaves before it is taken back
def seed(
    name: str, rungs: list[list[str]], numbers: dict[str, str], start: bool, own: str = ""
) -> dict[str, Any]:
    """A person with confirmed contacts by phone; with ``start`` a marked watch."""
    person, key = persons.new_person("en", "America/New_York")
    persons.set_plan(person, name=name, place="12 Elm Street", entry="code 4711")
    address_book.set_own_addresses(person, _phone(numbers[name]))
    address_proof.vouch(person)
    contacts = {}
    for rung, names in enumerate(rungs):
        for contact_name in names:
            contact = invitations.add_contact(
                person, contact_name, _phone(numbers[contact_name]), rung=rung
            )
            invitations.join(contact)
            address_proof.vouch(contact)
            contacts[contact_name] = encryption.key_for("contact", contact.nonce)
    Message.objects.filter(word="invite").delete()
    seeded: dict[str, Any] = {"person": person.id, "key": key, "contacts": contacts}
    seeded["session"] = session_of(key)
    if start:
        watch = apply.start(person.id, "injected", own)
        apply.apply(apply.Change(ev.Marked(), watch=watch))
        seeded["watch"] = watch
        seeded["watch_key"] = encryption.key_for("watch", WatchRow.objects.get(id=watch).nonce)
    return seeded


def plan(person: int, **notes: str) -> bool:
    """Keep notes of a person's plan."""
    persons.set_plan(Person.objects.get(id=person), **notes)
    return True


def on_shift(name: str, phone: str) -> bool:
    """Somebody takes a shift now, for everyone who keeps a watch."""
    Person.objects.update(volunteers=True)
    shifts.begin(shifts.add(name, phone, "en"), 4)
    return True


def unanswered(person: int, name: str) -> bool:
    """This contact has not answered the invitation."""
    for contact in Contact.objects.filter(person=person):
        if sealed_columns.contact_name(contact) == name:
            Contact.objects.filter(id=contact.id).update(status="invited", answered_at=None)
            Address.objects.filter(contact=contact).update(proved_at=0)
    return True


def said_no() -> int:
    """How many numbers said no."""
    return Suppression.objects.count()


def forget() -> int:
    """Nobody is known here any more: the next story has the town to itself."""
    Budget.objects.all().delete()
    return Person.objects.all().delete()[0]


def _phone(number: str) -> list[Reached]:
    return [Reached("text", number, rings=False), Reached("call", number, rings=True)]


def crowd(count: int, first: int, **own: int) -> list[dict[str, Any]]:
    """Many people with a marked watch and two contacts each, on one rung. The watches are long: on
    a fast clock and a busy machine none may come to its end before the story does. ``own`` are
    more numbers of their profile."""
    numbers = json.dumps({"total_s": 10_800, **own})
    people = []
    with transaction.atomic():  # one commit for the whole crowd
        for i in range(count):
            names = {n: f"+1202555{first + i * 3 + k:04d}" for k, n in enumerate(("Sam", "A", "B"))}
            seeded = seed("Sam", [["A", "B"]], names, True, numbers)
            people.append({**seeded, "numbers": names})
    return people


def links(people: int, each: int) -> list[dict[str, Any]]:
    """The links of everyone on the lists of so many people with an open alarm."""
    with transaction.atomic():
        return open_links(people, each)


def watches() -> list[dict[str, Any]]:
    """Every watch as it stands."""
    fields = (
        "id", "state", "seen_at", "marked_at", "asks", "alarms", "wake_at", "quarantined_at",
        "version", "grace_at",
    )  # fmt: skip
    found = damage.around(
        lambda: list(WatchRow.objects.order_by("id")),
        lambda: queries.readable_rows(queries.named("id + 0 > 0")),
    )
    return [{name: getattr(row, name) for name in fields} for row in found]


def aside() -> list[int]:
    """Watches whose rows cannot be read or written, and whose people were told."""
    return [each.watch for each in damage.aside() if each.looked_at is None]


def messages() -> list[dict[str, Any]]:
    fields = (
        "id",
        "key",
        "watch_id",
        "contact_id",
        "word",
        "status",
        "attempts",
        "channel",
        "carrier",
        "why",
    )
    return list(Message.objects.order_by("id").values(*fields))


def heard() -> dict[str, list[int]]:
    """When each peer was heard and whether it counts as silent, by name."""
    found = peers.seen(clock.now_ms())
    return {peer.name: [peer.heard_at, int(peer.silent)] for peer in found}


def silence(seconds: float) -> bool:
    """Peers were heard, and our outages were, so much longer ago. The clock itself stays: with no
    watch open it would be set right again."""
    by_ms = round(seconds * 1000)
    Peer.objects.update(heard_at=F("heard_at") - by_ms)
    Peer.objects.filter(told_at__gt=0).update(told_at=F("told_at") - by_ms)
    Outage.objects.update(from_at=F("from_at") - by_ms, to_at=F("to_at") - by_ms)
    return True


def backed_up_at() -> int:
    """When the last backup was whole."""
    return int(queries.installation().backed_up_at)


def journal(watch: int) -> list[dict[str, Any]]:
    return [
        {"at": line.at, "event": line.event, "state": line.state, "who": line.who}
        for line in queries.journal(watch)
    ]


def phone_of(key: str) -> str:
    """The cookie of the phone on which this contact once proved their number."""
    contact = records.contact_by_key(key)
    assert contact is not None
    return "=".join(contact_device.cookie(contact))


def scene(state: str) -> dict[str, Any]:
    """A Sam of their own brought into a state of ``tests/web/pages.py``, or one of our own;
    the keys of everyone. In most of them Leo and Maya are on the list."""
    if state == "try":
        person, key = persons.new_trial("en", "UTC", "Sam", "Maya")
        friend = sealed_columns.contact_key(person.contacts.get())
        return {"person": key, "friend": friend, "phones": []}
    Budget.objects.all().delete()  # every scene has the same numbers
    alone = state in ("nobody", "alone", "alone-alarm")
    night = sams_night() if alone else sams_night(("Leo",), ("Maya",))
    persons.set_plan(night.person, town="Denver, Colorado", dispatch="+1 202 555 0109")
    for name, minutes in (("Leo", 3), ("Maya", 25)):
        if name in night.contacts:
            contacts.keep(night.contacts[name], minutes=minutes)
    _into(state, night)
    if state == "forced":  # what Leo's message leads to
        night.contacts["Leo"] = Contact.objects.filter(person__secret=True).latest("id")
    if state == "trouble":
        _trouble(night)
    ana = shifts.everyone() or [shifts.add("Ana", "+12025550104", "en")]
    keys: dict[str, Any] = {"person": night.key, "desk": desk_key.key()}
    keys["session"] = session_of(night.key)
    keys["volunteer"] = shifts.key_of(ana[0])
    kits.add(Inside("nasal", 2, "2031-05", "", "blue backpack"), person=night.person)
    for contact in night.contacts.values():
        kits.add(Inside("injection", 3, "2020-01"), contact=contact)
    keys["kit"] = kits.key_of(kits.add(Inside("nasal", 2, "2031-05")))
    known = (contact_device.cookie(contact) for contact in night.contacts.values())
    keys["phones"] = [{"name": name, "value": value} for name, value in known]
    for name, contact in night.contacts.items():
        keys |= {name: sealed_columns.contact_key(contact), f"{name}Id": contact.id}
    if night.watch:
        keys["watch"] = encryption.key_for("watch", night.row().nonce)
    return keys


def _daily(state: str, night: SamsNight) -> None:
    """A daily check-in: of somebody whom nobody can ask, or one that is due within the hour."""
    if state == "daily-alone":
        address_book.set_own_addresses(night.person, [])
        make("daily", night)
        return
    soon = datetime.fromtimestamp(clock.now_ms() / 1000, UTC) + timedelta(minutes=30)
    at = Routine(frozenset(range(7)), soon.hour * 60 + soon.minute, "UTC")
    apply.start(night.person.id, "routine", routine=at)


def _trouble(night: SamsNight) -> None:
    """Nothing of this night leaves, it is tried again in an hour; and a row cannot be read."""
    now, why = clock.now_ms(), "not reached: ServerDisconnectedError of the other carrier too"
    tried = {"vain_at": now - 90_000, "due_at": now + 3_600_000, "carrier": "one", "why": why}
    Message.objects.filter(watch=night.watch).update(status="queued", **tried)
    SetAside.objects.get_or_create(watch=night.watch + 404, defaults={"at": now})


def _into(state: str, night: SamsNight) -> None:
    theirs = Contact.objects.filter(person=night.person)
    if state in ("invited", "by-name"):
        theirs.update(status="invited")
        if state == "by-name":
            Address.objects.filter(contact__in=theirs).delete()
    elif state == "pin":
        persons.set_pin(night.person, "any")
    elif state.startswith("daily-"):
        _daily(state, night)
    elif state in ("alone", "alone-alarm"):
        make("alarm" if state == "alone-alarm" else "open", night)
    elif state == "aloud":
        persons.set_speak(night.person, True)
        make("alarm", night)
    elif state == "on-shift":
        ana = (shifts.everyone() or [shifts.add("Ana", "+12025550104", "en")])[0]
        shifts.begin(ana, 4)
        shifts.want(night.person, True)
        make("alarm", night)
    elif state == "waiting-for-a-yes":
        theirs.update(status="invited")
        make("marked", night)
    elif state != "nobody":
        make({"asking": "marked", "trouble": "alarm"}.get(state, state), night)


def answer(line: str) -> str:
    """One question. A connection that a fault cut is opened anew, once: what stands in a
    transaction was not done, and reading twice harms nobody."""
    what, facts = json.loads(line)
    try:
        return json.dumps(globals()[what](**facts))
    except (InterfaceError, OperationalError):
        connection.close()
        return json.dumps(globals()[what](**facts))


if __name__ == "__main__":
    for line in sys.stdin:
        print(answer(line), flush=True)
