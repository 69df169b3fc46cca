"""Signs of danger in a text: a few words that belong together, however somebody puts them.

Owns how signs are written, checked and found. Knows no word itself and no intent: the languages'
``understood.toml`` hold them (``vocabulary.py``), and ``replies.py`` says what a sign means.

A sign is written as words: ``cant breathe``. ``a/b`` is either, ``gurgl*`` whatever begins so,
``@they`` any word of the group of that name, ``#`` a number. Small words ("just", "really", "the")
may stand between, at most four; where ``..`` is written, any words may. ``a & b`` is both,
whichever comes first. A word may be written wrongly, or as it sounds (``typos.py``); two that were
written as one ("cantbreathe") are told apart, and one that was cut in two is joined.

Signs can only make more texts a cry: no sign, whatever it says, makes a text a check-in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from stillhere.core.reading.typos import LEAST, Sounds, Typos


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
LEAST_REST = 4  # letters behind a small word that was glued to it
LEAST_JOINED = 6
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
        *,
        glued: Collection[str] = (),
        sounds: Mapping[str, Sounds] | None = None,
    ) -> None:
        self._root = _Node()
        self._groups = groups
        self._small = frozenset(small)
        self._glued = sorted(glued, key=len, reverse=True)
        self._sounds = sounds or {}
        self._of: dict[str, set[str]] = {}  # a word -> how it is written in signs
        self._stems: dict[str, set[str]] = {}
        self._heard_as: dict[str, dict[str, set[str]]] = {}  # of a language, by sound
        for language, sign, row in rows:
            for phrase in row.split(","):
                for words in _orders(phrase):
                    self._add(language, sign, words)
        self.words: Collection[str] = self._of.keys()
        self._typos = typos
        # Only of words in the files: nothing of what anybody wrote is kept.
        self._known = {word: self._written(word) for word in self._of.keys() | self._small}

    def _add(self, language: str, sign: Sign, words: Sequence[str]) -> None:
        node = self._root
        for written in words:
            if written == ANY:
                node = node.then.setdefault(ANY, _Node(any=True))
                continue
            word = f"{language}:{written}" if "@" in written else written
            node = node.then.setdefault(word, _Node())
            for spelling in self._spellings(language, written):
                sounds = self._sounds.get(language)
                if spelling.endswith("*"):
                    self._stems.setdefault(spelling[:-1], set()).add(word)
                else:
                    self._of.setdefault(spelling, set()).add(word)
                if sounds is not None:
                    heard = self._heard_as.setdefault(language, {})
                    heard.setdefault(sounds.of(spelling), set()).add(word)
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

    def parts(self, words: Sequence[str]) -> tuple[list[str], list[int]]:
        """The words with what was glued told apart and what was cut joined, and of each the place
        where it stands in the text."""
        parts: list[str] = []
        places: list[int] = []
        at = 0
        while at < len(words):
            word, after = words[at], words[at + 1] if at + 1 < len(words) else ""
            if after and self._cut_in_two(word, after):
                split: tuple[str, ...] = (word + after,)
            elif word not in self._known and f"{word}g" in self._known and word.endswith("in"):
                split = (f"{word}g",)
            else:
                split = self._split(word)
            parts += split
            places += [at] * len(split)
            at += 2 if split == (word + after,) and after else 1
        return parts, places

    def _cut_in_two(self, word: str, after: str) -> bool:
        """Whether they are one word of a sign with a space in it: "res pirar"."""
        whole = word + after
        if len(whole) < LEAST_JOINED or whole not in self._of:
            return False
        return not (word in self._known and after in self._known)

    def _split(self, word: str) -> tuple[str, ...]:
        """The two words of a sign that were written as one, or a small word and what it was glued
        to, else the word."""
        if word in self._known or not LEAST_SPLIT <= len(word) <= MOST_SPLIT:
            return (word,)
        if word in self._typos.others or self._heard(word):
            return (word,)
        cuts = ((word[:at], word[at:]) for at in range(2, len(word) - 1))
        for both in [each for each in cuts if each[0] in self._of and each[1] in self._of]:
            if any((each.start, each.end) == (0, 2) for each in self.find(both)):
                return both
        return self._unglued(word)

    def _unglued(self, word: str) -> tuple[str, ...]:
        for first in self._glued:
            rest = word[len(first) :]
            if not word.startswith(first) or len(rest) < LEAST_REST:
                continue
            if rest in self._known:
                return first, rest
            more = self._unglued(rest)
            if len(more) > 1:
                return first, *more
        return (word,)

    def _heard(self, word: str) -> frozenset[str]:
        """How a word is written in signs; one with a slip like the word it may be."""
        if (known := self._known.get(word)) is not None:
            return known
        if word.isdecimal():
            return frozenset(self._of.get("#", ())) | self._written(word)
        if names := self._written(word):
            return names
        if names := self._like_it_sounds(word):
            return names
        return frozenset().union(*map(self._written, self._typos.meant(word)))

    def _written(self, word: str) -> frozenset[str]:
        names: set[str] = set()
        spellings = [word]
        if _RUN.search(word) is not None:
            spellings += [_RUN.sub(r"\1", word), _RUN.sub(r"\1\1", word)]
        for spelling in spellings:
            names |= self._of.get(spelling, set())
            for end in range(LEAST_STEM, len(spelling) + 1):
                names |= self._stems.get(spelling[:end], set())
        return frozenset(names)

    def _like_it_sounds(self, word: str) -> frozenset[str]:
        """Written by the ear: "yamen" for "llamen"."""
        if len(word) < LEAST or word in self._typos.others:
            return frozenset()
        names: set[str] = set()
        for language, heard_as in self._heard_as.items():
            sound = self._sounds[language].of(word)
            names |= heard_as.get(sound, set())
            for end in range(LEAST, len(sound) + 1):
                names |= heard_as.get(f"{sound[:end]}*", set())
        return frozenset(names)
