"""One writer, one commit for whoever is waiting, an answer for each."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest
from django.db import OperationalError

from stillhere.store.watches import group_commit
from stillhere.store.watches.apply import Change, ChangeResult, CheckIn, apply_batch
from stillhere.store.watches.group_commit import Full, GroupCommit, NotStored
from tests.circle import sams_night
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("database")


@contextmanager
def writer(apply: object = apply_batch) -> Iterator[GroupCommit[Change, ChangeResult]]:
    made: GroupCommit[Change, ChangeResult] = GroupCommit(apply)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.stop()


class Gate:
    """An ``apply`` that waits to be let through, and remembers the size of each group."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.open = threading.Event()
        self.entered = threading.Event()

    def __call__(self, changes: Sequence[Change]) -> list[ChangeResult]:
        self.sizes.append(len(changes))
        self.entered.set()
        assert self.open.wait(10)
        return apply_batch(changes)


def test_the_answer_comes_after_the_commit(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    clock.advance(10)
    with writer() as writes:
        answer = writes.commit(Change(CheckIn(), watch=night.watch))
    assert answer.watch is not None
    assert night.row().seen_at == clock.now == answer.watch.seen_at


def test_whoever_waits_meanwhile_shares_the_next_commit(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    gate = Gate()

    async def crowd(writes: GroupCommit[Change, ChangeResult]) -> list[ChangeResult]:
        first = writes.soon(Change(CheckIn(), watch=night.watch))
        await asyncio.to_thread(gate.entered.wait, 10)
        rest = [writes.soon(Change(CheckIn(), watch=night.watch)) for _ in range(40)]
        gate.open.set()
        return await asyncio.gather(first, *rest)

    with writer(gate) as writes:
        answers = asyncio.run(crowd(writes))
    assert gate.sizes == [1, 40]
    assert all(answer.watch is not None for answer in answers)


def test_one_bad_change_harms_nobody_else(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    gate = Gate()

    def brittle(changes: Sequence[Change]) -> list[ChangeResult]:
        if any(change.watch == 666 for change in changes):
            raise OperationalError("database is locked")
        return gate(changes)

    async def crowd(
        writes: GroupCommit[Change, ChangeResult],
    ) -> list[ChangeResult | BaseException]:
        first = writes.soon(Change(CheckIn(), watch=night.watch))
        await asyncio.to_thread(gate.entered.wait, 10)
        rest = [writes.soon(Change(CheckIn(), watch=w)) for w in (night.watch, 666, night.watch)]
        gate.open.set()
        return await asyncio.gather(first, *rest, return_exceptions=True)

    with writer(brittle) as writes:
        answers = asyncio.run(crowd(writes))
    assert [type(a) for a in answers] == [ChangeResult, ChangeResult, NotStored, ChangeResult]


def test_a_full_queue_refuses_at_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "MOST_WAITING", 2)
    night = sams_night(("Leo",))
    night.start()
    gate = Gate()

    async def crowd(writes: GroupCommit[Change, ChangeResult]) -> None:
        futures = [writes.soon(Change(CheckIn(), watch=night.watch))]
        await asyncio.to_thread(gate.entered.wait, 10)
        futures += [writes.soon(Change(CheckIn(), watch=night.watch)) for _ in range(2)]
        with pytest.raises(Full):
            writes.soon(Change(CheckIn(), watch=night.watch))
        gate.open.set()
        await asyncio.gather(*futures)

    with writer(gate) as writes:
        asyncio.run(crowd(writes))


def test_a_client_that_went_away_does_not_stop_the_others(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    gate = Gate()

    async def crowd(writes: GroupCommit[Change, ChangeResult]) -> ChangeResult:
        gone = writes.soon(Change(CheckIn(), watch=night.watch))
        await asyncio.to_thread(gate.entered.wait, 10)
        here = writes.soon(Change(CheckIn(), watch=night.watch))
        gone.cancel()
        gate.open.set()
        return await here

    with writer(gate) as writes:
        assert asyncio.run(crowd(writes)).watch is not None


def test_stopping_finishes_what_is_waiting(clock: Clock) -> None:
    night = sams_night(("Leo",))
    night.start()
    with closing(asyncio.new_event_loop()) as loop, writer() as writes:

        async def ask() -> ChangeResult:
            future = writes.soon(Change(CheckIn(), watch=night.watch))
            await asyncio.to_thread(writes.stop)
            return await future

        assert loop.run_until_complete(ask()).watch is not None


def test_a_writer_that_hangs_is_told_from_a_database_that_is_away(clock: Clock) -> None:
    """The web's sign of life depends on it: a new process helps where a thread hangs, and nowhere
    else."""
    gate, away = Gate(), OperationalError("no database")

    def fails(_changes: object) -> list[ChangeResult]:
        raise away

    with writer(fails) as writes:
        assert writes.turns(), "not begun yet"
        for _ in range(3):
            clock.advance(20)
            with pytest.raises(NotStored):
                writes.commit(Change(CheckIn(), watch=1))
            assert writes.turns()
    with writer(gate) as writes:
        thread = threading.Thread(target=lambda: writes.commit(Change(CheckIn(), watch=1)))
        thread.start()
        assert gate.entered.wait(10)
        clock.advance(29)
        assert writes.turns()
        clock.advance(1)
        assert not writes.turns()
        gate.open.set()
        thread.join()
        writes.commit(Change(CheckIn(), watch=1))
        assert writes.turns()


def test_a_writer_whose_thread_ended_does_not_turn(clock: Clock) -> None:
    with writer() as writes:
        writes.start()
        thread = writes._thread
        assert thread is not None
        writes._queue.put(None)
        thread.join()
        assert not writes.turns()
