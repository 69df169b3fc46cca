"""What somebody means: the words of a text and the keys of a call, turned into one intent.

Owns reading; the words themselves are handed in (``vocabulary.py``). Refuses to guess: what is
unclear is never "I'm fine".

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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from stillhere.core import vocabulary
from stillhere.core.reading import notes
from stillhere.core.reading.notes import Note
from stillhere.core.reading.signs import Sign
from stillhere.core.reading.typos import one_slip
from stillhere.core.vocabulary import HELP, Intent, Phrase, Role, Table, Vocabulary

__all__ = [
    "HELP", "READ_MOST", "Intent", "Role", "forget_texts", "help_is_called", "language_of",
    "read_ahead", "read_key", "read_minutes", "read_note", "read_text", "read_where",
    "read_where_in_cry", "speaks_of_another", "words_of",
]  # fmt: skip

TEXT_MOST = 20_000  # beyond this nothing is looked at
AHEAD = 4_096  # what is read before a transaction: more than one group and its notes hold
SHORT = 40  # letters: the parts of such a text are read in no time
READ_MOST = 1_600  # a text longer than ten segments can be a cry for help, nothing else

_APOSTROPHES = re.compile("['’‘`´ʼ＇′]")  # noqa: RUF001
_RUN = re.compile(r"([a-z])\1{2,}")
_PHONE = re.compile(r"\+?\d[\d ().-]{5,20}\d")
_SPELT_911 = re.compile(r"(?<!\d)9[ .-]{0,2}1[ .-]{0,2}1(?!\d)")
_LIKE_911 = re.compile(r"(911){2,}|9{1,2}1{2,3}")  # and with a stray digit
_PIECE = re.compile(r"[^\W_]+|[^\w\s]|\n")
_ASKS = frozenset("?¿؟‽")
_HARMLESS = frozenset("\n~^|+=")


@dataclass(frozen=True, slots=True)
class _Said:
    """A text as words. ``starts``: where a clause begins. ``asks``: there is a question in it."""

    words: Phrase
    starts: frozenset[int]
    asks: bool


@dataclass(frozen=True, slots=True)
class _Listened:
    """A text as it is understood whoever wrote it: whole, and without what is quoted."""

    whole: str
    body: str
    said: _Said  # of a phone's reaction: what stands after the quotation
    signature: _Said
    signs: frozenset[Sign]  # of danger


def read_text(
    text: str, role: Role, words: Vocabulary, *, watching: bool, asked: bool = False
) -> Intent:
    """What a text means. ``watching``: their watch is open; for a contact, an alarm they know of.
    ``asked``: a person is asked whether they are still here, a contact whether they join.

    Total: whatever comes in, one intent comes out, and it is ``UNCLEAR`` unless it is clear.
    """
    heard = _listen(text[:TEXT_MOST], words)
    if not heard.whole:
        return Intent.EMPTY
    if (reaction := words.patterns.reaction.match(heard.whole)) is not None:
        cry = _cry(heard.signs, role, watching=watching)
        liked = role is Role.PERSON and heard.whole.startswith(words.patterns.liked)
        alone = reaction["closed"] and not heard.said.words and not heard.said.asks
        return cry or (Intent.HERE if liked and alone else Intent.UNCLEAR)
    if words.patterns.automatic.search(heard.body):
        return Intent.UNCLEAR
    said, signature = heard.said, heard.signature
    first = said.words[0] if said.words else ""
    adds = not watching and role is Role.PERSON and words.commands.get(first) is Intent.ADD
    if role is Role.CONTACT and (told := _news(said, words)) is not None:
        return told
    if not adds and (cry := _cry(heard.signs, role, watching=watching)) is not None:
        return cry
    if len(heard.body) > READ_MOST:
        return Intent.UNCLEAR
    intent = _meaning(said, role, words, watching)
    if asked and intent is Intent.UNCLEAR:
        intent = _answer(said.words, role, words)
    if said.asks and intent not in vocabulary.MAY_ASK:
        return Intent.UNCLEAR
    if signature.asks or words.waves_off.intersection(signature.words):
        return Intent.UNCLEAR  # that is no signature
    return intent


def says_no(text: str, words: Vocabulary) -> bool:
    """Whether a text is a no and nothing else: not that they cannot come."""
    said = words_of(text[:READ_MOST], words)
    return tuple(word for word in said if word not in words.polite) in words.no


def read_ahead(texts: Iterable[str], words: Vocabulary) -> None:
    """Do now all that is slow about reading these, up to a tenth of a second each: a transaction
    is no place for that. It is kept until ``forget_texts``."""
    for text in texts:
        _listen(text[:TEXT_MOST], words)
        words_of(text[:READ_MOST], words)
        if len(text) > SHORT:
            read_note(text, words)  # it reads the parts of a text too


def forget_texts() -> None:
    """Keep nothing of what was read."""
    _listen.cache_clear()
    words_of.cache_clear()


def language_of(text: str, words: Vocabulary) -> str:
    """The one language (``en``) of which a word of the text is, else nothing."""
    said = words_of(text[:READ_MOST], words)
    found = [language for language, only in words.only.items() if not only.isdisjoint(said)]
    return found[0] if len(found) == 1 else ""


def read_key(key: str, role: Role) -> Intent:
    """What one key pressed during a call means. Any key is a sign of life from the person."""
    pressed = key.strip()
    if not pressed:
        return Intent.EMPTY
    return vocabulary.KEYS[role].get(pressed, Intent.UNCLEAR)


def read_note(text: str, words: Vocabulary) -> Note | None:
    """The note of their own plan that a text is, which means nothing else; or None."""
    return notes.read_note(text[:READ_MOST], words.notes, lambda part: words_of(part, words))


def read_where(text: str, words: Vocabulary, *, anything: bool = False) -> Note | None:
    """The place that an answer to "where are you?" says, or None. ``anything``: whatever they wrote
    with their own hands is one."""
    heard = _listen(text[:TEXT_MOST], words)
    patterns = words.patterns
    if patterns.reaction.match(heard.whole) or patterns.automatic.search(heard.body):
        return None
    said = words_of(text[:READ_MOST], words)
    if not said or not (anything or notes.looks_like_place(said, words.notes)):
        return None
    return Note("place", text[:READ_MOST].strip(), sure=False)


def read_where_in_cry(text: str, words: Vocabulary) -> Note | None:
    """A cry for help in which an address stands, as the place that it says."""
    said = words_of(text[:READ_MOST], words)
    found = notes.holds_address(said, words.notes)
    return Note("place", text[:READ_MOST].strip(), sure=False) if found else None


def read_minutes(text: str, words: Vocabulary) -> int | None:
    """How soon, in minutes, if a text says so: "omw 10 min", "voy en 5"."""
    said = words_of(text[:READ_MOST], words)
    for before, number, after in zip(("", *said), said, (*said[1:], ""), strict=False):
        if _is_number(number) and (after == "min" or before in words.within):
            return int(number)
    return None


@lru_cache(maxsize=AHEAD)
def _listen(text: str, words: Vocabulary) -> _Listened:
    """All that is slow about reading a text, whoever wrote it."""
    own, tail = _own_words(text, words)
    whole = _fold(text, words)
    body = whole if own == text else _fold(own, words)
    whole = whole.strip()
    if (reaction := words.patterns.reaction.match(whole)) is not None:
        said = signature = _hear(reaction["after"], words)
    else:
        said, signature = _hear(body, words), _hear(_fold(tail, words), words)
    signs = _signs_in(said, words) | _signs_in(signature, words)
    return _Listened(whole, body, said, signature, signs)


@lru_cache(maxsize=AHEAD)
def words_of(text: str, words: Vocabulary) -> Phrase:
    """Their own words, as they are read."""
    body, _ = _own_words(text, words)
    return _hear(_fold(body, words, READ_MOST), words).words


def without_signature(text: str, words: Vocabulary) -> str:
    """Their own words as they wrote them, without a quoted mail and a signature."""
    return _own_words(text[:READ_MOST], words)[0]


# --- folding --------------------------------------------------------------------------------------


def _fold(text: str, words: Vocabulary, most: int = TEXT_MOST) -> str:
    """Lower case, no accents, no apostrophes, one spelling. Lines stay lines. One sign may become
    eighteen: beyond ``most`` nothing is looked at here either."""
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text))[:most].casefold()
    kept = (" " if c in "\t\r" else c for c in unicodedata.normalize("NFKD", plain) if _visible(c))
    folded = "".join(kept)[:most]
    for face, symbol in vocabulary.FACES.items():
        folded = folded.replace(face, symbol)
    folded = words.patterns.shorter.sub(lambda found: words.shorter[found[0]], folded)
    folded = _PHONE.sub(lambda found: re.sub(r"\D", "", found[0]), folded)
    return words.patterns.minutes.sub(" ", _SPELT_911.sub("911", folded))


def _visible(char: str) -> bool:
    """Not an accent, a skin tone, a joiner or another thing that only changes its neighbour."""
    category = unicodedata.category(char)
    return char in "\n\t\r`^" or not (category[0] in "MC" or category == "Sk")


def _own_words(text: str, words: Vocabulary) -> tuple[str, str]:
    """Their words without a quoted mail, and apart from them the signature. Where the lines of a
    mail are marked, only they are quoted: what stands below them is their own again."""
    own: list[str] = []
    lines = text.splitlines()
    marked = any(map(vocabulary.QUOTED_LINE.match, lines))
    for line in lines:
        if words.patterns.quoted_from_here.match(line):
            if not marked:
                break
        elif not vocabulary.QUOTED_LINE.match(line):
            own.append(line)
    for number, line in enumerate(own):
        if words.patterns.signed.match(line) and "".join(own[:number]).strip():
            return "\n".join(own[:number]), "\n".join(own[number:])
    body = "\n".join(own).rstrip()
    signed = words.patterns.signed_on_the_line.search(body)
    return (body[: signed.start()], signed[0]) if signed else (body, "")


def _hear(text: str, words: Vocabulary) -> _Said:
    """Split into words. Punctuation ends a clause; a word said twice in a row is said once."""
    said: list[str] = []
    read: dict[str, str] = {}  # by how it is spelt
    starts, asks, clause = {0}, False, False
    for piece in _PIECE.findall(text):
        asks = asks or piece in _ASKS
        if piece in _HARMLESS or unicodedata.category(piece[0])[0] == "P":
            clause = True
            continue
        word = read[piece] if piece in read else read.setdefault(piece, _word(piece, words))
        if said and said[-1] == word:
            continue
        if clause:
            starts.add(len(said))
        said.append(word)
        clause = False
    return _Said(tuple(said), frozenset(starts), asks)


def _word(piece: str, words: Vocabulary) -> str:
    """One word, its spelling forgiven where that cannot make it mean something else."""
    if piece.isdecimal():
        if _LIKE_911.fullmatch(piece):
            return "911"
        return "9" if set(piece) == {"9"} and len(piece) != 3 else piece
    for spelling in (piece, _RUN.sub(r"\1", piece), _RUN.sub(r"\1\1", piece)):
        word = words.slips.get(spelling, spelling)
        if word in words.known:
            return word
    if piece in words.neighbours:
        return piece
    like = (w for w in words.forgiven if -2 < len(w) - len(piece) < 2 and one_slip(piece, w))
    return next(like, piece)


# --- meaning --------------------------------------------------------------------------------------


def _meaning(said: _Said, role: Role, words: Vocabulary, watching: bool) -> Intent:
    plain = tuple(word for word in said.words if word not in words.polite)
    refuses = role is Role.CONTACT and _composed(said.words, words.refusals, words.longest)
    if plain in words.opt_out or refuses is Intent.OPT_OUT:
        return Intent.OPT_OUT
    if plain in words.carrier_help:
        return Intent.WHO if watching else Intent.CARRIER_HELP  # a cry was found before
    if role is Role.CONTACT and _door_is_shut(said, words):
        return Intent.CANT_GET_IN
    if role is Role.PERSON and plain in words.mark_alone:
        return Intent.MARK
    intent = _composed(said.words, words.tables[role], words.longest)
    if intent is Intent.UNCLEAR and role is Role.PERSON:
        return _command(plain, words)
    return intent


def _answer(said: Phrase, role: Role, words: Vocabulary) -> Intent:
    """What a yes or a no means to "still here?": nobody says no to it who needs nothing. And what
    a yes means to an invitation."""
    plain = tuple(word for word in said if word not in words.polite)
    if role is Role.CONTACT:
        return Intent.CLAIM if plain in words.joins else Intent.UNCLEAR
    if said in words.no:
        return Intent.HELP
    return Intent.HERE if plain in words.yes else Intent.UNCLEAR


def _composed(said: Phrase, table: Table, longest: int) -> Intent:
    """The one meaning that every word of the text belongs to; one word too many makes it
    unclear."""
    found: set[Intent] = set()
    at = 0
    while at < len(said):
        for length in range(min(longest, len(said) - at), 0, -1):
            phrase = said[at : at + length]
            if phrase not in table:
                phrase = tuple("#" if _counts(word, table) else word for word in phrase)
            if phrase in table:
                break
        else:
            return Intent.UNCLEAR
        intent = table[phrase]
        if intent is not None:
            found.add(intent)
        at += length
    return _strongest(found)


def _counts(word: str, table: Table) -> bool:
    """Whether it is how many of something, and no cry for help."""
    return _is_number(word) and table.get((word,)) is not Intent.HELP


def _strongest(found: set[Intent]) -> Intent:
    if Intent.HELP in found:
        return Intent.HELP
    if len(found) > 1:  # "ok more" asks for more; "cant, too far" may still phone
        found = found - {Intent.HERE, Intent.SOON}
    if found == {Intent.DECLINE, Intent.FAR}:
        return Intent.FAR
    return found.pop() if len(found) == 1 else Intent.UNCLEAR


def _command(plain: Phrase, words: Vocabulary) -> Intent:
    """A command with something after it: "add 303 555 0142", "pause 3 days"."""
    rest = plain[1:] if words.before_a_command.issuperset(plain[:1]) else plain
    short = len(rest) <= vocabulary.COMMAND_WORDS or any(
        len(w) >= 7 and w.isdecimal() for w in rest
    )
    return words.commands.get(rest[0], Intent.UNCLEAR) if rest and short else Intent.UNCLEAR


def _news(said: _Said, words: Vocabulary) -> Intent | None:
    """What a contact's whole text says of how it is there; it may name what a cry does: "the
    ambulance is here"."""
    table, asks = words.tables[Role.CONTACT], said.asks
    intent = _composed(said.words, table, words.longest)
    return intent if intent in (Intent.OUTCOME, Intent.NOT_FOUND) and not asks else None


def _cry(signs: frozenset[Sign], role: Role, *, watching: bool) -> Intent | None:
    """What cry these signs are, if any. Of a contact only what they see: "come" is no news."""
    if Sign.DIE in signs and role is Role.PERSON:
        return Intent.WANTS_TO_DIE
    counts = {Sign.CRY, Sign.HELP, Sign.DIE}
    if watching:
        counts.add(Sign.WATCHED)
    if role is Role.PERSON:
        counts.add(Sign.CALL)
    return None if counts.isdisjoint(signs) else Intent.HELP


def _signs_in(said: _Said, words: Vocabulary) -> frozenset[Sign]:
    """The signs of danger that hold: not waved off, not part of something harmless, and not in a
    text about another time, unless they count even there."""
    parts, places = words.signs.parts(said.words)
    found = words.signs.find(parts)
    if not found:
        return frozenset()
    harmless = [each for each in found if each.sign is Sign.HARMLESS]
    spoken = [each for each in found if each.sign is Sign.HELP]
    elsewhere = any(each.sign is Sign.ELSEWHERE for each in found)
    return frozenset(
        each.sign
        for each in found
        if not any(each.meets(other) and not other.within(each) for other in harmless)
        and not (each.sign is Sign.DIE and any(each.ends(longer) for longer in spoken))
        and not (elsewhere and each.sign not in (Sign.CRY, Sign.WATCHED))
        and not _waved_off(said, places[each.start], each.end - each.start > 1, words)
    )


def help_is_called(text: str, words: Vocabulary) -> bool:
    """Whether a contact says that they call an ambulance, and nothing beside it."""
    table = {**words.tables[Role.CONTACT], **dict.fromkeys(words.help_called, Intent.STEPS)}
    longest = max(map(len, words.help_called), default=0)
    said = words_of(text[:READ_MOST], words)
    return _composed(said, table, max(longest, words.longest)) is Intent.STEPS


def speaks_of_another(text: str, words: Vocabulary) -> bool:
    """Whether a cry is about somebody else than whoever writes it."""
    said = _listen(text[:TEXT_MOST], words).said
    return any(_find(said, words.of_another, words.longest))


def _door_is_shut(said: _Said, words: Vocabulary) -> bool:
    return any(
        not _waved_off(said, at, len(phrase) > 1, words)
        and words.not_the_door.isdisjoint(said.words[at + len(phrase) :][:1])
        for at, phrase in _find(said, words.cant_get_in, words.longest)
    )


def _find(said: _Said, phrases: frozenset[Phrase], longest: int) -> Iterator[tuple[int, Phrase]]:
    first = {phrase[0] for phrase in phrases}
    for at in [at for at, word in enumerate(said.words) if word in first]:
        for length in range(1, longest + 1):
            phrase = said.words[at : at + length]
            if phrase in phrases:
                yield at, phrase


def _waved_off(said: _Said, at: int, several: bool, words: Vocabulary) -> bool:
    """Whether the same clause negates it first: "i dont need an ambulance"."""

    def before(position: int) -> str:
        return "" if position in said.starts else said.words[position - 1]

    if before(at) in words.waves_off_next:
        return True
    start = at
    while before(start) in words.linking:
        start -= 1
    if several and before(start) in words.waves_off_one_word:
        return False
    return before(start) in words.waves_off


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= 3
