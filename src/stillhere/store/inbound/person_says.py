"""What a text, a key press or a missed call of the person does.

Owns the step from an intent to events and to the one word that is said back, with the facts it
speaks of. An unclear message is never a check-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stillhere.core import events as ev
from stillhere.core.messages import TELEGRAM, Inbound
from stillhere.core.replies import HELP, Intent
from stillhere.store.db import budgets
from stillhere.store.inbound import list_commands, own_notes
from stillhere.store.inbound.intents import opt_out_of, persons_intent, prove
from stillhere.store.inbound.reply import (
    HOUR_MS,
    ParsedInbound,
    answer_to_cry,
    apply_all,
    open_watches,
    unless_refused,
)
from stillhere.store.models import Person, WatchRow
from stillhere.store.people import address_book, force, notices, persons, records
from stillhere.store.people.numbers import erase_code
from stillhere.store.watches import apply
from stillhere.store.watches.apply import Asked, CallForHelp, Change, ChangeResult, CheckIn
from stillhere.store.watches.queries import ALARMED

GO_PROFILE = "injected"  # the strictest, where nothing else was chosen before
LONG_PROFILE = "swallowed"
MORE_S = 600
_PLANS = frozenset({Intent.LIST, Intent.ADD, Intent.PAUSE, Intent.DELETE})
_CHANGES = frozenset({  # what is said to whoever changes the list or the plan, or is about to
    "reply-added", "reply-added-later", "reply-added-asked", "reply-add-pin", "reply-named",
    "reply-kept", "reply-paused", "reply-delete",
})  # fmt: skip
HINT = "reply-hint"
HINTS_AN_HOUR = 5
ENDED = ("reply-ended", "reply-ended-daily")
EARLIER_MS = 60_000  # a text older than its watch by more than this was meant for another one


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


def person_says(parsed: ParsedInbound, now: int) -> tuple[str, Mapping[str, Any]]:
    person, text = parsed.person, parsed.inbound.text
    persons.note_use(person, now)
    watches = _meant_watches(parsed)
    if parsed.inbound.kind == "text" and force.is_said_from(parsed.address, text):
        force.call_for_help(person, text)  # the phone hears, and shows, what it would of a check-in
        return _watch_hears(parsed, watches, Intent.HERE, now), {}
    shown = own_notes.show_door(parsed, now)
    if shown is not None:
        return "reply-door-now", {"who": shown.id}
    if parsed.inbound.kind == "text" and erase_code.is_said(parsed.address, text, now):
        return list_commands.erase(person, sure=True)
    intent = persons_intent(parsed.inbound, watching=bool(watches), asked=_asked(watches))
    known = parsed.address.proved_at
    prove(parsed, intent, now)
    if intent is Intent.UNCLEAR and parsed.address.proved_at != known:
        return "reply-proved", {}  # a yes to our code, and to nothing else
    if intent in HELP:
        word = _all_cry(parsed, intent)
        own_notes.keep_where_of_cry(parsed, now)
        return word, {}
    note = own_notes.read(parsed) if intent is Intent.UNCLEAR else None
    if not parsed.address.proved_at and (note or intent in _PLANS):
        return "reply-who-person", {}  # it may be somebody else's plan
    if intent in _PLANS:
        return _in_chat(parsed, _plan(parsed, watches, intent, now), now)
    if note:
        return _in_chat(parsed, own_notes.keep(parsed, note, now), now)
    return _watch_hears(parsed, watches, intent, now), {}


def _in_chat(
    parsed: ParsedInbound, said: tuple[str, Mapping[str, Any]], now: int
) -> tuple[str, Mapping[str, Any]]:
    """What is ``said`` to whoever changes the list or the plan. A chat that was connected on a page
    may be of whoever held the open phone: the number hears of it, and the chat gets no code for a
    door."""
    word, facts = said
    if parsed.address.browser_id is None or word not in _CHANGES:
        return said
    notices.tell_of_chats_changes(parsed.address, now)
    return "reply-added-tomorrow" if word == "reply-added" else word, facts


def _plan(
    parsed: ParsedInbound, watches: Sequence[WatchRow], intent: Intent, now: int
) -> tuple[str, Mapping[str, Any]]:
    person, text = parsed.person, parsed.inbound.text
    if intent is Intent.LIST:
        return list_commands.on_the_list(person)
    if intent is Intent.PAUSE:
        return list_commands.rest(person, text, now)
    if intent is Intent.DELETE:
        return list_commands.erase(person, sure=False)
    word, facts = list_commands.add(person, text, now)
    if word == "reply-add-how" and len(text.split()) > 1:  # it may have meant anything
        _watch_hears(parsed, watches, Intent.UNCLEAR, now)
    return word, facts


def _watch_hears(
    parsed: ParsedInbound, watches: Sequence[WatchRow], intent: Intent, now: int
) -> str:
    if intent is Intent.OPT_OUT:
        return opt_out_of(parsed.inbound, now)
    if intent is Intent.HERE:
        others = parsed.others(proved=True)
        asking = [w for w in open_watches(others) if w.state == ev.State.ASKING] if others else []
        return _here([*watches, *asking], parsed, now)
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
    if intent is Intent.WHO:
        return "reply-who-person"
    return "" if watches else _while_nothing_is_on(parsed, intent, now)


def _while_nothing_is_on(parsed: ParsedInbound, intent: Intent, now: int) -> str:
    """A text that does nothing says what would, a few times an hour: silence would be taken for
    help on its way, and a machine may be at the other end."""
    address = parsed.address
    if parsed.inbound.kind != "text" or intent is Intent.EMPTY or not address.proved_at:
        return ""
    most = HINTS_AN_HOUR if intent is Intent.CARRIER_HELP else 1
    scope = intent, bytes(address.lookup).hex(), now // HOUR_MS
    return "" if budgets.take([budgets.limit("enough", most, "hints", *scope)], now) else HINT


def _all_cry(parsed: ParsedInbound, intent: Intent) -> str:
    """A cry calls the people of everybody who has shown that this number is theirs. Where nobody
    had, it calls those of everybody who typed it: they may have forgotten the code. What is said
    back is true of whoever is taken to speak, as nobody else need be who they say."""
    wants_to_die = intent is Intent.WANTS_TO_DIE
    shown = not parsed.new and any(a.person_id and a.proved_at for a in parsed.known)
    for person in Person.objects.filter(id__in=parsed.others(proved=shown)):
        _help(person, wants_to_die=wants_to_die)
    return _help(parsed.person, wants_to_die=wants_to_die)


def _asked(watches: Sequence[WatchRow]) -> bool:
    """Whether one of these waits for a sign of life."""
    return any(watch.state != ev.State.OPEN for watch in watches)


def _here(watches: Sequence[WatchRow], parsed: ParsedInbound, now: int) -> str:
    """A sign of life, counted from when it was made, is one for everything that was open then."""
    if not watches:
        return "reply-not-on"
    then = [watch for watch in watches if meant(watch, parsed.inbound.age_ms, now)]
    answers = apply_all([check_in(watch, parsed.inbound, now) for watch in then])
    if word := worth_saying(answers):
        return word
    word = unless_refused(answers, "reply-got-it", "reply-not-on") if answers else ""
    # Every text costs them money; only what they would not expect is worth one. A chat costs none.
    costs = parsed.inbound.kind == "text" and parsed.inbound.channel != TELEGRAM
    return "" if word == "reply-got-it" and costs else word


def worth_saying(answers: Sequence[ChangeResult]) -> str:
    """What a sign of life is answered with where they would not expect what it did: it was the last
    one asked for, it ended an alarm, or an alarm goes on until there is a second one. Nothing
    where all goes on as it did."""
    over = [a.watch is not None and a.watch.closed_at is not None for a in answers]
    if any(over):
        return ENDED[not all(over)]
    alarmed = [a.watch for a in answers if a.before and a.before.alarm and a.watch]
    if any(watch.alarm is None for watch in alarmed):
        return "reply-glad"
    heard = (watch.alarm for watch in alarmed if watch.alarm is not None)
    return "reply-once" if any(alarm.answered_at is not None for alarm in heard) else ""


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
    return unless_refused(answers, answer_to_cry(answers[0].watch), "reply-nobody")


_STARTING: Mapping[Intent, Callable[[Person], str]] = {
    Intent.GO: _go,
    Intent.GO_LONG: lambda person: _go(person, LONG_PROFILE),
    Intent.MARK: _mark,
}
_TURNS: Mapping[Intent, tuple[Asked, str]] = {
    Intent.MORE: (ev.Extended(MORE_S), "reply-more"),
    Intent.DONE: (ev.Ended(), "reply-ended"),
}
