"""The engine process: three threads that run the rounds, and a watchdog over them.

The only threads of the engine start here. A round that raises is logged and tried again. A thread
that finishes no round for half a minute (a frozen database is given up on long before that, see
``store/db/postgresql``) ends the whole process, and the supervisor starts a new one. That loses
nothing: every timer is a row.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import aiohttp
import uvloop
from django.conf import settings
from django.db import Error, connection

from stillhere.engine import feeds
from stillhere.engine.audit import Lookout, audit_once
from stillhere.engine.deliver import Courier
from stillhere.engine.erasure import erase_once
from stillhere.engine.heartbeat import come_back, pulse_once
from stillhere.engine.rotation import Rotation
from stillhere.engine.silence import Silence
from stillhere.engine.tick import MOST, Waker
from stillhere.engine.timekeeping import Reckoning, Timekeeper
from stillhere.store.db import clock
from stillhere.store.db.halving import forget_broken_connection
from stillhere.store.db.sqlite.mender import Mender
from stillhere.store.db.timeouts import be_impatient
from stillhere.store.messages import delivery
from stillhere.store.people import sealed
from stillhere.store.privacy.vacuum import Vacuum

log = logging.getLogger("stillhere.engine")
T = TypeVar("T")

TICK_EVERY_S = 0.1
PULSE_EVERY_MS = 1_000
AUDIT_EVERY_S = 5.0
SWEEP_EVERY_MS = 60_000
HEARTBEAT_EVERY_MS = 60_000
FROZEN_MS = 30_000
STOP_EVERY_S = 0.2
START_OVER = 70  # the exit code of a process that cannot go on as it is


class Beats:
    """When each thread last finished a round, by the boot clock."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def beat(self, name: str) -> None:
        self._at[name] = settings.BOOT_MS()

    def frozen(self) -> list[str]:
        now = settings.BOOT_MS()
        return [name for name, at in self._at.items() if now - at > FROZEN_MS]


def run(alive: Callable[[], None] = lambda: None, word: int | None = None) -> None:
    """Run until SIGTERM or SIGINT. Blocks. ``alive`` is called every second as long as no thread is
    frozen. ``word`` is a descriptor on which the supervisor says since when nobody can be heard."""
    stop, beats = threading.Event(), Beats()
    be_impatient()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if connection.vendor == "sqlite":  # the data folder's lock says there is no other engine
        delivery.release_leases()
    come_back()  # before the first message leaves: what was queued may be of a dead past
    threads = [
        threading.Thread(
            target=_rounds,
            args=("tick", _ticking(Silence(word)), TICK_EVERY_S, stop, beats),
            daemon=True,
        ),
        threading.Thread(
            target=_rounds, args=("audit", _auditing(), AUDIT_EVERY_S, stop, beats), daemon=True
        ),
        threading.Thread(target=_delivering, args=(stop, beats), daemon=True),
    ]
    for thread in threads:
        thread.start()
    log.info("engine started")
    while not stop.wait(1.0):
        if frozen := beats.frozen():
            log.critical("frozen: %s; starting over", ", ".join(frozen))
            faulthandler.dump_traceback()  # where each thread stands: names of functions, no values
            os._exit(START_OVER)
        alive()
    for thread in threads:
        thread.join(timeout=5)
    log.info("engine stopped")


def _rounds(
    name: str, once: Callable[[], float], every_s: float, stop: threading.Event, beats: Beats
) -> None:
    """Call ``once`` forever; it returns how long to rest, at most ``every_s``."""
    while not stop.is_set():
        rest_s = every_s
        try:
            rest_s = min(once(), every_s)
        except Error as failure:
            log.warning("%s: database: %s", name, type(failure).__name__)
            connection.close()
        except Exception:
            log.exception("%s: this round failed, the next one comes", name)
        beats.beat(name)
        stop.wait(rest_s)
    connection.close()


def _ticking(silence: Silence) -> Callable[[], float]:
    pulsed, waker = -PULSE_EVERY_MS, Waker()
    reckoning, busy = Reckoning(), False

    def once() -> float:
        nonlocal pulsed, busy
        boot = settings.BOOT_MS()
        if boot - pulsed >= PULSE_EVERY_MS:
            pulsed = boot
            _try("pulse", pulse_once)
        _try("silence", silence.listen)
        row = clock.read()
        # Many that follow a clock are due by the right time: they are asked before others follow.
        more, busy = busy or _try("reckoning", partial(reckoning.step, row)), False
        busy = waker.wake(clock.now_of(row)) >= MOST
        return 0.0 if busy or more else TICK_EVERY_S

    return once


def _try(name: str, once: Callable[[], T]) -> T | None:
    """If this fails, the tick or the audit still runs: neither waits for a clock."""
    try:
        return once()
    except Error as failure:
        log.warning("%s: database: %s", name, type(failure).__name__)
        forget_broken_connection(failure)
    except Exception:
        log.exception("%s: this one failed, the next one comes", name)
    return None


def _auditing() -> Callable[[], float]:
    swept = pinged = -HEARTBEAT_EVERY_MS
    read = -feeds.EVERY_MS
    lookout, mender, vacuum, rotation = Lookout(), Mender(), Vacuum(), Rotation()
    timekeeper = Timekeeper(settings.STILLHERE.time_urls)

    def once() -> float:
        nonlocal swept, pinged, read
        _try("indexes", mender.round)
        _try("timekeeping", lambda: timekeeper.round(clock.read()))
        now, boot = clock.now_ms(), settings.BOOT_MS()
        reasons = audit_once(now)
        if sealed.FAULT in reasons:  # those in the folder may be others: read them again
            log.critical("%s; starting over", sealed.FAULT)
            os._exit(START_OVER)
        lookout.look_once(now, well=not reasons)
        if boot - swept >= SWEEP_EVERY_MS:
            erase_once(now)
            swept = boot
        _try("vacuum", vacuum.round)
        _try("rotation", rotation.round)
        if settings.STILLHERE.warning_feeds and boot - read >= feeds.EVERY_MS:
            read = boot
            feeds.read_once(settings.STILLHERE.warning_feeds)
        if not reasons and settings.STILLHERE.heartbeat_url and boot - pinged >= HEARTBEAT_EVERY_MS:
            pinged = boot
            asyncio.run(_ping(settings.STILLHERE.heartbeat_url))
        return AUDIT_EVERY_S

    return once


async def _ping(url: str) -> None:
    """Tell the outside watcher that the proof held."""
    try:
        limit = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=limit) as http, http.get(url) as answer:
            log.info("heartbeat status=%d", answer.status)
    except (aiohttp.ClientError, TimeoutError) as failure:
        log.warning("heartbeat: %s", type(failure).__name__)


def _delivering(stop: threading.Event, beats: Beats) -> None:
    """The event loop of the courier, restarted should it ever end by itself."""
    while not stop.is_set():
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_deliver(stop, beats))
        except Exception:
            log.exception("deliver: started over")
            stop.wait(1.0)


async def _deliver(stop: threading.Event, beats: Beats) -> None:
    here = settings.STILLHERE
    courier = Courier(settings.BUILD_CHANNELS(here), here.coordinator)
    running = asyncio.create_task(courier.run(lambda: beats.beat("deliver")))
    # Not a thread that waits for ``stop``: starting over would wait for that thread.
    while not stop.is_set() and not running.done():
        await asyncio.wait((running,), timeout=STOP_EVERY_S)
    courier.stop()
    await running
