"""From effects to rows: messages to send, messages to withdraw, journal lines and counts.

Used by ``apply.py`` alone, inside its transaction. Whom to tell and when is decided in the core;
this file only chooses the addresses: what must wake people goes to every address they have, news to
a quiet one where there is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace

from django.db import connection

from stillhere.core.alarm import Alarm
from stillhere.core.circle import Circle
from stillhere.core.events import (
    CALLS,
    UNTOLD,
    AllWell,
    Ask,
    Effect,
    Event,
    PageCoordinator,
    Paging,
    Tell,
    Urgency,
    Way,
    Withdraw,
    Word,
)
from stillhere.core.profiles import TRIAL
from stillhere.core.watch import Watch
from stillhere.store.db import bulk
from stillhere.store.db.optional_tables import COUNTS, JOURNAL
from stillhere.store.models import Contact
from stillhere.store.watches import alarm_facts, tally

LOUD = CALLS | {Word.AGAIN, Word.AMBULANCE, Word.REOPENED, Word.ARE_YOU_THERE}
ASK_WORDS = {Way.NEXT: "ask", Way.RING: "ask-ring"}
COORDINATOR = "coordinator"  # the channel of a message that pages the coordinator
_PROVED = " AND (proved_at > 0 OR channel IN ('push', 'page'))"  # no ask to anybody's number
PAGE_WORDS = {
    Paging.EXHAUSTED: "page-exhausted",
    Paging.QUARANTINED: "page-quarantine",
    Paging.GRAVE: "page-grave",
}


@dataclass(frozen=True, slots=True)
class StepEffects:
    """The effects of one step, and the number of the alarm they belong to."""

    alarm: int
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that is about to be written: the columns of its row that differ, in their order."""

    key: str
    watch_id: int
    person_id: int
    contact_id: int | None
    address_id: int | None
    channel: str
    word: str
    facts: str
    alarm: int
    urgency: int
    place: int
    due_at: int
    lapses_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True)
class NewJournalLine:
    """A line of a watch's journal that is about to be written, the same way."""

    watch_id: int
    at: int
    event: str
    state: str
    contact: int | None
    facts: str


_MESSAGE = tuple(f.name for f in fields(NewMessage))
_LINE = tuple(f.name for f in fields(NewJournalLine))
# What every new message has in common.
_SAME = "status, attempts, lease_until_at, provider_ref, why"
_SAME_VALUES = "'queued', 0, 0, '', ''"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One event worth a line, with the watch before and after it."""

    event: Event
    before: Watch
    after: Watch
    at: int


def quarantine_alert(watch: Watch, circle: Circle, now: int) -> StepEffects:
    """Our own code failed on this watch: the first rung is asked to look, and so is the
    coordinator."""
    first = circle.rungs[0] if circle.rungs else ()
    tells = [
        Tell(r.contact, Word.ALARM, now, Urgency.ALARM, place) for place, r in enumerate(first)
    ]
    return StepEffects(watch.alarms + 1, (*tells, PageCoordinator(Paging.QUARANTINED)))


@dataclass(slots=True)
class _Job:
    """One step's effects, until the addresses have been read."""

    watch: Watch
    person: int
    version: int
    step: StepEffects


@dataclass(slots=True)
class Outbox:
    """Collects what a batch of steps asked for, then writes it in a handful of statements."""

    now: int
    jobs: list[_Job] = field(default_factory=list)
    lines: list[NewJournalLine] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    again: dict[int, Alarm] = field(default_factory=dict)  # a watch's second alarm, or a later one

    def add(
        self,
        watch: Watch,
        person: int,
        version: int,
        steps: Sequence[StepEffects],
        journal: Sequence[JournalEntry],
    ) -> None:
        """Take one watch's part of the batch. ``version`` is the row's new one: it makes message
        keys stable."""
        self.jobs += [_Job(watch, person, version, each) for each in steps]
        if watch.alarm is not None and watch.alarm.no > 1:
            self.again[watch.id] = watch.alarm
        for entry in journal:
            self.lines.append(_line(entry))
            for what in _counted(entry):
                self.counts[what] = self.counts.get(what, 0) + 1

    def write(self) -> None:
        """Write everything, inside the caller's transaction."""
        for watch, alarm in self.again.items():  # also who came to it without being called
            _take_back_ends(watch, alarm.no, alarm.told, self.now)
        if self.jobs:
            self._write_messages()
        if self.lines:
            lines = [*map(_as_row, self.lines)]
            JOURNAL.around(lambda: bulk.insert("journal", _LINE, lines), None)
        if self.counts:
            COUNTS.around(lambda: tally.add(self.counts, self.now), None)

    def _write_messages(self) -> None:
        _tell_the_well(self.jobs)
        ways, more = _ways_of(self.jobs), alarm_facts.more(self._told())
        fresh: dict[int, list[NewMessage]] = {}
        for no, job in enumerate(self.jobs):
            mine = fresh.setdefault(job.watch.id, [])
            _forget_older_ends(job, mine, self.now)
            reached: set[int] | None = None
            for index, effect in enumerate(job.step.effects):
                if isinstance(effect, Withdraw):
                    untold = job.watch.outcome in UNTOLD
                    mine[:] = [m for m in mine if not _withdrawn(m.word, effect.asks_only, untold)]
                    withdraw(job.watch.id, effect.asks_only, untold, self.now)
                    if not effect.asks_only:
                        reached = _reached(job.watch.id, self.lines)
                elif (
                    isinstance(effect, Tell)
                    and reached is not None
                    and effect.contact not in reached
                ):
                    continue  # never heard of the alarm, so there is nothing to take back
                else:
                    # The instant is in it because ids and versions come again after a restore, and
                    # a provider that knows keys would take a new alarm for one it had before.
                    key = f"w{job.watch.id}.v{job.version}.{self.now:x}.{no}.{index}"
                    mine += _messages(job, key, effect, ways, more, self.now)
        rows = (_as_row(m) for mine in fresh.values() for m in mine)
        bulk.insert("message", _MESSAGE, rows, _SAME, _SAME_VALUES)

    def _told(self) -> dict[Word, list[Watch]]:
        """Whose contacts are told what."""
        told: dict[Word, list[Watch]] = {}
        for job in self.jobs:
            for word in {e.word for e in job.step.effects if isinstance(e, Tell)}:
                told.setdefault(word, []).append(job.watch)
        return told


def _as_row(fresh: NewMessage | NewJournalLine) -> tuple[object, ...]:
    return tuple(getattr(fresh, name) for name in fresh.__slots__)


@dataclass(frozen=True, slots=True)
class _WayTo:
    address: int
    channel: str
    rings: bool


def _tell_the_well(jobs: Iterable[_Job]) -> None:
    """ "All well" is told to everyone who said yes, whoever that is at this moment."""
    for job in jobs:
        for effect in job.step.effects:
            if isinstance(effect, AllWell):
                yes = Contact.objects.filter(person=job.person, status="confirmed").order_by("id")
                tells = tuple(
                    Tell(contact, Word.WELL, effect.at, Urgency.CALM)
                    for contact in yes.values_list("id", flat=True)
                )
                job.step = replace(job.step, effects=(*job.step.effects, *tells))


def _ways_of(jobs: Iterable[_Job]) -> dict[tuple[str, int], list[_WayTo]]:
    """The working addresses of everyone these jobs send to: ("contact", id) or ("person", id)."""
    contacts = {e.contact for job in jobs for e in job.step.effects if isinstance(e, Tell)}
    persons = {job.person for job in jobs if any(isinstance(e, Ask) for e in job.step.effects)}
    found: dict[tuple[str, int], list[_WayTo]] = {}
    with connection.cursor() as cursor:
        for who, ids, which in (("contact", contacts, ""), ("person", persons, _PROVED)):
            if not ids:
                continue
            marks = ", ".join(["%s"] * len(ids))
            cursor.execute(
                f"SELECT {who}_id, id, channel, rings FROM address "
                f"WHERE {who}_id IN ({marks}) AND state = 'ok'{which} ORDER BY id",
                list(ids),
            )
            for owner, address, channel, rings in cursor.fetchall():
                found.setdefault((who, owner), []).append(_WayTo(address, channel, bool(rings)))
    return found


def _messages(
    job: _Job,
    key: str,
    effect: Effect,
    ways: dict[tuple[str, int], list[_WayTo]],
    more: alarm_facts.MoreFacts,
    now: int,
) -> list[NewMessage]:
    """The messages one effect becomes: one per way. None if the page alone shows it."""
    match effect:
        case Ask(no, way, lapses_at, after_outage):
            if way is Way.SHOW:
                return []
            urgency = Urgency.RING if way is Way.RING else Urgency.ASK
            facts: dict[str, object] = {"ask": no, "after_outage": after_outage}
            to = _choose(ways.get(("person", job.person), []), loud=way is Way.RING)
            return [
                _message(job, key, ASK_WORDS[way], facts, urgency, now, way=w, lapses_at=lapses_at)
                for w in to
            ]
        case Tell():
            facts = {
                "at": effect.at,
                "who": effect.who,
                "eta_s": effect.eta_s,
                "round": effect.round,
            }
            facts["outcome"] = effect.outcome.value if effect.outcome is not None else None
            facts |= more.get((job.watch.id, effect.word), {})
            to = _choose(ways.get(("contact", effect.contact), []), loud=effect.word in LOUD)
            about = {"contact": effect.contact, "place": effect.place}
            return [
                _message(job, key, effect.word.value, facts, effect.urgency, now, way=w, **about)
                for w in to
            ]
        case PageCoordinator() if job.watch.profile.key == TRIAL:
            return []  # a try-out wakes nobody but the friend who holds the other phone
        case PageCoordinator(why, round):
            facts = {"round": round}
            if not any(isinstance(each, Tell) for each in job.step.effects):
                facts["untold"] = True
            return [_message(job, key, PAGE_WORDS[why], facts, Urgency.RING, now)]
        case _:
            return []


def _choose(ways: Sequence[_WayTo], *, loud: bool) -> Sequence[_WayTo]:
    """Loud messages go by every way there is. Quiet ones ring only a phone that can do nothing
    else."""
    return ways if loud else [way for way in ways if not way.rings] or ways


def _message(
    job: _Job,
    key: str,
    word: str,
    facts: dict[str, object],
    urgency: Urgency,
    now: int,
    *,
    way: _WayTo | None = None,
    contact: int | None = None,
    place: int = 0,
    lapses_at: int | None = None,
) -> NewMessage:
    return NewMessage(
        key=f"{key}.{way.address}" if way is not None else key,
        watch_id=job.watch.id,
        person_id=job.person,
        contact_id=contact,
        address_id=way.address if way is not None else None,
        channel=way.channel if way is not None else COORDINATOR,
        word=word,
        facts=json.dumps(facts),
        alarm=job.step.alarm,
        urgency=urgency,
        place=place,
        due_at=now,
        lapses_at=lapses_at,
        created_at=now,
    )


def _withdrawn(word: str, asks_only: bool, untold: bool) -> bool:
    if word in ASK_WORDS.values():
        return True
    return not asks_only and (untold or word != Word.STAND_DOWN)


def withdraw(watch: int, asks_only: bool, untold: bool, now: int) -> None:
    """Drop what has not been sent and is no longer true; what is being sent right now is not
    repeated. A stand-down that somebody is still owed stays, except after news that no machine
    tells (``untold``)."""
    which = "word IN ('ask', 'ask-ring')"
    if not asks_only:
        which = "1 = 1" if untold else "word <> 'stand-down'"
    _take_back(watch, which, [], now)


def _forget_older_ends(job: _Job, fresh: list[NewMessage], now: int) -> None:
    """Someone called to a new alarm is no longer told that an older one is over: it would sound
    like the end of this one, and they will hear when that comes. ``fresh`` is not written yet."""
    alarm = job.step.alarm
    called = [e.contact for e in job.step.effects if isinstance(e, Tell) and e.word in CALLS]
    if alarm <= 1 or not called:
        return
    older = [m for m in fresh if m.word == Word.STAND_DOWN and m.alarm < alarm]
    fresh[:] = [m for m in fresh if m not in older or m.contact_id not in called]
    _take_back_ends(job.watch.id, alarm, called, now)


def _take_back_ends(watch: int, before: int, contacts: Sequence[int], now: int) -> None:
    marks = ", ".join(["%s"] * len(contacts))
    which = f"word = 'stand-down' AND alarm < %s AND contact_id IN ({marks})"
    if contacts:
        _take_back(watch, which, [before, *contacts], now)


def _take_back(watch: int, which: str, params: Sequence[int], now: int) -> None:
    """Drop what has not been sent; what is being sent may arrive, but is not repeated."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE message SET status = 'dropped', done_at = %s, why = 'withdrawn' "
            f"WHERE watch_id = %s AND status = 'queued' AND lease_until_at <= %s AND {which}",
            [now, watch, now, *params],
        )
        cursor.execute(
            "UPDATE message SET lapses_at = %s "
            f"WHERE watch_id = %s AND status = 'queued' AND {which}",
            [now, watch, *params],
        )


def _reached(watch: int, lines: Iterable[NewJournalLine]) -> set[int]:
    """Contacts who know about this watch's alarms: a message may have got through to them, or they
    said something themselves. ``lines`` are not written yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id FROM message "
            "WHERE watch_id = %s AND contact_id IS NOT NULL AND attempts > 0 AND word <> 'well'",
            [watch],
        )
        reached = {contact for (contact,) in cursor.fetchall()}
    reached |= JOURNAL.around(lambda: _spoke(watch), set[int]())
    return reached | {x.contact for x in lines if x.watch_id == watch and x.contact is not None}


def _spoke(watch: int) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact FROM journal WHERE watch_id = %s AND contact IS NOT NULL", [watch]
        )
        return {contact for (contact,) in cursor.fetchall()}


def _line(entry: JournalEntry) -> NewJournalLine:
    facts = {
        f.name: getattr(entry.event, f.name)
        for f in fields(entry.event)
        if f.name not in ("contact", "circle")
    }
    return NewJournalLine(
        watch_id=entry.after.id,
        at=entry.at,
        event=type(entry.event).__name__,
        state=entry.after.state.value,
        contact=getattr(entry.event, "contact", None),
        facts=json.dumps(facts),
    )


def _counted(entry: JournalEntry) -> list[str]:
    """What stays when everything else is erased."""
    kind = "routine" if entry.after.routine is not None else "acute"
    if entry.after.profile.key == TRIAL:
        return ["try.started"] if type(entry.event).__name__ == "Started" else []
    counted = []
    if type(entry.event).__name__ == "Started":
        counted.append(f"{kind}.started")
    if entry.before.alarm is None and entry.after.alarm is not None:
        counted.append(f"{kind}.alarm.{entry.after.alarm.cause}")
    if entry.before.alarm is not None and entry.after.alarm is None and entry.after.outcome is None:
        counted.append(f"{kind}.{getattr(entry.event, 'outcome', 'stood-down')}")
    if entry.before.outcome is None and entry.after.outcome is not None:
        counted.append(f"{kind}.{entry.after.outcome}")
    return counted
