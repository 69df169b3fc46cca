"""One gentle ask later: in half an hour, or at noon. Offered when a watch has ended.

Owns starting and taking back an ask that happens only once. Unanswered, it reaches Sam's contacts
like any other ask here, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from stillhere.core.events import Ended
from stillhere.core.schedule import Routine
from stillhere.store.db import clock
from stillhere.store.models import Person
from stillhere.store.watches import apply, queries
from stillhere.store.watches.apply import Change
from stillhere.store.watches.group_commit import WRITER
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import installed_channels, person_session
from stillhere.web.access.fields import pressed
from stillhere.web.person.account_forms import TakeBackForm
from stillhere.web.site import links, page_text

SOON = timedelta(minutes=30)
LEAST_TO_NOON = timedelta(hours=1)
KINDS = {"soon": "after", "noon": "noon"}


@dataclass(frozen=True, slots=True)
class Pending:
    """What is still to be asked once: the watch's id, and when, in a sentence."""

    id: int
    says: str


def pending(person: Person, now: int) -> list[Pending]:
    """Everything that this person is to be asked only once and has not answered yet."""
    return pending_of(queries.routines_of(person), person, now)


def pending_of(routines: Sequence[ShownWatch], person: Person, now: int) -> list[Pending]:
    """The same of their open daily check-ins, where the caller has read them."""
    found = []
    for shown in routines:
        watch = shown.watch
        if watch.routine is not None and watch.routine.once and watch.alarm is None:
            at = page_text.clock_time(watch.deadline_at or now, person.tz, now)
            says = _(
                "We ask you once more at %(time)s. If you do not answer, we reach your people."
            )
            found.append(Pending(shown.row.id, says % {"time": at}))
    return found


@person_session.own
@require_POST
def later(request: HttpRequest, person: Person) -> HttpResponse:
    """Ask once more, or take that back. Pressed twice, it is asked once."""
    do, now = pressed(request), clock.now_ms()
    if do == "cancel":
        wanted = TakeBackForm.read(request.POST)["watch"]
        for each in pending(person, now):
            if each.id == wanted:
                WRITER.commit(Change(Ended(), watch=each.id))
        return links.see_other("person:watch")
    profile = KINDS.get(do)
    if not installed_channels.ways_to(person):
        return links.see_other("person:people", said="own-first", part="own")
    if profile is not None and not _asked_already(person, profile):
        apply.start(person.id, profile, routine=_once(do, now, person.tz))
    return links.see_other("person:watch")


def _asked_already(person: Person, profile: str) -> bool:
    return any(shown.row.profile == profile for shown in queries.routines_of(person))


def _once(do: str, now: int, tz: str) -> Routine:
    """The routine with that one deadline: on a whole minute, and never earlier than promised."""
    zone = page_text.zone(tz)
    at = datetime.fromtimestamp(now / 1000, UTC)
    if do == "soon":
        due = at + SOON + timedelta(seconds=59)
        return Routine(frozenset({due.weekday()}), due.hour * 60 + due.minute, "UTC", once=True)
    day = (at + LEAST_TO_NOON).astimezone(zone)
    date = day.date() + timedelta(days=day.time() > time(12))
    return Routine(frozenset({date.weekday()}), 12 * 60, zone.key, once=True)
