"""What is kept no longer because nobody used it: people, invitations, messages, arrivals, copies.

Owns how long; the schedule stands in ``docs/privacy.md``. Whoever is about to be erased is told,
where they can be told. Small batches, by the engine (``engine/erasure.py``); nothing of an open
watch is touched.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from stillhere.store.models import Arrival, Contact, Message, Person, SetAside, WatchRow
from stillhere.store.people import invitations, notices
from stillhere.store.privacy.erasure import MOST_ERASED, vacuum_traces
from stillhere.store.watches import queries

DAY_MS = 86_400_000
MONTH_MS = 30 * DAY_MS
WARNED_MS = 30 * DAY_MS  # from the word that they will be erased to their erasure
NOTED_MS = 7 * DAY_MS  # how exact the last use is
ARRIVED_MS = 30 * DAY_MS  # no carrier tells anything again after that
UNSENT_MS = 90 * DAY_MS
COPY = "stillhere-%Y%m%dT%H%M%S%fZ.sqlite3"


def note_use(now: int) -> None:
    """Whoever has a watch uses it. So does whoever was there before this was noted down."""
    mine = Person.objects.filter(used_at__lt=now - NOTED_MS)
    used = mine.filter(Exists(WatchRow.objects.filter(person=OuterRef("pk"))) | Q(used_at=0))
    ids = list(used.values_list("id", flat=True)[:MOST_ERASED])
    Person.objects.filter(id__in=ids).update(used_at=now, idle_told_at=0)


def erase_idle(now: int, months: int) -> int:
    """Erase people who have used nothing for so long and were told a month ago, with their lists;
    tell those whose time comes. Returns how many were erased."""
    long_ago = now - months * MONTH_MS
    idle = Person.objects.filter(used_at__gt=0, used_at__lt=long_ago, watches__isnull=True)
    untold = idle.filter(idle_told_at=0).order_by("id")
    for person in list(untold[:MOST_ERASED]):
        with transaction.atomic():
            notices.tell_of_idle(person.id, now)
            person.idle_told_at = now
            person.save(update_fields=["idle_told_at"])
    told = idle.filter(idle_told_at__gt=0, idle_told_at__lt=now - WARNED_MS)
    ids = list(told.values_list("id", flat=True)[:MOST_ERASED])
    if ids:
        with transaction.atomic():  # locked, nobody begins a watch in this moment
            list(Person.objects.select_for_update().filter(id__in=ids).order_by("id").only("id"))
            told.filter(id__in=ids).delete()
        vacuum_traces()
    return len(ids)


def end_invitations(now: int, days: int) -> None:
    """Take off the list whoever never answered, and tell the person, who may ask them again."""
    alarmed = WatchRow.objects.filter(person=OuterRef("person"), state__in=queries.ALARMED)
    old = Contact.objects.filter(
        ~Exists(alarmed),
        status=Contact.Status.INVITED,
        created_at__lt=now - days * DAY_MS,
        person__trial=False,
        responder__isnull=True,
    )
    for contact in list(old.order_by("id")[:MOST_ERASED]):
        with transaction.atomic():
            invitations.leave(contact, Contact.Status.REMOVED)
            notices.tell_of_gap(contact, now)
            invitations.erase_gone([contact.id])


def erase_messages(now: int, days: int) -> None:
    """Those that belong to no watch: invitations, tests, notices, answers. The others go with their
    watch. At least a month, because what they cost is counted by the month."""
    over_at, unsent_at = now - max(days, 31) * DAY_MS, now - UNSENT_MS
    free = Message.objects.filter(watch__isnull=True)
    over = free.exclude(status=Message.Status.QUEUED).filter(created_at__lt=over_at)
    unsent = free.filter(status=Message.Status.QUEUED, due_at__lt=unsent_at)
    for some in (over, unsent):
        Message.objects.filter(
            id__in=list(some.values_list("id", flat=True)[:MOST_ERASED])
        ).delete()


def erase_arrivals(now: int) -> None:
    """What came in, whose id only stops repeats. The oldest have the lowest numbers."""
    oldest = Arrival.objects.order_by("id").values_list("id", "at")[:MOST_ERASED]
    ids = [id for id, at in oldest if at < now - ARRIVED_MS]
    Arrival.objects.filter(id__in=ids).delete()


def erase_set_aside(now: int, days: int) -> None:
    """Watches that could not be read, once somebody has looked."""
    old = SetAside.objects.filter(looked_at__lt=now - days * DAY_MS)
    SetAside.objects.filter(
        watch__in=list(old.values_list("watch", flat=True)[:MOST_ERASED])
    ).delete()


def erase_copies(data: Path, now: int, days: int) -> None:
    """The copies from before an upgrade hold the nights of that day: kept no longer than a night
    with an alarm."""
    oldest = datetime.fromtimestamp(now / 1000, UTC) - timedelta(days=days)
    for copy in (data / "backups").glob("stillhere-*.sqlite3"):
        try:
            made = datetime.strptime(copy.name, COPY).replace(tzinfo=UTC)
        except ValueError:
            continue
        if made < oldest:
            copy.unlink(missing_ok=True)
