"""The alarm that a contact's page is about, and whether a press on it counts.

Owns these two decisions; the page turns the result into words. Somebody who holds only the link may
say "I'm going", because every human may, but the others do not wait for them.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from functools import partial

from django.db.models import Q

from stillhere.core.alarm import Alarm
from stillhere.core.events import GRAVE, UNTOLD, Arrived, Claimed, Event, Resolved, State
from stillhere.core.refusals import Refusal
from stillhere.core.watch import Watch
from stillhere.store.db.prepared import Prepared
from stillhere.store.models import Contact, JournalLine, Message, WatchRow
from stillhere.store.watches import damage, queries, rows
from stillhere.store.watches.apply import Change
from stillhere.store.watches.group_commit import WRITER
from stillhere.store.watches.queries import ALARMED, ShownWatch

_OPEN = Prepared(
    WatchRow,
    "WHERE person_id = %s AND state IN ('alarm', 'claimed', 'attended') "
    "ORDER BY started_at DESC, id LIMIT 1",
)
UNKNOWN_S = 600  # longer than anybody is waited for


class PressResult(Enum):
    """What became of a press, where it was not refused."""

    TOLD = auto()  # it counts, and the others who were called hear it
    NOTED = auto()  # it counts, and there is nobody else to hear it
    UNTOLD = auto()  # it counts, and is for people to say
    CALLED_ON = auto()  # the others hear it, and are called on: their word ended an alarm before
    UNPROVED = auto()  # this phone must show first whose it is
    FAULT = auto()  # the watch waits for a person
    NOTHING = auto()  # nobody dies in a try-out


def alarm_for(contact: Contact) -> ShownWatch | None:
    """The open alarm this contact may act on, else the last watch on which they were told
    something."""
    row = _row_for(contact)
    if row is None:
        return None
    row.person = contact.person  # not read again
    return queries.shown(row)


def press(contact: Contact, event: Event, *, known_phone: bool) -> PressResult | Refusal:
    """Let ``event`` happen to the contact's alarm; durable when it returns. On a phone that is not
    ``known_phone`` their own word is not changed by another. Raises what the writer raises."""
    if contact.person.trial and isinstance(event, Resolved) and event.outcome in GRAVE:
        return PressResult.NOTHING
    row = _row_for(contact)
    if row is None:
        return Refusal.NO_ALARM
    if not known_phone:
        if _has_spoken(queries.shown(row).watch, contact.id):
            return PressResult.UNPROVED
        if isinstance(event, Claimed):
            eta_s = None if event.eta_s is None else max(event.eta_s, UNKNOWN_S)
            event = replace(event, eta_s=eta_s, known=False)
    done = WRITER.commit(Change(event, watch=row.id))
    if done.refused is not None:
        over = done.watch is not None and done.watch.state is State.CLOSED
        return Refusal.NO_ALARM if over else done.refused
    if done.quarantined:
        return PressResult.FAULT
    if isinstance(event, Resolved) and event.outcome in UNTOLD:
        return PressResult.UNTOLD
    going = isinstance(event, Claimed | Arrived)
    if going and done.watch is not None and contact.id in done.watch.ended_by:
        return PressResult.CALLED_ON
    alarm = done.before.alarm if done.before is not None else None
    heard = alarm is not None and alarm.listeners(contact.id)
    return PressResult.TOLD if heard else PressResult.NOTED


def _has_spoken(watch: Watch, contact: int) -> bool:
    """Whether they said in this alarm what they do."""
    return watch.alarm is not None and _is_on(watch.alarm, contact)


def _is_on(alarm: Alarm, contact: int) -> bool:
    return contact in (*alarm.out, *alarm.arrivals, *(c.contact for c in alarm.claims))


def may_know_of(contact: Contact, row: WatchRow) -> bool:
    """Whether they may know that this alarm is open: they said yes, or were told of it; also where
    that cannot be read."""
    if contact.status == Contact.Status.CONFIRMED:
        return True
    alarm = rows.alarm_or_none(row.alarm)
    return alarm is None or contact.id in alarm.told or _is_on(alarm, contact.id)


def _row_for(contact: Contact) -> WatchRow | None:

    def readable() -> WatchRow | None:
        theirs = queries.readable_rows(queries.named("person_id = %s", contact.person_id))
        return next((row for row in reversed(theirs) if row.state in ALARMED), None)

    row = damage.around(partial(_OPEN.first, contact.person_id), readable)
    if row is not None and may_know_of(contact, row):
        return row
    told = Message.objects.filter(contact=contact, watch__isnull=False, alarm__gt=0)
    told = told.exclude(word="well")
    spoke = JournalLine.objects.filter(contact=contact.id).values("watch")
    hers = WatchRow.objects.filter(person=contact.person_id, alarms__gt=0)
    either = hers.filter(Q(id__in=told.values("watch")) | Q(id__in=spoke))
    return damage.around(either.order_by("-started_at").first, lambda: None)
