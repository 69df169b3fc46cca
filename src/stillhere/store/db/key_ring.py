"""The data keys that a running process seals and opens with, as they lie in their file now.

Owns noticing that the file was changed: a key that was added is known before anybody seals with it,
one that was retired is forgotten, and nothing has to be restarted. A file that cannot be read just
now takes nothing away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DataKey:
    """32 bytes, and from when they seal (ms UTC by the machines' own clocks): until then every
    machine opens with them and none seals."""

    key: bytes = field(repr=False)
    seals_from_at: int = 0


def sealing(known: Mapping[int, DataKey], now: int) -> int:
    """The number of the key that seals at ``now``: the newest whose time has come."""
    begun = [number for number, each in known.items() if each.seals_from_at <= now]
    return max(begun) if begun else min(known)  # a clock from before all of them


class KeyRing(Mapping[int, bytes]):
    """Every key in ``file`` by its number; all of them open. What was retired is forgotten when it
    is asked which one seals, or what there is."""

    def __init__(
        self, file: Path, read: Callable[[], Mapping[int, DataKey]], wall_ms: Callable[[], int]
    ) -> None:
        """``read`` reads the keys of ``file``; raises what that raises."""
        self._file, self._read, self._wall_ms = file, read, wall_ms
        self._stamp: tuple[int, int, int] | None = None
        self._known: Mapping[int, DataKey] = {}
        self._keys: Mapping[int, bytes] = {}
        stamp = self._look()
        self._take(read(), stamp)

    def known(self) -> Mapping[int, DataKey]:
        """What the file holds."""
        self._refresh()
        return self._known

    def sealing(self) -> int:
        """The number of the key that seals now."""
        return sealing(self.known(), self._wall_ms())

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp not in (self._stamp, None):
            with contextlib.suppress(OSError, ValueError):
                self._take(self._read(), stamp)

    def _take(self, known: Mapping[int, DataKey], stamp: tuple[int, int, int] | None) -> None:
        self._keys = {number: each.key for number, each in known.items()}
        self._known = known
        self._stamp = stamp  # last: who still sees the old one reads the file, and misses no key

    def _look(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def __getitem__(self, number: int) -> bytes:
        """Looks at the file only for a key that it does not know: an alarm opens many values."""
        if number not in self._keys:
            self._refresh()
        return self._keys[number]

    def __iter__(self) -> Iterator[int]:
        self._refresh()
        return iter(self._keys)

    def __len__(self) -> int:
        self._refresh()
        return len(self._keys)
