"""Whose turn it is to write: a queue in front of SQLite's one lock, between processes and threads.

SQLite lets in whoever asks at the right moment; the others sleep and try again, at ever longer
intervals. Next to a process that writes all the time another one then waits for a second or more,
which an alarm cannot afford. So there are two gates: whoever holds the first is next, whoever holds
the second writes. A process that has just written must pass the first gate again, where it finds
the other one waiting.

This is only about fairness. The lock that counts is SQLite's: a process that waited here for too
long (because another was stopped in the middle) goes on to it without a turn. A process that dies
gives its turn back.
"""

from __future__ import annotations

import fcntl
import os
import select
from pathlib import Path

# Waited for by select: a sleep is told an instant, and fails where a test sets the clock.
LOOK_AGAIN_S = 0.001
MOST_LOOKS = 1_000  # about a second, then the turn is left to chance


class Turnstile:
    """One writer's place in the queue for the database file ``path``. Not shared between
    threads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._gates: tuple[int, int] | None = None
        self._mine = False

    def enter(self) -> None:
        """Wait for our turn, or for about a second at each gate."""
        following, writing = self._open()
        here = _take(following)
        self._mine = _take(writing)
        if here:
            fcntl.flock(following, fcntl.LOCK_UN)

    def leave(self) -> None:
        """Let the next one write. Harmless without a turn."""
        if self._mine and self._gates is not None:
            fcntl.flock(self._gates[1], fcntl.LOCK_UN)
        self._mine = False

    def close(self) -> None:
        """Leave, and forget the files."""
        self.leave()
        if self._gates is not None:
            for gate in self._gates:
                os.close(gate)
        self._gates = None

    def _open(self) -> tuple[int, int]:
        if self._gates is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            first, second = (
                os.open(f"{self._path}-{name}", flags, 0o600) for name in ("next", "turn")
            )
            self._gates = first, second
            if os.geteuid() == 0:  # root's would lock out whom the folder belongs to
                whose = Path(self._path).absolute().parent.stat()
                for gate in self._gates:
                    os.fchown(gate, whose.st_uid, whose.st_gid)
        return self._gates


def _take(gate: int) -> bool:
    """Whether the gate is ours now."""
    for _ in range(MOST_LOOKS):
        try:
            fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            select.select((), (), (), LOOK_AGAIN_S)
        else:
            return True
    return False
