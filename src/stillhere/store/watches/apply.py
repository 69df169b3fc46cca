"""The only writer of watches, their journal and their messages.

``apply_batch`` takes whatever is waiting, in the order it arrived, and in one transaction reads the
rows (locked in id order), folds each watch's events through ``core.watch.step``, swaps the rows if
their version still matches, and writes journal and outbox. When it returns, all of it is durable;
only then may somebody be told "Got it".

A watch that our own code cannot step is quarantined: its first contacts and the coordinator are
alerted, and the others in the batch are not affected. No network here, no clock except the one it
reads first, no model instances.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from stillhere.core import events as ev
from stillhere.core.circle import Circle
from stillhere.core.events import Event, Outcome, State
from stillhere.core.refusals import Refusal
from stillhere.core.schedule import Routine
from stillhere.core.watch import Step, Watch, check, step, wake_at, worth_a_line
from stillhere.core.watch import start as begin
from stillhere.store import changes
from stillhere.store.db import bulk, clock, encryption
from stillhere.store.db.clock import ClockRow
from stillhere.store.db.optional_tables import without_damaged
from stillhere.store.db.row_locks import Held, exist
from stillhere.store.models import Person, WatchRow
from stillhere.store.watches import batch, queries, rows
from stillhere.store.watches.batch import QUIET, Bench
from stillhere.store.watches.circle import circles_of
from stillhere.store.watches.outbox import JournalEntry, Outbox, StepEffects, quarantine_alert
from stillhere.store.watches.rows import MUTABLE

log = logging.getLogger("stillhere.apply")


@dataclass(frozen=True, slots=True)
class CheckIn:
    """A check-in from a page or button: how old it is, not when it was made, since only we know
    what time it is. A page has two clocks: one can be set, the other stops during sleep. ``age_ms``
    is by the one that shows more, ``least_ms`` by the other."""

    age_ms: int = 0
    seq: int | None = None
    least_ms: int = 0


@dataclass(frozen=True, slots=True)
class CallForHelp:
    """The person wants somebody now; the plan is read when it is applied. ``wants_to_die``: they
    say so."""

    wants_to_die: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    """``wake_at`` has passed; the plan is read if an alarm may start."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Nothing happened, except what a watch is told before anything else: that a clock was set."""


Asked = Event | CheckIn | CallForHelp | Tick | Follow
Gaps = tuple[tuple[int, int], ...]  # (from, to) in which we were away, newest first


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one watch, named by id or by the hash of its key."""

    what: Asked
    watch: int | None = None
    key_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What became of a ``Change``, after the commit. ``watch`` None: there is no such watch.
    ``refused`` says why nothing changed; ``quarantined`` that the watch needs a person; ``before``
    is the watch as it was found, where it was stepped."""

    now: int
    watch: Watch | None = None
    refused: Refusal | None = None
    quarantined: bool = False
    before: Watch | None = None


def apply_batch(changes: Sequence[Change]) -> list[ChangeResult]:
    """Apply ``changes`` in one transaction and answer each, in order, after the commit. Raises what
    the database raises if nothing could be stored (nothing was acknowledged then)."""
    return without_damaged(lambda: _apply_batch(changes))


def _apply_batch(changes: Sequence[Change]) -> list[ChangeResult]:
    with transaction.atomic():
        here = clock.read()
        return _apply(changes, _load(changes), here)


def apply_free(changes: Sequence[Change]) -> list[ChangeResult | Held]:
    """The same for the rows that nobody else has locked right now; a change to a locked one is
    answered with that."""
    return without_damaged(lambda: _apply_free(changes))


def _apply_free(changes: Sequence[Change]) -> list[ChangeResult | Held]:
    with transaction.atomic():
        here = clock.read()
        benches = _load(changes, batch.SKIP)
        held = _held(changes, benches)
        free = [change for change in changes if _name(change) not in held] if held else changes
        answers = iter(_apply(free, benches, here))
    return [Held() if _name(change) in held else next(answers) for change in changes]


def follow(watches: Sequence[int]) -> list[ChangeResult | Held]:
    """Tell these watches that the time was set back, if they have not been told; returns an answer
    for each. SQLite has one lock for everything: there they are read and stepped before it is
    taken, and if one of them changed meanwhile, all of them are done again inside it."""
    changes = [Change(Follow(), watch=id) for id in watches]
    if connection.vendor == "sqlite":
        with suppress(SwapMissed):
            return without_damaged(lambda: _follow_ahead(changes))
    return apply_free(changes)


def _follow_ahead(changes: Sequence[Change]) -> list[ChangeResult | Held]:
    here = clock.read()
    now = clock.now_of(here)
    benches = _load(changes)
    _set_back(benches.values(), here.back_ms, now)
    answers: list[ChangeResult | Held] = [
        _fold(change, benches.get(change.watch), {}, now) for change in changes
    ]
    with transaction.atomic():
        if clock.read().back_ms != here.back_ms:
            raise SwapMissed("the time was set back again")
        _store({bench.watch.id: bench for bench in benches.values()}.values(), now)
    return answers


def _apply(changes: Sequence[Change], benches: batch.Benches, here: ClockRow) -> list[ChangeResult]:
    """Fold and store, in the caller's transaction."""
    now = clock.now_of(here)
    _set_back(benches.values(), here.back_ms, now)
    pairs = [(change, benches.get(_name(change))) for change in changes]
    circles = circles_of(
        {b.person for c, b in pairs if b is not None and _may_alarm(c.what, b.watch, now)}, now
    )
    gaps = _say_we_were_away(pairs, now)
    answers = [_fold(change, bench, circles, now, gaps) for change, bench in pairs]
    _store({bench.watch.id: bench for bench in benches.values()}.values(), now)
    return answers


def _set_back(benches: Iterable[Bench], back_ms: int, now: int) -> None:
    """A watch that was calculated before the installation's time was set back is told that before
    any other event. Nearly all of them were calculated by the same clock: one event tells them."""
    told: dict[int, Change] = {}
    for bench in benches:
        by_ms, bench.back_ms = back_ms - bench.back_ms, back_ms
        if by_ms and bench.readable:
            change = told.get(by_ms)
            if change is None:
                change = told[by_ms] = Change(ev.ClockSetBack(by_ms))
            _fold(change, bench, {}, now)
            bench.set_back = True


def _say_we_were_away(pairs: Sequence[tuple[Change, Bench | None]], now: int) -> Gaps:
    """A watch that fell due while we were down is told that before any other event: a no, or a
    receipt, may move its timer out of the outage before the engine has looked. Then it is told what
    happened, even if that is only the time: otherwise a watch that lost nothing to the outage would
    be told about it forever, and nobody would be called. A check-in needs none of this. Returns the
    outage since the first of their asks."""
    mute = (CheckIn, ev.StillHere, ev.ServiceWasDown)
    due = [
        bench
        for change, bench in pairs
        if bench is not None and bench.readable and not isinstance(change.what, mute)
        if bench.before[0] is not None and bench.before[0] <= now
    ]
    if not due:
        return ()
    gaps = queries.outages_since(
        min(min(bench.before[0], bench.watch.base_at or now) for bench in due)
    )
    for bench in due:
        away = queries.away(gaps, bench.before[0])
        if away is not None and bench.before[0] == wake_at(bench.watch):
            _fold(Change(ev.ServiceWasDown(*away), watch=bench.watch.id), bench, {}, now)
    return tuple(gaps)


def apply(change: Change) -> ChangeResult:
    """Apply one change on its own."""
    return apply_batch([change])[0]


def _name(change: Change) -> int | bytes | None:
    return change.watch if change.watch is not None else change.key_hash


def _may_alarm(what: Asked, watch: Watch, now: int) -> bool:
    """Whether this could raise an alarm, which needs the current plan."""
    if isinstance(what, Tick):
        return watch.grace_at is not None and watch.grace_at <= now
    return isinstance(what, CallForHelp)


def _named(changes: Sequence[Change]) -> tuple[list[int], list[bytes]]:
    ids = {c.watch for c in changes if c.watch is not None}
    return list(ids), list(
        {c.key_hash for c in changes if c.watch is None and c.key_hash is not None}
    )


def _held(changes: Sequence[Change], benches: batch.Benches) -> set[int | bytes | None]:
    """The names of rows that were asked for, exist, and were not returned: somebody else has locked
    them."""
    ids, hashes = _named(changes)
    ids, hashes = [id for id in ids if id not in benches], [h for h in hashes if h not in benches]
    if connection.vendor != "postgresql" or not (ids or hashes):
        return set()
    return {*exist(ids, hashes)}


def _load(changes: Sequence[Change], lock: str = batch.WAIT) -> batch.Benches:
    return batch.load(*_named(changes), lock)


def _fold(
    change: Change,
    bench: Bench | None,
    circles: Mapping[int, Circle],
    now: int,
    gaps: Gaps = (),
) -> ChangeResult:
    """Step one watch with one event; one that raises is quarantined, and the rest of the batch goes
    on."""
    if bench is None:
        return ChangeResult(now)
    if isinstance(change.what, Follow) and bench.readable:
        return ChangeResult(now, bench.watch, None, bench.quarantined)
    try:
        assert bench.readable, "a row we cannot read"
        event = _event(change.what, bench, circles, now, gaps)
        done = step(bench.watch, event, now)
    except Exception:
        log.exception("quarantine watch=%d event=%s", bench.watch.id, type(change.what).__name__)
        if not bench.quarantined:
            circle = _circle_of(bench, now)
            bench.effects.append(quarantine_alert(bench.watch, circle, now))
        bench.quarantined = True
        return ChangeResult(now, bench.watch, quarantined=True)
    before = bench.watch
    _record(bench, event, done, now)
    return ChangeResult(now, done.watch, done.refused, bench.quarantined, before)


def _circle_of(bench: Bench, now: int) -> Circle:
    """Whom a fault in this watch concerns: whoever its alarm calls, which may not be everybody."""
    if bench.watch.alarm is not None:
        return bench.watch.alarm.circle
    return circles_of({bench.person}, now).get(bench.person, Circle())


def _event(what: Asked, bench: Bench, circles: Mapping[int, Circle], now: int, gaps: Gaps) -> Event:
    """Add the instant and the plan that make what came in an event."""
    match what:
        case CheckIn(age_ms, seq, least_ms):
            # Older than the watch cannot be: that clock was set. The press itself is real.
            for made_at in (now - max(age_ms, 0), now - max(least_ms, 0)):
                if made_at >= bench.watch.started_at:
                    return ev.StillHere(made_at, seq)
            return ev.StillHere(now, seq)
        case CallForHelp(wants_to_die):
            circle = circles.get(bench.person, Circle())
            return ev.NeedHelp(circle, wants_to_die=wants_to_die)
        case Tick():
            return ev.TimePassed(circles.get(bench.person, Circle()), gaps)
        case Follow():
            raise AssertionError("nothing happened")
        case _:
            return what


def _record(bench: Bench, event: Event, done: Step, now: int) -> None:
    before, bench.watch = bench.watch, done.watch
    if done.effects and any(not isinstance(effect, ev.Refused) for effect in done.effects):
        bench.effects.append(StepEffects(done.watch.alarms, done.effects))
    if worth_a_line(before, event, done.watch) and done.refused is None:
        bench.journal.append(JournalEntry(event, before, done.watch, now))


def _store(benches: Iterable[Bench], now: int) -> None:
    """Swap rows, then write journal and outbox: all in the caller's transaction."""
    changed = []
    outbox = Outbox(now)
    for bench in benches:
        bench.after = rows.freeze(bench.watch) if bench.readable else bench.before
        if bench.after != bench.before or bench.effects or bench.quarantined or bench.set_back:
            changed.append(bench)
        if bench.effects or bench.journal:
            outbox.add(bench.watch, bench.person, bench.version + 1, bench.effects, bench.journal)
    if changed and _swap(changed, now):
        changes.note({bench.person for bench in changed if bench.shows}, now)
    outbox.write()


_TYPES = {
    "routine": "text",
    "rechecks": "text",
    "alarm": "text",
    "ended_by": "text",
    "outcome": "text",
    "state": "text",
} | dict.fromkeys(("shown", "held"), "boolean")


def _swap(changed: Sequence[Bench], now: int) -> bool:
    """Whether a page may show something of it: a group of plain check-ins it does not.

    One statement for all rows, each only if its version still matches, and only for the columns
    that changed in any of them: an index on an unchanged one is not touched. A row that does not
    match can only mean a writer that bypassed us: everything is rolled back and the caller tries
    again."""
    before = zip(*(bench.before for bench in changed), strict=True)
    after = [*zip(*(bench.after for bench in changed), strict=True)]
    moved = [at for at, (b, a) in enumerate(zip(before, after, strict=True)) if b != a]
    names = ["id", "version", "quarantined_at", *(MUTABLE[at] for at in moved)]
    later = ["clock_back_ms"] if any(bench.set_back for bench in changed) else []
    names += later
    sets = "".join(f", {name} = v.column{no}" for no, name in enumerate(names, 1) if no > 3)
    aside = any(bench.quarantined for bench in changed)
    if aside:
        sets += ", quarantined_at = COALESCE(watch.quarantined_at, v.column3)"
    columns = (
        [bench.watch.id for bench in changed],
        [bench.version for bench in changed],
        [now if bench.quarantined else None for bench in changed],
        *(after[at] for at in moved),
        *([bench.back_ms for bench in changed] for _ in later),
    )
    lines = [*zip(*columns, strict=True)]
    those, params = bulk.values([_TYPES.get(name, "bigint") for name in names], lines)
    # No RETURNING: SQLite's driver would give up its hold on the interpreter for every row, and
    # every page that waits for it would push in between.
    sql = (
        f"UPDATE watch SET version = watch.version + 1{sets} FROM {those} AS v "
        "WHERE watch.id = v.column1 AND watch.version = v.column2"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        swapped = cursor.rowcount
    if swapped != len(changed):
        raise SwapMissed(f"{len(changed) - swapped} of {len(changed)} rows changed under us")
    return bool(later) or aside or not QUIET.issuperset(MUTABLE[at] for at in moved)


class SwapMissed(RuntimeError):
    """A row's version changed between our read and our write. Nothing was stored; try again."""


def start(
    person: int, profile: str, own: str = "", routine: Routine | None = None, partner: str = ""
) -> int:
    """Begin a watch for ``person`` and return its id.

    A form sent twice begins it once: the acute watch that is still open, or the same routine, is
    returned. ``partner`` is the other person of "two of us". Raises KeyError for an unknown
    profile, ProfileError for invalid numbers of their own.
    """
    rows.profile_of(profile, own)
    return without_damaged(lambda: _start(person, profile, own, routine, partner))


def _start(person: int, profile: str, own: str, routine: Routine | None, partner: str) -> int:
    with transaction.atomic():
        here = clock.read()
        now = clock.now_of(here)
        Person.objects.select_for_update().get(id=person)
        again = queries.open_already(person, profile, routine)
        if again is not None:
            return again
        watch = begin(0, rows.profile_of(profile, own), now, routine)
        check(watch, now)
        nonce = encryption.new_nonce()
        row = WatchRow.objects.create(
            person_id=person,
            nonce=nonce,
            key_hash=encryption.key_hash(encryption.key_for("watch", nonce)),
            profile=profile,
            own=own,
            partner=encryption.seal(partner, "watch.partner", nonce),
            clock_back_ms=here.back_ms,
            **dict(zip(MUTABLE, rows.freeze(watch), strict=True)),
        )
        started = replace(watch, id=row.id)
        outbox = Outbox(now)
        outbox.add(started, person, 0, [], [JournalEntry(ev.Started(), started, started, now)])
        outbox.write()
        changes.note([person], now)
    return row.id


def looked(watch: int) -> None:
    """A person has looked at a grave or quarantined watch: its details may now be erased on
    schedule, and a quarantined one ends."""
    with transaction.atomic():
        now = clock.now_ms()
        row = WatchRow.objects.select_for_update().get(id=watch)
        columns: dict[str, Any] = {"looked_at": now, "version": row.version + 1}
        if row.quarantined_at is not None and row.closed_at is None:
            columns |= dict.fromkeys(("wake_at", "next_ask_at", "grace_at", "base_at"))
            columns |= {"state": State.CLOSED, "outcome": Outcome.FALSE_ALARM}
            columns |= {"closed_at": now, "alarm": ""}
        WatchRow.objects.filter(id=watch).update(**columns)
        changes.note([row.person_id], now)


def replace_sealed(watch: int, **columns: bytes) -> None:
    """The same under another key: the name of who else is there, or the hash of its own. The watch
    stays as it is. The caller has locked its row, or is alone."""
    assert columns.keys() <= {"partner", "key_hash"}
    WatchRow.objects.filter(id=watch).update(**columns)


def replace_key(row: WatchRow, nonce: bytes) -> None:
    """Another key for a watch: links to it that were sent open nothing. Its version says to pages
    that they must show something else. The caller has locked the row."""
    WatchRow.objects.filter(id=row.id).update(
        version=row.version + 1,
        nonce=nonce,
        key_hash=encryption.key_hash(encryption.key_for("watch", nonce)),
        partner=encryption.seal(queries.partner(row), "watch.partner", nonce),
    )
    changes.note([row.person_id], clock.now_ms())
