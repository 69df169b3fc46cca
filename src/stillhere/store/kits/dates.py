"""Days and months as people and boxes write them: 05/2027, May 2027, 31.05.2027, 11/5/26 10:00.

In three numbers separated by slashes the month comes first, as laboratories in the US write them;
with dots the day does. An impossible date is rejected, never guessed at.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3

_HOUR = re.compile(r"(?:[T ]\s*|,\s*)\d{1,2}:\d\d.*$", re.DOTALL)
_SPLIT = re.compile(r"\s*[-/.,\s]\s*")
_TOGETHER = re.compile(r"[^\W\d_]+|\d+")
_SMALL = ("de", "del", "of", "exp")
LONGEST = 40


def day(typed: str) -> date | None:
    """The day that was meant, or nothing."""
    parts = _parts(typed)
    return _whole(parts, dots="." in typed) if len(parts) == 3 else None


def month(typed: str) -> str:
    """The month that was meant, like "2027-05", or "" if there is none. A day in it must exist, and
    05/06/2027 could be either month, so it is rejected."""
    parts = _parts(typed)
    if len(parts) == 1 and re.fullmatch(r"\d{6}", parts[0]):
        first = parts[0]
        parts = [first[:4], first[4:]] if first.startswith("20") else [first[:2], first[2:]]
    if len(parts) == 2:
        year_first = _named(parts[1]) > 0 or (parts[0].isdigit() and len(parts[0]) == 4)
        year, number = parts if year_first else parts[::-1]
        found = _date(year, number, "1")
    elif len(parts) == 3:
        found = _whole(parts, dots="." in typed)
        if "." not in typed and found and _may_be_either(parts):
            return ""
    else:
        return ""
    return f"{found:%Y-%m}" if found else ""


def _parts(typed: str) -> list[str]:
    """Names and numbers, as they stand."""
    plain = _HOUR.sub("", typed.strip()).casefold()
    if len(plain) > LONGEST or not plain.isprintable():
        return []
    words = [part for part in _SPLIT.split(plain) if part and part not in _SMALL]
    parts = [part for word in words for part in _TOGETHER.findall(word)]
    if len(parts) == 1 and re.fullmatch(r"\d{8}", parts[0]):
        return [parts[0][:4], parts[0][4:6], parts[0][6:]]
    whole = "".join(parts) == "".join(words)
    return parts if whole and all(p.isascii() or not p.isdigit() for p in parts) else []


def _may_be_either(parts: list[str]) -> bool:
    """Whether day and month could be swapped, as in 05/06/2027."""
    one, two, year = parts
    either = _date(year, one, two), _date(year, two, one)
    return all(part.isdigit() for part in parts) and None not in either and one != two


def _whole(parts: list[str], *, dots: bool) -> date | None:
    """Three parts, in whatever order they are written."""
    named = next((part for part in parts if _named(part)), "")
    if named:
        first, second = (part for part in parts if part is not named)
        year, number = (first, second) if len(first) == 4 else (second, first)
        return _date(year, named, number)
    if len(parts[0]) == 4:
        return _date(*parts)
    one, two, year = parts
    if dots:
        one, two = two, one
    return _date(year, one, two) or _date(year, two, one)


def _date(year: str, number: str, on: str) -> date | None:
    number = str(_named(number) or number)
    plain = all(part.isdigit() for part in (year, number, on))
    if not (plain and len(year) in (2, 4) and len(number) < 3 and len(on) < 3):
        return None
    try:
        return date(int(year) if len(year) == 4 else 2000 + int(year), int(number), int(on))
    except ValueError:
        return None


def _named(part: str) -> int:
    """The number of the month with this name in any of our languages, 0 if none."""
    return _names().get(part, 0)


@cache
def _names() -> dict[str, int]:
    found: dict[str, int] = {}
    for code, _language in settings.LANGUAGES:
        with translation.override(code):
            for table in (MONTHS, MONTHS_3):
                found |= {str(name).casefold().rstrip("."): no for no, name in table.items()}
    return found | {"sept": 9}
