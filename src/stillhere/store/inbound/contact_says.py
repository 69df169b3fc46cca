"""What a text or a key press of a contact does: in an alarm, to an invitation, to a drill.

Owns the step from an intent to events and to the one word that is said back. In an alarm there is
never silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from django.conf import settings

from stillhere.core import events as ev
from stillhere.core.alarm import HOLDING_ETA_S
from stillhere.core.messages import Inbound
from stillhere.core.refusals import Refusal
from stillhere.core.replies import Intent, help_is_called, read_minutes, says_no
from stillhere.store.inbound import place, steps_by_text
from stillhere.store.inbound.intents import contacts_intent, opt_out_of, prove
from stillhere.store.inbound.reply import (
    UNCLEAR,
    ParsedInbound,
    alarms_of,
    apply_all,
    unless_refused,
)
from stillhere.store.messages.spoken_of import PLACE
from stillhere.store.models import Contact, Message, WatchRow
from stillhere.store.people import contacts, drills, invitations, opt_out
from stillhere.store.watches.apply import Asked, Change
from stillhere.store.watches.contact_alarm import may_know_of
from stillhere.store.watches.queries import ALARMED

_COMING = frozenset({Intent.CLAIM, Intent.AT_DOOR, Intent.ARRIVED})
# What a contact asks or tells in an alarm, and what goes back; nothing happens by it.
_TELLS = {
    Intent.STEPS: "reply-steps",
    Intent.REPEAT: "reply-steps",
    Intent.HELP: "reply-steps",
    Intent.WANTS_TO_DIE: "reply-steps",
    Intent.OUTCOME: "reply-how",
}
# To "reply-how", and only to it: digits that mean nothing else, in case two messages cross.
OUTCOMES = {"7": ev.Outcome.FINE, "8": ev.Outcome.REVIVED, "9": ev.Outcome.HOSPITAL}
_AFTER_GOING = frozenset({"reply-going", PLACE})
AT_DOOR_S = 60  # from the door to the person
GOING_S = HOLDING_ETA_S  # "I'm going" without a time


def contact_says(parsed: ParsedInbound, contact: Contact, now: int) -> str:
    inbound, message = parsed.inbound, parsed.message
    if inbound.kind == "missed-call":
        return ""  # they ring back: that is no answer, and they will be rung again
    open_now = WatchRow.objects.filter(person=parsed.person, state__in=ALARMED).order_by("id")
    alarms = [row.id for row in open_now.only("id") if may_know_of(contact, row)]
    invited = contact.status == Contact.Status.INVITED and not alarms
    intent = contacts_intent(inbound, watching=bool(alarms), invited=invited)
    if intent in (Intent.OPT_OUT, Intent.DELETE):
        return opt_out_of(parsed.inbound, now)
    if intent is Intent.WHO:
        return "reply-who"
    if intent is Intent.NOT_ME and inbound.channel == "call":
        return "call-never-sure"
    prove(parsed, intent, now)
    asked = message is not None and message.word == "invite"
    asked = asked or (inbound.kind == "text" and says_no(inbound.text, settings.UNDERSTOOD))
    refuses = contact.status == Contact.Status.INVITED and intent is Intent.DECLINE
    if not alarms or (asked and refuses):  # a no to the invitation is one, whatever happens now
        return _without_alarm(parsed, contact, intent, now)
    if intent is Intent.REPEAT and message is not None and inbound.kind == "key":
        return message.word
    return _in_alarm(parsed, contact, intent, alarms, now)


def _in_alarm(
    parsed: ParsedInbound, contact: Contact, intent: Intent, alarms: Sequence[int], now: int
) -> str:
    """An answer to an alarm that is open; never silence."""
    if _says_how(parsed):
        return _ends(parsed, contact, alarms)
    if _says_when(parsed, intent):
        intent = Intent.CLAIM  # the minutes that were left open
    said = parsed.inbound.text
    if intent is Intent.HELP and help_is_called(said, settings.UNDERSTOOD):
        return "reply-called"
    if intent is Intent.WHERE:
        return place.answer(contact, parsed.address, alarms)
    if intent not in _DEEDS:
        if intent is Intent.STEPS:
            return steps_by_text.first(parsed, alarms)
        return _TELLS.get(intent) or _unclear(parsed, contact, alarms)  # never silence
    word = _acts(parsed, contact, intent, alarms)
    if word in ("reply-going", "reply-far"):  # a dispatcher asks where
        place.tell_after_claim(parsed, contact, alarms, now)
    return word


def _says_when(parsed: ParsedInbound, intent: Intent) -> bool:
    """Whether it says when they will be there, just after they said that they are going."""
    message, bare = parsed.message, _bare_minutes(parsed.inbound) is not None
    soon = intent is Intent.SOON or (intent is Intent.UNCLEAR and bare)
    return soon and message is not None and message.word in _AFTER_GOING


def _bare_minutes(inbound: Inbound) -> int | None:
    """A number of two digits and nothing else: one digit is one of our keys."""
    typed = inbound.text.strip()
    is_one = inbound.kind == "text" and typed.isascii() and typed.isdigit() and len(typed) == 2
    return int(typed) if is_one else None


def _unclear(parsed: ParsedInbound, contact: Contact, alarms: Sequence[int]) -> str:
    """What cannot be read is asked back; of who is going already, what comes next for them."""
    going = any(alarm.covered_by(contact.id) for alarm in alarms_of(alarms))
    return UNCLEAR[going and parsed.inbound.kind == "text"]


def _acts(parsed: ParsedInbound, contact: Contact, intent: Intent, alarms: Sequence[int]) -> str:
    make, word = _DEEDS[intent]
    if intent is Intent.FAR and parsed.person.secret:
        word = "reply-cannot"  # never "phone them": somebody may be listening
    event = make(contact.id, parsed)
    answers = apply_all([Change(event, watch=watch) for watch in alarms])
    if intent in _COMING and any(a.watch and contact.id in a.watch.ended_by for a in answers):
        word = "reply-called-on"
    return unless_refused(answers, word, "reply-not-on-it")


def _says_how(parsed: ParsedInbound) -> bool:
    """Whether this answers our question how it is, from a number that is known to be theirs."""
    return bool(parsed.address.proved_at) and tells_how(parsed.inbound, parsed.message)


def tells_how(inbound: Inbound, message: Message | None) -> bool:
    """Whether a text is one of the digits that our question how it is asked for."""
    asked = message is not None and message.word == "reply-how" and inbound.kind == "text"
    return asked and inbound.text.strip() in OUTCOMES


def _ends(parsed: ParsedInbound, contact: Contact, alarms: Sequence[int]) -> str:
    """The alarm is over as they say, where they may say it."""
    outcome = OUTCOMES[parsed.inbound.text.strip()]
    answers = apply_all([Change(ev.Resolved(contact.id, outcome), watch=watch) for watch in alarms])
    word = "reply-taken-over" if outcome in ev.GRAVE else "reply-thanks"
    before = any(answer.refused is Refusal.TOLD_BEFORE for answer in answers)
    return unless_refused(answers, word, "reply-told-before" if before else "reply-be-there")


def _without_alarm(parsed: ParsedInbound, contact: Contact, intent: Intent, now: int) -> str:
    """An answer to an invitation, to a drill or a test, or one that comes when all is over."""
    inbound, message = parsed.inbound, parsed.message
    word = message.word if message is not None else ""
    if inbound.kind == "key" and word == "test":
        contacts.rang(contact)
        return "reply-rang"
    if intent in (Intent.CLAIM, Intent.DECLINE) and drills.waits(contact, now):
        drills.answer(contact, comes=intent is Intent.CLAIM, now=now)
        return "reply-drill"
    if contact.status == Contact.Status.INVITED:
        if intent is Intent.CLAIM:
            invitations.join(contact)
            contacts.test_ring(contact)  # so that the phone knows us before it has to
            return "reply-joined"
        if intent is Intent.DECLINE:
            opt_out.decline(contact, now)
            return "reply-left" if inbound.kind == "key" else ""  # nothing is sent to them again
        if inbound.kind == "key" and message is not None:
            return message.word
    # To a machine that texts back by itself we say nothing: it would go on for ever.
    return "reply-over" if intent in _DEEDS or inbound.kind == "key" else ""


def _claim(contact: int, parsed: ParsedInbound) -> ev.Claimed:
    """How soon is counted from when it was said; one that came far too late holds nothing."""
    inbound = parsed.inbound
    minutes = inbound.minutes
    if inbound.kind == "text":
        minutes = read_minutes(inbound.text, settings.UNDERSTOOD)
        minutes = _bare_minutes(inbound) if minutes is None else minutes
    eta_s = GOING_S if minutes is None else minutes * 60
    return ev.Claimed(contact, max(0, eta_s - parsed.inbound.age_ms // 1000))


def _decline(contact: int, parsed: ParsedInbound) -> ev.Declined:
    return ev.Declined(contact, known=parsed.inbound.kind != "text")


_DEEDS: Mapping[Intent, tuple[Callable[[int, ParsedInbound], Asked], str]] = {
    Intent.CLAIM: (_claim, "reply-going"),
    Intent.FAR: (lambda contact, _: ev.Claimed(contact, None), "reply-far"),
    Intent.DECLINE: (_decline, "reply-cannot"),
    Intent.ARRIVED: (lambda contact, _: ev.Arrived(contact), "reply-there"),
    Intent.CANT_GET_IN: (lambda contact, _: ev.CannotGetIn(contact), "reply-locked"),
    Intent.AT_DOOR: (lambda contact, _: ev.Claimed(contact, AT_DOOR_S), "reply-at-door"),
    Intent.NOT_FOUND: (
        lambda contact, _: ev.Resolved(contact, ev.Outcome.NOT_FOUND),
        "reply-not-found",
    ),
}
