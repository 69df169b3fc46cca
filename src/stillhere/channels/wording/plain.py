"""Names, times and numbers as they may stand in a message.

Owns making what people typed harmless (a name travels to other people's lock screens), saying when
something was, and keeping a number to phone in its order. Decides nothing and knows no sentence.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

NAME_MOST = 24
PROGRAM_MOST = 40

_PUNCTUATION = "-'.,&()"
# "evil.example" would become a link on the phone; "J.R." is a name.
_LINKING_DOT = re.compile(r"(?<=\w\w)\.(?=\w)|(?<=\w)\.(?=\w\w)")

# A number to phone, with its groups; not the digits of an address of a page.
_NUMBER = re.compile(r"(?<![\w/.-])\+?\(?[0-9][0-9 ().-]{4,}[0-9](?![\w/])")


def name(typed: str, most: int = NAME_MOST) -> str:
    """A name without anything a phone, a mail program or a page could obey, at most ``most`` long.

    Letters, digits, signs of names and emoji stay. Line breaks, marks that turn the writing round,
    markup and what makes a web address go. May come back empty.
    """
    # Only the beginning is looked at: what comes in may be long.
    text = unicodedata.normalize("NFC", typed[: most * 4]).replace("\u2019", "'")
    kept = "".join(char if _may_stand(char) else " " for char in text if _is_seen(char))
    return " ".join(_LINKING_DOT.sub(" ", kept).split())[:most].strip(" -',&(.")


def listed(typed: str, most: int = 80) -> str:
    """Several names with commas between, each made harmless; a question mark after one stays."""
    names = []
    for each in typed[: most * 4].split(", "):
        plain = name(each.removesuffix("?"))
        names += [f"{plain}{'?' if each.endswith('?') else ''}"] if plain else []
    return ", ".join(names)[:most]


def number(typed: str) -> str:
    """The first number to phone in a note, as it was typed; ``""`` where there is none."""
    found = _NUMBER.search(typed)
    return found[0] if found else ""


def digit_by_digit(text: str) -> str:
    """The same to be read aloud: the digits of a number one after the other."""
    return re.sub(r"(?<=[0-9])(?=[0-9])", " ", text)


def isolated(text: str) -> str:
    """The same, for a language that is written from right to left: each number to phone keeps its
    order, instead of standing there with its groups turned round."""
    return _NUMBER.sub("\u2066\\g<0>\u2069", text)


def _is_seen(char: str) -> bool:
    """Not a joiner, a direction mark or another format sign: these vanish without a gap."""
    return unicodedata.category(char) != "Cf"


def _may_stand(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LMN" or category == "So" or char in _PUNCTUATION


def hour(at: int, tz: str) -> str:
    """The time of day of ``at`` (ms UTC) where the person lives, as HH:MM.

    Where nobody ever said where that is, the time is UTC and says so: someone far away must not
    read it as theirs.
    """
    zone = _zone(tz)
    said = f"{datetime.fromtimestamp(at / 1000, zone):%H:%M}"
    return f"{said} UTC" if zone is UTC else said


def _zone(tz: str) -> tzinfo:
    if tz in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(tz)
    except (ValueError, OSError, KeyError):  # a zone nobody knows is a KeyError
        return UTC
