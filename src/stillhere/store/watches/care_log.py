"""What those who came did, and when: for the others on the alarm, and for the ambulance crew.

It is evidence, like the journal, and kept as long as the watch. Decides nothing: it changes no
watch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from stillhere.store import changes
from stillhere.store.db import clock
from stillhere.store.db.prepared import Prepared
from stillhere.store.models import Contact, Deed, WatchRow, sealed_columns

WHATS = (
    "found", "called", "dose", "no-dose", "breaths", "presses", "breathing", "crew", "there",
)  # fmt: skip
AFTER = ("door-right", "door-wrong", "kit-wrong")  # the plan looked at, once it is over
MOST, MOST_UNKNOWN = 200, 20  # of one watch
OLDEST_MS = 24 * 3_600_000
_OF_WATCH = Prepared(
    Deed, "WHERE deed.watch_id = %s AND deed.alarm = %s ORDER BY deed.at, deed.id", whose="contact"
)


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that was done. ``form`` is the naloxone's, if it was a dose."""

    at: int
    what: str
    form: str
    contact: int | None
    who: str
    known: bool


def note(
    contact: Contact,
    watch: WatchRow,
    what: str,
    form: str,
    age_ms: int,
    ref: str,
    *,
    known: bool = True,
) -> bool:
    """Store one, made ``age_ms`` ago by the phone's own clock; the same ``ref`` is stored once.
    False for something that nobody can have done."""
    if what not in (*WHATS, *AFTER) or not watch.alarms:
        return False
    now = clock.now_ms()
    at = now - age_ms if 0 <= age_ms <= OLDEST_MS else now
    there = Deed.objects.filter(watch=watch, known=known).count()
    if there >= (MOST if known else MOST_UNKNOWN):  # a stranger fills nobody's list
        return False
    try:
        with transaction.atomic():
            Deed.objects.create(
                watch=watch,
                contact=contact,
                alarm=watch.alarms,
                what=what,
                form=form[:12],
                at=max(at, watch.started_at),
                known=known,
                ref=_name(ref, what, now, known),
            )
            changes.note([watch.person_id], now)
    except IntegrityError:
        return True
    return True


def _name(ref: str, what: str, now: int, known: bool) -> str:
    """What identifies it when it is reported twice. A button pressed twice in a hurry counts once;
    a report from an unknown phone never blocks one from a known phone."""
    name = ref[:39] or f"{what}.{now // 2000}"
    return name if known else f"~{name}"


def of(watch: WatchRow) -> list[Done]:
    """Everything that was done on the watch's last alarm, oldest first."""
    found = _OF_WATCH.all(watch.id, watch.alarms)
    return _told([deed for deed in found if deed.what in WHATS])


def last_dose_at(done: Sequence[Done]) -> int | None:
    """When the last dose was given. Doses that were taken back, and those reported from a phone
    that we do not know, count for no timer: one dose too many does less harm than one that never
    comes."""
    given: dict[int | None, list[int]] = {}
    for each in done:
        if each.known and each.what == "dose":
            given.setdefault(each.contact, []).append(each.at)
        elif each.known and each.what == "no-dose" and given.get(each.contact):
            given[each.contact].pop()
    return max((at for ats in given.values() for at in ats), default=None)


def count(watch: WatchRow) -> int:
    """How many there are: a page asks this often, to see whether it must change."""
    return Deed.objects.filter(watch=watch, alarm=watch.alarms, what__in=WHATS).count()


def review(watch: WatchRow) -> list[Done]:
    """What those who came said about the plan: the door, the kit."""
    if not watch.alarms:  # there was nothing to come to
        return []
    found = Deed.objects.filter(watch=watch, what__in=AFTER)
    return _told(list(found.select_related("contact").order_by("at", "id")))


def _told(deeds: list[Deed]) -> list[Done]:
    return [
        Done(
            d.at,
            d.what,
            d.form,
            d.contact_id,
            sealed_columns.contact_name(d.contact) if d.contact else "",
            d.known,
        )
        for d in deeds
    ]
