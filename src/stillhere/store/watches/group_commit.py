"""The group commit: one writer thread per process, a bounded queue, and a separate answer for each
waiter.

Everything that is waiting at one moment shares one transaction, because an fsync costs the same for
one check-in as for five hundred. A group that fails is tried again in halves (``halving.py``), so
that one bad change does not harm the others; a row that somebody else has locked is left alone and
tried again with the next group. A full queue refuses at once (``Full``): the page keeps trying, and
memory stays bounded.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.conf import settings
from django.db import Error, connection, transaction

from stillhere.store.db import halving
from stillhere.store.db.row_locks import Held, in_the_way
from stillhere.store.watches.apply import Change, ChangeResult, apply_free

log = logging.getLogger("stillhere.group")

MOST_WAITING = 20_000
MOST_AT_ONCE = 500
HUNG_MS = 30_000  # as the engine's threads: several times the longest a round can take
PROBE_EVERY_S = 1.0
LOOK_AGAIN_S = 0.02  # at rows that somebody else holds, while nothing else waits
HELD_MS = 3_000  # real time; a row that is held for longer is answered "not kept"
# A row that an engine holds just now proves nothing, and must not be waited for.
_PROBE = {
    "sqlite": "UPDATE installation SET desk_nonce = desk_nonce WHERE id = 1",
    "postgresql": "UPDATE installation SET desk_nonce = desk_nonce WHERE id IN "
    "(SELECT id FROM installation WHERE id = 1 FOR UPDATE SKIP LOCKED)",
}

Q = TypeVar("Q")  # what is asked
A = TypeVar("A")  # what is answered


class Full(RuntimeError):
    """Too many are waiting. Nothing was stored; try again."""


class NotStored(RuntimeError):
    """The database did not accept it. Nothing was stored; try again."""


@dataclass(slots=True)
class _Waiter(Generic[Q, A]):
    change: Q
    future: Future[A] | asyncio.Future[A]
    loop: asyncio.AbstractEventLoop | None
    until_ms: int = 0  # when a row that is held will have been waited for long enough

    def waits_still(self) -> bool:
        now_ms = settings.BOOT_MS()
        self.until_ms = self.until_ms or now_ms + HELD_MS
        return now_ms < self.until_ms


class GroupCommit(Generic[Q, A]):
    """Started once per process. ``apply`` stores a group in one transaction and answers each
    change, with ``Held`` if somebody else has locked the row; ``proves``: while nothing waits,
    prove every second that we could write."""

    def __init__(
        self, apply: Callable[[Sequence[Q]], Sequence[A | Held]], *, proves: bool = True
    ) -> None:
        self._apply = apply
        self.proves = proves
        self._queue: queue.SimpleQueue[_Waiter[Q, A] | None] = queue.SimpleQueue()
        self._held: list[_Waiter[Q, A]] = []  # of the writer thread alone
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.wrote_ms: int | None = None  # boot clock of the last thing known to be durable
        self._turned_ms = 0  # boot clock of the thread's last round

    def commit(self, change: Q, timeout_s: float = 10.0) -> A:
        """Store ``change`` and answer after the commit. For threads. Raises Full, NotStored,
        TimeoutError."""
        future: Future[A] = Future()
        self._put(_Waiter(change, future, None))
        return future.result(timeout_s)

    def soon(self, change: Q) -> asyncio.Future[A]:
        """The same for the event loop: a future that is done after the commit. Raises Full."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        self._put(_Waiter(change, future, loop))
        return future

    def start(self) -> None:
        """Start writing, or while nothing waits, proving that we could."""
        if self._thread is None:
            self._begin()

    def turns(self) -> bool:
        """Whether the thread is alive. All its waits are bounded, even for a database that is away,
        locked or full: that is no reason to restart this process, but a thread that hangs is."""
        thread = self._thread
        if thread is None:
            return True
        return thread.is_alive() and settings.BOOT_MS() - self._turned_ms < HUNG_MS

    def stop(self) -> None:
        """Finish what is waiting and end the thread."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _put(self, waiter: _Waiter[Q, A]) -> None:
        if self._queue.qsize() >= MOST_WAITING:
            raise Full("too many are waiting")
        self.start()
        self._queue.put(waiter)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._turned_ms = settings.BOOT_MS()
                self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._turned_ms = settings.BOOT_MS()
            group = self._gather()
            if group is None:
                self._store(self._held)
                _settle(self._held, [Held()] * len(self._held))
                connection.close()
                return
            if group or self._held:
                self._store([*self._held, *group])
            elif self.proves:
                self._probe()

    def _gather(self) -> list[_Waiter[Q, A]] | None:
        """Whatever is waiting; an empty list after an idle second; None when asked to stop."""
        try:
            first = self._queue.get(timeout=LOOK_AGAIN_S if self._held else PROBE_EVERY_S)
        except queue.Empty:
            return []
        if first is None:
            return None
        group = [first]
        while len(group) < MOST_AT_ONCE:
            try:
                waiter = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiter is None:
                self._queue.put(None)
                break
            group.append(waiter)
        return group

    def _store(self, waiting: list[_Waiter[Q, A]]) -> None:
        """One transaction for all of them, or halves of it. Those whose row was locked join the
        next group, ahead of whatever came later, for some seconds."""
        group = [waiter for waiter in waiting if not _given_up(waiter)]
        self._held = []
        if not group:
            return
        answers = halving.each(self._apply, [waiter.change for waiter in group])
        if not all(isinstance(answer, Exception) for answer in answers):
            self.wrote_ms = settings.BOOT_MS()
        held = [
            no
            for no, answer in enumerate(answers)
            if isinstance(answer, Exception) and in_the_way(answer) and group[no].waits_still()
        ]
        self._held = [group[no] for no in held]
        settled = [no for no in range(len(group)) if no not in held] if held else range(len(group))
        _settle([group[no] for no in settled], [answers[no] for no in settled])

    def _probe(self) -> None:
        """Prove once per idle second that this process can write. ``/healthz`` reads when that last
        succeeded."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_PROBE[connection.vendor])
                wrote = cursor.rowcount > 0
            if wrote:
                self.wrote_ms = settings.BOOT_MS()
        except Error as failure:
            log.warning("write probe failed: %s", type(failure).__name__)
            halving.forget_broken_connection(failure)


def _given_up(waiter: _Waiter[Q, A]) -> bool:
    """Whether this one was already told that nothing was stored. Then nothing may be: they try
    again, and a sign of life must not count from the later moment when we got to it. One whose
    connection merely broke is still applied."""
    return waiter.future.done() and not waiter.future.cancelled()


def _settle(group: list[_Waiter[Q, A]], answers: Sequence[A | Exception]) -> None:
    """Give each waiter its own answer; those of one event loop in a single call."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[A], A | Exception]]] = {}
    for waiter, answer in zip(group, answers, strict=True):
        if waiter.loop is not None and isinstance(waiter.future, asyncio.Future):
            loops.setdefault(waiter.loop, []).append((waiter.future, answer))
        elif isinstance(answer, Exception):
            waiter.future.set_exception(NotStored(type(answer).__name__))
        else:
            waiter.future.set_result(answer)
    for loop, pairs in loops.items():
        try:
            loop.call_soon_threadsafe(_settle_async, pairs)
        except RuntimeError:  # that loop has ended; nobody is waiting there any more
            log.info("a loop ended before its answers")


def _settle_async(pairs: list[tuple[asyncio.Future[A], A | Exception]]) -> None:
    for future, answer in pairs:
        if future.done():
            continue  # the client went away
        if isinstance(answer, Exception):
            future.set_exception(NotStored(type(answer).__name__))
        else:
            future.set_result(answer)


WRITER: GroupCommit[Change, ChangeResult] = GroupCommit(apply_free)
