"""What happened, in plain words, for the people who were called, once an alarm is over.

Owns the sentence of each line of the journal. Decides nothing. Grave news is left for people to
tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from stillhere.core.events import GRAVE, UNTOLD, State
from stillhere.store.models import Contact, sealed_columns
from stillhere.store.people import records
from stillhere.store.watches import care_log
from stillhere.store.watches.queries import HistoryLine, ShownWatch
from stillhere.web.contact import on_scene
from stillhere.web.site import page_text

ALARMED = (State.ALARM, State.CLAIMED, State.ATTENDED)
ANSWERS = ("StillHere", "Marked", "Extended", "Paused", "Ended")


@dataclass(frozen=True, slots=True)
class AftermathLine:
    """One line of what happened."""

    at: str
    says: str


def told(
    shown: ShownWatch, contact: Contact, lines: Sequence[HistoryLine], now: int
) -> list[AftermathLine]:
    """What happened and what was done since the alarm, oldest first. Grave news is left for people
    to tell."""
    person = contact.person
    name = page_text.someone(sealed_columns.person_note(person, "name"))
    ways = records.channels_of(person)
    started = False
    found: list[tuple[int, str]] = []
    for line in lines:
        began = not started and line.state in ALARMED
        started = started or began
        sentence = _sentence(line, name, began, ways) if started else ""
        if began and line.event != "NeedHelp" and shown.watch.routine is not None:
            sentence = _("%(name)s did not check in. The alarm began.") % {"name": name}
        again = line.event == "Undeliverable" and sentence in [says for _at, says in found]
        if sentence and not again:  # what failed once more is no news
            found.append((line.at, sentence))
        if started and line.state not in ALARMED:
            started = False
    found += [(each.at, on_scene.sentence(each, name)) for each in care_log.of(shown.row)]
    found.sort(key=lambda each: each[0])
    return [AftermathLine(page_text.clock_time(at, person.tz, now), says) for at, says in found]


def ending(shown: ShownWatch, contact: Contact, lines: Sequence[HistoryLine]) -> str:
    """The situation after an alarm, in one sentence that claims no more than is known."""
    watch = shown.watch
    name = page_text.someone(sealed_columns.person_note(contact.person, "name"))
    over = _("The alarm is over.")
    if watch.outcome in GRAVE:
        if watch.outcome not in UNTOLD:
            over += " " + _("Help has taken over, and nobody needs to come.")
        arrived = {x.contact for x in lines if x.event == "Arrived"}
        last = next((x for x in reversed(lines) if x.event == "Resolved" and x.contact), None)
        if last is None:
            return over + " " + _("Speak with the people who run this.")
        if last.contact == contact.id:
            return over + " " + _("You need not carry it alone: speak with somebody.")
        if last.contact in arrived:
            return over + " " + _("Speak with %(who)s, who was there.") % {"who": last.who}
        return over + " " + _("Speak with %(who)s.") % {"who": last.who}
    if watch.state is not State.CLOSED:
        return _("The alarm is over. We go on asking %(name)s for a while.") % {"name": name}
    return over


def _sentence(line: HistoryLine, name: str, began: bool, ways: Mapping[int, str]) -> str:
    """One line of the journal, or nothing if a reader learns nothing from it."""
    who = page_text.someone(line.who)
    facts = {"name": name, "who": who}
    if line.event == "NeedHelp" and line.facts.get("wants_to_die"):
        return _("%(name)s said they want to die.") % facts
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
    if line.event == "Undeliverable":
        return _dead(line, ways)
    plain = {
        "NeedHelp": _("%(name)s asked for help."),
        "Unclear": _("%(name)s's phone sent us something that we could not read."),
        "Declined": _("%(who)s could not come."),
        "CannotGetIn": _("%(who)s was at the door and could not get in."),
        "Arrived": _("%(who)s was with %(name)s."),
        "ServiceWasDown": _("We were not running for a while."),
        "TimePassed": _("Nothing more was heard, so we went on ringing."),
    }
    return plain.get(line.event, "") % facts


def _dead(line: HistoryLine, ways: Mapping[int, str]) -> str:
    """That a way to one of them did not work, and which; nothing about the person's own ways."""
    if line.contact is None:
        return ""
    facts = {"who": page_text.someone(line.who)}
    way = line.facts.get("way")
    channel = ways.get(way, "") if isinstance(way, int) else ""
    if not channel:
        return _("A way to reach %(who)s did not work.") % facts
    facts["way"] = str(page_text.CHANNELS.get(channel, channel))
    return _("A way to reach %(who)s did not work: %(way)s.") % facts


def _claim_line(line: HistoryLine, facts: dict[str, str]) -> str:
    eta_s = line.facts.get("eta_s")
    if not isinstance(eta_s, int):
        return _("%(who)s was far away and phoned.") % facts
    return _("%(who)s said: I'm going, %(span)s.") % {**facts, "span": page_text.span(eta_s * 1000)}


def _resolved_line(line: HistoryLine, facts: dict[str, str]) -> str:
    outcome = str(line.facts.get("outcome", ""))
    if outcome in GRAVE:
        return ""
    told = {**facts, "outcome": str(page_text.OUTCOMES.get(outcome, outcome))}
    if line.contact is None:
        return _("The people who run this said: %(outcome)s.") % told
    return _("%(who)s said: %(outcome)s.") % told
