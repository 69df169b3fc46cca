"""One letter wrong: which word somebody meant.

Owns the comparison. Which words are forgiven, and which real words look like them, is said by the
languages' files (``vocabulary.py``).
"""

from __future__ import annotations

from collections.abc import Collection

LEAST = 4  # letters of what was typed


class Typos:
    """Words that are recognised with one letter wrong, missing, too many, or two changed places,
    unless what was typed is one of ``others``. Looked up, not compared one by one."""

    def __init__(self, words: Collection[str], others: Collection[str]) -> None:
        self.words, self.others = frozenset(words), frozenset(others)
        self._cut: dict[str, list[str]] = {}  # a word without one letter -> what it may be
        for word in sorted(self.words):
            for cut in _cuts(word):
                self._cut.setdefault(cut, []).append(word)

    def meant(self, typed: str) -> set[str]:
        """The words this may be."""
        if len(typed) < LEAST or typed in self.others:
            return set()
        cuts = _cuts(typed)
        likely = {like for each in (typed, *cuts) for like in self._cut.get(each, ())}
        likely |= self.words.intersection(cuts)
        return {word for word in likely if one_slip(typed, word)}


def _cuts(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def one_slip(typed: str, word: str) -> bool:
    """One letter wrong, missing, too many, or two changed places."""
    short, long = sorted((typed, word), key=len)
    pairs = enumerate(zip(short, long, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = long[same + 1 : same + 2] + long[same : same + 1] + long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or short[same:] == swapped
