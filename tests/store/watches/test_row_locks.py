"""A row that somebody else holds keeps nobody waiting but the one whose row it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, OperationalError, connection

from stillhere.core import events as ev
from stillhere.core.events import Outcome, State
from stillhere.core.messages import Fate, Receipt
from stillhere.engine import loop, tick
from stillhere.engine.silence import Silence
from stillhere.engine.tick import Waker, tick_once
from stillhere.store.db import clock as time
from stillhere.store.db import halving
from stillhere.store.db.row_locks import Held
from stillhere.store.messages import delivery, receipts
from stillhere.store.models import Message, Tally, WatchRow
from stillhere.store.watches import apply
from stillhere.store.watches.apply import CallForHelp, Change, ChangeResult, CheckIn, apply_free
from stillhere.store.watches.group_commit import GroupCommit, NotStored
from tests.circle import SamsNight, sams_night, tick_all
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


@contextmanager
def held(table: str, *ids: int) -> Iterator[None]:
    """Another client of the server holds these rows."""
    db = connection.settings_dict
    host, port, name, user = (str(db[key]) for key in ("HOST", "PORT", "NAME", "USER"))
    with psycopg.connect(host=host, port=port, dbname=name, user=user) as other:
        lock = f"SELECT id FROM {table} WHERE id = ANY(%s) FOR UPDATE"
        assert len(other.execute(lock.encode(), [list(ids)]).fetchall()) == len(ids)
        yield
        other.rollback()


def nights(count: int) -> list[SamsNight]:
    made = [sams_night(("Leo",), first=100 + 2 * no) for no in range(count)]
    for night in made:
        night.start(own='{"first_ask_s": 60}')
    return made


def fall_due(clock: Clock) -> None:
    """Everybody's first ask."""
    last_at = max(at for at in WatchRow.objects.values_list("wake_at", flat=True) if at)
    clock.advance((last_at + 1 - clock.now) / 1000)


def asked(those: list[SamsNight]) -> int:
    return sum(night.row().state == State.ASKING for night in those)


# --- the tick -------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_the_others_are_asked_while_somebody_holds_one_row(clock: Clock) -> None:
    bad, *others = made = nights(5)
    fall_due(clock)
    with held("watch", bad.watch):
        assert tick_once(clock.now) == 4
        assert asked(others) == 4
        assert tick_once(clock.now) == 0
    assert tick_once(clock.now) == 1
    assert asked(made) == 5


@pytest.mark.postgres
def test_nobody_is_alarmed_later_for_the_sake_of_a_number(clock: Clock) -> None:
    """The day's count of alarms is one row, and every alarm adds to it."""
    first, second = nights(2)
    first.does(CallForHelp())
    row = Tally.objects.get(what="acute.alarm.help")
    with held("tally", row.id):
        second.does(CallForHelp())
    assert second.row().state == State.ALARM
    assert Tally.objects.get(id=row.id).count == 1
    second.does(ev.Resolved(None, Outcome.FINE))
    first.does(ev.Resolved(None, Outcome.FINE))
    assert Tally.objects.get(what="acute.fine").count == 2


@pytest.mark.postgres
def test_held_rows_that_fill_a_round_hide_nobody_behind_them(clock: Clock) -> None:
    *bad, last = nights(5)
    fall_due(clock)
    WatchRow.objects.filter(id=last.watch).update(wake_at=clock.now)
    with held("watch", *(night.watch for night in bad)):
        assert tick_once(clock.now, most=2) == 1
    assert last.row().state == State.ASKING


def brittle(bad: set[int], failure: Exception, sizes: list[int]) -> object:
    """The real thing, which fails for a group with one of these in it."""

    def apply(changes: Sequence[Change]) -> list[ChangeResult | Held]:
        sizes.append(len(changes))
        if any(change.watch in bad for change in changes):
            raise failure
        return apply_free(changes)

    return apply


def test_whoever_spoils_a_group_is_found_by_halving_and_then_tried_apart(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *others = nights(16)
    sizes: list[int] = []
    monkeypatch.setattr(tick, "apply_free", brittle({bad.watch}, DatabaseError("malformed"), sizes))
    waker = Waker()
    fall_due(clock)
    assert waker.wake(clock.now) == 15
    assert asked(others) == 15
    assert sizes == [16, 8, 4, 2, 1, 1, 2, 4, 8]
    sizes.clear()
    WatchRow.objects.filter(id=others[0].watch).update(wake_at=clock.now)
    assert waker.wake(clock.now) == 1
    assert sizes == [1], "not again together with the one that spoiled the group"
    clock.advance(2)
    monkeypatch.setattr(tick, "apply_free", apply_free)
    assert waker.wake(clock.now) >= 1
    assert bad.row().state == State.ASKING


def test_a_hundred_bad_rows_take_no_more_than_one_rounds_time(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = nights(40)
    sizes: list[int] = []
    slow = brittle({night.watch for night in made}, DatabaseError("malformed"), sizes)

    def second(changes: Sequence[Change]) -> list[ChangeResult | Held]:
        clock.boot += 1_000
        return slow(changes)  # type: ignore[operator,no-any-return]

    monkeypatch.setattr(tick, "apply_free", second)
    fall_due(clock)
    began = clock.boot
    Waker().wake(clock.now)
    assert clock.boot - began <= halving.MOST_MS + tick.ROUND_MS
    assert len(sizes) <= 6


def test_a_database_that_is_gone_is_said_and_nobody_is_set_apart(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = nights(3)
    fall_due(clock)
    waker = Waker()
    gone = brittle({night.watch for night in made}, OperationalError("closed"), [])
    monkeypatch.setattr(tick, "apply_free", gone)
    with pytest.raises(OperationalError):
        waker.wake(clock.now)
    monkeypatch.setattr(tick, "apply_free", apply_free)
    assert waker.wake(clock.now) == 3


def test_a_beat_that_fails_skips_no_tick(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    made = nights(2)
    fall_due(clock)

    def fail() -> int:
        raise OperationalError("canceling statement due to lock timeout")

    monkeypatch.setattr(loop, "pulse_once", fail)
    loop._ticking(Silence(None))()
    assert asked(made) == 2


@pytest.mark.postgres
def test_an_installation_row_that_somebody_holds_skips_no_tick(clock: Clock) -> None:
    loop._ticking(Silence(None))()
    made = nights(2)
    fall_due(clock)
    once = loop._ticking(Silence(None))
    with held("installation", 1):
        once()
    assert asked(made) == 2


# --- the group commit -----------------------------------------------------------------------------


@contextmanager
def writer() -> Iterator[GroupCommit[Change, ChangeResult]]:
    made: GroupCommit[Change, ChangeResult] = GroupCommit(apply_free)
    try:
        yield made
    finally:
        made.stop()


@pytest.mark.postgres
def test_a_check_in_waits_only_for_its_own_row(clock: Clock) -> None:
    bad, *others = made = nights(4)
    clock.advance(10)

    async def crowd(writes: GroupCommit[Change, ChangeResult]) -> None:
        with held("watch", bad.watch):
            waiting = [writes.soon(Change(CheckIn(), watch=n.watch)) for n in made]
            answers = await asyncio.gather(*waiting[1:])
            assert all(answer.watch is not None for answer in answers)
            assert not waiting[0].done(), "neither lost nor said to be kept"
        answer = await waiting[0]
        assert answer.watch is not None

    with writer() as writes:
        asyncio.run(crowd(writes))
    assert {night.row().seen_at for night in [bad, *others]} == {clock.now}


@pytest.mark.postgres
def test_a_row_that_stays_held_is_answered_not_kept(clock: Clock) -> None:
    night, *_ = nights(1)
    seen_at = night.row().seen_at
    clock.advance(10)

    async def one(writes: GroupCommit[Change, ChangeResult]) -> None:
        with held("watch", night.watch):
            waiting = writes.soon(Change(CheckIn(), watch=night.watch))
            while not waiting.done():
                clock.boot += 500
                await asyncio.sleep(0.01)
            with pytest.raises(NotStored):
                await waiting

    with writer() as writes:
        asyncio.run(one(writes))
    assert night.row().seen_at == seen_at


@pytest.mark.postgres
def test_a_key_that_opens_nothing_is_no_row_that_is_held(clock: Clock) -> None:
    [night] = nights(1)
    strange = Change(CheckIn(), key_hash=b"?" * 32)
    with held("watch", night.watch):
        told = apply.apply_free([strange, Change(CheckIn(), watch=night.watch + 404)])
    assert [isinstance(answer, ChangeResult) and answer.watch for answer in told] == [None, None]


@pytest.mark.postgres
def test_who_presses_twice_is_counted_in_that_order(clock: Clock) -> None:
    """The first press found its row held; the second came after it."""
    [night] = nights(1)
    order: list[int | None] = []

    def noting(changes: Sequence[Change]) -> list[ChangeResult | Held]:
        answers = apply_free(changes)
        for change, answer in zip(changes, answers, strict=True):
            if isinstance(answer, ChangeResult):
                assert isinstance(change.what, CheckIn)
                order.append(change.what.seq)
        return answers

    async def both(writes: GroupCommit[Change, ChangeResult]) -> None:
        with held("watch", night.watch):
            first = writes.soon(Change(CheckIn(seq=1), watch=night.watch))
            await asyncio.sleep(0.05)
            second = writes.soon(Change(CheckIn(seq=2), watch=night.watch))
        await asyncio.gather(first, second)

    writes: GroupCommit[Change, ChangeResult] = GroupCommit(noting)
    asyncio.run(both(writes))
    writes.stop()
    assert order == [1, 2]


# --- messages -------------------------------------------------------------------------------------


def alarmed(clock: Clock, count: int) -> list[SamsNight]:
    made = nights(count)
    for night in made:
        night.does(apply.CallForHelp())
    return made


@pytest.mark.postgres
def test_what_became_of_the_others_is_written_down(clock: Clock) -> None:
    bad, good = alarmed(clock, 2)
    leased = delivery.lease("text", clock.now, 10, 20.0)
    results = [
        m.result(Receipt(Fate.FAILED, why="no such number")) for m in leased if m.word == "help"
    ]
    with held("watch", bad.watch):
        left = delivery.record(results, clock.now)
    assert {result.watch for result in left} == {bad.watch}
    assert statuses(bad, "text") == {"queued"}
    assert statuses(good, "text") == {"failed"}
    assert delivery.record(left, clock.now) == []
    assert statuses(bad, "text") == {"failed"}


@pytest.mark.postgres
def test_one_message_that_somebody_holds_keeps_no_other_from_being_written_down(
    clock: Clock,
) -> None:
    bad, good = alarmed(clock, 2)
    leased = [m for m in delivery.lease("text", clock.now, 10, 20.0) if m.word == "help"]
    one = next(m.id for m in leased if m.watch == bad.watch)
    with held("message", one):
        left = delivery.record(
            [m.result(Receipt(Fate.ACCEPTED, f"one:{m.id}")) for m in leased], clock.now
        )
    assert [result.message for result in left] == [one]
    assert statuses(good, "text") == {"sent"}


@pytest.mark.postgres
def test_silence_on_the_others_is_noticed_while_somebody_holds_one_row(clock: Clock) -> None:
    bad, good = alarmed(clock, 2)
    leased = [m for m in delivery.lease("call", clock.now, 10, 20.0) if m.word == "help"]
    delivery.record(
        [m.result(Receipt(Fate.ACCEPTED, f"one:{m.id}", carrier="one")) for m in leased], clock.now
    )
    clock.advance(61)
    with held("watch", bad.watch):
        assert receipts.silent(clock.now) == ["one"]
    assert statuses(good, "call") == {"queued"}, "it goes again"
    assert receipts.silent(clock.now) == ["one"]
    assert statuses(bad, "call") == {"queued"}


@pytest.mark.postgres
def test_a_receipt_for_a_row_that_is_held_is_told_again_not_lost(clock: Clock) -> None:
    [night] = alarmed(clock, 1)
    [m] = [m for m in delivery.lease("call", clock.now, 10, 20.0) if m.word == "help"]
    delivery.record([m.result(Receipt(Fate.ACCEPTED, "one:1"))], clock.now)
    with held("watch", night.watch), pytest.raises(Held):
        receipts.receipt("call", "one:1", Fate.FAILED, "no such number", clock.now)
    assert receipts.receipt("call", "one:1", Fate.FAILED, "no such number", clock.now)
    assert statuses(night, "call") == {"failed"}


def statuses(night: SamsNight, channel: str) -> set[str]:
    mine = Message.objects.filter(watch=night.watch, channel=channel, word="help")
    return set(mine.values_list("status", flat=True))


def test_the_writer_thread_survives_what_it_does_not_know(clock: Clock) -> None:
    """Whatever a group raises, each waiter gets an answer and the next group is stored."""
    [night] = nights(1)
    failed = threading.Event()

    def once(changes: Sequence[Change]) -> list[ChangeResult | Held]:
        if not failed.is_set():
            failed.set()
            raise KeyError("our own fault")
        return apply_free(changes)

    writes: GroupCommit[Change, ChangeResult] = GroupCommit(once)
    try:
        with pytest.raises(NotStored):
            writes.commit(Change(CheckIn(), watch=night.watch))
        assert writes.commit(Change(CheckIn(), watch=night.watch)).watch is not None
    finally:
        writes.stop()


def test_everybody_is_caught_up_with_in_the_end(clock: Clock) -> None:
    made = nights(3)
    fall_due(clock)
    tick_all()
    assert asked(made) == 3
    assert time.now_ms() == clock.now
