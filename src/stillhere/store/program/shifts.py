"""Shifts: who from the program comes now, for those who want that.

Owns responders, their shifts, and their places on lists: whoever is on shift comes after the people
somebody chose, as a contact like any other, so asks, alarms, claims and pages need not know about
shifts. A shift ends by itself. Whoever is on an open alarm stays on it until it ends. A no is a no:
somebody who texted "stop" is never put on a list again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from stillhere.core.refusals import Refusal
from stillhere.store.db import clock, encryption
from stillhere.store.models import Contact, Person, Responder, WatchRow
from stillhere.store.people import address_book, clean_text, invitations, suppression
from stillhere.store.problems import Problem, Reached
from stillhere.store.watches import damage
from stillhere.store.watches.queries import ALARMED

HOUR_MS = 3_600_000
LONGEST_H = 12
MOST = 200
WAYS = {"text": False, "call": True}  # the channels an alarm reaches them by, and which rings
BEHIND = 100  # the round in which they are reached: after everyone the person chose


def add(name: str, phone: str, lang: str) -> Responder:
    """A new responder. Raises Problem."""
    name = clean_text.readable(name)[: clean_text.LONGEST_NAME]
    if not name:
        raise Problem(Refusal.NO_NAME)
    with transaction.atomic():
        if Responder.objects.count() >= MOST:
            raise Problem(Refusal.VOLUNTEERS_FULL)
        if any(phone_of(each) == phone for each in Responder.objects.all()):
            raise Problem(Refusal.NUMBER_TAKEN)
        if phone in {carrier.sender for carrier in settings.STILLHERE.carriers}:
            raise Problem(Refusal.OWN_NUMBER)
        if suppression.refuses([("call", phone)]):
            raise Problem(Refusal.SUPPRESSED)
        nonce = encryption.new_nonce()
        return Responder.objects.create(
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("responder", nonce)),
            name=encryption.seal(name, "responder.name", nonce),
            phone=encryption.seal(phone, "responder.phone", nonce),
            lang=lang,
            created_at=clock.now_ms(),
        )


def key_of(responder: Responder) -> str:
    return encryption.key_for("responder", responder.nonce)


def name_of(responder: Responder) -> str:
    return encryption.unseal(responder.name, "responder.name", responder.nonce)


def phone_of(responder: Responder) -> str:
    return encryption.unseal(responder.phone, "responder.phone", responder.nonce)


def by_key(key: str) -> Responder | None:
    return Responder.objects.filter(key_hash=encryption.key_hash(key)).first()


def everyone() -> list[Responder]:
    return list(Responder.objects.order_by("id"))


def trained_among(ids: Collection[int]) -> set[int]:
    """Those of these who answered the questions, as far as that can be read."""
    trained = Responder.objects.filter(trained_at__gt=0)

    def read(part: Sequence[int]) -> dict[int, bool]:
        return dict.fromkeys(trained.filter(id__in=part).values_list("id", flat=True), True)

    return {*damage.readable(sorted(ids), read)}


def anybody(now: int) -> bool:
    """Whether somebody is on shift."""
    return Responder.objects.filter(until_at__gt=now).exists()


def begin(responder: Responder, hours: int) -> None:
    """On shift for that long, from now. Raises Problem."""
    if not 1 <= hours <= LONGEST_H:
        raise Problem(Refusal.SHIFT)
    with transaction.atomic():
        responder.until_at = clock.now_ms() + hours * HOUR_MS
        responder.save(update_fields=["until_at"])
        wanting = Person.objects.filter(volunteers=True, watches__closed_at__isnull=True)
        for person in wanting.distinct().order_by("id"):
            _stand_by(person, responder)


def end(responder: Responder) -> None:
    """Off shift: taken off every list, but not off an open alarm that they are on."""
    with transaction.atomic():
        responder.until_at = 0
        responder.save(update_fields=["until_at"])
        _leave_lists(responder)


def end_due(now: int) -> None:
    """End the shifts whose time is over, and take responders off alarms that have ended since."""
    for responder in Responder.objects.filter(until_at__lte=now).order_by("id"):
        if responder.until_at:
            end(responder)
        elif _standing(responder).exists():
            with transaction.atomic():
                _leave_lists(responder)


def dismiss(responder: Responder) -> None:
    """They take no more shifts, and their name and number are erased. Raises Problem while they are
    on an open alarm."""
    with transaction.atomic():
        end(responder)
        if _standing(responder).exists():
            raise Problem(Refusal.ON_ALARM)
        Contact.objects.filter(responder=responder).delete()
        responder.delete()


def stand_by(person: Person) -> bool:
    """Put whoever is on shift on the list of this person, who wants that from now on. Returns
    whether anybody is."""
    with transaction.atomic():
        now = clock.now_ms()
        if not person.volunteers:
            person.volunteers = True
            person.save(update_fields=["volunteers"])
        on = list(Responder.objects.filter(until_at__gt=now).order_by("id"))
        stood = [_stand_by(person, responder) for responder in on]
    return any(stood)


def want(person: Person, wanted: bool) -> None:
    """Whether volunteers on shift may come for this person. Raises Problem where they are wanted no
    more while an alarm is open."""
    if wanted:
        stand_by(person)
        return
    invitations.require_calm(person)
    with transaction.atomic():
        person.volunteers = False
        person.save(update_fields=["volunteers"])
        for contact in person.contacts.filter(responder__isnull=False, status="confirmed"):
            invitations.leave(contact, Contact.Status.REMOVED)


def alarms_of(responder: Responder) -> QuerySet[Contact]:
    """The open alarms this responder is on, as the contact they are on each, with its person."""
    alarmed = WatchRow.objects.filter(state__in=ALARMED).values("person")
    those = _standing(responder).filter(person__in=alarmed)
    return those.select_related("person").order_by("id")


def _standing(responder: Responder) -> QuerySet[Contact]:
    return Contact.objects.filter(responder=responder, status=Contact.Status.CONFIRMED)


def _leave_lists(responder: Responder) -> None:
    alarmed = WatchRow.objects.filter(state__in=ALARMED).values("person")
    for contact in _standing(responder).exclude(person__in=alarmed).order_by("id"):
        invitations.leave(contact, Contact.Status.REMOVED)


def _stand_by(person: Person, responder: Responder) -> bool:
    """One place on one list; the same contact again if there was one. False after a no."""
    there = Contact.objects.filter(person=person, responder=responder).first()
    if there is not None and there.status != Contact.Status.REMOVED:
        return there.status == Contact.Status.CONFIRMED
    if stopped(responder):
        return False
    now = clock.now_ms()
    if there is not None:
        there.status, there.answered_at = Contact.Status.CONFIRMED, now
        there.save(update_fields=["status", "answered_at"])
        return True
    nonce = encryption.new_nonce()
    contact = Contact.objects.create(
        person=person,
        responder=responder,
        nonce=nonce,
        key_hash=encryption.key_hash(encryption.key_for("contact", nonce)),
        name=encryption.seal(name_of(responder), "contact.name", nonce),
        lang=responder.lang,
        rung=BEHIND,
        status=Contact.Status.CONFIRMED,
        created_at=now,
        answered_at=now,
    )
    number = phone_of(responder)
    for channel, rings in WAYS.items():
        # The desk vouches for its own people: no visitor can type a number there.
        way = Reached(channel, number, rings)
        address_book.add_address(way, contact=contact, now=now, proved_at=now)
    return True


def stopped(responder: Responder) -> bool:
    """Whether they texted "stop": their number gets nothing more from us."""
    return bool(all_stopped([responder]))


def all_stopped(responders: Iterable[Responder]) -> set[int]:
    """The ids of those of these who did, in one read."""
    ways = {each.id: ("call", phone_of(each)) for each in responders}
    refused = suppression.refused(ways.values()) if ways else set()
    return {id for id, way in ways.items() if way in refused}


def trained(responder: Responder) -> None:
    """They answered all the questions."""
    responder.trained_at = clock.now_ms()
    responder.save(update_fields=["trained_at"])
