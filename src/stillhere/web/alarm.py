"""An alarm in words, for one of those who were called: what is known, who does what, what to do.

Turns values into sentences and decides nothing. The door and the place are opened here only, and
only for somebody who said yes to the invitation and then said "I'm going" or "I'm with them".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from stillhere.core.alarm import HOLDING_ETA_S, Alarm, Claim
from stillhere.core.events import GRAVE, Cause, State
from stillhere.store import queries
from stillhere.store.models import Contact, Person
from stillhere.store.queries import Line, Shown
from stillhere.web import words

ALARMED = (State.ALARM, State.CLAIMED, State.ATTENDED)
ANSWERS = ("StillHere", "Marked", "Extended", "Paused", "Ended")


@dataclass(frozen=True, slots=True)
class Doing:
    """One of those on the alarm, and what we know of them."""

    name: str
    what: str
    me: bool
    good: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the page of an open alarm says."""

    head: str
    says: str
    circle: list[Doing]
    mine: bool  # on this alarm at all
    going: bool
    there: bool
    far: bool
    by_phone: bool  # whether having spoken with them is enough
    call_now: str
    door: dict[str, str]
    dispatch: str
    phones: list[str]


def know(shown: Shown, contact: Contact, lines: Sequence[Line], now: int) -> Known:
    """Everything one contact may know of an open alarm."""
    alarm = shown.watch.alarm
    assert alarm is not None
    person = contact.person
    name = words.someone(queries.person_note(person, "name"))
    confirmed = contact.status == Contact.Status.CONFIRMED
    claim = next((c for c in alarm.claims if c.contact == contact.id), None)
    out = contact.id in alarm.out
    return Known(
        head=head(shown, name, now),
        says=_says(alarm, name, person.tz, now),
        circle=circle(shown, contact.id, person.tz, now),
        mine=alarm.reach(contact.id) is not None and contact.id not in alarm.gone,
        going=claim is not None and not out,
        there=contact.id in alarm.arrivals,
        far=claim is None or claim.eta_s is None or out,
        by_phone=alarm.cause is Cause.SILENCE and not alarm.arrivals,
        call_now=_call_now(alarm, person, name),
        door=_door(contact, lines, alarm),
        dispatch=queries.person_note(person, "dispatch") if confirmed else "",
        phones=_phones(person) if confirmed else [],
    )


def circle(shown: Shown, me: int, tz: str, now: int) -> list[Doing]:
    """Everyone on an open alarm, and what they are doing."""
    alarm = shown.watch.alarm
    return [_doing(c, alarm, me, tz, now) for c in _contacts(alarm)] if alarm is not None else []


def head(shown: Shown, name: str, now: int) -> str:
    """What is known, in one sentence."""
    alarm = shown.watch.alarm
    if alarm is not None and alarm.cause is Cause.HELP:
        return _("%(name)s asks for help.") % {"name": name}
    at = words.clock_time(shown.watch.seen_at, shown.row.person.tz, now)
    return _("%(name)s has not answered since %(time)s.") % {"name": name, "time": at}


def _says(alarm: Alarm, name: str, tz: str, now: int) -> str:
    facts = {
        "time": words.clock_time(alarm.raised_at, tz, now),
        "span": words.span(now - alarm.raised_at),
    }
    if alarm.answered_at is not None:
        return _(
            "The phone was answered once. We wait for a second answer. The alarm is still open."
        )
    return _("The alarm began at %(time)s, %(span)s ago. We do not know more.") % facts


def _call_now(alarm: Alarm, person: Person, name: str) -> str:
    """The words about the ambulance, as the plan wishes them; nothing before their time."""
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


def _door(contact: Contact, lines: Sequence[Line], alarm: Alarm) -> dict[str, str]:
    """Place and door, for a confirmed contact who comes. Once shown, they stay."""
    if contact.status != Contact.Status.CONFIRMED or not contact.door:
        return {}
    came = any(
        line.contact == contact.id
        and line.at >= alarm.raised_at
        and line.event in ("Claimed", "Arrived")
        for line in lines
    )
    if not came or contact.id in alarm.out:
        return {}
    notes = {note: queries.person_note(contact.person, note) for note in ("place", "entry")}
    return {note: text for note, text in notes.items() if text} or {"place": ""}


def _phones(person: Person) -> list[str]:
    """The numbers Sam can be phoned at."""
    calls = person.addresses.filter(channel__in=["call", "text"], state="ok").order_by("id")
    return list(dict.fromkeys(queries.address_value(a) for a in calls))


def _contacts(alarm: Alarm) -> list[Contact]:
    """Everyone on the alarm: first those who were told, in the order of telling."""
    ids = alarm.circle.contacts()
    found = {c.id: c for c in Contact.objects.filter(id__in=ids)}
    order = (*alarm.told, *(id for id in ids if id not in alarm.told))
    return [found[id] for id in order if id in found and id not in alarm.gone]


def _doing(other: Contact, alarm: Alarm, me: int, tz: str, now: int) -> Doing:
    name = words.someone(queries.contact_name(other))
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
    elif other.id in alarm.told:
        what = _("was told, no answer yet")
    elif reach is not None and not reach.ways:
        what = _("cannot be reached")
    else:
        what = _("not told yet")
    return Doing(name, what, other.id == me, good)


def _claimed(claim: Claim, tz: str, now: int) -> tuple[str, bool]:
    at = words.clock_time(claim.at, tz, now)
    if claim.eta_s is None:
        return _("is far away and phones (said at %(time)s)") % {"time": at}, False
    if claim.eta_s > HOLDING_ETA_S:
        return _("is going, but needs longer (said at %(time)s)") % {"time": at}, False
    facts = {"time": at, "span": words.span(claim.eta_s * 1000)}
    if claim.hold_until_at is None or claim.hold_until_at <= now:
        return _("said at %(time)s: going, %(span)s. Nothing heard since") % facts, False
    return _("is going, %(span)s (said at %(time)s)") % facts, True


# --- afterwards -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """One line of what happened."""

    at: str
    says: str


def afterwards(shown: Shown, contact: Contact, lines: Sequence[Line], now: int) -> list[Told]:
    """What happened from the alarm on, oldest first. Grave news is left for people to tell."""
    person = contact.person
    name = words.someone(queries.person_note(person, "name"))
    started = False
    told = []
    for line in lines:
        began = not started and line.state in ALARMED
        started = started or began
        sentence = _sentence(line, name, began) if started else ""
        if sentence:
            told.append(Told(words.clock_time(line.at, person.tz, now), sentence))
        if started and line.state not in ALARMED:
            started = False
    return told


def ending(shown: Shown, contact: Contact, lines: Sequence[Line]) -> str:
    """How it stands after an alarm, in one sentence that claims no more than is known."""
    watch = shown.watch
    name = words.someone(queries.person_note(contact.person, "name"))
    if watch.outcome in GRAVE:
        there = next((x.who for x in reversed(lines) if x.event == "Resolved" and x.contact), "")
        if there:
            return _("The alarm is over. Speak with %(who)s, who was there.") % {"who": there}
        return _("The alarm is over. Speak with the people who were there.")
    if watch.state is not State.CLOSED:
        return _("The alarm is over. We go on asking %(name)s for a while.") % {"name": name}
    return _("The alarm is over.")


def _sentence(line: Line, name: str, began: bool) -> str:
    """One line of the journal, or nothing where a reader learns nothing from it."""
    who = words.someone(line.who)
    facts = {"name": name, "who": who}
    if began:
        if line.event == "NeedHelp":
            return _("%(name)s asked for help.") % facts
        return _("%(name)s did not answer. The alarm began.") % facts
    if line.event in ANSWERS:
        return _("%(name)s's phone was answered.") % facts
    if line.event == "Claimed":
        return _claim_line(line, facts)
    if line.event == "Resolved":
        return _resolved_line(line, facts)
    plain = {
        "NeedHelp": _("%(name)s asked for help."),
        "Declined": _("%(who)s could not come."),
        "CannotGetIn": _("%(who)s was at the door and could not get in."),
        "Arrived": _("%(who)s was with %(name)s."),
        "ServiceWasDown": _("We were not running for a while."),
        "TimePassed": _("Nothing more was heard, so we went on ringing."),
    }
    if line.event == "Undeliverable" and line.contact is not None:
        return _("A way to reach %(who)s did not work.") % facts
    return plain.get(line.event, "") % facts


def _claim_line(line: Line, facts: dict[str, str]) -> str:
    eta_s = line.facts.get("eta_s")
    if not isinstance(eta_s, int):
        return _("%(who)s was far away and phoned.") % facts
    return _("%(who)s said: I'm going, %(span)s.") % {**facts, "span": words.span(eta_s * 1000)}


def _resolved_line(line: Line, facts: dict[str, str]) -> str:
    outcome = str(line.facts.get("outcome", ""))
    if outcome in GRAVE:
        return ""
    told = {**facts, "outcome": str(words.OUTCOMES.get(outcome, outcome))}
    if line.contact is None:
        return _("The people who run this said: %(outcome)s.") % told
    return _("%(who)s said: %(outcome)s.") % told
