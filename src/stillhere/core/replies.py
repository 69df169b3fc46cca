"""What somebody means: the words of a text and the keys of a call, turned into one intent.

Owns reading; the words themselves stand in ``vocabulary.py``. Refuses to guess: what is unclear is
never "I'm fine".

How a text is read
------------------
1. It is folded: lower case, no accents, no apostrophes; "I am" is "im", "okkk" is "ok".
2. A cry for help is looked for *anywhere*, unless it is waved off ("dont call 911"), because
   missing one costs a life. So is, from a contact, a door that stays shut: it keeps the alarm open.
3. Every other meaning needs the *whole* text: each word belongs to a phrase of that one meaning, or
   is filler. One word we do not know ("not", "soon", a name) makes it unclear; so does a question.
   That is why no list of negations is needed to keep "im not here" from being read as "here".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from stillhere.core import vocabulary
from stillhere.core.vocabulary import Intent, Phrase, Role, Table

__all__ = ["Intent", "Role", "language_of", "read_key", "read_minutes", "read_text"]

TEXT_MOST = 20_000  # beyond this nothing is looked at
READ_MOST = 1_600  # a text longer than ten segments can be a cry for help, nothing else

_APOSTROPHES = re.compile("['’‘`´ʼ＇′]")  # noqa: RUF001
_RUN = re.compile(r"([a-z])\1{2,}")
_PHONE = re.compile(r"\+?\d[\d ().-]{5,20}\d")
_SPELT_911 = re.compile(r"(?<!\d)9[ .-]{0,2}1[ .-]{0,2}1(?!\d)")
_MINUTES = re.compile(r"(?<=\d)(?=(m|min|mins|minutes?|minutos?)\b)")
_SHORTER = re.compile(
    r"\b(" + "|".join(sorted(vocabulary.SHORTER, key=len, reverse=True)) + r")\b"
)  # longest first
_PIECE = re.compile(r"[^\W_]+|[^\w\s]|\n")
_ASKS = frozenset("?¿؟‽")
_HARMLESS = frozenset("\n~^|+=")

_PHRASES = (
    *vocabulary.TABLES.values(),
    vocabulary.OPT_OUT,
    vocabulary.HELP_ANYWHERE,
    vocabulary.CANT_GET_IN,
)
_KNOWN = frozenset(word for phrases in _PHRASES for phrase in phrases for word in phrase).union(
    vocabulary.WAVES_OFF, vocabulary.WAVES_OFF_NEXT, vocabulary.LINKING, vocabulary.COMMANDS
)
_LONGEST = max(len(phrase) for phrases in _PHRASES for phrase in phrases)  # in words


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as words. ``starts``: where a clause begins. ``asks``: there is a question in it."""

    words: Phrase
    starts: frozenset[int]
    asks: bool


def read_text(text: str, role: Role, *, watching: bool) -> Intent:
    """What a text means. ``watching``: their watch is open; for a contact, an alarm they know of.

    Total: whatever comes in, one intent comes out, and it is ``UNCLEAR`` unless it is clear.
    """
    whole = _fold(text[:TEXT_MOST]).strip()
    if not whole:
        return Intent.EMPTY
    if vocabulary.REACTION.match(whole):
        liked = role is Role.PERSON and whole.startswith(vocabulary.LIKED)
        return Intent.HERE if liked else Intent.UNCLEAR
    body, tail = (_fold(part) for part in _own_words(text[:TEXT_MOST]))
    if vocabulary.AUTOMATIC.search(body):
        return Intent.UNCLEAR
    said, signature = _hear(body), _hear(tail)
    adds = not watching and role is Role.PERSON and said.words[:1] in vocabulary.ADDS
    if (_cries(said, watching) or _cries(signature, watching)) and not adds:
        return Intent.HELP
    if len(body) > READ_MOST:
        return Intent.UNCLEAR
    intent = _meaning(said, role, watching)
    if said.asks and intent not in vocabulary.MAY_ASK:
        return Intent.UNCLEAR
    if signature.asks or vocabulary.WAVES_OFF.intersection(signature.words):
        return Intent.UNCLEAR  # that is no signature
    return intent


def language_of(text: str) -> str:
    """``es`` or ``en`` where a word of the text is only one of them, else nothing."""
    said = set(_hear(_fold(_own_words(text[:READ_MOST])[0])).words)
    spanish, english = bool(said & vocabulary.SPANISH), bool(said & vocabulary.ENGLISH)
    return "" if spanish == english else "es" if spanish else "en"


def read_key(key: str, role: Role) -> Intent:
    """What one key pressed during a call means. Any key is a sign of life from the person."""
    pressed = key.strip()
    if not pressed:
        return Intent.EMPTY
    return vocabulary.KEYS[role].get(pressed, Intent.UNCLEAR)


def read_minutes(text: str) -> int | None:
    """How soon, in minutes, if a text says so: "omw 10 min", "voy en 5"."""
    said = _hear(_fold(_own_words(text[:READ_MOST])[0])).words
    for before, number, after in zip(("", *said), said, (*said[1:], ""), strict=False):
        if _is_number(number) and (after == "min" or before in ("in", "en")):
            return int(number)
    return None


# --- folding --------------------------------------------------------------------------------------


def _fold(text: str) -> str:
    """Lower case, no accents, no apostrophes, one spelling. Lines stay lines."""
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    kept = (" " if c in "\t\r" else c for c in unicodedata.normalize("NFKD", plain) if _visible(c))
    folded = "".join(kept)
    for face, symbol in vocabulary.FACES.items():
        folded = folded.replace(face, symbol)
    folded = _SHORTER.sub(lambda found: vocabulary.SHORTER[found[0]], folded)
    folded = _PHONE.sub(lambda found: re.sub(r"\D", "", found[0]), folded)
    return _MINUTES.sub(" ", _SPELT_911.sub("911", folded))


def _visible(char: str) -> bool:
    """Not an accent, a skin tone, a joiner or another thing that only changes its neighbour."""
    category = unicodedata.category(char)
    return char in "\n\t\r`^" or not (category[0] in "MC" or category == "Sk")


def _own_words(text: str) -> tuple[str, str]:
    """Their words without a quoted mail, and apart from them the signature."""
    own: list[str] = []
    for line in text.splitlines():
        if vocabulary.QUOTED_FROM_HERE.match(line):
            break
        if not vocabulary.QUOTED_LINE.match(line):
            own.append(line)
    for number, line in enumerate(own):
        if vocabulary.SIGNED.match(line) and "".join(own[:number]).strip():
            return "\n".join(own[:number]), "\n".join(own[number:])
    body = "\n".join(own).rstrip()
    signed = vocabulary.SIGNED_ON_THE_LINE.search(body)
    return (body[: signed.start()], signed[0]) if signed else (body, "")


def _hear(text: str) -> _Said:
    """Split into words. Punctuation ends a clause; a word said twice in a row is said once."""
    said: list[str] = []
    starts, asks, clause = {0}, False, False
    for piece in _PIECE.findall(text):
        asks = asks or piece in _ASKS
        if piece in _HARMLESS or unicodedata.category(piece[0])[0] == "P":
            clause = True
            continue
        word = _word(piece)
        if said and said[-1] == word:
            continue
        if clause:
            starts.add(len(said))
        said.append(word)
        clause = False
    return _Said(tuple(said), frozenset(starts), asks)


def _word(piece: str) -> str:
    """One word, its spelling forgiven where that cannot make it mean something else."""
    if piece.isdecimal():
        if re.fullmatch(r"(911){2,}", piece):
            return "911"
        return "9" if set(piece) == {"9"} and len(piece) != 3 else piece
    for spelling in (piece, _RUN.sub(r"\1", piece), _RUN.sub(r"\1\1", piece)):
        word = vocabulary.SLIPS.get(spelling, spelling)
        if word in _KNOWN:
            return word
    if piece in vocabulary.NEIGHBOURS:
        return piece
    return next((word for word in sorted(vocabulary.FORGIVEN) if _one_slip(piece, word)), piece)


def _one_slip(typed: str, word: str) -> bool:
    """One letter wrong, missing, too many, or two changed places."""
    short, long = sorted((typed, word), key=len)
    pairs = enumerate(zip(short, long, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), len(short))
    if len(short) < len(long):
        return short[same:] == long[same + 1 :]
    swapped = long[same + 1 : same + 2] + long[same : same + 1] + long[same + 2 :]
    return short[same + 1 :] == long[same + 1 :] or short[same:] == swapped


# --- meaning --------------------------------------------------------------------------------------


def _meaning(said: _Said, role: Role, watching: bool) -> Intent:
    plain = tuple(word for word in said.words if word not in vocabulary.POLITE)
    if plain in vocabulary.OPT_OUT:
        return Intent.OPT_OUT
    if plain in vocabulary.CARRIER_HELP:
        return Intent.HELP if watching else Intent.CARRIER_HELP
    if role is Role.CONTACT and _door_is_shut(said):
        return Intent.CANT_GET_IN
    if role is Role.PERSON and plain in vocabulary.MARK_ALONE:
        return Intent.MARK
    intent = _composed(said.words, vocabulary.TABLES[role])
    if intent is Intent.UNCLEAR and role is Role.PERSON:
        return _command(plain)
    return intent


def _composed(said: Phrase, table: Table) -> Intent:
    """The one meaning that every word of the text belongs to; one word too many makes it
    unclear."""
    found: set[Intent] = set()
    at = 0
    while at < len(said):
        for length in range(min(_LONGEST, len(said) - at), 0, -1):
            phrase = said[at : at + length]
            if phrase not in table:
                phrase = tuple("#" if _is_number(word) else word for word in phrase)
            if phrase in table:
                break
        else:
            return Intent.UNCLEAR
        intent = table[phrase]
        if intent is not None:
            found.add(intent)
        at += length
    return _strongest(found)


def _strongest(found: set[Intent]) -> Intent:
    if Intent.HELP in found:
        return Intent.HELP
    if len(found) > 1:  # "ok more" asks for more; "cant, too far" may still phone
        found = found - {Intent.HERE}
    if found == {Intent.DECLINE, Intent.FAR}:
        return Intent.FAR
    return found.pop() if len(found) == 1 else Intent.UNCLEAR


def _command(plain: Phrase) -> Intent:
    """A command with something after it: "add 303 555 0142", "pause 3 days"."""
    rest = plain[1:] if plain[:1] in (("ok",), ("okay",)) else plain
    short = len(rest) <= vocabulary.COMMAND_WORDS or any(
        len(w) >= 7 and w.isdecimal() for w in rest
    )
    return vocabulary.COMMANDS.get(rest[0], Intent.UNCLEAR) if rest and short else Intent.UNCLEAR


def _cries(said: _Said, watching: bool) -> bool:
    cries = vocabulary.HELP_ANYWHERE | (vocabulary.HELP_WHILE_WATCHING if watching else frozenset())
    return any(not _waved_off(said, at, phrase) for at, phrase in _find(said, cries))


def _door_is_shut(said: _Said) -> bool:
    return any(
        not _waved_off(said, at, phrase)
        and not vocabulary.NOT_THE_DOOR.intersection(said.words[at + len(phrase) :][:1])
        for at, phrase in _find(said, vocabulary.CANT_GET_IN)
    )


def _find(said: _Said, phrases: frozenset[Phrase]) -> Iterator[tuple[int, Phrase]]:
    for at in range(len(said.words)):
        for length in range(1, _LONGEST + 1):
            phrase = said.words[at : at + length]
            if phrase in phrases:
                yield at, phrase


def _waved_off(said: _Said, at: int, phrase: Phrase) -> bool:
    """Whether the same clause negates it first: "i dont need an ambulance"."""

    def before(position: int) -> str:
        return "" if position in said.starts else said.words[position - 1]

    if before(at) in vocabulary.WAVES_OFF_NEXT:
        return True
    start = at
    while before(start) in vocabulary.LINKING:
        start -= 1
    if len(phrase) > 1 and before(at) in vocabulary.WAVES_OFF_ONE_WORD:
        return False
    return before(start) in vocabulary.WAVES_OFF


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= 3
