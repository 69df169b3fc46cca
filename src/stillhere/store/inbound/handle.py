"""What a text, a key press or a missed call does, for a person and for a contact.

Owns the step from an intent to events and to the one word that is said back. Reading the text is
done in ``core/replies.py``, the sentence of a word in ``channels/wording``. Always runs inside the
transaction of ``inbox.take``. An unclear message is never a check-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from django.conf import settings

from stillhere.core import events as ev
from stillhere.core.alarm import HOLDING_ETA_S
from stillhere.core.messages import Inbound
from stillhere.core.refusals import Refusal
from stillhere.core.replies import (
    Intent,
    Role,
    read_key,
    read_minutes,
    read_note,
    read_text,
)
from stillhere.store.inbound import abroad, list_commands, place, steps_by_text
from stillhere.store.inbound.reply import (
    ParsedInbound,
    Reply,
    apply_all,
    open_watches,
    queue,
    reply,
    speak_their_language,
    unless_refused,
)
from stillhere.store.models import Address, Contact, Person, Suppression, WatchRow
from stillhere.store.people import (
    address_book,
    contacts,
    drills,
    force,
    invitations,
    opt_out,
    persons,
    records,
)
from stillhere.store.people.numbers import address_proof
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Asked, CallForHelp, Change, CheckIn
from stillhere.store.watches.queries import ALARMED

# Digits that stand in our messages beside those the core reads; whole texts only.
DIGITS = {"4": Intent.ARRIVED, "6": Intent.CANT_GET_IN}
# What only a person says to us for themselves, and what answers us as somebody's contact.
PERSONS = frozenset({
    Intent.GO, Intent.GO_LONG, Intent.MARK, Intent.HERE, Intent.MORE, Intent.DONE, Intent.LIST,
    Intent.ADD, Intent.PAUSE, Intent.DELETE,
})  # fmt: skip
ANSWERS = frozenset({
    Intent.CLAIM, Intent.DECLINE, Intent.FAR, Intent.ARRIVED, Intent.CANT_GET_IN, Intent.AT_DOOR,
    Intent.NOT_FOUND,
})  # fmt: skip
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
# What shows that a number is theirs: all of it but a no, and what takes everything away.
PROVING = PERSONS - {Intent.DELETE} | ANSWERS - {Intent.DECLINE}
GO_PROFILE = "injected"  # the strictest, where nothing else was chosen before
LONG_PROFILE = "swallowed"
MORE_S = 600
EARLIER_MS = 60_000  # a text older than its watch by more than this was meant for another one
AT_DOOR_S = 60  # from the door to the person
GOING_S = HOLDING_ETA_S  # "I'm going" without a time


def hear(parsed: ParsedInbound, now: int, *, new: bool = False) -> Reply | None:
    """Do what was said. A text is answered by a text, which is queued; anything else by the reply
    that comes back. ``new`` where it is the first we hear of this number."""
    inbound, contact = parsed.inbound, parsed.contact
    facts: Mapping[str, Any] = {}
    unproved = not parsed.address.proved_at
    if _lets_us_text_again(parsed, now):
        word = "reply-unblocked"
    elif inbound.kind == "text" and address_proof.says_code(parsed.address, inbound.text):
        address_proof.prove(parsed.address, now)
        word = "reply-proved"
    elif contact is None:
        word, facts = _person_says(parsed, now)
    else:
        word = _contact_says(parsed, contact, now)
        again = contacts_intent(inbound, watching=True) is Intent.REPEAT
        facts = steps_by_text.facts(parsed, word, now, again=again)
    if new and word in ("reply-alone", "reply-marked"):
        word = "reply-welcome"  # the one text that says what answers cost
    if unproved and parsed.address.proved_at and word in ("reply-not-on", "reply-over"):
        word = "reply-proved"
    if not word or inbound.kind == "missed-call":
        return None  # nobody is listening
    if inbound.kind != "text":
        return reply(parsed.address, parsed.message, word)
    speak_their_language(parsed.address, inbound.text)
    queue(parsed, word, facts, now)
    return None


def stranger_says(inbound: Inbound, now: int) -> None:
    """STOP and START count from any number, also from one that is on no list. A cry for help comes
    here only from a number that we never reach."""
    if _opts_in(inbound):
        opt_out.allow(inbound.channel, inbound.sender, now)
    elif inbound.kind == "text" and contacts_intent(inbound, watching=False) is Intent.OPT_OUT:
        opt_out.refuse(inbound.channel, inbound.sender, Suppression.Why.STOP, now)
    elif inbound.kind == "text" and persons_intent(inbound, watching=False) is Intent.HELP:
        abroad.answer(inbound, now)


def _opt_out(inbound: Inbound, now: int) -> str:
    """A no is for the number. After a text the carrier itself says so; in a call we do."""
    by_key = inbound.kind == "key"
    why = Suppression.Why.KEY if by_key else Suppression.Why.STOP
    opt_out.refuse(inbound.channel, inbound.sender, why, now)
    return "call-never" if by_key else ""


def _opts_in(inbound: Inbound) -> bool:
    """START and its like, by text."""
    return inbound.kind == "text" and inbound.text.strip().lower() in settings.UNDERSTOOD.opt_in


def _prove(parsed: ParsedInbound, intent: Intent, now: int) -> None:
    """A clear answer from a number shows that it is theirs and that they want to hear us. A no does
    not, nor a question, nor a cry for help; nor a missed call, for which anybody can borrow a
    number."""
    if intent in PROVING and parsed.inbound.kind != "missed-call":
        address_proof.prove(parsed.address, now)


def _lets_us_text_again(parsed: ParsedInbound, now: int) -> bool:
    """Whether START gave the number back to a person, whoever had said stop."""
    if not _opts_in(parsed.inbound):
        return False
    back = opt_out.allow(parsed.inbound.channel, parsed.inbound.sender, now)
    for address in parsed.known:
        if address.id in back:
            address.state = Address.State.OK
    return bool(back)


# --- the person ---------------------------------------------------------------------------------


def meant(watch: WatchRow, age_ms: int, now: int) -> bool:
    """Whether a sign of life of that age can be for this watch: it was open then."""
    return watch.started_at <= now - age_ms + EARLIER_MS


def check_in(watch: WatchRow, inbound: Inbound, now: int) -> Change:
    """A sign of life of that age. In an alarm it is as old as it may be, and of this watch."""
    age_ms = inbound.age_ms
    if watch.state in ALARMED:
        age_ms = max(age_ms, min(inbound.oldest_ms, now - watch.started_at))
    return Change(CheckIn(age_ms), watch=watch.id)


def _watches(person: Person) -> list[WatchRow]:
    return open_watches([person.id])


def _meant_watches(parsed: ParsedInbound) -> list[WatchRow]:
    """What is open; of a notification the one watch that it came from, whose key pressed it."""
    watches, message = _watches(parsed.person), parsed.message
    if parsed.inbound.channel == address_book.PUSH and message is not None:
        return [watch for watch in watches if watch.id == message.watch_id]
    return watches


def _person_says(parsed: ParsedInbound, now: int) -> tuple[str, Mapping[str, Any]]:
    person, text = parsed.person, parsed.inbound.text
    persons.note_use(person, now)
    watches = _meant_watches(parsed)
    if parsed.inbound.kind == "text" and force.is_the_word(person, text):
        force.call_for_help(person)  # and the phone hears, and shows, what it would of a check-in
        _prove(parsed, Intent.HERE, now)
        return _watch_hears(parsed, watches, Intent.HERE, now), {}
    intent = persons_intent(parsed.inbound, watching=bool(watches), asked=_asked(watches))
    _prove(parsed, intent, now)
    if intent is Intent.LIST:
        return list_commands.on_the_list(person)
    if intent is Intent.ADD:
        return list_commands.add(person, text, now)
    if intent is Intent.PAUSE:
        return list_commands.rest(person, text, now)
    if intent is Intent.DELETE:
        return list_commands.erase(person, now)
    unread = intent is Intent.UNCLEAR and parsed.inbound.kind == "text"
    if unread and (note := read_note(text, settings.UNDERSTOOD)):
        return list_commands.keep_note(person, note)
    return _watch_hears(parsed, watches, intent, now), {}


def _watch_hears(
    parsed: ParsedInbound, watches: Sequence[WatchRow], intent: Intent, now: int
) -> str:
    if intent is Intent.OPT_OUT:
        return _opt_out(parsed.inbound, now)
    if intent is Intent.HERE:
        return _here(watches, parsed, now)
    if intent in _STARTING:
        return _STARTING[intent](parsed.person)
    acute = [watch for watch in watches if not watch.routine]
    if intent in _TURNS:
        what, word = _TURNS[intent]
        if not acute:
            return "reply-only-daily" if watches else "reply-not-on"
        answers = apply_all([Change(what, watch=acute[0].id)])
        if intent is Intent.DONE and answers[0].watch and answers[0].watch.closed_at is None:
            word = "reply-got-it"  # an alarm does not end by it: it was an answer
        elif intent is Intent.DONE and len(watches) > len(acute):
            word = "reply-ended-daily"
        return unless_refused(answers, word, "reply-not-on")
    # Somebody touched the phone and we cannot read what they mean: the core rings back.
    apply_all([Change(ev.Unclear(), watch=watch.id) for watch in watches])
    return "reply-who-person" if intent is Intent.WHO else ""


def _asked(watches: Sequence[WatchRow]) -> bool:
    """Whether one of these waits for a sign of life."""
    return any(watch.state != ev.State.OPEN for watch in watches)


def persons_intent(inbound: Inbound, *, watching: bool, asked: bool = False) -> Intent:
    """What it means from a person; ``watching``: they have an open watch; ``asked``: which waits
    for a sign of life."""
    if inbound.kind == "missed-call":
        return Intent.HERE
    if inbound.opted_out:
        return Intent.OPT_OUT
    if inbound.kind == "key":
        return read_key(inbound.text, Role.PERSON)
    return read_text(inbound.text, Role.PERSON, settings.UNDERSTOOD, watching=watching, asked=asked)


def _here(watches: Sequence[WatchRow], parsed: ParsedInbound, now: int) -> str:
    """A sign of life, counted from when it was made, is one for everything that was open then."""
    if not watches:
        return "reply-not-on"
    then = [watch for watch in watches if meant(watch, parsed.inbound.age_ms, now)]
    answers = apply_all([check_in(watch, parsed.inbound, now) for watch in then])
    word = unless_refused(answers, "reply-got-it", "reply-not-on") if answers else ""
    # Every text costs them money; only what they would not expect is worth one.
    return "" if word == "reply-got-it" and parsed.inbound.kind == "text" else word


def start(person: Person, profile: str = "") -> int:
    """The same kind of watch as last time, or the strictest."""
    last = WatchRow.objects.filter(person=person, routine="").order_by("-id").first()
    if profile or last is None:
        return apply.start(person.id, profile or GO_PROFILE)
    return apply.start(person.id, last.profile, last.own)


def _go(person: Person, profile: str = "") -> str:
    """Said again while a watch is open, it is a sign of life like any other clear word."""
    apply_all(
        [Change(CheckIn(), watch=watch.id) for watch in _watches(person) if not watch.routine]
    )
    start(person, profile)
    reachable = any(listed.reachable for listed in records.circle_list(person))
    return "reply-started" if reachable else "reply-alone"


def _mark(person: Person) -> str:
    """ "I've used" begins a watch where there is none: that is when it is needed most."""
    answers = apply_all([Change(ev.Marked(), watch=start(person))])
    return unless_refused(answers, "reply-marked", "reply-not-on")


def _help(person: Person, *, wants_to_die: bool = False) -> str:
    """A cry for help is never lost for want of an open watch."""
    watches = _watches(person)
    watch = watches[0].id if watches else start(person)
    answers = apply_all([Change(CallForHelp(wants_to_die), watch=watch)])
    alarm = answers[0].watch.alarm if answers[0].watch is not None else None
    word = "reply-helping" if alarm is not None and alarm.told else "reply-nobody"
    return unless_refused(answers, word, "reply-nobody")


_STARTING: Mapping[Intent, Callable[[Person], str]] = {
    Intent.GO: _go,
    Intent.GO_LONG: lambda person: _go(person, LONG_PROFILE),
    Intent.MARK: _mark,
    Intent.HELP: _help,
    Intent.WANTS_TO_DIE: partial(_help, wants_to_die=True),
}
_TURNS: Mapping[Intent, tuple[Asked, str]] = {
    Intent.MORE: (ev.Extended(MORE_S), "reply-more"),
    Intent.DONE: (ev.Ended(), "reply-ended"),
}


# --- a contact ----------------------------------------------------------------------------------


def _contact_says(parsed: ParsedInbound, contact: Contact, now: int) -> str:
    inbound, message = parsed.inbound, parsed.message
    if inbound.kind == "missed-call":
        return ""  # they ring back: that is no answer, and they will be rung again
    alarms = list(
        WatchRow.objects.filter(person=parsed.person, state__in=ALARMED)
        .order_by("id")
        .values_list("id", flat=True)
    )
    invited = contact.status == Contact.Status.INVITED and not alarms
    intent = contacts_intent(inbound, watching=bool(alarms), invited=invited)
    if intent in (Intent.OPT_OUT, Intent.DELETE):
        return _opt_out(parsed.inbound, now)
    if intent is Intent.WHO:
        return "reply-who"
    if intent is Intent.NOT_ME and inbound.channel == "call":
        return "call-never-sure"
    _prove(parsed, intent, now)
    asked = message is not None and message.word == "invite"
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
    message = parsed.message
    if _says_how(parsed):
        return _ends(parsed, contact, alarms)
    if intent is Intent.SOON and message is not None and message.word == "reply-going":
        intent = Intent.CLAIM  # the minutes that were left open
    if intent is Intent.WHERE:
        return place.answer(contact, alarms)
    if intent not in _DEEDS:
        word = _TELLS.get(intent, "reply-unclear")  # never silence
        return steps_by_text.first(parsed, alarms) if intent is Intent.STEPS else word
    word = _acts(parsed, contact, intent, alarms)
    if word == "reply-going":
        place.tell_after_claim(parsed, contact, alarms, now)
    return word


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
    message, inbound = parsed.message, parsed.inbound
    asked = message is not None and message.word == "reply-how" and inbound.kind == "text"
    return asked and bool(parsed.address.proved_at) and inbound.text.strip() in OUTCOMES


def _ends(parsed: ParsedInbound, contact: Contact, alarms: Sequence[int]) -> str:
    """The alarm is over as they say, where they may say it."""
    outcome = OUTCOMES[parsed.inbound.text.strip()]
    answers = apply_all([Change(ev.Resolved(contact.id, outcome), watch=watch) for watch in alarms])
    word = "reply-taken-over" if outcome in ev.GRAVE else "reply-thanks"
    before = any(answer.refused is Refusal.TOLD_BEFORE for answer in answers)
    return unless_refused(answers, word, "reply-told-before" if before else "reply-be-there")


def contacts_intent(inbound: Inbound, *, watching: bool, invited: bool = False) -> Intent:
    """What it means from a contact; ``watching``: there is an alarm they know of; ``invited``: they
    have not said yes or no yet."""
    typed = inbound.text.strip()
    if inbound.opted_out:
        return Intent.OPT_OUT
    if typed in DIGITS:
        return DIGITS[typed]
    if inbound.kind == "key":
        return read_key(typed, Role.CONTACT)
    return read_text(
        inbound.text, Role.CONTACT, settings.UNDERSTOOD, watching=watching, asked=invited
    )


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
    eta_s = GOING_S if minutes is None else minutes * 60
    return ev.Claimed(contact, max(0, eta_s - parsed.inbound.age_ms // 1000))


_DEEDS: Mapping[Intent, tuple[Callable[[int, ParsedInbound], Asked], str]] = {
    Intent.CLAIM: (_claim, "reply-going"),
    Intent.FAR: (lambda contact, _: ev.Claimed(contact, None), "reply-far"),
    Intent.DECLINE: (lambda contact, _: ev.Declined(contact), "reply-cannot"),
    Intent.ARRIVED: (lambda contact, _: ev.Arrived(contact), "reply-there"),
    Intent.CANT_GET_IN: (lambda contact, _: ev.CannotGetIn(contact), "reply-locked"),
    Intent.AT_DOOR: (lambda contact, _: ev.Claimed(contact, AT_DOOR_S), "reply-at-door"),
    Intent.NOT_FOUND: (
        lambda contact, _: ev.Resolved(contact, ev.Outcome.NOT_FOUND),
        "reply-not-found",
    ),
}
