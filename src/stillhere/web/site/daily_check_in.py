"""What a person is asked besides the watch they started: every day, or once more.

Owns its words on every page of theirs: an open ask with its button, what is due when, and the plain
truth if nothing can remind them; there also what the watch they started asks, which has a page of
its own. Decides nothing. Without a database it says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import Error
from django.http import HttpRequest
from django.utils.translation import gettext as _

from stillhere.core.events import State
from stillhere.store.people import records
from stillhere.store.watches import queries
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.access import installed_channels, person_session
from stillhere.web.site import health, page_text, standing, watch_text
from stillhere.web.site.watch_text import Someone


@dataclass(frozen=True, slots=True)
class Due:
    """One daily check-in, or one single ask. ``loud``: it is being asked now, or an alarm is open.
    ``alone``: nothing can remind them. ``says`` is everything to know, with the time."""

    key: str
    head: str
    says: str
    button: str
    loud: bool
    alone: bool


def on_every_page(request: HttpRequest) -> list[Due]:
    """What must be shown on whatever page this browser's person opens."""
    try:
        person = person_session.person_of(request)
        if person is None:
            return []
        watches = queries.open_of(person)
        routines = [each for each in watches if each.row.routine]
        asking = [each for each in watches if _asks(each)][-1:]
        if not routines and not asking:
            return []
        now = health.now_of(standing.of(request))
        named = person_session.may_name(request, person)
        people = watch_text.on_the_list(records.circle_list(person), now, named=named)
        found = [_now(each, people, now, person.tz) for each in asking]
        found += of(routines, people, now, ways=bool(installed_channels.ways_to(person)))
    except Error:
        return []
    return [due for due in found if due.loud or due.alone]


def _asks(shown: ShownWatch) -> bool:
    """Whether it is the watch they started, and it asks or an alarm is open."""
    loud = shown.watch.state not in (State.OPEN, State.CLOSED)
    return loud and not shown.row.routine and shown.row.quarantined_at is None


def _now(shown: ShownWatch, people: Sequence[Someone], now: int, tz: str) -> Due:
    telling = watch_text.tell(shown, people, now, tz)
    return Due(shown.key, telling.head, telling.says, watch_text.button(shown), True, False)


def of(
    routines: Sequence[ShownWatch], people: Sequence[Someone], now: int, *, ways: bool
) -> list[Due]:
    """Each of these in words: open ones first, then the soonest. ``ways``: whether there is any to
    ask this person."""
    ordered = sorted(
        routines, key=lambda s: (s.watch.state is State.OPEN, s.watch.deadline_at or 0)
    )
    return [_due(each, people, now, alone=not ways) for each in ordered]


def _due(shown: ShownWatch, people: Sequence[Someone], now: int, *, alone: bool) -> Due:
    watch = shown.watch
    assert watch.routine is not None
    tz = shown.row.person.tz if watch.routine.once else watch.routine.tz
    calm = watch.state is State.OPEN and shown.row.quarantined_at is None
    asking = watch.state is State.ASKING and shown.row.quarantined_at is None
    telling = watch_text.tell(shown, people, now, tz)
    if calm:
        head, says = "", _when(shown, now, tz)
        says = f"{says} {_alone(shown, people, now, tz)}" if alone else says
    elif asking:
        head, says = telling.head, _answer_by(shown, people, now, tz)
    else:
        head, says = telling.head, telling.says
    return Due(shown.key, head, says, watch_text.button(shown), not calm, alone and calm)


def _when(shown: ShownWatch, now: int, tz: str) -> str:
    """What is due when, in one sentence."""
    routine, deadline_at = shown.watch.routine, shown.watch.deadline_at
    assert routine is not None
    assert deadline_at is not None
    at = {"time": page_text.clock_time(deadline_at, tz, now)}
    if routine.once:
        return _("We ask you once more at %(time)s.") % at
    return _("Your daily check-in is due by %(time)s.") % at


def _answer_by(shown: ShownWatch, people: Sequence[Someone], now: int, tz: str) -> str:
    """Until when the open ask waits, and what happens then."""
    facts = {
        "time": page_text.clock_time(shown.watch.grace_at or now, tz, now),
        "names": watch_text.order(people),
    }
    if not facts["names"]:
        return _("Press the button. Nobody else hears this.")
    return _("Press the button by %(time)s. If you do not, we reach %(names)s.") % facts


def _alone(shown: ShownWatch, people: Sequence[Someone], now: int, tz: str) -> str:
    """That nothing can remind them, and what happens if they forget."""
    watch = shown.watch
    alarm_at = (watch.deadline_at or now) + watch.profile.grace_s * 1000
    facts = {"time": page_text.clock_time(alarm_at, tz, now), "names": watch_text.order(people)}
    if not facts["names"]:
        return _("Nobody will remind you, and nobody on your list can be reached.")
    return (
        _("Nobody will remind you. If you have not pressed by %(time)s, we reach %(names)s.")
        % facts
    )
