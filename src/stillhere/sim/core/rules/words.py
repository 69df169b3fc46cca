"""Rules about what is said: to whom no more, in what order, and that nothing false is said."""

from __future__ import annotations

from stillhere.core import events as ev
from stillhere.core.events import AllWell, Cause, Outcome, State, Tell, Urgency, Word
from stillhere.sim.core.observer import CALLS, SOON_S, Onlooker
from stillhere.sim.core.story import Moment

UNTOLD_MS = 1_800_000
GRAVE = (Outcome.HOSPITAL, Outcome.DIED)
UNTOLD = (Outcome.DIED,)


def nobody_is_called_without_an_alarm(night: Onlooker, m: Moment) -> str | None:
    if m.before.alarm is None and any(isinstance(e, Tell) for e in m.effects):
        return f"somebody was told something after {m.event}, and there is no alarm"
    return None


def well_is_said_only_of_a_routine_that_was_answered(night: Onlooker, m: Moment) -> str | None:
    for e in m.effects:
        if isinstance(e, AllWell):
            routine = night.plan.routine
            if routine is None or not routine.well or not m.taken or e.at != m.made_at:
                return f"all is well was said of {m.event}"
    return None


def nobody_who_said_no_more_is_contacted(night: Onlooker, m: Moment) -> str | None:
    for e in m.effects:
        if isinstance(e, Tell) and e.contact in night.left:
            return f"contact {e.contact} left, and is told {e.word}"
    return None


def urgency_order_holds(night: Onlooker, m: Moment) -> str | None:
    """First calls and the ambulance words before all else, calls again last; and within an alarm
    in the order in which people came onto it."""
    story = night.story
    for e in m.effects:
        if isinstance(e, Tell) and story is not None:
            urgent = e.word is Word.AMBULANCE or (e.word in CALLS and e.contact in story.fresh)
            news = e.word not in CALLS or (e.word is Word.HELP and not urgent)
            due = Urgency.ALARM if urgent else Urgency.NEWS if news else Urgency.REPEAT
            if e.urgency is not due:
                return f"{e.word} to {e.contact} leaves as {e.urgency.name}"
            if story.heard.index(e.contact) != e.place:
                return f"{e.contact} stands at place {e.place} of {story.heard}"
    return None


def that_they_want_to_die_is_told_once_and_at_once(night: Onlooker, m: Moment) -> str | None:
    """To everyone who was told of the alarm and may still hear of it."""
    before, event = m.before.alarm, m.event
    if before is None or not isinstance(event, ev.NeedHelp):
        return None
    news = event.wants_to_die and not before.wants_to_die
    urgent = before.cause is not Cause.HELP or before.answered_at is not None
    due = {c for c in before.told if c not in night.left} if news or urgent else set()
    told = {e.contact for e in m.effects if isinstance(e, Tell) and e.word is Word.HELP}
    return None if due <= told and (due or not told) else f"{sorted(told)} read it, not {due}"


SAID = {
    Word.ARRIVED: ev.Arrived,
    Word.CANNOT_GET_IN: ev.CannotGetIn,
    Word.NOT_FOUND: ev.Resolved,
    Word.SERVICE_WAS_DOWN: ev.ServiceWasDown,
    Word.UNREADABLE: ev.Unclear,
}


def _going(night: Onlooker, event: ev.Event) -> tuple[int, int | None] | None:
    """Who may be said to be going, and how soon."""
    match event:
        case ev.Claimed(contact, eta_s):
            return contact, eta_s
        case ev.Arrived(contact) if night.is_heard_only(contact):
            return contact, SOON_S
        case _:
            return None


def words_say_what_happened(night: Onlooker, m: Moment) -> str | None:
    story, event = night.story, m.event
    for e in m.effects:
        if not isinstance(e, Tell) or story is None:
            continue
        said = SAID.get(e.word)
        if said is not None and not isinstance(event, said):
            return f"{e.word} was said after {event}"
        if e.word is Word.GOING and (e.who, e.eta_s) != _going(night, event):
            return f"{e.who} is said to be going after {event}"
        if e.word in (Word.ARRIVED, Word.CANNOT_GET_IN) and e.who != getattr(event, "contact", 0):
            return f"{e.who} is said to be there after {event}"
        if e.word is Word.REOPENED and e.who not in story.covered_before:
            return f"{e.who} is said not to come, and nobody had counted on them"
        if e.word is Word.ANSWERED_ONCE and (not m.life or e.at != m.made_at):
            return f"an answer at {e.at} is told after {event}"
        if e.word is Word.STAND_DOWN:
            return f"{e.contact} hears that it is over, and it is not"
        if e.word is Word.AMBULANCE and m.now < (story.ambulance_at or 0):
            return f"{e.contact} is told to call an ambulance too early"
    return None


def only_who_was_never_told_hears_who_is_there_after_half_an_hour(
    night: Onlooker, m: Moment
) -> str | None:
    story = night.story
    for e in m.effects:
        if isinstance(e, Tell) and e.word is Word.STILL_THERE and story is not None:
            if e.contact in (*story.on_before, *night.strangers, *story.cannot):
                return f"{e.contact} is told that {e.who} is there, and should not hear it"
            if e.who not in story.there_before:
                return f"{e.who} is said to be there, and never said so"
            if m.now < story.raised_at + UNTOLD_MS:
                return f"{e.contact} is told too early that {e.who} is there"
    return None


def everyone_told_of_an_alarm_is_told_of_its_end(night: Onlooker, m: Moment) -> str | None:
    story = night.story
    if story is None:
        return None
    told = {e.contact for e in m.effects if isinstance(e, Tell) and e.word is Word.STAND_DOWN}
    untold = isinstance(m.event, ev.Resolved) and m.event.outcome in UNTOLD
    due = set() if untold else set(story.heard) - story.gone
    if told != due:
        return f"{sorted(told)} hear of the end, not {sorted(due)}"
    return None


def nobody_is_told_falsely_that_it_is_over(night: Onlooker, m: Moment) -> str | None:
    for e in m.effects:
        if not isinstance(e, Tell):
            continue
        if e.word is not Word.STAND_DOWN:
            return f"{e.word} is said of an alarm that is over"
        if isinstance(m.event, ev.Resolved):
            fits = (e.who, e.outcome, e.at) == (m.event.contact, m.event.outcome, m.now)
        else:
            fits = m.life and (e.who, e.outcome, e.at) == (None, None, m.made_at)
        if not fits:
            return f"{e.contact} is told of {e.outcome} at {e.at} by {e.who} after {m.event}"
    if m.after.state is State.CLOSED and m.after.held != (m.after.outcome in GRAVE):
        return "grave news is kept until a person has looked, and nothing else is"
    return None
