"""Words written wrongly: which word somebody meant.

Owns the comparison: by letters and by sound. Which words are forgiven, which real words look or
sound like them, and which letters sound alike, is said by the languages' files (``vocabulary.py``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import chain

LEAST = 4  # letters of what was typed
LONG = 8  # letters of a word that may have two of them wrong
_DOUBLE = re.compile(r"([a-z])\1+")


class Typos:
    """Words that are recognised with one letter wrong, missing, too many, or two changed places;
    with letters doubled beside that; long ones with two such slips. Not where what was typed is one
    of ``others``. Looked up, not compared one by one."""

    def __init__(self, words: Collection[str], others: Collection[str]) -> None:
        self.words, self.others = frozenset(words), frozenset(others)
        self._once: dict[str, list[str]] = {}  # a word without one letter -> what it may be
        self._twice: dict[str, list[str]] = {}
        self._single: dict[str, list[str]] = {}  # with no letter doubled
        for word in sorted(self.words):
            for cut in (word, *_cuts(word)):
                self._once.setdefault(cut, []).append(word)
            if len(word) >= LONG:
                for cut in _cuts_twice(word):
                    self._twice.setdefault(cut, []).append(word)
            single = _DOUBLE.sub(r"\1", word)
            for cut in (single, *_cuts(single)):
                self._single.setdefault(cut, []).append(word)

    def meant(self, typed: str) -> set[str]:
        """The words this may be."""
        if len(typed) < LEAST or typed in self.others or not typed.isalpha():
            return set()
        likely = _likely(typed, self._once)
        if found := {word for word in likely if one_slip(typed, word)}:
            return found
        single = _DOUBLE.sub(r"\1", typed)
        if single != typed and len(single) >= LEAST:
            return {
                word
                for word in _likely(single, self._single)
                if one_slip(single, _DOUBLE.sub(r"\1", word))
            }
        if len(typed) < LONG - 1:
            return set()
        likely = {like for cut in _cuts_twice(typed) for like in self._twice.get(cut, ())}
        return {word for word in likely if word[0] == typed[0] and _two_slips(typed, word)}


class Sounds:
    """The letters of one language that sound alike, as pairs: "ll" is written "y"."""

    def __init__(self, written: Mapping[str, str]) -> None:
        self._written = written
        longest_first = sorted(written, key=len, reverse=True)
        self._letters = re.compile("|".join(map(re.escape, longest_first)))

    def of(self, word: str) -> str:
        """The word in one spelling."""
        return _DOUBLE.sub(r"\1", self._letters.sub(lambda found: self._written[found[0]], word))


def _likely(typed: str, cut: Mapping[str, list[str]]) -> set[str]:
    return {like for each in (typed, *_cuts(typed)) for like in cut.get(each, ())}


def _cuts(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _cuts_twice(word: str) -> Iterator[str]:
    once = _cuts(word)
    return chain([word], once, chain.from_iterable(map(_cuts, once)))


def one_slip(typed: str, word: str) -> bool:
    """One letter wrong, missing, too many, or two changed places."""
    short, long = sorted((typed, word), key=len)
    pairs = enumerate(zip(short, long, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = long[same + 1 : same + 2] + long[same : same + 1] + long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or short[same:] == swapped


def _two_slips(typed: str, word: str) -> bool:
    """At most two letters wrong, missing or too many."""
    if abs(len(typed) - len(word)) > 2:
        return False
    above = list(range(len(word) + 1))
    for down, a in enumerate(typed, 1):
        row = [down]
        for at, b in enumerate(word):
            row.append(min(above[at + 1] + 1, row[at] + 1, above[at] + (a != b)))
        above = row
    return above[-1] <= 2
