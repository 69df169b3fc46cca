"""Drills: the whole list is reached as in an alarm, and every message says that it is only a drill.

Owns whom a drill reaches, rung by rung, and what each of them answered. Nothing here is an alarm:
no watch is touched, and a real alarm during a drill is sent before it.
"""

from __future__ import annotations

from django.db import transaction

from stillhere.core.refusals import Refusal
from stillhere.store import changes
from stillhere.store.db import clock
from stillhere.store.models import Address, Contact, Message, Person
from stillhere.store.people import notices
from stillhere.store.people.numbers import strangers
from stillhere.store.problems import Problem

RUNG_MS = 45_000
AGAIN_MS = 3_600_000  # nobody is drilled twice within an hour
ANSWERS_MS = 3_600_000  # an answer this late is about something else
LATELY_MS = 30 * 86_400_000


def begin(person: Person, only: Contact | None = None) -> int:
    """Send a drill to everybody who said yes, by every way, rung by rung, or to the one contact who
    asks for it; returns how many are reached. Raises Problem if nobody can be, or there was a drill
    within the hour."""
    with transaction.atomic():
        now = clock.now_ms()
        Person.objects.select_for_update().get(id=person.id)
        them = list(person.contacts.filter(status=Contact.Status.CONFIRMED).order_by("rung", "id"))
        them = [c for c in them if only is None or c.id == only.id]
        ways = Address.objects.filter(
            strangers.PROVED, contact__in=them, state=Address.State.OK
        ).order_by("id")
        reached = [c for c in them if any(way.contact_id == c.id for way in ways)]
        if not reached:
            raise Problem(Refusal.NO_DRILL)
        if any(c.drilled_at > now - AGAIN_MS for c in them):
            raise Problem(Refusal.DRILLED)
        rungs = sorted({contact.rung for contact in reached})
        due = {c.id: now + rungs.index(c.rung) * RUNG_MS for c in reached}
        Message.objects.bulk_create(
            notices.calm_message(
                way,
                person.id,
                "drill",
                f"d{way.contact_id}.{now:x}.{way.id}",
                now,
                due_at=due[way.contact_id],
            )
            for way in ways
            if way.contact_id is not None
        )
        for contact in reached:
            contact.drilled_at, contact.drill_answered_at = due[contact.id], 0
            contact.drill_said = ""
            contact.save(update_fields=["drilled_at", "drill_answered_at", "drill_said"])
    return len(reached)


def waits(contact: Contact, now: int) -> bool:
    """Whether this contact still has a drill to answer."""
    fresh = now - ANSWERS_MS < contact.drilled_at <= now
    return fresh and not contact.drill_answered_at


def answer(contact: Contact, *, comes: bool, now: int) -> None:
    """What they said, and when. It also proves that it rang."""
    contact.drill_answered_at, contact.drill_said = now, "yes" if comes else "no"
    contact.rang_at = now
    with transaction.atomic():
        contact.save(update_fields=["drill_answered_at", "drill_said", "rang_at"])
        changes.note([contact.person_id], now)


def stale(person: Person, now: int) -> bool:
    """Whether there is a list on which nobody has answered a drill for thirty days."""
    mine = person.contacts.filter(status=Contact.Status.CONFIRMED)
    lately = mine.filter(drill_answered_at__gt=now - LATELY_MS)
    return mine.exists() and not lately.exists()
