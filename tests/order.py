"""In which order tests run: slow files first.

A slow file takes minutes (it starts whole installations, or a browser), so whichever worker meets
one last keeps the run from ending. Workers each begin with an even part of the list and then take
from the ends of each other's: so each part begins with its share of the slow files, and what is
left to take is short. Within a part nothing else moves, and no file is torn apart that shares what
it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def spread(
    tests: Sequence[T], parts: int, slow: Callable[[T], bool], file: Callable[[T], str]
) -> list[T]:
    """All of ``tests``, in an order whose ``parts`` even parts begin with slow files."""
    files: dict[str, list[T]] = {}
    for test in tests:
        files.setdefault(file(test), []).append(test)
    long = [each for each in files.values() if any(map(slow, each))]
    shares: list[list[T]] = [[] for _ in range(parts)]
    for no, each in enumerate(sorted(long, key=len)):
        shares[no % parts] += each
    quick = [test for each in files.values() if not any(map(slow, each)) for test in each]
    found: list[T] = []
    for no, share in enumerate(shares):
        left = parts - no
        size = (len(tests) - len(found)) // left  # as the workers' parts are cut
        more = max(size - len(share), 0) if left > 1 else len(quick)
        found += share + quick[:more]
        quick = quick[more:]
    return found
