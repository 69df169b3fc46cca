"""The pipes between the supervisor and a child, both ends of them.

A byte a second says that a process is alive, however busy it is: an HTTP request would declare a
busy web server dead. In the other direction the supervisor says since when nobody can be heard.
Nothing here ever blocks, and without a supervisor nothing is said. No Django: the supervisor loads
this file.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from collections.abc import Callable

LIFE = "LIFE_FD"  # the child writes a byte a second: I live
KEY = "KEY_FD"  # the child reads what opens its keys, once
SILENCE = "SILENCE_FD"  # the child reads lines: since when (boot clock, ms) nobody is heard, or 0
EVERY_S = 1.0


def inherited(name: str) -> int | None:
    """The descriptor passed to us under this name, or None. From now on it never blocks us, and is
    not inherited by the programs we start."""
    number = os.environ.pop(name, "")
    try:
        descriptor = int(number)
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return None
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
    except (OSError, ValueError):  # started by hand, or somebody closed it on the way
        return None
    return descriptor


def sign() -> Callable[[], None]:
    """A function to call once a second for as long as this process does its work."""
    descriptor = inherited(LIFE)

    def beat() -> None:
        if descriptor is not None:
            with contextlib.suppress(OSError):  # full, or nobody reads it any more
                os.write(descriptor, b".")

    return beat


async def signs(works: Callable[[], bool] = lambda: True) -> None:
    """Beat from the running event loop while ``works`` says so, until cancelled."""
    beat = sign()
    while True:
        if works():
            beat()
        await asyncio.sleep(EVERY_S)


class Pipes:
    """The supervisor's ends: what a child reports, and what it is told."""

    def __init__(self) -> None:
        self._life: int | None = None
        self._word: int | None = None
        self._said = 0

    def open(self, told: bool, key: bytes = b"") -> dict[str, int]:
        """Make the pipes for a new child; returns the child's ends, by the names under which it
        finds them. It reads ``key`` from one, where there is one."""
        self._life, their_end = os.pipe()
        os.set_blocking(self._life, False)
        ends = {LIFE: their_end}
        if told:
            ends[SILENCE], self._word = os.pipe()
            os.set_blocking(self._word, False)
        if key:  # it fits into a pipe, so nobody has to read it first
            ends[KEY], ours = os.pipe()
            os.write(ours, key)
            os.close(ours)
        return ends

    def heard(self) -> bool:
        """Whether it said anything since we last listened."""
        heard = False
        with contextlib.suppress(BlockingIOError):
            while self._life is not None and os.read(self._life, 4096):
                heard = True
        return heard

    def say(self, since_ms: int) -> None:
        """Tell it since when nobody can be heard; 0 says once that all is well."""
        if self._word is None or since_ms == self._said == 0:
            return
        with contextlib.suppress(OSError):  # full, or it has just ended: said again next time
            os.write(self._word, b"%d\n" % since_ms)
            self._said = since_ms

    def close(self) -> None:
        for end in (self._life, self._word):
            if end is not None:
                os.close(end)
        self._life = self._word = None
        self._said = 0
