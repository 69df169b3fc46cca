"""Who spoke, and the answer to them: a word, in their language, to their phone.

Owns ``ParsedInbound`` and the ``Reply``. What a message does to a watch is decided in
``handle.py``. Always runs inside the transaction of ``inbox.take``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from stillhere.core import events as ev
from stillhere.core.alarm import Alarm
from stillhere.core.messages import Facts, Inbound
from stillhere.core.replies import language_of
from stillhere.core.watch_state import Watch
from stillhere.store.db import budgets
from stillhere.store.installation import peers
from stillhere.store.messages import pages
from stillhere.store.models import Address, Contact, Message, Person, WatchRow, sealed_columns
from stillhere.store.people.numbers import names as plain_names
from stillhere.store.people.numbers import strangers
from stillhere.store.watches import apply, damage, queries, rows
from stillhere.store.watches.apply import Change, ChangeResult
from stillhere.store.watches.contact_alarm import may_know_of
from stillhere.store.watches.queries import ALARMED


@dataclass(frozen=True, slots=True)
class ParsedInbound:
    """What came in, and who says it: the owner of ``address``, who answers ``message`` with it.
    ``arrival`` is its stored row; ``known`` everyone who has this number; ``new``: it was nobody's
    own before this."""

    inbound: Inbound
    arrival: int
    address: Address
    message: Message | None
    known: Sequence[Address]
    new: bool = False

    @property
    def person(self) -> Person:
        """Whose watch it is about: their own, or the one of whom they are a contact."""
        return person_of(self.address)

    def others(self, *, proved: bool = False) -> list[int]:
        """Whoever else has this number as their own, by id; ``proved``: and has shown it."""
        own = {a.person_id for a in self.known if a.person_id and (a.proved_at or not proved)}
        return sorted(own - {self.address.person_id})

    @property
    def contact(self) -> Contact | None:
        """None: the person themself says it."""
        return self.address.contact


def person_of(address: Address) -> Person:
    """Whose it is, or whose contact it reaches."""
    if address.person is not None:
        return address.person
    assert address.contact is not None
    return address.contact.person


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say back on the phone: a word of ``channels/wording`` and what it speaks of.
    ``more``: the call goes on, because an answer is still wanted. ``message``: of ours, which was
    answered. ``spoken``: what the person said in their own voice, by kind, each with its key."""

    word: str
    lang: str
    facts: Facts
    more: bool = False
    message: int | None = None
    spoken: tuple[tuple[str, str], ...] = ()


def open_watches(persons: Sequence[int]) -> list[WatchRow]:
    """The open ones of these people, each one's acute one first."""
    mine = WatchRow.objects.filter(person_id__in=persons, closed_at__isnull=True)
    wanted = "id", "state", "routine", "alarms", "person_id", "started_at", "quarantined_at"

    def all_at_once() -> list[WatchRow]:
        return sorted(mine.only(*wanted), key=lambda row: (row.routine, row.id))

    def beside() -> list[WatchRow]:
        ids = [id for person in persons for id in queries.named("person_id = %s", person)]
        theirs = [row for row in queries.readable_rows(ids) if row.closed_at is None]
        return sorted(theirs, key=lambda row: (row.routine, row.id))

    return damage.around(all_at_once, beside)


def alarms_of(watches: Sequence[int]) -> list[Alarm]:
    """The open alarms of these watches, as far as they can be read."""
    texts = WatchRow.objects.filter(id__in=list(watches)).values_list("alarm", flat=True)
    return [alarm for alarm in map(rows.alarm_or_none, filter(None, texts)) if alarm is not None]


def is_stranger(address: Address) -> bool:
    """Whether nothing may be said to the one at ``address`` of how the person is."""
    contact = address.contact
    said_yes = contact is None or contact.status == Contact.Status.CONFIRMED
    return not said_yes or strangers.is_one(address.channel, address.proved_at)


def speak_their_language(address: Address, text: str) -> None:
    """Whoever clearly writes one of our languages is answered in it from now on."""
    lang = language_of(text, settings.UNDERSTOOD)
    whose = address.contact or person_of(address)
    if lang and whose.lang != lang:
        whose.lang = lang
        whose.save(update_fields=["lang"])


NO_FACTS: Mapping[str, Any] = {}
_GOES_ON = frozenset({"reply-unclear", "reply-steps", "call-never-sure"})
ANSWERS_AN_HOUR = 20
ALL_AN_HOUR = 60  # also those of a watch: a forged sender makes us text whoever has the number
HOUR_MS = 3_600_000
# Each costs money, and none of them speaks of a watch, of help or of an alarm.
_BOUNDED = frozenset({
    "reply-list", "reply-list-empty", "reply-list-full", "reply-pin", "reply-over", "reply-who",
    "reply-who-person", "reply-add-how", "reply-add-not", "reply-add-own", "reply-add-pin",
    "reply-add-stopped", "reply-asked-enough", "reply-on-it-already", "reply-note-how",
    "reply-no-routine",
})  # fmt: skip
UNCLEAR = ("reply-unclear", "reply-unclear-go")
UNCLEAR_MOST, APART_MS = 10, 120_000  # two machines must not talk to each other all night


def reply(address: Address, message: Message | None, word: str) -> Reply:
    """A word to the owner of ``address``, who answers ``message``, with all it speaks of."""
    again = message is not None and word == message.word
    facts: dict[str, Any] = json.loads(message.facts) if again and message is not None else {}
    who = Contact.objects.filter(id=facts["who"]).first() if facts.get("who") else None
    contact, person = address.contact, person_of(address)
    said_yes = contact is None or contact.status == Contact.Status.CONFIRMED
    spoken_of = Facts.of(
        facts,
        person=sealed_columns.person_note(person, "name"),
        contact=sealed_columns.contact_name(contact) if contact is not None else "",
        who=sealed_columns.contact_name(who) if who is not None else "",
        tz=person.tz,
        confirmed=said_yes,
        wish=person.wish,
        program=settings.STILLHERE.program,
    )
    return Reply(
        word=word,
        lang=contact.lang if contact is not None else person.lang,
        facts=plain_names.to_stranger(spoken_of) if is_stranger(address) else spoken_of,
        more=again or word in _GOES_ON,
        message=message.id if message is not None else None,
    )


def page(m: Message) -> Reply:
    """What a page to the coordinator speaks of, as it is said aloud."""
    facts = json.loads(m.facts)
    person = m.person
    reader = pages.read_by(m.facts)
    return Reply(
        word=m.word,
        lang=(reader.lang if reader is not None else "") or settings.LANGUAGE_CODE,
        facts=Facts.of(
            facts,
            person=sealed_columns.person_note(person, "name") if person is not None else "",
            who=next(iter(peers.names([facts["peer"]]).values()), "") if "peer" in facts else "",
            tz=reader.tz if reader is not None else person.tz if person is not None else "UTC",
            program=settings.STILLHERE.program,
        ),
        more=bool(facts.get("page")),
    )


def queue(
    parsed: ParsedInbound, word: str, facts: Mapping[str, Any], now: int, due_at: int | None = None
) -> None:
    """Answer in words by the way they came, a missed call by text, now or when it is due, as long
    as they have not had enough of it."""
    contact, person = parsed.contact, parsed.person
    by = "text" if parsed.inbound.kind == "missed-call" else parsed.inbound.channel
    back = next(
        (
            address
            for address in parsed.known
            if address.channel == by
            and address.state == Address.State.OK
            and address.person_id == parsed.address.person_id
            and address.contact_id == parsed.address.contact_id
        ),
        None,
    )
    if back is None:
        return
    watches = sorted(open_watches([person.id]), key=lambda watch: watch.state not in ALARMED)
    if contact is not None:  # of a watch without an alarm they may learn nothing
        alarmed_now = [watch for watch in watches if watch.state in ALARMED]
        watches = [watch for watch in alarmed_now if may_know_of(contact, watch)]
    watch = next(iter(watches), None)
    key = f"r{parsed.arrival}" if due_at is None else f"r{parsed.arrival}.later"
    alarmed = watch is not None and watch.state in ALARMED
    if contact is not None and watch is not None and _asked_back_enough(parsed, word, watch, now):
        return
    if _has_enough(back, word, now, alarmed=alarmed):
        return
    tell(back, word, key, now, watch=watch, facts=facts, due_at=due_at)


def tell(
    back: Address,
    word: str,
    key: str,
    now: int,
    *,
    watch: WatchRow | None,
    facts: Mapping[str, Any] = NO_FACTS,
    due_at: int | None = None,
) -> None:
    """Queue a word to the owner of this address, once by its ``key``."""
    message = Message(
        key=key,
        watch=watch,
        person=person_of(back),
        contact=back.contact,
        address=back,
        channel=back.channel,
        word=word,
        facts=json.dumps(dict(facts)),
        alarm=watch.alarms if watch is not None else 0,
        urgency=ev.Urgency.NEWS,
        due_at=now if due_at is None else due_at,
        created_at=now,
    )
    Message.objects.bulk_create([message], ignore_conflicts=True)


def own_text(person: Person) -> Address | None:
    """Where the person reads our texts, at a number that they have shown to be theirs."""
    ways = Address.objects.filter(person=person, channel="text", state=Address.State.OK)
    return ways.filter(proved_at__gt=0).order_by("id").first()


def _asked_back_enough(parsed: ParsedInbound, word: str, watch: WatchRow, now: int) -> bool:
    """Whether "we could not read that" was said often enough in this alarm, or to this very text a
    moment ago: a machine repeats itself."""
    if word not in UNCLEAR:
        return False
    theirs = Message.objects.filter(word__in=UNCLEAR, contact=parsed.contact)
    if theirs.filter(watch=watch, alarm=watch.alarms).count() >= UNCLEAR_MOST:
        return True
    said = ascii(parsed.inbound.text.strip().lower())  # a text may hold anything
    scope = "unclear", bytes(parsed.address.lookup).hex(), said, now // APART_MS
    return not budgets.spend(now, 1, *scope)


def _has_enough(back: Address, word: str, now: int, *, alarmed: bool) -> bool:
    """Whether this number was answered often enough in this hour. What was said is done all the
    same, and in an alarm something still comes back every two minutes."""
    if word in _BOUNDED and not alarmed and had_enough(back, now):
        return True
    number = bytes(back.lookup).hex()
    if budgets.spend(now, ALL_AN_HOUR, "all answers", number, now // HOUR_MS):
        return False
    return not (alarmed and budgets.spend(now, 1, "late answers", number, now // APART_MS))


def had_enough(back: Address, now: int) -> bool:
    """Whether this number has had its answers of this hour; else one more is used."""
    hour = now // HOUR_MS
    return not budgets.spend(now, ANSWERS_AN_HOUR, "answers", bytes(back.lookup).hex(), hour)


def apply_all(changes: Sequence[Change]) -> list[ChangeResult]:
    """What became of these changes; of none, nothing."""
    return apply.apply_batch(changes) if changes else []


def unless_refused(answers: Sequence[ChangeResult], word: str, refused: str) -> str:
    """``word`` if anything was done; the truth if not."""
    if any(answer.refused is None and not answer.quarantined for answer in answers):
        return word
    if any(answer.quarantined for answer in answers):
        return "reply-fault"
    return refused


def answer_to_cry(watch: Watch | None) -> str:
    """What whoever cries for help is told of those who may come."""
    if watch is None or watch.alarm is None or not watch.alarm.told:
        return "reply-nobody"
    return "reply-coming" if watch.state is ev.State.CLAIMED else "reply-helping"
