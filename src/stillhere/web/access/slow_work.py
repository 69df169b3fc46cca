"""Work that takes the processor for long: comparing a PIN, paper, speech, a whole spreadsheet.

Owns how much of it goes on at once: one of each kind, with few who wait, and never for long.
Whoever finds no place is told so at once and keeps no thread, so that a visitor who asks for it in
a loop slows no check-in, and holds up no press. Whatever takes more than 50 ms goes through here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import BoundedSemaphore, get_native_id
from typing import ParamSpec, TypeVar

RETRY_S = 5
STEPS_BACK = 10  # of the scheduler's; a check-in goes first

P = ParamSpec("P")
R = TypeVar("R")


class TooBusyError(Exception):
    """There is no place for it now; another try makes sense in ``RETRY_S``."""


class SlowWork:
    """One at a time, ``places`` with those who wait, each for ``wait_s`` at most."""

    def __init__(self, places: int, wait_s: float) -> None:
        self._places = BoundedSemaphore(places)
        self._turn = BoundedSemaphore(1)
        self._wait_s = wait_s
        self._thread = ThreadPoolExecutor(1, "slow", _step_back)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Within is one's own turn. Raises TooBusyError before it begins."""
        if not self._places.acquire(blocking=False):
            raise TooBusyError
        try:
            if not self._turn.acquire(timeout=self._wait_s):
                raise TooBusyError
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def slowly(self, work: Callable[P, R], /, *args: P.args, **named: P.kwargs) -> R:
        """Within a turn: work without a database that lets go of the interpreter, like a hash. It
        takes only what of the processor nobody else wants."""
        return self._thread.submit(work, *args, **named).result()


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere it would be the whole process
        os.setpriority(os.PRIO_PROCESS, get_native_id(), STEPS_BACK)


# With those who wait these never take all threads of forms (page_gate.py).
PINS = SlowWork(places=2, wait_s=3.0)  # half a second each
PDFS = SlowWork(places=1, wait_s=1.0)  # a few seconds each, in a process of its own
SPEECH = SlowWork(places=2, wait_s=10.0)
SHEETS = SlowWork(places=2, wait_s=5.0)  # spreadsheets, and sheets of codes
