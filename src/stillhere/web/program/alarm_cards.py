"""Watches that need somebody, as the desk shows them: open alarms, and what must be judged.

What belongs to all of them is read at once. Where that meets damage each is read on its own, and of
one that cannot be read stands that it exists, and whom one can phone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stillhere.store.messages.reach import Told
from stillhere.store.models import Person, SetAside, sealed_columns
from stillhere.store.people import records
from stillhere.store.people.records import Roster
from stillhere.store.watches import damage, queries
from stillhere.store.watches.queries import ShownWatch
from stillhere.web.contact import alarm_text, on_scene
from stillhere.web.contact.on_scene import Company
from stillhere.web.site import page_text

_UNREADABLE = gettext_lazy(
    "the disk is damaged here and this watch cannot be read; nobody watches it"
)
_LIST_UNREADABLE = gettext_lazy(
    "the disk is damaged here and not all that belongs to this watch can be read or written, such "
    "as its list; nobody watches it"
)


@dataclass(frozen=True, slots=True)
class OnDesk:
    """One watch that needs somebody."""

    id: int
    name: str
    since: str
    head: str
    circle: list[alarm_text.Doing]
    grave: str
    set_aside: bool
    unreadable: str = ""  # what of it cannot be read
    bare: bool = False  # hardly anything of it can
    phones: list[tuple[str, str]] = field(default_factory=list)  # name and number, to phone them


def open_alarms(alarms: Sequence[ShownWatch], told: Told, now: int) -> list[OnDesk]:
    """These alarms; ``told`` is what left in them."""
    persons = {shown.row.person_id for shown in alarms}
    rosters = damage.around(lambda: records.rosters(persons), lambda: None) if persons else {}
    return [_card(each, now, partial(_open, each, now, told, rosters)) for each in alarms]


def to_look_at(
    those: Sequence[SetAside | int], shown: Mapping[int, ShownWatch], now: int
) -> list[OnDesk]:
    """What a person must look at: what cannot be read, and what must be judged, by its id in
    ``shown``."""
    aside = [each.watch for each in those if isinstance(each, SetAside)]
    there = queries.readable(aside) if aside else set()
    return [
        _aside(each, there, now)
        if isinstance(each, SetAside)
        else _card(shown[each], now, partial(_to_look_at, shown[each], now))
        for each in those
        if isinstance(each, SetAside) or each in shown
    ]


def _card(shown: ShownWatch, now: int, whole: Callable[[], OnDesk]) -> OnDesk:
    """``whole``; if something about this watch cannot be read, that it exists, and whom one can
    phone."""
    return damage.around(whole, partial(_bare, shown, now))


def _bare(shown: ShownWatch, now: int) -> OnDesk:
    alarm = shown.watch.alarm
    at = alarm.raised_at if alarm else shown.watch.closed_at or shown.row.quarantined_at or now
    phones = _phones(shown.row.person_id)
    name = phones[0][0] if phones else page_text.someone("")
    outcome = str(page_text.OUTCOMES.get(shown.watch.outcome or "", ""))
    since = page_text.clock_time(at, "UTC", now)
    head = _("The disk is damaged here: not all of this alarm can be read.")
    aside = shown.row.quarantined_at is not None
    return OnDesk(shown.row.id, name, since, head, [], outcome, aside, bare=True, phones=phones)


def _phones(person: int) -> list[tuple[str, str]]:
    """Whom one can phone about this person, as far as it can be read."""
    return [(page_text.someone(name), number) for name, number in records.numbers(person)]


def _open(shown: ShownWatch, now: int, told: Told, rosters: Mapping[int, Roster] | None) -> OnDesk:
    """``rosters`` None: they could not be read together."""
    person = shown.row.person
    roster = (records.rosters([person.id]) if rosters is None else rosters)[person.id]
    name = page_text.someone(sealed_columns.person_note(person, "name"))
    alarm = shown.watch.alarm
    company = Company(on_scene.in_order(alarm, roster.contacts) if alarm else [])
    circle = alarm_text.circle(shown, 0, now, told.handed_over, company, told.held_back)
    since = page_text.clock_time(alarm.raised_at, person.tz, now) if alarm else ""
    dying = alarm is not None and alarm.wants_to_die
    head = alarm_text.head(shown, name, now, dying=dying)
    set_aside = shown.row.quarantined_at is not None
    phones = [(name, number) for number in roster.own]
    for contact, numbers in roster.listed():
        who = page_text.someone(sealed_columns.contact_name(contact))
        phones += [(who, number) for number in numbers]
    return OnDesk(shown.row.id, name, since, head, circle, "", set_aside, phones=phones)


def _to_look_at(shown: ShownWatch, now: int) -> OnDesk:
    person = shown.row.person
    name = page_text.someone(sealed_columns.person_note(person, "name"))
    outcome = str(page_text.OUTCOMES.get(shown.watch.outcome or "", ""))
    at = shown.watch.closed_at or shown.row.quarantined_at or now
    set_aside = shown.row.quarantined_at is not None
    return OnDesk(
        shown.row.id, name, page_text.clock_time(at, person.tz, now), "", [], outcome, set_aside
    )


def _aside(each: SetAside, there: Collection[int], now: int) -> OnDesk:
    """A watch whose row cannot be read: an index still knows whose it is."""
    person = damage.around(Person.objects.filter(id=each.person or 0).first, lambda: None)
    name = page_text.someone(
        sealed_columns.person_note(person, "name") if person is not None else ""
    )
    at = page_text.clock_time(each.at, person.tz if person is not None else "UTC", now)
    phones = _phones(each.person) if each.person else []
    lacks = _UNREADABLE if each.watch not in there else _LIST_UNREADABLE
    return OnDesk(each.watch, name, at, "", [], "", False, unreadable=str(lacks), phones=phones)
