"""Calls: who is on the line, what is said first, and what a missed call means.

Owns the beginning of a call and the actions that only a call has; a key in an ask or an alarm does
what it does in a text (``handle.py``). Keeps nothing about a call but its arrival rows. A person on
watch who rings us counts as alive, and we do not pick up, so that it costs them nothing. Whoever
rings again within a minute wants to talk, and is answered.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from stillhere.core import events as ev
from stillhere.core.messages import Facts, Inbound
from stillhere.store.db import clock, encryption
from stillhere.store.inbound import (
    inbox,
    list_commands,
    person_says,
    place,
    speaker,
    steps_by_text,
)
from stillhere.store.inbound import reply as answering
from stillhere.store.inbound.reply import Reply
from stillhere.store.messages import alarm_lists, alarm_numbers, spoken_of
from stillhere.store.messages.spoken_of import PLACE
from stillhere.store.messages.validity import still_true
from stillhere.store.models import Address, Arrival, Message, Person, WatchRow, sealed_columns
from stillhere.store.people import contacts, persons, records, suppression
from stillhere.store.program import shifts
from stillhere.store.recordings import strangers
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change, CheckIn
from stillhere.store.watches.outbox import COORDINATOR
from stillhere.store.watches.queries import ALARMED

TALKS_MS = 60_000  # a second call this soon after the missed one is answered
RANG = "rang"  # the row that says how a call to us was met, should the carrier tell it again
STAYS = "stay"  # the kind of the arrival row that says somebody stays on the line
MOST_OFFERED = 7  # alarms by keys: 8 and 9 mean something else, and 0 says the others
NEXT_PART = "p"  # and which part of the list that is
_ADDED = ("reply-added", "reply-added-later", "reply-added-asked")
_KEYED = "call.number"
GOES_ON_MS = 900_000  # a line that nobody hung up is forgotten after this


@dataclass(frozen=True, slots=True)
class Opening:
    """What a call begins with: a word of ``channels/wording``, and where its keys lead.

    ``at`` names the next step (``answer``, ``page``, ``menu``, ``stay``, ``unknown``); ``reject``
    does not answer at all. ``refusable``: "never again" may be said to it.
    """

    word: str = ""
    at: str = ""
    reply: Reply | None = None
    lang: str = "en"
    reject: bool = False
    message: int | None = None
    refusable: bool = False


# --- calls of ours --------------------------------------------------------------------------------


def picked_up(message: int, part: int = 0) -> Opening:
    """Somebody answered a call of ours: say what is true now. ``part``: of a list that is longer
    than the keys are."""
    m = Message.objects.select_related("watch", "person", "contact__person", "address")
    found = m.filter(id=message).first()
    if found is not None and found.channel == COORDINATOR:
        reply = answering.page(found)
        return Opening(found.word, "page" if reply.more else "", reply, message=found.id)
    if found is None or found.address is None or found.person is None:
        return Opening("reply-over")
    if not _true(found):
        over = "reply-got-it" if found.address.contact is None else "reply-over"
        return Opening(over, reply=answering.reply(found.address, found, over))
    if (several := _several(found, part)) is not None:
        return several
    reply = answering.reply(found.address, found, found.word)
    if found.word == PLACE:  # a mailbox picks up too
        return Opening("call-place-key", "place", reply, message=found.id)
    theirs = found.contact_id is not None
    return Opening(found.word, "answer", reply, message=found.id, refusable=theirs)


def where_again(message: int) -> Reply | None:
    """What was said to whoever is going by this message of ours, with where, once more."""
    m = Message.objects.select_related("person", "address__contact__person").filter(id=message)
    found = m.first()
    if found is None or found.address is None or found.address.contact is None:
        return None
    said = answering.reply(found.address, found, "reply-going")
    return place.with_where(said, found.address.contact, found.address)


def _several(m: Message, part: int) -> Opening | None:
    """The list, where whoever picks up is on several alarms and goes to none yet; each by a key."""
    assert m.address is not None
    if m.contact_id is None or not alarm_lists.is_a_line(m.word):
        return None
    listed = alarm_numbers.entries(sealed_columns.address_value(m.address))
    if not any((m.watch_id, m.alarm) == (e.watch, e.alarm) and not e.over for e in listed):
        return None
    offered = [each for each in listed if each.open]
    if len(offered) < 2 or any(each.mine for each in listed):
        return None
    parts = -(-len(offered) // MOST_OFFERED)
    first = part % parts * MOST_OFFERED
    newest = sorted(offered, key=lambda each: -each.number)[first : first + MOST_OFFERED]
    now = sorted(newest, key=lambda each: each.number)
    reply = answering.reply(m.address, m, "call-list")
    theirs = spoken_of.on_a_list([each.watch for each in now])
    lines = tuple((each.number, *theirs.get(each.watch, spoken_of.NOBODY)) for each in now)
    reply = replace(reply, facts=replace(reply.facts, listed=lines, n=len(offered)))
    keys = ".".join(str(each.number) for each in now)
    at = f"choose.{keys}" if parts == 1 else f"choose.{keys}.{NEXT_PART}{part + 1}"
    return Opening("call-list", at, reply, message=m.id, refusable=True)


def _true(m: Message) -> bool:
    """Whether what a message says still holds at this moment."""
    if m.watch is None:  # an invitation, a test, a drill
        return True
    if m.contact_id is None:
        return m.watch.state in ("asking", *ALARMED)
    return still_true(m)


def dying(message: int) -> bool:
    """Whether the person of this alarm said that they want to die, for whoever we told by it."""
    m = Message.objects.select_related("address__contact").filter(id=message).first()
    if m is None or m.address is None or m.watch_id is None:
        return False
    return steps_by_text.dying(m.address, [m.watch_id])


# --- calls to us ----------------------------------------------------------------------------------


def rings_us(call: str, number: str) -> Opening:
    """Somebody rings our number. Durable when it returns."""
    inbound = Inbound("call", call, "missed-call", sender=number)
    known = inbox.known_by(inbound)
    if not known:
        return Opening("call-unknown", "unknown")
    address, message = speaker.speaker_of(inbound, known)
    if address.contact is not None:
        return _contact_rings(address, message)
    if not address.proved_at:  # somebody typed this number: whoever has it may never have done so
        return Opening("call-unknown", "unknown")
    person = answering.person_of(address)
    now = clock.now_ms()
    watch = next(iter(answering.open_watches([person.id])), None)
    if watch is None:
        menu = answering.reply(address, message, "call-menu")
        return Opening("call-menu", "menu", menu, person.lang)
    talks = watch.state in ALARMED or now - _seen_at(watch) <= TALKS_MS
    rang, fresh = Arrival.objects.get_or_create(
        channel="call",
        provider_id=f"{call}:{RANG}"[: inbox.LONGEST_ID],
        defaults={"kind": "talks" if talks else "missed", "at": now},
    )
    if rang.kind == "talks":  # also told again much later: then it is no new sign of life
        on_watch = answering.reply(address, message, "call-on-watch")
        return Opening("call-on-watch", "watch", on_watch, person.lang)
    if fresh:
        inbox.take(inbound)
    return Opening(reject=True)


def _seen_at(watch: WatchRow) -> int:
    return WatchRow.objects.values_list("seen_at", flat=True).get(id=watch.id)


def _contact_rings(address: Address, message: Message | None) -> Opening:
    """A contact rings back: the last they were told, if it still holds; else that it is over, and
    the way to a watch of their own. On a quiet day nobody is named: the number may be forged."""
    theirs = Message.objects.filter(contact=address.contact, attempts__gt=0)
    theirs = theirs.exclude(word=PLACE)  # where they are is heard after a key
    last = theirs.select_related("watch").order_by("-id").first()
    if last is not None and last.watch is not None and _true(last):
        reply = answering.reply(address, last, last.word)
        return Opening(last.word, "answer", reply, message=last.id, refusable=True)
    return Opening("call-unknown", "unknown", answering.reply(address, message, "call-over"))


# --- the list -------------------------------------------------------------------------------------


def on_list(number: str, call: str = "") -> Reply | None:
    """How many are on the list of whoever rings, or that it stands on their page; None: nobody we
    know. Their names go to that number by text, once a ``call``: who rings may have forged it."""
    person = caller(number)
    if person is None:
        return None
    word, facts = list_commands.on_the_list(person)
    on, asked = facts.get("on", ()), facts.get("asked", ())
    if word == "reply-list":
        told = call and _text(person, word, f"l{call}", facts)
        word = "call-people-texted" if told else "call-people"
    word = "call-people-empty" if word == "reply-list-empty" else word
    return Reply(word, person.lang, Facts(n=len(on) - len(asked), total=len(on)))


def adds(number: str, digits: str) -> Reply | None:
    """Whoever rings adds a number; the same rules as by text. The number itself reads of it by
    text; where it cannot, that contact hears no place. Durable when it returns."""
    with transaction.atomic():
        person = caller(number)
        if person is None:
            return None
        word, facts = list_commands.add(person, digits, clock.now_ms())
        added = person.contacts.filter(id=facts["who"]).first() if word in _ADDED else None
        if added is not None:
            told = _text(person, "reply-door-code", f"d{added.id}", facts)
            if not told:
                contacts.keep(added, door=False)
            if word == "reply-added":
                word = "call-added" if told else "call-added-no-door"
    return Reply(word, person.lang, Facts())


def _text(person: Person, word: str, key: str, facts: Mapping[str, Any]) -> bool:
    """Text this to the person, once by its ``key``; False where no text goes to them."""
    back, now = answering.own_text(person), clock.now_ms()
    if back is None or (word == "reply-list" and answering.had_enough(back, now)):
        return False
    answering.tell(back, word, key, now, watch=None, facts=facts)
    return True


def sealed(digits: str) -> str:
    """A number that was keyed, for the address of the next turn: carriers keep those in logs."""
    nonce = encryption.new_nonce()
    blob = nonce + encryption.seal(digits, _KEYED, nonce)
    return base64.urlsafe_b64encode(blob).decode()


def opened(text: str) -> str:
    """The number that ``sealed`` closed; ``""`` where it cannot be opened."""
    try:
        blob = base64.urlsafe_b64decode(text)
        nonce = blob[: encryption.NONCE_BYTES]
        return encryption.unseal(blob[encryption.NONCE_BYTES :], _KEYED, nonce)
    except (ValueError, encryption.SealBroken):
        return ""


def language_of(number: str, message: int | None) -> str:
    """The language of whoever is on the line: of who reads the message that rang, else of who has
    the number; ``""`` where nobody has it."""
    found = picked_up(message).reply if message is not None else None
    if found is not None:
        return found.lang
    known = inbox.known_by(Inbound("call", "", "key", sender=number)).values()
    ours = sorted(known, key=lambda a: (a.person_id is None, not a.proved_at, a.proved_at, a.id))
    return next((a.contact.lang if a.contact else answering.person_of(a).lang for a in ours), "")


# --- keys that only a call has --------------------------------------------------------------------


def anybody_on_shift() -> bool:
    """Whether somebody of the programme would come for a stranger now."""
    return shifts.anybody(clock.now_ms())


def begins(number: str, lang: str, *, shift: bool) -> bool:
    """A watch starts on this phone. Somebody we had never heard of becomes a person with this
    number and nothing else. Where ``shift`` and nobody was chosen, whoever is on shift stands by;
    True then: they have to be told where."""
    with transaction.atomic():
        person = caller(number) or persons.new_caller(number, lang)
        stood_by = False
        if shift and not person.contacts.filter(responder__isnull=True).exists():
            stood_by = shifts.stand_by(person)
        person_says.start(person)
    return stood_by


def started(number: str) -> tuple[str, dict[str, Any]]:
    """The word to say about a watch that has begun, and its facts."""
    person = caller(number)
    watch = next(iter(answering.open_watches([person.id])), None) if person else None
    if person is None or watch is None:
        return "reply-not-on", {}
    if suppression.refuses([("call", number)]):
        return "call-started-stopped", {}
    asked_at = WatchRow.objects.values_list("next_ask_at", flat=True).get(id=watch.id)
    reachable = any(listed.reachable for listed in records.circle_list(person))
    in_s = max(0, (asked_at or 0) - clock.now_ms()) // 1000
    return "call-started" if reachable else "call-started-alone", {"eta_s": in_s}


def said_where(number: str, carrier: str, ref: str) -> None:
    """A stranger said where they are. Durable when it returns."""
    person = caller(number)
    if person is not None:
        strangers.said(person, carrier, ref)


def caller(number: str) -> Person | None:
    """Whose own number this is, as they have shown; None: nobody's."""
    known = inbox.known_by(Inbound("call", "", "key", sender=number))
    mine = sorted(known.values(), key=lambda a: (a.proved_at, a.id))
    return next((a.person for a in mine if a.person is not None and a.proved_at), None)


def stays(call: str, number: str, turn: int) -> bool:
    """A sign of life on a line on which somebody stays: a key, or a word. False: there is no watch
    to count it for."""
    with transaction.atomic():
        person = caller(number)
        if person is None:
            return False
        now = clock.now_ms()
        Arrival.objects.bulk_create(
            [Arrival(channel="call", provider_id=f"{call}:{STAYS}", kind=STAYS, at=now)],
            ignore_conflicts=True,
        )
        row = Arrival(channel="call", provider_id=f"{call}:{STAYS}:{turn}", kind="key", at=now)
        Arrival.objects.bulk_create([row], ignore_conflicts=True)
        watches = [w.id for w in answering.open_watches([person.id])]
        apply.apply_batch([Change(CheckIn(), watch=id) for id in watches])
    return bool(watches)


def went_silent(number: str) -> None:
    """Silence on a line on which somebody stays, twice: they are asked at once, by what rings."""
    with transaction.atomic():
        person = caller(number)
        if person is not None:
            watches = [w.id for w in answering.open_watches([person.id])]
            apply.apply_batch([Change(ev.Dropped(), watch=id) for id in watches])


def broke_off(call: str, number: str) -> bool:
    """A call to us ended. If somebody stayed on that line they are asked at once; whether anybody
    did."""
    with transaction.atomic():
        line = Arrival.objects.filter(channel="call", provider_id=f"{call}:{STAYS}")
        stayed = line.filter(at__gt=clock.now_ms() - GOES_ON_MS).delete()[0] > 0
        if stayed:
            went_silent(number)
    return stayed


def hung_up_well(call: str) -> None:
    """The line ended as it should: its end is no silence."""
    Arrival.objects.filter(channel="call", provider_id=f"{call}:{STAYS}").delete()


def needs_help(number: str) -> str:
    """9 on any call to us by somebody on watch. Returns the word to say."""
    with transaction.atomic():
        person = caller(number)
        watches = answering.open_watches([person.id]) if person is not None else []
        if not watches:
            return "reply-nobody"
        answers = apply.apply_batch([Change(CallForHelp(), watch=watches[0].id)])
    return answering.answer_to_cry(answers[0].watch)
