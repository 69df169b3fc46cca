"""What is erased, when, and how completely: people, try-outs, phones nobody uses, and everything
that belongs to them.

A person is erased at once; old data in small batches, by the engine (``engine/erasure.py``).
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from stillhere.core.refusals import Refusal
from stillhere.store.models import Contact, Person, WatchRow
from stillhere.store.problems import Problem

MOST_ERASED = 500  # in one transaction, so that a check-in never waits long behind an erasure
TRIAL_MS = 3_600_000


def erase_trials(now: int) -> int:
    """Erase try-outs that began more than an hour ago, open or not; returns how many."""
    return _erase(Person.objects.filter(trial=True, created_at__lt=now - TRIAL_MS))


def erase_callers(now: int, quiet_h: int) -> int:
    """Erase phones that once kept a watch and of which nothing is left but the number: no watch,
    nobody on a list. Returns how many."""
    old = Person.objects.filter(caller=True, created_at__lt=now - quiet_h * 3_600_000)
    chosen = Contact.objects.filter(person=OuterRef("pk"), responder__isnull=True)
    return _erase(old.filter(~Exists(chosen), watches__isnull=True))


def erase_person(person: Person) -> None:
    """Everything about this person, now. Refused while an alarm is open or grave news is waiting
    for somebody to look."""
    with transaction.atomic():
        watches = WatchRow.objects.select_for_update().filter(person=person)
        if watches.filter(state__in=["alarm", "claimed", "attended"]).exists():
            raise Problem(Refusal.ALARM_OPEN)
        if watches.filter(held=True, looked_at__isnull=True).exists():
            raise Problem(Refusal.LOOK_FIRST)
        person.delete()
    vacuum_traces()


def erase_secret() -> int:
    """Erase who stood for somebody in a call for help in secret, once its watch is erased; returns
    how many."""
    return _erase(Person.objects.filter(secret=True, watches__isnull=True))


def _erase(people: QuerySet[Person]) -> int:
    """Erase as many of these as one transaction may; returns how many."""
    ids = list(people.values_list("id", flat=True)[:MOST_ERASED])
    Person.objects.filter(id__in=ids).delete()
    if ids:
        vacuum_traces()
    return len(ids)


def erase_due(now: int, quiet_h: int, alarm_days: int) -> int:
    """Erase watches that have been kept long enough; returns how many. Counts stay; grave ones wait
    for somebody to look."""
    quiet_before, alarm_before = now - quiet_h * 3_600_000, now - alarm_days * 86_400_000
    with transaction.atomic():
        done = WatchRow.objects.filter(closed_at__isnull=False).exclude(
            held=True, looked_at__isnull=True
        )
        due = done.filter(alarms=0, closed_at__lte=quiet_before) | done.filter(
            closed_at__lte=alarm_before
        )
        ids = list(due.order_by("closed_at").values_list("id", flat=True)[:MOST_ERASED])
        WatchRow.objects.filter(id__in=ids).delete()
    if ids:
        vacuum_traces()
    return len(ids)


def vacuum_traces() -> None:
    """SQLite keeps deleted pages in its write-ahead log until a checkpoint; ``secure_delete``
    zeroes them in the file itself. A checkpoint that a reader delays is done at the next
    erasure."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
