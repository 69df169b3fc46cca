"""Signs of danger in a text: a few words that belong together, however somebody puts them.

Owns how signs are written, checked and found. Knows no word itself and no intent: the languages'
``understood.toml`` hold them (``vocabulary.py``), and ``replies.py`` says what a sign means.

A sign is written as words: ``cant breathe``. ``a/b`` is either, ``gurgl*`` whatever begins so,
``@they`` any word of the group of that name, ``#`` a number. Small words ("just", "really", "the")
may stand between, at most four; where ``..`` is written, any words may. ``a & b`` is both,
whichever comes first. A long word may have one letter wrong (``typos.py``); two that were
written as one ("cantbreathe") are told apart.

Signs can only make more texts a cry: no sign, whatever it says, makes a text a check-in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from stillhere.core.reading.typos import Typos


class Sign(StrEnum):
    """What was found."""

    HELP = "help"  # said by anybody, about anybody
    CALL = "call"  # "come now": a cry from the person, no news from a contact
    CRY = "cry"  # counts whatever else is in the text
    WATCHED = "watched"  # the same, but only while a watch is on
    DIE = "die"  # somebody wants to die
    HARMLESS = "harmless"  # looks like a cry and is none: "my phone is dying"
    ELSEWHERE = "elsewhere"  # the text is about another time or place


class SignError(ValueError):
    """A sign that cannot be read. The message is fit for the log and for a terminal."""


@dataclass(frozen=True, slots=True)
class Found:
    """One sign in the words of a text, from ``start`` up to ``end``."""

    sign: Sign
    start: int
    end: int

    def meets(self, other: Found) -> bool:
        """Whether they have a word in common."""
        return self.start < other.end and other.start < self.end

    def within(self, longer: Found) -> bool:
        """Whether all of it stands in ``longer``, which says more."""
        inside = longer.start <= self.start and self.end <= longer.end
        return inside and longer.end - longer.start > self.end - self.start

    def ends(self, longer: Found) -> bool:
        """Whether it is the end of ``longer``, which says the opposite: "dont want to die"."""
        return longer.start < self.start and self.end <= longer.end


@dataclass(slots=True)
class _Node:
    """A place in the tree of all signs: what may come next, and what is complete here."""

    then: dict[str, _Node] = field(default_factory=dict)
    signs: set[Sign] = field(default_factory=set)
    any: bool = False  # whatever may stand before the next word


# Where in the tree, since which word of the text, and how many words were let pass since.
_Place = tuple[_Node, int, int]


MOST_BETWEEN = 4  # words between two words of a sign
ANY = ".."
LEAST_STEM = 3
LEAST_SPLIT = 5
MOST_SPLIT = 20
_RUN = re.compile(r"([a-z])\1{2,}")  # "breatheee"


def _orders(phrase: str) -> Iterator[list[str]]:
    """The words of a phrase; of ``a & b`` in both orders."""
    one, both, other = (part.split() for part in phrase.partition("&"))
    if both:
        yield [*one, ANY, *other]
        yield [*other, ANY, *one]
    elif one:
        yield one


class Signs:
    """All signs of all languages, made ready to be found."""

    def __init__(
        self,
        rows: Iterable[tuple[str, Sign, str]],
        groups: Mapping[tuple[str, str], Collection[str]],
        small: Collection[str],
        typos: Typos,
    ) -> None:
        self._root = _Node()
        self._groups = groups
        self._small = frozenset(small)
        self._of: dict[str, set[str]] = {}  # a word -> how it is written in signs
        self._stems: dict[str, set[str]] = {}
        for language, sign, row in rows:
            for phrase in row.split(","):
                for words in _orders(phrase):
                    self._add(language, sign, words)
        self.words: Collection[str] = self._of.keys()
        self._typos = typos

    def _add(self, language: str, sign: Sign, words: Sequence[str]) -> None:
        node = self._root
        for written in words:
            if written == ANY:
                node = node.then.setdefault(ANY, _Node(any=True))
                continue
            word = f"{language}:{written}" if "@" in written else written
            node = node.then.setdefault(word, _Node())
            for spelling in self._spellings(language, written):
                if spelling.endswith("*"):
                    self._stems.setdefault(spelling[:-1], set()).add(word)
                else:
                    self._of.setdefault(spelling, set()).add(word)
        node.signs.add(sign)

    def _spellings(self, language: str, written: str) -> Iterator[str]:
        for each in written.split("/"):
            if not each.startswith("@"):
                yield each
            elif (language, each[1:]) in self._groups:
                yield from self._groups[language, each[1:]]
            else:
                raise SignError(f"no group {each}")

    def find(self, words: Sequence[str]) -> list[Found]:
        """Every sign in the words of a text."""
        found: list[Found] = []
        heard = {word: self._heard(word) for word in set(words)}
        places: dict[tuple[int, int], _Place] = {}
        for at, word in enumerate(words):
            after: dict[tuple[int, int], _Place] = {}
            names, small = heard[word], word in self._small
            for node, start, waited in [*places.values(), (self._root, at, MOST_BETWEEN)]:
                for name in names & node.then.keys():
                    then = node.then[name]
                    found += [Found(sign, start, at + 1) for sign in then.signs]
                    after[id(then), start] = then, start, 0
                    if (gap := then.then.get(ANY)) is not None:
                        after[id(gap), start] = gap, start, 0
                if waited < MOST_BETWEEN and (small or node.any):
                    after.setdefault((id(node), start), (node, start, waited + 1))
            places = after
        return found

    def split(self, word: str) -> tuple[str, ...]:
        """The two words of a sign that were written as one, else the word."""
        if not LEAST_SPLIT <= len(word) <= MOST_SPLIT or word in self._typos.others:
            return (word,)
        cuts = ((word[:at], word[at:]) for at in range(2, len(word) - 1))
        for both in [each for each in cuts if each[0] in self._of and each[1] in self._of]:
            whole = any((each.start, each.end) == (0, 2) for each in self.find(both))
            if whole and not self._heard(word):
                return both
        return (word,)

    def _heard(self, word: str) -> frozenset[str]:
        """How a word is written in signs; one with a slip like the word it may be."""
        names: set[str] = set(self._of.get("#", ())) if word.isdecimal() else set()
        for spelling in {word, _RUN.sub(r"\1", word), _RUN.sub(r"\1\1", word)}:
            names |= self._of.get(spelling, set())
            for end in range(LEAST_STEM, len(spelling) + 1):
                names |= self._stems.get(spelling[:end], set())
        if not names:
            for like in self._typos.meant(word):
                names |= self._of.get(like, set())
        return frozenset(names)
