"""What people say in a text, as tables: all languages together.

Owns the vocabulary of ``replies.py``: how a language's ``understood.toml`` is read and checked, and
how several become one. No function here reads a message, and none knows where the text is from (the
caller reads the files). Everything in them is written folded: lower case, no accents, no
apostrophes, "i am" as "im", any word for minutes as "min". In a phrase "#" is a number of up to
three digits. Digits and emoji belong to no language and stand here.

A phrase that two languages understand differently is unclear, unless one of them cries for help.

Carriers act on STOP, END, QUIT, CANCEL, START, YES, UNSTOP and HELP before we hear them, so none of
them is a command of ours. Sources:
- https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out.md
- https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out/index
- https://docs.aws.amazon.com/sms-voice/latest/userguide/keywords-required.html
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Any

from stillhere.core.reading import notes
from stillhere.core.reading.signs import Sign, SignError, Signs
from stillhere.core.reading.typos import Sounds, Typos


class Role(StrEnum):
    """Who is speaking: the person who keeps the watch, or a contact who was told about it."""

    PERSON = "person"
    CONTACT = "contact"


class Intent(StrEnum):
    """What somebody means. ``UNCLEAR`` and ``EMPTY`` are never a check-in, a claim or an answer."""

    GO = "go"  # start a watch
    GO_LONG = "go-long"  # start a long one
    MARK = "mark"  # from here the profile's asks count
    HERE = "here"  # a check-in
    MORE = "more"
    HELP = "help"  # now; from a contact: they need help with what they see
    WANTS_TO_DIE = "wants-to-die"  # the same, and they say why
    DONE = "done"
    LIST = "list"
    ADD = "add"
    PAUSE = "pause"
    DELETE = "delete"
    CLAIM = "claim"  # "I'm going"; to an invitation: "I will"
    DECLINE = "decline"
    FAR = "far"  # "I'm far, I'll phone": holds nothing
    ARRIVED = "arrived"
    CANT_GET_IN = "cant-get-in"
    AT_DOOR = "at-door"  # near, and not with them yet
    SOON = "soon"  # how soon, and nothing else: "3 min"
    NOT_FOUND = "not-found"  # they are not where somebody looked
    OUTCOME = "outcome"  # they say how it is, or that it is over: asked back how
    WHERE = "where"  # "where?"
    REPEAT = "repeat"
    STEPS = "steps"
    WHO = "who"  # "who is this?"
    NOT_ME = "not-me"  # "not me, never again", asked back once
    OPT_OUT = "opt-out"
    CARRIER_HELP = "carrier-help"  # the carrier answers this itself
    UNCLEAR = "unclear"
    EMPTY = "empty"  # nothing to read: a picture, white space


HELP = frozenset({Intent.HELP, Intent.WANTS_TO_DIE})  # either way somebody must come

Phrase = tuple[str, ...]
Street = Sequence[tuple[Sign, Phrase]]  # a program's own words for danger
Table = Mapping[Phrase, Intent | None]  # None is filler: it may stand beside a meaning


class VocabularyError(ValueError):
    """A file of words that must not be used. The message is fit for the log and for a terminal."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """What is found by its shape: glued minutes, longer spellings, and what is not their words."""

    minutes: re.Pattern[str]
    shorter: re.Pattern[str]
    automatic: re.Pattern[str]  # a machine wrote it: nobody has seen ours
    # "Liked “Still here?”": a phone's reaction quotes our words, which must not be read as theirs;
    # ``closed`` is the end of the quotation, ``after`` what stands behind it.
    reaction: re.Pattern[str]
    liked: tuple[str, ...]
    quoted_from_here: re.Pattern[str]
    signed: re.Pattern[str]
    signed_on_the_line: re.Pattern[str]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Everything that is understood. The files say what each part is for. Each is itself alone, so
    that what was read with it can be found again."""

    tables: Mapping[Role, Table]
    polite: frozenset[str]
    only: Mapping[str, frozenset[str]]  # language -> words that no other language has
    opt_out: frozenset[Phrase]
    refusals: Table  # of who keeps no watch here: no and thanks may stand beside them
    opt_in: frozenset[str]  # whole texts, as they are written
    carrier_help: frozenset[Phrase]
    mark_alone: frozenset[Phrase]
    yes: frozenset[Phrase]  # to "still here?"
    no: frozenset[Phrase]
    joins: frozenset[Phrase]  # yes to an invitation
    signs: Signs
    waves_off: frozenset[str]
    waves_off_one_word: frozenset[str]
    waves_off_next: frozenset[str]
    linking: frozenset[str]
    help_called: frozenset[Phrase]  # a contact says that they call an ambulance
    of_another: frozenset[Phrase]  # a cry with one of these is about somebody else
    cant_get_in: frozenset[Phrase]
    not_the_door: frozenset[str]
    commands: Mapping[str, Intent]
    before_a_command: frozenset[str]
    notes: notes.NoteWords  # how a note of one's own plan looks
    days_of: Mapping[str, int]  # "weeks" -> 7
    within: frozenset[str]
    slips: Mapping[str, str]
    forgiven: tuple[str, ...]  # sorted
    neighbours: frozenset[str]
    shorter: Mapping[str, str]
    known: frozenset[str]  # every word that means something
    longest: int  # of all phrases, in words
    patterns: Patterns


# --- what belongs to no language ------------------------------------------------------------------

_SMILES = """
    🙏, ❤, ♥, 🧡, 💛, 💚, 💙, 💜, 💕, 💖, 👋, 💪, ✌, ✨, ♀, ♂, 😀, 😁, 😃, 😄, 😅, 😆, 😉,
    😊, 😇, 😎, 😘, 🙂, 🙃, ☺, 🤗, 🥰"""
_SIGNS: Mapping[Role, Mapping[Intent | None, str]] = {
    Role.PERSON: {
        None: _SMILES,
        Intent.HERE: "1, 👍, 👌, ✅, ✔, ☑, 🆗, 🙋",
        Intent.HELP: "9, 112, 999",
    },
    Role.CONTACT: {
        None: _SMILES,
        Intent.CLAIM: "1",
        Intent.DECLINE: "2",
        Intent.REPEAT: "3",
        Intent.STEPS: "5",
    },
}
_SIGNS_OF_HELP = "911, 🆘, 🚑"
_SIGNS_LIKED = ("👍 ", "❤ ")
FACES: Mapping[str, str] = {":(": " ☹ ", ":-(": " ☹ ", "=(": " ☹ ", "<3": " ❤ "}
QUOTED_LINE = re.compile(r"\s*>")

COMMAND_WORDS = 5

# A question is no answer, except where asking is the meaning.
MAY_ASK = frozenset([
    Intent.WHO,
    Intent.HELP,
    Intent.WANTS_TO_DIE,
    Intent.CARRIER_HELP,
    Intent.LIST,
    Intent.STEPS,
    Intent.REPEAT,
    Intent.WHERE,
    Intent.CANT_GET_IN,
])  # fmt: skip

# Keys of a call.
KEYS: Mapping[Role, Mapping[str, Intent]] = {
    Role.PERSON: {**dict.fromkeys("012345678*#", Intent.HERE), "9": Intent.HELP},
    Role.CONTACT: {
        "1": Intent.CLAIM,
        "2": Intent.DECLINE,
        "3": Intent.REPEAT,
        "5": Intent.STEPS,
        "8": Intent.NOT_ME,
        "88": Intent.OPT_OUT,  # pressed again when asked back
    },
}


# --- how a language's file is read ----------------------------------------------------------------

_MEANT = {"filler", *Intent} - {
    Intent.NOT_ME, Intent.OPT_OUT, Intent.CARRIER_HELP, Intent.EMPTY, Intent.WANTS_TO_DIE,
}  # fmt: skip
_ROWS: Mapping[str, frozenset[str]] = {
    "": frozenset({
        "polite", "only", "opt-out", "opt-in", "carrier-help", "mark-alone", "help-anywhere",
        "help-while-watching", "waves-off", "waves-off-one-word", "waves-off-next", "linking",
        "help-called", "of-another", "cant-get-in", "not-the-door",
    }),
    "signs": frozenset({
        "small", "glued", "help", "call", "die", "harmless", "elsewhere", "forgiven", "look-alikes",
    }),
    "anyone": frozenset(_MEANT),
    "asked": frozenset({"yes", "no", "joins"}),
    "person": frozenset(_MEANT),
    "contact": frozenset({*_MEANT, "opt-out"}),
    "note": frozenset({
        *notes.FIELDS, "loose-place", "loose-name", "loose-entry", "sentence", "no-name",
        "no-place", "street", "room", "spot", "beside", "joins", "way-in",
    }),
    "command": frozenset({"after", "add", "pause", "weeks", "months", "within"}),
    "long": frozenset({"words", "not"}),
    "not-theirs": frozenset({
        "automatic", "reaction", "liked", "quotes", "sent-from", "capitals",
    }),
}  # fmt: skip
_DAYS = {"weeks": 7, "months": 30}
_PAIRS = ("slips", "shorter", "groups", "sounds")  # sections whose names are the language's own
_SIGN_ROWS: Mapping[str, Sign] = {
    "help-anywhere": Sign.CRY,
    "help-while-watching": Sign.WATCHED,
    "signs.help": Sign.HELP,
    "signs.call": Sign.CALL,
    "signs.die": Sign.DIE,
    "signs.harmless": Sign.HARMLESS,
    "signs.elsewhere": Sign.ELSEWHERE,
}
_LISTS = ("automatic", "reaction", "liked", "quotes", "sent-from")


class _File:
    """One language's rows, each by its section and name; what it leaves out is empty."""

    def __init__(self, language: str, text: str) -> None:
        try:
            told = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise VocabularyError(f"{language}: {error}") from error
        self.rows: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.pairs: dict[str, dict[str, str]] = {}
        for name, row in told.items():
            if name in _PAIRS or name in _ROWS:
                self._section(language, name, row)
            else:
                self._row(language, "", name, row)

    def _section(self, language: str, section: str, table: object) -> None:
        if not isinstance(table, dict):
            raise VocabularyError(f"{language}: [{section}] is no table")
        for name, row in table.items():
            self._row(language, section, name, row)

    def _row(self, language: str, section: str, name: str, row: Any) -> None:
        if section in _PAIRS and isinstance(row, str):
            self.pairs.setdefault(section, {})[name] = row
        elif section not in _PAIRS and name not in _ROWS[section]:
            raise VocabularyError(f"{language}: unknown {name}")
        elif section == "not-theirs" and name in _LISTS and isinstance(row, list):
            self.lists[name] = [str(each) for each in row]
        elif isinstance(row, str) and name not in _LISTS:
            self.rows[f"{section}.{name}".lstrip(".")] = row
        else:
            raise VocabularyError(f"{language}: {name} is not what it should be")


def load(texts: Mapping[str, str], street: Street = ()) -> Vocabulary:
    """What is understood in all these languages (code -> text of its ``understood.toml``), with a
    program's own words for danger, which can only make more texts a cry.

    Raises VocabularyError where one of them cannot be used."""
    files = {language: _File(language, text) for language, text in texts.items()}

    def phrases(row: str, *more: str) -> frozenset[Phrase]:
        return _phrases(",".join([*(file.rows.get(row, "") for file in files.values()), *more]))

    def words(row: str) -> frozenset[str]:
        return frozenset(word for file in files.values() for word in _words(file.rows.get(row, "")))

    tables = {role: _table(role, files) for role in Role}
    opt_out, never, cant_get_in = map(phrases, ("opt-out", "contact.opt-out", "cant-get-in"))
    refusals = _refusals(opt_out | never, map(phrases, ("polite", "asked.no", "anyone.filler")))
    waves_off, waves_off_next, linking = map(words, ("waves-off", "waves-off-next", "linking"))
    commands = {word: do for do in (Intent.ADD, Intent.PAUSE) for word in words(f"command.{do}")}
    read = [*tables.values(), refusals, cant_get_in, phrases("asked.yes")]
    parts = frozenset(word for each in read for phrase in each for word in phrase)
    known = parts.union(waves_off, waves_off_next, linking, commands)
    shorter = {long: short for file in files.values() for long, short in _pairs(file, "shorter")}
    slips = _slips(files)
    return Vocabulary(
        tables=tables,
        polite=words("polite"),
        only={language: _words(file.rows.get("only", "")) for language, file in files.items()},
        opt_out=opt_out,
        refusals=refusals,
        opt_in=words("opt-in"),
        carrier_help=phrases("carrier-help"),
        mark_alone=phrases("mark-alone"),
        yes=phrases("asked.yes"),
        no=phrases("asked.no"),
        joins=phrases("asked.joins"),
        signs=_signs(files, street),
        waves_off=waves_off,
        waves_off_one_word=words("waves-off-one-word"),
        waves_off_next=waves_off_next,
        linking=linking,
        help_called=phrases("help-called"),
        of_another=phrases("of-another"),
        cant_get_in=cant_get_in,
        not_the_door=words("not-the-door"),
        commands=commands,
        before_a_command=words("command.after"),
        notes=notes.note_words(
            lambda row: phrases(f"note.{row}"), waves_off | waves_off_next, linking
        ),
        days_of={w: n for r, n in _DAYS.items() for w in words(f"command.{r}")},
        within=words("command.within"),
        # What one language writes wrongly may be a word of another one.
        slips={slip: word for slip, word in slips.items() if slip not in known},
        forgiven=tuple(sorted(words("long.words"))),
        neighbours=words("long.not"),
        shorter=shorter,
        known=known.union(slips.values()),
        longest=max(len(phrase) for each in read for phrase in each),
        patterns=_patterns(files, shorter, slips),
    )


def _slips(files: Mapping[str, _File]) -> dict[str, str]:
    return {
        slip: word
        for file in files.values()
        for word, typed in _pairs(file, "slips")
        for slip in typed.split()
    }


def _signs(files: Mapping[str, _File], street: Street) -> Signs:
    rows = [("", Sign.CRY, _SIGNS_OF_HELP)]
    rows += [("", sign, " ".join(phrase)) for sign, phrase in street]
    for language, file in files.items():
        for name, sign in _SIGN_ROWS.items():
            rows.append((language, sign, file.rows.get(name, "")))

    def all_of(row: str) -> list[str]:
        return [word for file in files.values() for word in _words(file.rows.get(row, ""))]

    groups = {
        (language, name): _words(row)
        for language, file in files.items()
        for name, row in _pairs(file, "groups")
    }
    sounds = {
        language: Sounds(dict(_pairs(file, "sounds")))
        for language, file in files.items()
        if "sounds" in file.pairs
    }
    typos = Typos(all_of("signs.forgiven"), all_of("signs.look-alikes"))
    try:
        return Signs(
            rows, groups, all_of("signs.small"), typos, glued=all_of("signs.glued"), sounds=sounds
        )
    except SignError as error:
        raise VocabularyError(f"[signs]: {error}") from error


def _words(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").split())


def _phrases(text: str) -> frozenset[Phrase]:
    """Each of them; of ``on/near the way`` both."""
    return frozenset(
        phrase
        for written in text.split(",")
        if written.strip()
        for phrase in product(*(word.split("/") for word in written.split()))
    )


def _pairs(file: _File, section: str) -> Iterator[tuple[str, str]]:
    yield from file.pairs.get(section, {}).items()


def _table(role: Role, files: Mapping[str, _File]) -> Table:
    table: dict[Phrase, Intent | None] = {}

    def add(phrases: frozenset[Phrase], intent: Intent | None) -> None:
        for phrase in phrases:
            table[phrase] = _either(table[phrase], intent) if phrase in table else intent

    for intent, text in _SIGNS[role].items():
        add(_phrases(text), intent)
    for file in files.values():
        for section in ("anyone", role):
            for name in sorted(_MEANT):
                text = file.rows.get(f"{section}.{name}", "")
                add(_phrases(text), None if name == "filler" else Intent(name))
    return table


def _refusals(never: frozenset[Phrase], beside: Iterator[frozenset[Phrase]]) -> Table:
    return dict.fromkeys(frozenset().union(*beside)) | dict.fromkeys(never, Intent.OPT_OUT)


def _either(one: Intent | None, other: Intent | None) -> Intent | None:
    """A phrase with two meanings: help if it may be a cry for it, else nobody can tell."""
    if one is other:
        return one
    return Intent.HELP if Intent.HELP in (one, other) else Intent.UNCLEAR


def _patterns(
    files: Mapping[str, _File], shorter: Mapping[str, str], slips: Mapping[str, str]
) -> Patterns:
    def lists(name: str) -> list[str]:
        return [each for file in files.values() for each in file.lists.get(name, ())]

    def either(texts: list[str]) -> str:
        return "|".join(texts) or r"(?!)"  # where there are none, nothing is found

    minutes = [re.escape(slip) for slip, word in slips.items() if word == "min"]
    capitals = "".join(file.rows.get("not-theirs.capitals", "") for file in files.values())
    name = rf"[A-Z{capitals}]\w*"  # a name has a capital: "-Sam" signs, "-dizzy" is to be heard
    longest_first = sorted(shorter, key=len, reverse=True)
    try:
        return Patterns(
            minutes=re.compile(rf"(?<=\d)(?=({either(['min', *minutes])})\b)"),
            shorter=re.compile(rf"\b({either(list(map(re.escape, longest_first)))})\b"),
            automatic=re.compile(rf"\b({either(lists('automatic'))})\b"),
            reaction=re.compile(
                rf"({either(lists('reaction'))}) [“\"«][^”“\"»]*"
                r"(?P<closed>[”“\"»]?)(?P<after>(?s:.*))"
            ),
            liked=(*lists("liked"), *_SIGNS_LIKED),
            quoted_from_here=re.compile(rf"\s*({either(lists('quotes'))})\s*$", re.IGNORECASE),
            signed=re.compile(
                rf"\s*(--\s*$|[-\u2013\u2014~*_]{{1,3}}\s*{name}(\s{name})?\s*[-\u2013\u2014~*_]*\s*$"
                rf"|(?i:{either(lists('sent-from'))}))"
            ),
            signed_on_the_line=re.compile(rf"\s--\s*{name}\W*$"),
        )
    except re.error as error:
        raise VocabularyError(f"a pattern that is none: {error}") from error
