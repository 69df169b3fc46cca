"""From what somebody said to what happens: one intent, one set of events, one word back.

Owns what a text, a key or a missed call does, for the person and for a contact. The reading itself
is ``core/replies.py``'s; the sentences are ``channels/wording``'s. Always inside the transaction of
``inbox.take``. What is unclear is never a check-in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stillhere.core import events as ev
from stillhere.core.alarm import HOLDING_ETA_S
from stillhere.core.replies import Intent, Role, read_key, read_minutes, read_text
from stillhere.store import apply, queries, services
from stillhere.store.apply import Answer, Asked, Change, CheckIn, NeedHelp
from stillhere.store.models import Address, Contact, Message, Person, WatchRow
from stillhere.store.queries import ALARMED

# Digits that stand in our messages beside those the core reads; whole texts only.
DIGITS = {"4": Intent.ARRIVED, "6": Intent.CANT_GET_IN}
GO_PROFILE = "injected"  # the strictest, where nothing else was chosen before
LONG_PROFILE = "swallowed"
MORE_S = 600
EARLIER_MS = 60_000  # a text older than its watch by more than this was meant for another one
GOING_S = HOLDING_ETA_S  # "I'm going" without a time


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in. ``age_ms`` in installation time; ``arrival`` is its stored row."""

    kind: str
    text: str
    age_ms: int
    arrival: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says it. ``contact`` None: the person themself. ``message`` is what they answer."""

    address: Address
    person: Person
    contact: Contact | None
    message: Message | None

    @classmethod
    def of(cls, address: Address, message: Message | None) -> Speaker:
        if address.person is not None:
            return cls(address, address.person, None, message)
        assert address.contact is not None
        return cls(address, address.contact.person, address.contact, message)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say back: a word of ``channels/wording`` and what it speaks of. ``more``: the call
    goes on, because an answer is still wanted."""

    word: str
    person: str
    contact: str
    lang: str
    tz: str
    wish: str
    confirmed: bool = True
    who: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    more: bool = False


def hear(speaker: Speaker, heard: Heard, known: Sequence[Address], now: int) -> Reply | None:
    """Do what was said and find the word to say back. ``known`` is everyone with this number."""
    if speaker.contact is None:
        word = _person_says(speaker, heard, known, now)
    else:
        word = _contact_says(speaker, speaker.contact, heard, known, now)
    if not word or heard.kind == "missed-call":
        return None  # nobody is listening
    reply = _reply(speaker, word)
    if heard.kind == "text":
        _queue(speaker, heard, known, reply, now)
    return reply


def _opt_out(known: Sequence[Address], now: int) -> str:
    """A no is for the number: everyone who is reached by it leaves. A person who says it to their
    own watch is rung instead: their texts are blocked from here on."""
    for address in known:
        if address.contact is not None:
            services.leave(address.contact)
        elif address.channel == "text" and address.person is not None:
            services.break_address(address.id, Address.State.OPTED_OUT, "said stop", now)
            gone = ev.Undeliverable(None, address.id)
            _apply([Change(gone, watch=w.id) for w in _watches(address.person)])
    return ""


# --- the person ---------------------------------------------------------------------------------


def watches(persons: Sequence[int]) -> list[WatchRow]:
    """The open ones of these people, each one's acute one first."""
    return list(
        WatchRow.objects.filter(person__in=persons, closed_at__isnull=True)
        .order_by("routine", "id")
        .only("id", "state", "routine", "alarms", "person_id", "started_at", "quarantined_at")
    )


def meant(watch: WatchRow, age_ms: int, now: int) -> bool:
    """Whether a sign of life of that age can be for this watch: it was open then."""
    return watch.started_at <= now - age_ms + EARLIER_MS


def _watches(person: Person) -> list[WatchRow]:
    return watches([person.id])


def _person_says(speaker: Speaker, heard: Heard, known: Sequence[Address], now: int) -> str:
    watches = _watches(speaker.person)
    intent = _persons_intent(heard, watching=bool(watches))
    if intent is Intent.OPT_OUT:
        return _opt_out(known, now)
    if intent is Intent.HERE:
        return _here(watches, heard, now)
    if intent in _STARTING:
        return _STARTING[intent](speaker.person)
    acute = [watch for watch in watches if not watch.routine]
    if intent in _TURNS:
        what, word = _TURNS[intent]
        if not acute:
            return "reply-not-on"
        answers = _apply([Change(what, watch=acute[0].id)])
        if intent is Intent.DONE and answers[0].watch and answers[0].watch.closed_at is None:
            word = "reply-got-it"  # an alarm does not end by it: it was an answer
        return _unless_refused(answers, word, "reply-not-on")
    # Somebody touched the phone and we cannot read what they mean: the core rings back.
    _apply([Change(ev.Unclear(), watch=watch.id) for watch in watches])
    return ""


def _persons_intent(heard: Heard, *, watching: bool) -> Intent:
    if heard.kind == "missed-call":
        return Intent.HERE
    if heard.kind == "key":
        return read_key(heard.text, Role.PERSON)
    return read_text(heard.text, Role.PERSON, watching=watching)


def _here(watches: Sequence[WatchRow], heard: Heard, now: int) -> str:
    """A sign of life, counted from when it was made, is one for everything that was open then."""
    if not watches:
        return "reply-not-on"
    then = [watch for watch in watches if meant(watch, heard.age_ms, now)]
    answers = _apply([Change(CheckIn(heard.age_ms), watch=watch.id) for watch in then])
    word = _unless_refused(answers, "reply-got-it", "reply-not-on") if answers else ""
    # Every text costs them money; only what they would not expect is worth one.
    return "" if word == "reply-got-it" and heard.kind == "text" else word


def _start(person: Person, profile: str = "") -> int:
    """The same kind of watch as last time, or the strictest."""
    last = WatchRow.objects.filter(person=person, routine="").order_by("-id").first()
    if profile or last is None:
        return apply.start(person.id, profile or GO_PROFILE)
    return apply.start(person.id, last.profile, last.own)


def _go(person: Person, profile: str = "") -> str:
    """Said again while a watch is open, it is a sign of life like any other clear word."""
    _apply([Change(CheckIn(), watch=watch.id) for watch in _watches(person) if not watch.routine])
    _start(person, profile)
    reachable = any(listed.reachable for listed in queries.circle_list(person))
    return "reply-started" if reachable else "reply-alone"


def _mark(person: Person) -> str:
    """ "I've used" begins a watch where there is none: that is when it is needed most."""
    answers = _apply([Change(ev.Marked(), watch=_start(person))])
    return _unless_refused(answers, "reply-marked", "reply-not-on")


def _help(person: Person) -> str:
    """A cry for help is never lost for want of an open watch."""
    watches = _watches(person)
    watch = watches[0].id if watches else _start(person)
    answers = _apply([Change(NeedHelp(), watch=watch)])
    alarm = answers[0].watch.alarm if answers[0].watch is not None else None
    word = "reply-helping" if alarm is not None and alarm.told else "reply-nobody"
    return _unless_refused(answers, word, "reply-nobody")


_STARTING: Mapping[Intent, Callable[[Person], str]] = {
    Intent.GO: _go,
    Intent.GO_LONG: lambda person: _go(person, LONG_PROFILE),
    Intent.MARK: _mark,
    Intent.HELP: _help,
}
_TURNS: Mapping[Intent, tuple[Asked, str]] = {
    Intent.MORE: (ev.Extended(MORE_S), "reply-more"),
    Intent.DONE: (ev.Ended(), "reply-ended"),
}


# --- a contact ----------------------------------------------------------------------------------


def _contact_says(
    speaker: Speaker, contact: Contact, heard: Heard, known: Sequence[Address], now: int
) -> str:
    if heard.kind == "missed-call":
        return ""  # they ring back: that is no answer, and they will be rung again
    alarms = list(
        WatchRow.objects.filter(person=speaker.person, state__in=ALARMED)
        .order_by("id")
        .values_list("id", flat=True)
    )
    intent = _contacts_intent(heard, watching=bool(alarms))
    if intent is Intent.OPT_OUT:
        return _opt_out(known, now)
    if not alarms:
        return _without_alarm(speaker, contact, intent, heard)
    if intent is Intent.REPEAT and speaker.message is not None and heard.kind == "key":
        return speaker.message.word
    if intent in (Intent.STEPS, Intent.HELP):
        return "reply-steps"
    if intent not in _DEEDS:
        return "reply-unclear"
    make, word = _DEEDS[intent]
    event = make(contact.id, heard)
    answers = _apply([Change(event, watch=watch) for watch in alarms])
    return _unless_refused(answers, word, "reply-not-on-it")


def _contacts_intent(heard: Heard, *, watching: bool) -> Intent:
    typed = heard.text.strip()
    if typed in DIGITS:
        return DIGITS[typed]
    if heard.kind == "key":
        return read_key(typed, Role.CONTACT)
    return read_text(heard.text, Role.CONTACT, watching=watching)


def _without_alarm(speaker: Speaker, contact: Contact, intent: Intent, heard: Heard) -> str:
    """An answer to an invitation, or one that comes when all is over."""
    if contact.status == Contact.Status.INVITED:
        if intent is Intent.CLAIM:
            services.join(contact)
            return "reply-joined"
        if intent is Intent.DECLINE:
            services.leave(contact)
            return "reply-left"
        if heard.kind == "key" and speaker.message is not None:
            return speaker.message.word
    # To a machine that texts back by itself we say nothing: it would go on for ever.
    return "reply-over" if intent in _DEEDS or heard.kind == "key" else ""


def _claim(contact: int, heard: Heard) -> ev.Claimed:
    """How soon is counted from when it was said; one that came far too late holds nothing."""
    minutes = read_minutes(heard.text) if heard.kind == "text" else None
    eta_s = GOING_S if minutes is None else minutes * 60
    return ev.Claimed(contact, max(0, eta_s - heard.age_ms // 1000))


_DEEDS: Mapping[Intent, tuple[Callable[[int, Heard], Asked], str]] = {
    Intent.CLAIM: (_claim, "reply-going"),
    Intent.FAR: (lambda contact, _: ev.Claimed(contact, None), "reply-far"),
    Intent.DECLINE: (lambda contact, _: ev.Declined(contact), "reply-cannot"),
    Intent.ARRIVED: (lambda contact, _: ev.Arrived(contact), "reply-there"),
    Intent.CANT_GET_IN: (lambda contact, _: ev.CannotGetIn(contact), "reply-locked"),
}


# --- what goes back -----------------------------------------------------------------------------


def _apply(changes: Sequence[Change]) -> list[Answer]:
    return apply.apply_batch(changes) if changes else []


def _unless_refused(answers: Sequence[Answer], word: str, refused: str) -> str:
    """``word`` if anything was done; the truth if not."""
    if any(answer.refused is None and not answer.quarantined for answer in answers):
        return word
    if any(answer.quarantined for answer in answers):
        return "reply-fault"
    return refused


_GOES_ON = frozenset({"reply-unclear", "reply-steps"})


def _reply(speaker: Speaker, word: str) -> Reply:
    message = speaker.message
    again = message is not None and word == message.word
    facts: dict[str, Any] = json.loads(message.facts) if again and message is not None else {}
    who = Contact.objects.filter(id=facts["who"]).first() if facts.get("who") else None
    contact = speaker.contact
    return Reply(
        word=word,
        person=queries.person_note(speaker.person, "name"),
        contact=queries.contact_name(contact) if contact is not None else "",
        lang=contact.lang if contact is not None else speaker.person.lang,
        tz=speaker.person.tz,
        wish=speaker.person.wish,
        confirmed=contact is None or contact.status == Contact.Status.CONFIRMED,
        who=queries.contact_name(who) if who is not None else "",
        facts=facts,
        more=again or word in _GOES_ON,
    )


def _queue(
    speaker: Speaker, heard: Heard, known: Sequence[Address], reply: Reply, now: int
) -> None:
    """Answer a text with a text. "We could not read that" goes once an alarm to each: two machines
    must not talk to each other all night."""
    back = next(
        (
            address
            for address in known
            if address.channel == "text"
            and address.state == Address.State.OK
            and address.person_id == speaker.address.person_id
            and address.contact_id == speaker.address.contact_id
        ),
        None,
    )
    if back is None:
        return
    watches = sorted(_watches(speaker.person), key=lambda watch: watch.state not in ALARMED)
    watch = next(iter(watches), None)
    key = f"r{heard.arrival}"
    if reply.word == "reply-unclear" and watch is not None and speaker.contact is not None:
        key = f"r.unclear.w{watch.id}.{watch.alarms}.{speaker.contact.id}"
    message = Message(
        key=key,
        watch=watch,
        person=speaker.person,
        contact=speaker.contact,
        address=back,
        channel=back.channel,
        word=reply.word,
        alarm=watch.alarms if watch is not None else 0,
        urgency=ev.Urgency.NEWS,
        due_at=now,
        created_at=now,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)
