"""The group commit: one writer thread a process, a bounded queue, each waiter its own answer.

Everything that is waiting at one moment shares one transaction, because an fsync costs the same for
one check-in as for five hundred. A group that fails is tried again one by one, so that one bad
change harms nobody else; but not against a database that is gone, or the last of five hundred would
wait for an hour. A full queue refuses at once (``Full``): the page keeps trying, and memory
stays bounded.
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
from django.db import Error, InterfaceError, OperationalError, connection, transaction

from stillhere.store.apply import Answer, Change, apply_batch

log = logging.getLogger("stillhere.group")

MOST_WAITING = 20_000
MOST_AT_ONCE = 500
PROBE_EVERY_S = 1.0
MOST_BREAKS = 3  # changes that cost the connection: then it is not the changes


Q = TypeVar("Q")  # what is asked
A = TypeVar("A")  # what is answered


class Full(RuntimeError):
    """Too many are waiting. Nothing was stored; try again."""


class NotStored(RuntimeError):
    """The database would not take it. Nothing was stored; try again."""


@dataclass(slots=True)
class _Waiter(Generic[Q, A]):
    change: Q
    future: Future[A] | asyncio.Future[A]
    loop: asyncio.AbstractEventLoop | None


class GroupCommit(Generic[Q, A]):
    """Started once a process. ``apply`` stores a group in one transaction and answers each;
    ``proves``: while nothing waits, prove every second that we could write."""

    def __init__(self, apply: Callable[[Sequence[Q]], list[A]], *, proves: bool = True) -> None:
        self._apply = apply
        self._proves = proves
        self._queue: queue.SimpleQueue[_Waiter[Q, A] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.wrote_ms: int | None = None  # boot clock of the last thing known to be durable

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
        """Begin to write, or while nothing waits to prove that we could."""
        if self._thread is None:
            self._begin()

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
                self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            group = self._gather()
            if group is None:
                connection.close()
                return
            if group:
                self._store(group)
            elif self._proves:
                self._probe()

    def _gather(self) -> list[_Waiter[Q, A]] | None:
        """Whatever is waiting; an empty list after an idle second; None when asked to stop."""
        try:
            first = self._queue.get(timeout=PROBE_EVERY_S)
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
        group = [waiter for waiter in waiting if not _given_up(waiter)]
        if not group:
            return
        try:
            answers: list[A | Exception] = list(self._apply([w.change for w in group]))
            self.wrote_ms = settings.BOOT_MS()
        except Exception as failure:  # noqa: BLE001  whatever it was, each waiter gets an answer
            log.warning("group of %d failed: %s", len(group), type(failure).__name__)
            _forget_broken_connection(failure)
            answers = self._one_by_one(group)
        _settle(group, answers)

    def _one_by_one(self, group: Sequence[_Waiter[Q, A]]) -> list[A | Exception]:
        """Each on its own, as long as there is a database to try."""
        answers: list[A | Exception] = []
        breaks = 0
        for waiter in group:
            if breaks == MOST_BREAKS or not _reachable():
                break
            answers.append(self._alone(waiter.change))
            breaks += connection.connection is None
        return [*answers, *(NotStored("no database") for _ in group[len(answers) :])]

    def _alone(self, change: Q) -> A | Exception:
        try:
            answer = self._apply([change])[0]
        except Exception as failure:  # noqa: BLE001  whatever it was, each waiter gets an answer
            _forget_broken_connection(failure)
            return NotStored(type(failure).__name__)
        self.wrote_ms = settings.BOOT_MS()
        return answer

    def _probe(self) -> None:
        """Prove once an idle second that this process can write. ``/healthz`` reads when that
        last held."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE installation SET desk_nonce = desk_nonce WHERE id = 1")
            self.wrote_ms = settings.BOOT_MS()
        except Error as failure:
            log.warning("write probe failed: %s", type(failure).__name__)
            _forget_broken_connection(failure)


def _given_up(waiter: _Waiter[Q, A]) -> bool:
    """Whether this one was told already that nothing was kept. Then it is so: they try again, and a
    sign of life must not count from when we came to it. Whose line merely broke is still heard."""
    return waiter.future.done() and not waiter.future.cancelled()


def _reachable() -> bool:
    """Whether there is a connection, or one can be made."""
    try:
        connection.ensure_connection()
    except Error as failure:
        log.warning("no database: %s", type(failure).__name__)
        return False
    return True


def _forget_broken_connection(failure: Exception) -> None:
    """A connection that broke is not used again; the next statement opens a new one."""
    if isinstance(failure, OperationalError | InterfaceError):
        connection.close()


def _settle(group: list[_Waiter[Q, A]], answers: Sequence[A | Exception]) -> None:
    """Give each waiter its own answer; those of one event loop in a single call."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[A], A | Exception]]] = {}
    for waiter, answer in zip(group, answers, strict=True):
        if waiter.loop is not None and isinstance(waiter.future, asyncio.Future):
            loops.setdefault(waiter.loop, []).append((waiter.future, answer))
        elif isinstance(answer, Exception):
            waiter.future.set_exception(answer)
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
            future.set_exception(answer)
        else:
            future.set_result(answer)


WRITER: GroupCommit[Change, Answer] = GroupCommit(apply_batch)
