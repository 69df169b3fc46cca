"""What a person says of themselves by text: their name, where they are, how to get in.

Owns the split of such a text into which note it is and what it says, and what looks like a place.
The words are data of each language (``note`` in ``understood.toml``). It is no sign of life and no
answer, and refuses to guess: "I'm at 2 pills" is no place, "door wont open" is no way in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

FIELDS = ("name", "place", "entry")  # as in the plan
LONGEST = 4  # words of a beginning
NAME_WORDS, PLACE_WORDS = 3, 12  # at most, of what is only taken for one by its looks
NEAR = 4  # words between the number of a house and its street

Phrase = tuple[str, ...]
_BEGINS = re.compile(r"\d{1,5}([a-z]|st|nd|rd|th)?")
_NUMBER = re.compile(r"\d{1,5}[a-z]?")
_ORDINAL = re.compile(r"\d{1,3}(st|nd|rd|th)")


@dataclass(frozen=True, slots=True, eq=False)
class NoteWords:
    """How notes begin, by field; ``loose`` is no certain one. The rest is how a place looks."""

    sure: Mapping[Phrase, str]
    loose: Mapping[Phrase, str]
    sentence: frozenset[str]  # after a beginning: this is no note
    no_name: frozenset[str]
    denies: frozenset[str]  # where it stands, something else is said than a place
    small: frozenset[str]  # between a number and a street: it is no house
    street: frozenset[str]
    room: frozenset[str]
    spot: frozenset[str]
    beside: frozenset[Phrase]
    joins: frozenset[str]  # two streets
    way_in: frozenset[str]


@dataclass(frozen=True, slots=True)
class Note:
    """``field`` is one of ``FIELDS``; ``text`` as it was typed, empty where nothing followed. Only
    one that is ``sure`` may stand in place of what was there."""

    field: str
    text: str
    sure: bool = True


def read_note(text: str, words: NoteWords, fold: Callable[[str], Phrase]) -> Note | None:
    """The note that a text is, or None. ``fold``: a text as the words of the vocabulary."""
    typed = text.split()
    for count in range(min(LONGEST, len(typed)), 0, -1):
        begins, rest = fold(" ".join(typed[:count])), " ".join(typed[count:]).strip(" :,;-")
        if begins in words.sure:
            sure, said = words.sure[begins], fold(rest)
            where = sure == "place" and holds_address(said, words)
            is_note = where or (words.sentence.isdisjoint(said[:1]) and not _asks(rest))
            return Note(sure, rest) if is_note else None
        field = words.loose.get(begins)
        if field is not None and _LOOKS_LIKE[field](fold(rest), words):
            return Note(field, rest, sure=False)
    return Note("place", text.strip(), sure=False) if _stands_alone(fold(text), words) else None


def looks_like_place(said: Phrase, words: NoteWords) -> bool:
    """Whether these few words say where, by what they are: "behind the library"."""
    if not 0 < len(said) <= PLACE_WORDS or not words.denies.isdisjoint(said):
        return False
    return (
        _is_address(said, words)
        or not words.spot.isdisjoint(said)
        or any(_holds(said, phrase) for phrase in words.beside)
    )


def holds_address(said: Phrase, words: NoteWords) -> bool:
    """Whether a house in a street or a room stands anywhere in it, whatever else is said."""
    window = range(max(1, len(said) - PLACE_WORDS + 1))
    return any(_is_address(said[at : at + PLACE_WORDS], words, denied=False) for at in window)


def _stands_alone(said: Phrase, words: NoteWords) -> bool:
    """Whether this is an address with nothing said before it: it begins with one."""
    begins = said[:1] and (
        said[0] in words.street or said[0] in words.room or _BEGINS.fullmatch(said[0])
    )
    return bool(begins) and _is_address(said, words)


def _is_address(said: Phrase, words: NoteWords, *, denied: bool = True) -> bool:
    """A house in a street, a room with its number, two streets. ``denied``: unless it is."""
    if not 0 < len(said) <= PLACE_WORDS or (denied and not words.denies.isdisjoint(said)):
        return False
    corner = any(map(_ORDINAL.fullmatch, said)) and not words.joins.isdisjoint(said[1:-1])
    return (
        corner
        or any(
            _is_house(said, no, words) for no, word in enumerate(said) if _NUMBER.fullmatch(word)
        )
        or any(
            before in words.room and (_NUMBER.fullmatch(word) or len(word) == 1)
            for before, word in pairwise(said)
        )
    )


def _is_house(said: Phrase, no: int, words: NoteWords) -> bool:
    """Whether a number belongs to a street: "calle 5", "12 Elm Street", not "10 way too much"."""
    for street, word in enumerate(said):
        between = said[no + 1 : street] if no < street else said[street + 1 : no]
        if word in words.street and (between or street < no):
            return len(between) < NEAR and words.small.isdisjoint(between)
    return False


def _looks_like_name(said: Phrase, words: NoteWords) -> bool:
    few = 0 < len(said) <= NAME_WORDS and all(word.isalpha() for word in said)
    return few and words.no_name.isdisjoint(said)


def _looks_like_way_in(said: Phrase, words: NoteWords) -> bool:
    few = len(said) <= PLACE_WORDS and words.denies.isdisjoint(said)
    return few and not words.way_in.isdisjoint(said)


def _asks(rest: str) -> bool:
    """Whether this asks something: "address of the van?"."""
    return rest.rstrip().endswith("?") and len(rest) > 1 and not any(map(str.isdecimal, rest))


def _holds(said: Phrase, phrase: Phrase) -> bool:
    """Whether the phrase stands in it, and something after it."""
    ends = range(len(said) - len(phrase))
    return any(said[at : at + len(phrase)] == phrase for at in ends)


_LOOKS_LIKE: Mapping[str, Callable[[Phrase, NoteWords], bool]] = {
    "name": _looks_like_name,
    "place": looks_like_place,
    "entry": _looks_like_way_in,
}
Rows = Callable[[str], Collection[Phrase]]


def note_words(phrases: Rows, denies: frozenset[str], linking: frozenset[str]) -> NoteWords:
    """From the rows of all languages, by their names under ``note``."""

    def words(row: str) -> frozenset[str]:
        return frozenset(word for phrase in phrases(row) for word in phrase)

    return NoteWords(
        sure={phrase: field for field in FIELDS for phrase in phrases(field)},
        loose={phrase: field for field in FIELDS for phrase in phrases(f"loose-{field}")},
        sentence=words("sentence"),
        no_name=words("no-name"),
        denies=denies | words("no-place"),
        small=linking | words("sentence") | {"min"},
        street=words("street"),
        room=words("room"),
        spot=words("spot"),
        beside=frozenset(phrases("beside")),
        joins=words("joins"),
        way_in=words("way-in"),
    )
