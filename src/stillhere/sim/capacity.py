"""How much this machine can do: the store's pace, and that of a storm of alarms.

Owns measuring on a crowd of made-up people, in a store that holds nobody else, through the real
``apply``, ``tick``, ``lease``, ``render`` and ``record``; nothing is sent. Makes no promise: what
the figures mean is said by ``promise``, with its assumptions beside it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings

from stillhere.core.messages import Fate, Receipt
from stillhere.engine import render
from stillhere.engine.tick import tick_once
from stillhere.sim import crowd
from stillhere.store.db import clock, encryption
from stillhere.store.messages import delivery
from stillhere.store.watches.apply import Change, CheckIn, apply_batch

OPEN, ALARMS, GROUP = 100_000, 600, 256
FAR_MS = 3_600_000
CHANNELS = ("text", "call")

EVERY_S = 90  # how often somebody is asked in the minutes that count
OVER_HTTP = 0.4  # what is left of the store's pace when check-ins come over HTTP (docs/proof.md)
ALARMS_OF = 0.03  # of all watches, at most: the goal for alarms about nothing
STORM_S = 30  # all of these at once, and everybody's first message within this
MARGIN = 4  # evenings are not even: four times what is promised must be possible

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What was measured: check-ins a second, one in a transaction and in groups; messages of
    alarms a second, from the tick to the record of their sending."""

    one_per_s: float
    grouped_per_s: float
    alarms_per_s: float


def measure(seconds: float, say: Say) -> Capacity:
    """Fill an empty store and measure for about ``seconds`` each. Raises ``NotEmptyError``."""
    crowd.refuse_company()
    say(f"Filling a store with {OPEN:,} made-up watches on this disk.")
    now = clock.now_ms()
    kept = crowd.open_watches(OPEN, crowd.asked_at(now, lambda n: now + FAR_MS + n))
    silent = crowd.silent_people(ALARMS, now - 180_000, lambda _: now)
    hashes = [encryption.key_hash(key) for key in kept]
    say("Measuring check-ins.")
    one = _check_ins_per_s(hashes, 1, seconds / 4)
    grouped = _check_ins_per_s(hashes, GROUP, seconds)
    say("Measuring a storm of alarms.")
    crowd.asked(silent, clock.now_ms())
    return Capacity(one, grouped, _alarms_per_s())


def _check_ins_per_s(hashes: Sequence[bytes], at_once: int, seconds: float) -> float:
    chance = random.Random(1)
    began_ms, done = settings.BOOT_MS(), 0
    while settings.BOOT_MS() < began_ms + seconds * 1000:
        apply_batch([Change(CheckIn(), key_hash=h) for h in chance.sample(hashes, at_once)])
        done += at_once
    return done * 1000 / max(settings.BOOT_MS() - began_ms, 1)


def _alarms_per_s() -> float:
    """Alarms a second until each one's messages are rendered and recorded."""
    began_ms = settings.BOOT_MS()
    while tick_once(clock.now_ms()):
        pass
    while sum(_sent(channel) for channel in CHANNELS):
        pass
    return ALARMS * 1000 / max(settings.BOOT_MS() - began_ms, 1)


def _sent(channel: str) -> int:
    now = clock.now_ms()
    leased = delivery.lease(channel, now, 200, 60.0)
    for message in leased:
        render.render(message, message.to)
    done = Receipt(Fate.ACCEPTED, "measured")
    delivery.record([message.result(done) for message in leased], now)
    return len(leased)


def promise(found: Capacity) -> tuple[int, str]:
    """How many people at once, rounded down to one figure, and what sets the limit."""
    by_check_ins = found.grouped_per_s * OVER_HTTP * EVERY_S / MARGIN
    by_alarms = found.alarms_per_s * STORM_S / ALARMS_OF / MARGIN
    people = min(by_check_ins, by_alarms)
    step = 10 ** max(len(str(int(people))) - 1, 0)
    limit = "check-ins" if by_check_ins <= by_alarms else "alarms"
    return int(people // step * step), limit
