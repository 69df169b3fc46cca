"""Makes a night that breaks a rule as small as it gets.

Owns the search only: leave out halves, quarters, single things of what was drawn for the night, and
keep whatever still breaks the same rule (delta debugging, after Zeller). Knows neither kind of
night; the caller says what can be left out and whether a night without it still breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

Off = frozenset[str]


def smallest(switches: Sequence[str], breaks: Callable[[Off], bool], most_tries: int) -> Off:
    """The names that can all be left out together, found in at most ``most_tries`` nights.
    ``breaks`` lives a night without the names it is given."""
    left, off = list(dict.fromkeys(switches)), frozenset[str]()
    tries, size = 0, max(len(left), 1)
    while left:
        found = False
        for part in list(_parts(left, size)):
            if tries >= most_tries:
                return off
            tries += 1
            fewer = off | frozenset(part)
            if breaks(fewer):
                off, found = fewer, True
        left = [name for name in left if name not in off]
        if size == 1 and not found:
            return off
        size = max(min(size, len(left)) // 2, 1)
    return off


def _parts(names: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for first in range(0, len(names), size):
        yield names[first : first + size]
