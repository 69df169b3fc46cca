"""Lease, send, record: messages leave here, at least once, most urgent first.

Each channel has its own queue and its own slots, so that a slow one never holds up the others.
Leasing and recording are database work and run in one thread; sending runs on the event loop,
outside any transaction. Results are recorded in groups. A send that does not answer by its
channel's deadline counts as *unknown* and is sent again: a duplicate is cheap, silence is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import Error, connection

from stillhere.channels.base import Channel, Outgoing
from stillhere.channels.carriers.failover import Relay
from stillhere.channels.pager import Pager
from stillhere.core.messages import AGAIN, LEFT, DeliveryResult, Fate, Receipt
from stillhere.engine import carrier_cleanup, listening, recordings, render
from stillhere.store.db import clock, halving
from stillhere.store.installation import upkeep
from stillhere.store.messages import delivery, receipts, retry
from stillhere.store.messages.leased import OUR_FAULT, LeasedMessage

log = logging.getLogger("stillhere.deliver")

MOST = 200  # in one lease
IDLE_S = 0.1  # how long empty queues rest before they are looked at again
ANYWAY_S = 1.0  # and one of which nothing is known: pages are gathered there, which is no message
MARGIN_S = 10.0  # a lease outlives its channel's deadline by this
ORPHANS_EVERY_S = 5.0
SILENCES_EVERY_S = 1.0
MONEY_EVERY_S = 30.0
EARLY_EVERY_S = 1.0

T = TypeVar("T")


class Courier:
    """Delivers for every channel until ``stop`` is called. ``coordinator``: the setting that says
    where pages go, or empty."""

    def __init__(self, channels: Mapping[str, Channel], coordinator: str = "") -> None:
        self._channels = dict(channels)
        if coordinator:
            self._channels[Pager.name] = Pager(coordinator, channels)
        self._db = ThreadPoolExecutor(1, "deliver-db")
        self._done: asyncio.Queue[DeliveryResult] = asyncio.Queue()
        self._stopping = asyncio.Event()
        self._beat: Callable[[], None] = lambda: None
        self._vain = set(self._channels)  # where something may rest that was tried in vain
        self._due = {name: asyncio.Event() for name in self._channels}
        self._frugal: frozenset[str] = frozenset()  # channels whose carriers took enough this month

    async def run(self, beat: Callable[[], None]) -> None:
        """Serve all queues until stopped; ``beat`` is called each round, as a sign of life for the
        watchdog. Raises RuntimeError if one of them ends by itself."""
        self._beat = beat
        for missing, count in await self._safely(upkeep.cut_off, [*self._channels]) or []:
            log.error("%d people on lists can be reached only by %s: not here", count, missing)
        queues = [
            asyncio.create_task(self._serve(name, channel))
            for name, channel in self._channels.items()
        ]
        jobs = [
            *queues,
            asyncio.create_task(self._look()),
            asyncio.create_task(self._orphans()),
            asyncio.create_task(self._silences()),
            asyncio.create_task(self._early()),
            asyncio.create_task(self._again(carrier_cleanup.clear_once, carrier_cleanup.EVERY_S)),
            asyncio.create_task(self._again(self._count_money, MONEY_EVERY_S)),
            asyncio.create_task(self._again(recordings.fetch_once, recordings.EVERY_S)),
            asyncio.create_task(self._again(listening.listen_once, listening.EVERY_S)),
            asyncio.create_task(self._recorder()),
        ]
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait((stopping, *jobs), return_when=asyncio.FIRST_COMPLETED)
        failures = [job.exception() for job in jobs if job.done()]
        for job in (stopping, *jobs):
            job.cancel()
        await asyncio.gather(stopping, *jobs, return_exceptions=True)
        for channel in set(self._channels.values()):
            await channel.close()
        self._db.submit(_close)
        self._db.shutdown()
        if failures:  # one queue that nobody serves is an alarm that nobody hears
            raise RuntimeError("a queue ended by itself") from failures[0]

    def stop(self) -> None:
        """Finish; whatever is leased and not recorded will be sent again."""
        self._stopping.set()

    async def _serve(self, name: str, channel: Channel) -> None:
        """One channel's queue: as many sends at once as the channel allows, without waiting for
        the slowest. When many messages wait, one lease takes many, because each lease costs a
        commit."""
        flying: set[asyncio.Task[None]] = set()
        room = asyncio.Event()

        def landed(task: asyncio.Task[None]) -> None:
            flying.discard(task)
            if channel.concurrency - len(flying) >= _worth_a_lease(channel):
                room.set()

        while True:
            if channel.concurrency - len(flying) < _worth_a_lease(channel):
                room.clear()
                await _within(IDLE_S, room.wait())
            free = channel.concurrency - len(flying)
            work = _lease, name, free, channel.deadline_s, name in self._frugal
            leased = await self._safely(*work) if free > 0 else []
            for message in leased or []:
                task = asyncio.create_task(self._send(channel, message))
                flying.add(task)
                task.add_done_callback(landed)
            self._beat()
            if free > 0 and not leased:
                self._due[name].clear()
                await _within(ANYWAY_S, self._due[name].wait())

    async def _look(self) -> None:
        """One look for all queues that rest."""
        while True:
            due = await self._safely(_due, [*self._channels])
            for name in self._channels if due is None else due:
                self._due[name].set()
            self._beat()
            await asyncio.sleep(IDLE_S)

    async def _send(self, channel: Channel, message: LeasedMessage) -> None:
        try:
            outgoing = render.render(message, message.to)
            receipt = await _deadline(channel, outgoing)
        except Exception:
            log.exception("could not send message=%d channel=%s", message.id, message.channel)
            receipt = Receipt(Fate.UNKNOWN, why=OUR_FAULT)
        log.info(
            "sent message=%d word=%s channel=%s fate=%s",
            message.id,
            message.word,
            message.channel,
            receipt.fate,
        )
        await self._done.put(message.result(receipt))

    async def _recorder(self) -> None:
        """Record results in groups. A result that cannot be written stays leased, the lease runs
        out, and the message is sent again."""
        while True:
            group = [await self._done.get()]
            while not self._done.empty() and len(group) < MOST:
                group.append(self._done.get_nowait())
            self._vain |= {result.channel for result in group if result.receipt.fate in AGAIN}
            for late in await self._safely(_record, group) or []:
                self._done.put_nowait(late)
            left = {result.channel for result in group if result.receipt.fate in LEFT}
            for name in left & self._vain:
                await self._safely(_wake, name)
            if self._done.qsize():  # somebody else holds those rows
                await asyncio.sleep(IDLE_S)

    async def _orphans(self) -> None:
        """Messages for a channel that is not configured fail at once, so that the ladder moves
        on."""
        while True:
            for name in await self._safely(delivery.channels_waiting) or []:
                if name not in self._channels:
                    log.error("no channel %s here", name)
                    await self._safely(_fail_all, name)
            await asyncio.sleep(ORPHANS_EVERY_S)

    async def _early(self) -> None:
        """Where all that a channel took in vain rests, one of it is tried every few seconds."""
        while True:
            for name in [*self._vain]:
                if await self._safely(_knock, name) is False:
                    self._vain.discard(name)
            await asyncio.sleep(EARLY_EVERY_S)

    async def _silences(self) -> None:
        """Where a receipt is overdue, move on; that carrier is tried later next time."""
        while True:
            for carrier in await self._safely(_silent) or []:
                log.warning("no receipt came in time carrier=%s", carrier)
                for channel in self._channels.values():
                    if isinstance(channel, Relay):
                        channel.silent(carrier)
            await asyncio.sleep(SILENCES_EVERY_S)

    async def _count_money(
        self, channels: Mapping[str, Channel], safely: Callable[..., Awaitable[Any]]
    ) -> None:
        """Once every carrier of a channel has spent its monthly limit, whatever can wait does. Asks
        and alarms never wait."""
        relays = [relay for relay in channels.values() if isinstance(relay, Relay)]
        carriers = {name: each.carrier for relay in relays for name, each in relay.carriers.items()}
        caps = {name: carrier.cap for name, carrier in carriers.items() if carrier.cap is not None}
        over = await safely(_over, caps) if caps else set()
        full = {relay.name for relay in relays if over is not None and over >= set(relay.carriers)}
        if full != self._frugal:
            log.warning("money: only what is needed leaves by %s", sorted(full) or "none: by all")
        self._frugal = frozenset(full)

    async def _again(self, work: Callable[..., Awaitable[object]], every_s: float) -> None:
        """Repeat something that is not a queue. Whatever it runs into, it must never stop the
        queues beside it."""
        while True:
            try:
                await work(self._channels, self._safely)
            except Exception:
                log.exception("this round failed, the next one comes")
            await asyncio.sleep(every_s)

    async def _safely(self, work: Callable[..., T], *args: object) -> T | None:
        """Run database work in its thread; if the database is away, it is tried again in the next
        round."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._db, lambda: work(*args))
        except Error as failure:
            log.warning("database: %s", type(failure).__name__)
            await asyncio.get_running_loop().run_in_executor(self._db, _close)
            await asyncio.sleep(IDLE_S)
            return None


def _worth_a_lease(channel: Channel) -> int:
    """How many slots must be free before a lease stops waiting for more."""
    return max(channel.concurrency // 4, 1)


async def _within(seconds: float, what: Awaitable[object]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await what


def _close() -> None:
    """Close the connection of the calling thread: ``connection`` is a different one in each
    thread."""
    connection.close()


async def _deadline(channel: Channel, outgoing: Outgoing) -> Receipt:
    try:
        async with asyncio.timeout(channel.deadline_s + 1):
            return await channel.send(outgoing)
    except TimeoutError:
        return Receipt(Fate.UNKNOWN, why="no answer in time")


def _lease(name: str, most: int, deadline_s: float, frugal: bool = False) -> list[LeasedMessage]:
    now, rate = clock.now_ms(), clock.read().rate
    lease_s = (deadline_s + MARGIN_S) * rate
    return delivery.lease(name, now, min(most, MOST), lease_s, frugal=frugal)


def _due(names: Sequence[str]) -> Collection[str]:
    return delivery.due(names, clock.now_ms())


def _over(caps: Mapping[str, int]) -> set[str]:
    return upkeep.over(caps, clock.now_ms())


def _record(group: list[DeliveryResult]) -> list[DeliveryResult]:
    """Write down what can be written; returns the results whose rows somebody else holds."""
    left: list[DeliveryResult] = []

    def record(part: Sequence[DeliveryResult]) -> list[bool]:
        left.extend(delivery.record(part, clock.now_ms()))
        return [True] * len(part)

    for failure in halving.each(record, group):
        if isinstance(failure, Exception):
            log.error("not recorded, so it leaves again: %s", type(failure).__name__)
    return left


def _knock(channel: str) -> bool:
    return retry.knock(channel, clock.now_ms())


def _wake(channel: str) -> int:
    return retry.wake(channel, clock.now_ms())


def _silent() -> list[str]:
    return receipts.silent(clock.now_ms())


def _fail_all(name: str) -> None:
    leased = _lease(name, MOST, 1.0)
    _record([m.result(Receipt(Fate.NOWHERE, why=f"no channel {name} here")) for m in leased])
