"""An open alarm in words, for one of the people who were called.

Owns what the page says: what is known, who does what, what to do. Moves no watch. Who sees the
place and the door is said in ``store/inbound/place.py``; here it needs also a phone known to be
theirs before the alarm. "I'm going", "I'm far, I'll phone" (the dispatch asks where) and "I'm with
them" all count as coming. Beside them only the person's own page has it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import phonenumbers
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stillhere.content.helplines import Emergency, Staffed, emergency_at, listening_line
from stillhere.core.alarm import HOLDING_ETA_S, Alarm, Claim
from stillhere.core.events import Cause, Word
from stillhere.store.inbound import place
from stillhere.store.messages import held_back
from stillhere.store.messages import reach as reaching
from stillhere.store.messages.spoken_of import WHERE
from stillhere.store.models import Contact, Person, sealed_columns
from stillhere.store.people import address_book, records
from stillhere.store.people.numbers import strangers
from stillhere.store.recordings import notes
from stillhere.store.watches import queries
from stillhere.store.watches.queries import HistoryLine, ShownWatch
from stillhere.web.contact import on_scene
from stillhere.web.contact.on_scene import Company
from stillhere.web.site import page_text

# Why somebody whose number is not proved is not rung, for the desk.
_ONCE = gettext_lazy("has not said yes yet, so we ring them once at most")
HELD_BACK = {
    held_back.NOT_PROVED: _ONCE,
    held_back.RUNG_ONCE: _ONCE,
    strangers.RUNG_ENOUGH: gettext_lazy("has not said yes, and was rung often enough today"),
    strangers.LIST_RANG_ENOUGH: gettext_lazy(
        "has not said yes, and this list has rung enough such numbers today"
    ),
    strangers.ALL_RANG_ENOUGH: gettext_lazy(
        "has not said yes, and enough such numbers were rung from here today"
    ),
}


@dataclass(frozen=True, slots=True)
class Doing:
    """One of those on the alarm, and what we know about them."""

    name: str
    what: str
    me: bool
    good: bool
    carries: str = ""  # naloxone, what kind
    trained: bool = False
    near: str = ""  # how far away, as it was said when they were added
    why: str = ""  # why they are not rung again


@dataclass(frozen=True, slots=True)
class Known:
    """What the page of an open alarm says."""

    head: str
    says: str
    circle: list[Doing]
    number: str  # of this alarm, so that a page knows a new one
    mine: bool  # on this alarm at all
    going: bool
    there: bool
    declined: bool  # said last that they cannot come
    phoning: bool  # said that they are far away and phone
    far: bool
    by_phone: bool  # whether having spoken with them is enough
    locked: bool  # said last that they are at a locked door
    call_now: str
    numbers: list[Emergency]  # to tap, with those words or, where they ``may_call``, before them
    may_call: bool
    asked_for_key: bool  # whether somebody else heard that the door is locked
    others: bool  # anybody else on this alarm
    door: dict[str, str]
    spoken: tuple[str, ...]  # those of these notes that were said in a call
    dispatch: str
    dispatch_number: str
    town: str
    phones: list[str]
    partner: str  # the other one of "two of us"
    asked: str  # how we asked, and whether the phone showed it
    dying: bool  # said that they want to die
    listens: Staffed | None  # then: whom to phone, for either of them
    forced: bool  # somebody may be with them who must not know of this
    away: str  # when we were away since the last sign of life, and heard nobody


def know(
    shown: ShownWatch,
    contact: Contact,
    company: Company,
    lines: Sequence[HistoryLine],
    now: int,
    *,
    theirs: bool,
    placed: bool,
) -> Known:
    """Everything one contact may know about an open alarm; on a phone that we do not know to be
    ``theirs``, only a first name and since when. ``placed``: it was known before this alarm, so it
    may show where."""
    alarm = shown.watch.alarm
    assert alarm is not None
    person = contact.person
    name = page_text.someone(sealed_columns.person_note(person, "name"))
    confirmed = theirs and contact.status == Contact.Status.CONFIRMED
    claim = next((c for c in alarm.claims if c.contact == contact.id), None)
    out = contact.id in alarm.out
    dying = confirmed and alarm.wants_to_die
    door = _door(contact, lines, alarm) if placed else {}
    dispatch = sealed_columns.person_note(person, "dispatch") if confirmed else ""
    return Known(
        head=head(shown, name, now, dying=dying),
        says=_says(alarm, lines if theirs else (), person.tz, now),
        circle=circle(shown, contact.id, now, reaching.handed_over([shown.row.id]), company)
        if theirs
        else [],
        number=on_scene.number(shown),
        mine=alarm.reach(contact.id) is not None and contact.id not in alarm.gone,
        going=claim is not None and not out,
        there=contact.id in alarm.arrivals,
        declined=out and _declined(contact.id, lines, alarm),
        phoning=claim is not None and claim.eta_s is None and not out,
        far=claim is None or claim.eta_s is None or out,
        by_phone=confirmed and alarm.cause is Cause.SILENCE and not alarm.arrivals,
        locked=alarm.obstacle == Word.CANNOT_GET_IN and alarm.obstacle_by == contact.id,
        call_now=_call_now(alarm, person, name),
        numbers=emergency_at(person.tz),
        may_call=person.wish != "never",
        asked_for_key=bool(alarm.listeners(contact.id)),
        others=any(c not in (contact.id, *alarm.gone) for c in alarm.circle.contacts()),
        door=door,
        spoken=tuple(notes.kept_of(person.id, WHERE)) if door else (),
        dispatch=dispatch,
        dispatch_number=_number_in(dispatch),
        town=sealed_columns.person_note(person, "town") if confirmed else "",
        phones=phones(person) if confirmed and alarm.cause is not Cause.FORCE else [],
        partner=queries.partner(shown.row) if theirs else "",
        asked=_asked(shown, alarm, now) if alarm.cause is Cause.SILENCE else "",
        dying=dying,
        listens=listening_line(now) if dying else None,
        forced=alarm.cause is Cause.FORCE,
        away=_away(alarm, person.tz, now),
    )


def circle(
    shown: ShownWatch,
    me: int,
    now: int,
    reached: Container[tuple[int, int]],
    company: Company,
    held: Mapping[tuple[int, int], str] = MappingProxyType({}),
) -> list[Doing]:
    """Everyone on an open alarm, and what they are doing. ``reached``: watch and contact, where
    something of the alarm was handed over (``reaching.handed_over``); ``held``: why something was
    kept from them (``reaching.told``)."""
    tz = shown.row.person.tz
    alarm = shown.watch.alarm
    if alarm is None:
        return []
    return [
        replace(
            _doing(c, alarm, me, tz, now, left=(shown.row.id, c.id) in reached),
            carries=on_scene.carries(company.kits.get(c.id), now),
            trained=c.id in company.trained,
            near=on_scene.near(c),
            why=str(HELD_BACK.get(held.get((shown.row.id, c.id), ""), "")),
        )
        for c in company.people
    ]


def head(shown: ShownWatch, name: str, now: int, *, dying: bool = False) -> str:
    """What is known, in one sentence; ``dying``: the person said that they want to die, and whoever
    reads this may know."""
    alarm = shown.watch.alarm
    if dying:
        return _("%(name)s says they want to die.") % {"name": name}
    if alarm is not None and alarm.cause is Cause.HELP:
        return _("%(name)s asks for help.") % {"name": name}
    if alarm is not None and alarm.cause is Cause.FORCE:
        return _("%(name)s asks for help in secret.") % {"name": name}
    at = page_text.clock_time(shown.watch.seen_at, shown.row.person.tz, now)
    if shown.watch.routine is not None:  # who was perhaps never asked
        return _("%(name)s has not checked in since %(time)s.") % {"name": name, "time": at}
    return _("%(name)s has not answered since %(time)s.") % {"name": name, "time": at}


def _says(alarm: Alarm, lines: Sequence[HistoryLine], tz: str, now: int) -> str:
    """How sure we are, in one sentence: somebody is there, or as far as we know nobody is."""
    facts = {
        "time": page_text.clock_time(alarm.raised_at, tz, now),
        "span": page_text.span(now - alarm.raised_at),
    }
    if alarm.answered_at is not None:
        return _(
            "The phone was answered once. We wait for a second answer. The alarm is still open."
        )
    there = [x for x in lines if x.event == "Arrived" and x.contact in alarm.arrivals]
    if there:
        at = page_text.clock_time(there[0].at, tz, now)
        facts |= {"who": page_text.someone(there[0].who), "at": at}
        return _("%(who)s is there since %(at)s. The alarm began at %(time)s.") % facts
    return (
        _("The alarm began at %(time)s, %(span)s ago. As far as we know nobody is there yet.")
        % facts
    )


def _asked(shown: ShownWatch, alarm: Alarm, now: int) -> str:
    """How we asked before the alarm, and since when the phone has not shown the question."""
    asked = queries.asked(shown.row.id, alarm.since_at, alarm.raised_at)
    tz = shown.row.person.tz
    ways = [str(page_text.CHANNELS.get(c, c)) for c in asked.channels]
    if shown.watch.routine is not None:
        if ways:
            return _("We asked by %(ways)s, and heard nothing.") % {"ways": page_text.names(ways)}
        return _not_asked(shown.row.person)
    if asked.unseen_at is not None:
        facts = {"time": page_text.clock_time(asked.unseen_at, tz, now)}
        return (
            _("Since %(time)s the phone does not show our asks. It may be off or offline.") % facts
        )
    if not ways and not records.own_channels(shown.row.person):
        return _("We could ask only on the screen of the phone. It may have been closed.")
    if not ways:
        return _("We asked on the screen of the phone.")
    return _("We asked on the screen of the phone, and by %(ways)s.") % {
        "ways": page_text.names(ways)
    }


def _not_asked(person: Person) -> str:
    """Why nobody asked them, so that silence is not taken for a missing answer."""
    name = {"name": page_text.someone(sealed_columns.person_note(person, "name"))}
    if person.addresses.exists():
        return _("We could not ask %(name)s: no way to their phone worked.") % name
    return _("We could not ask %(name)s: no phone was set up.") % name


def _away(alarm: Alarm, tz: str, now: int) -> str:
    """Our own outage since the last sign of life: the silence may have been ours."""
    gap = queries.away_between(alarm.since_at, now)
    if gap is None:
        return ""
    since, until = (page_text.clock_time(at, tz, now) for at in gap)
    return _(
        "We were away from %(since)s to %(until)s. "
        "What was pressed in that time may not have reached us."
    ) % {"since": since, "until": until}


def _call_now(alarm: Alarm, person: Person, name: str) -> str:
    """The words about the ambulance, as the plan wishes; nothing before their time."""
    if alarm.arrivals or not (alarm.ambulance_told or person.wish == "call-now"):
        return ""
    if person.wish == "never":
        return _(
            "Nobody is with %(name)s yet. %(name)s wished that no ambulance comes. "
            "It is your decision, and you may call."
        ) % {"name": name}
    return _("Nobody is with %(name)s yet. Call an ambulance now: your emergency number.") % {
        "name": name
    }


def may_see_door(contact: Contact, lines: Sequence[HistoryLine], alarm: Alarm) -> bool:
    """Whether place and door are shown to them. Once shown, they stay."""
    came = any(
        line.contact == contact.id
        and line.at >= alarm.raised_at
        and line.event in ("Claimed", "Arrived")
        for line in lines
    )
    return place.may_be_told(contact, alarm, came=came)


def _door(contact: Contact, lines: Sequence[HistoryLine], alarm: Alarm) -> dict[str, str]:
    """Place and door, for who may be told."""
    if not may_see_door(contact, lines, alarm):
        return {}
    written = {note: sealed_columns.person_note(contact.person, note) for note in WHERE}
    return {note: text for note, text in written.items() if text} or {"place": ""}


def _declined(contact: int, lines: Sequence[HistoryLine], alarm: Alarm) -> bool:
    """Whether the last thing this contact said about this alarm is that they cannot come."""
    spoken = ("Claimed", "Arrived", "Declined")
    said = [
        x.event
        for x in lines
        if x.contact == contact and x.at >= alarm.raised_at and x.event in spoken
    ]
    return said[-1:] == ["Declined"]


def phones(person: Person) -> list[str]:
    """The numbers on which Sam can be phoned."""
    ways = address_book.of_person(person.id)
    calls = [a for a in ways if a.channel in ("call", "text") and a.state == "ok"]
    return list(dict.fromkeys(sealed_columns.address_value(a) for a in calls))


def _number_in(note: str) -> str:
    """The first phone number in a note, as a link needs it, or nothing."""
    for found in phonenumbers.PhoneNumberMatcher(note, settings.STILLHERE.country):
        return str(phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.E164))
    return ""


def _doing(other: Contact, alarm: Alarm, me: int, tz: str, now: int, *, left: bool) -> Doing:
    """``left``: something of this alarm was handed over to a carrier for them."""
    name = page_text.someone(sealed_columns.contact_name(other))
    reach = alarm.reach(other.id)
    claim = next((c for c in alarm.claims if c.contact == other.id), None)
    good = False
    if other.id in alarm.arrivals:
        what, good = _("is there"), True
    elif other.id in alarm.out:
        dead = reach is not None and bool(reach.ways) and set(reach.ways) <= set(alarm.broken)
        what = _("cannot be reached") if dead else _("cannot come")
    elif claim is not None:
        what, good = _claimed(claim, tz, now)
    elif other.id in alarm.told and reach is not None and reach.ways and not left:
        what = _("not told yet: we are trying, nothing has left")
    elif other.id in alarm.told:
        what = _("was told, no answer yet")
    elif reach is not None and not reach.ways:
        what = _("cannot be reached")
    else:
        what = _("not told yet")
    return Doing(name, what, other.id == me, good)


def _claimed(claim: Claim, tz: str, now: int) -> tuple[str, bool]:
    at = page_text.clock_time(claim.at, tz, now)
    if claim.eta_s is None:
        return _("is far away and phones (said at %(time)s)") % {"time": at}, False
    if claim.eta_s > HOLDING_ETA_S:
        return _("is going, but needs longer (said at %(time)s)") % {"time": at}, False
    facts = {"time": at, "span": page_text.span(claim.eta_s * 1000)}
    if claim.hold_until_at is None or claim.hold_until_at <= now:
        return _(
            "said at %(time)s: there in %(span)s. Not there yet, as far as we know"
        ) % facts, False
    return _("is going, %(span)s (said at %(time)s)") % facts, True
