"""Whom a person can phone besides their own people: staffed lines and emergency numbers.

Owns reading and checking ``content/lines.toml`` with what each language says of a line
(``locale/<lang>/lines.toml``), and how sure we may say we are of a number. A
host's own ``lines.toml`` in the data folder counts instead, whole; a broken one is ignored, loudly
in the log. Needs no database: ``/lines`` must open when nothing else does.
"""

from __future__ import annotations

import logging
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stillhere.content import host_file, sentences
from stillhere.content.languages import HOME, Language, LanguageError

log = logging.getLogger("stillhere.web")

FILE = "lines.toml"
FRESH_DAYS = 90
LARGEST = 256 * 1024
COUNTRIES = {
    "US": gettext_lazy("United States"),
    "CA": gettext_lazy("Canada"),
    "EU": gettext_lazy("Europe"),
    "GB": gettext_lazy("United Kingdom"),
    "IE": gettext_lazy("Ireland"),
    "AU": gettext_lazy("Australia"),
    "NZ": gettext_lazy("New Zealand"),
}
KINDS, WAYS = ("company", "talk", "emergency"), ("call", "text", "both")
_WORDS = ("name", "number", "country", "kind", "hours", "source_url", "seen")
_SIGNED = ("verified_on", "verified_by")
_OTHERS = ("languages", "says", "way", "doubt")
_NUMBER = re.compile(r"\+?[0-9][0-9 ()-]{1,19}")
_NORTH_AMERICA = ("US", "CA")
# Where Europe's number counts by the law of the Union.
_UNION = frozenset(
    {
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
        "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    }
)  # fmt: skip
# Time zones by country, as far as a number of ours counts there.
_ELSEWHERE = {
    "Europe/London": "GB",
    "Europe/Belfast": "GB",
    "Europe/Dublin": "IE",
    "Europe/Moscow": "",
    "Europe/Minsk": "",
    "Pacific/Auckland": "NZ",
    "Pacific/Chatham": "NZ",
    "Pacific/Honolulu": "US",
}
_AMERICA = frozenset(
    {
        "New_York", "Detroit", "Kentucky/Louisville", "Indiana/Indianapolis", "Indianapolis",
        "Chicago", "Menominee", "North_Dakota/Center", "Denver", "Boise", "Phoenix", "Los_Angeles",
        "Anchorage", "Juneau", "Sitka", "Nome", "Adak", "St_Johns", "Halifax", "Moncton", "Toronto",
        "Montreal", "Winnipeg", "Regina", "Edmonton", "Whitehorse", "Vancouver", "Iqaluit",
    }
)  # fmt: skip


Sentences = dict[str, dict[str, str]]


class LinesError(ValueError):
    """A file of lines that must not be used. The message is fit for the log."""


@dataclass(frozen=True, slots=True)
class Helpline:
    """One number as the file has it. ``verified_on`` is None where nobody has dialled it."""

    name: str
    number: str
    country: str
    kind: str
    way: str
    hours: str
    languages: tuple[str, ...]
    doubt: bool
    says: Mapping[str, str]
    source_url: str
    seen: str
    verified_on: date | None
    verified_by: str


@dataclass(frozen=True, slots=True)
class Staffed:
    """A line as a page shows it. ``tel`` is a link, or "" for a number that only takes texts."""

    name: str
    place: str
    number: str
    tel: str
    says: str
    checked: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Emergency:
    """An emergency number and where it counts, in words."""

    number: str
    tel: str
    place: str


def staffed(now_ms: int | None) -> list[Staffed]:
    """The lines that keep somebody company tonight, without those whose number is in doubt. Where
    a host knows none of that kind, those that listen."""
    sure = [line for line in known() if _answers(line)]
    company = [line for line in sure if line.kind == "company"]
    return [_shown(line, now_ms) for line in company or sure]


def all_staffed(now_ms: int | None) -> list[Staffed]:
    """Every line where a person answers, countries together."""
    lines = [line for line in known() if line.kind != "emergency"]
    countries = list(dict.fromkeys(line.country for line in lines))
    lines.sort(key=lambda line: countries.index(line.country))
    return [_shown(line, now_ms) for line in lines]


def to_call_now() -> str:
    """The emergency number of the host's own country and a line that answers, as people read
    them."""
    here = [each.number for each in emergency()[:1]]
    line = next((each for each in staffed(None) if each.tel), None)
    return ", ".join([*here, *([f"{line.name} {line.number}"] if line is not None else [])])


def listening() -> str:
    """The first line of the host's own country that listens, as people read it; or nothing."""
    here = _listening()
    return " ".join(dict.fromkeys([here.name, here.number])) if here is not None else ""


def listening_line(now_ms: int | None) -> Staffed | None:
    """The same, as a page shows it."""
    here = _listening()
    return _shown(here, now_ms) if here is not None else None


def _listening() -> Helpline | None:
    country = settings.STILLHERE.country
    talk = (line for line in known() if line.kind == "talk" and not line.doubt)
    return next((line for line in talk if line.country == country), None)


def emergency() -> list[Emergency]:
    """Each emergency number once, that of the host's own country first."""
    places: dict[str, list[str]] = {}
    numbers = [line for line in known() if line.kind == "emergency"]
    for line in sorted(numbers, key=lambda line: line.country != settings.STILLHERE.country):
        places.setdefault(line.number, []).append(_place(line))
    return [Emergency(number, f"tel:{number}", ", ".join(at)) for number, at in places.items()]


def emergency_at(tz: str) -> list[Emergency]:
    """The number that counts where this time zone is, or all of them where we cannot tell."""
    return _emergency_of(country(tz)) or emergency()


def emergency_in(code: str) -> str:
    """The number that counts in a country (two letters), or "" where we cannot tell."""
    found = _emergency_of(code) or (_emergency_of("EU") if code in _UNION else [])
    return found[0].number if found else ""


def _emergency_of(where: str) -> list[Emergency]:
    """The first number of a country as ``lines.toml`` names it, or none."""
    here = [line for line in known() if line.kind == "emergency" and line.country == where]
    return [Emergency(each.number, f"tel:{each.number}", _place(each)) for each in here[:1]]


def country(tz: str) -> str:
    """The country of a time zone as ``lines.toml`` names it, or "". Canada's number is also that of
    the United States."""
    region, _slash, town = tz.partition("/")
    if tz in _ELSEWHERE:
        return _ELSEWHERE[tz]
    if region in ("US", "Canada") or (region == "America" and town in _AMERICA):
        return "US"
    return {"Europe": "EU", "Australia": "AU"}.get(region, "")


def overdue(now_ms: int) -> list[str]:
    """The lines nobody has dialled for too long, or ever: for whoever runs this. An emergency
    number is not dialled to see whether it works."""
    lines = [line for line in known() if line.kind != "emergency"]
    old = (line for line in lines if not _fresh(line, now_ms))
    return [n if (n := line.name) == line.number else f"{n} {line.number}" for line in old]


# --- what is said of a line -----------------------------------------------------------------------


def _shown(line: Helpline, now_ms: int | None) -> Staffed:
    return Staffed(
        name=line.name,
        place=_place(line),
        number=line.number,
        tel=_tel(line),
        says=_says(line),
        checked=_checked(line, now_ms),
        stale=not _fresh(line, now_ms),
    )


def _place(line: Helpline) -> str:
    return str(COUNTRIES.get(line.country, line.country))


def _says(line: Helpline) -> str:
    reads = sentences.language()
    told = [sentences.said_in(line.says, reads)]
    if line.hours == "24/7":
        told.append(_("Day and night."))
    elif line.hours:
        told.append(line.hours)
    if line.way == "text":
        told.append(_("Only by text."))
    if reads != HOME and reads not in line.languages:
        told.append(_("They may speak only English."))
    return " ".join(told)


def _tel(line: Helpline) -> str:
    """What a phone dials. National digits where a number is free only inside its country."""
    if line.way == "text":
        return ""
    digits = re.sub(r"[^0-9+]", "", line.number)
    if line.country in _NORTH_AMERICA and re.fullmatch(r"1?[2-9][0-9]{9}", digits):
        return f"tel:+1{digits[-10:]}"
    return f"tel:{digits}"


def _fresh(line: Helpline, now_ms: int | None) -> bool:
    """Whether it was dialled lately. Where we cannot tell the time, nothing is fresh."""
    if line.verified_on is None or now_ms is None:
        return False
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return -1 <= (today - line.verified_on).days <= FRESH_DAYS  # a day ahead: another time zone


def _checked(line: Helpline, now_ms: int | None) -> str:
    """How sure we are, in one breath."""
    if line.doubt:
        return _("Sources give different numbers for this line. It may not answer.")
    if line.verified_on is not None:
        day = date_format(line.verified_on, _("F j, Y"))
        if _fresh(line, now_ms):
            return _("Number checked on %(day)s.") % {"day": day}
        return _("Last checked on %(day)s. It may not answer.") % {"day": day}
    if line.seen == "source":
        return _("Number from their own page, not phoned by us.")
    if line.seen:
        told = _("Number from their own page in %(year)s, not phoned by us.")
        return told % {"year": line.seen}
    if line.kind == "talk":  # no doubt is put under the number of whoever may want to die
        return ""
    return _("Nobody has checked this number lately. It may not answer.")


# --- reading --------------------------------------------------------------------------------------


def known() -> tuple[Helpline, ...]:
    """The lines of this installation: the host's own where that file is sound, else ours."""
    path, languages = settings.STILLHERE.data / FILE, settings.SPOKEN.values()
    try:
        told = path.stat()
    except OSError:
        return _built_in(*languages)
    return _own(path, told.st_mtime_ns, told.st_size, *languages) or _built_in(*languages)


@lru_cache(maxsize=4)
def _built_in(*languages: Language) -> tuple[Helpline, ...]:
    text = resources.files("stillhere.content").joinpath(FILE).read_text("utf-8")
    return read(text, _spoken(languages))


def _spoken(languages: Iterable[Language]) -> Sentences:
    """What is said of lines, by name and language."""
    found: Sentences = {}
    for each in languages:
        try:
            for name, text in sentences.table(each, FILE).items():
                found.setdefault(name, {})[each.code] = str(text)
        except LanguageError as error:
            log.warning("not used: %s: %s", each.code, error)
    return found


def own_fault() -> str:
    """Why the host's own file is not used, or nothing."""
    try:
        read(
            host_file.read(settings.STILLHERE.data / FILE, LARGEST),
            _spoken(tuple(settings.SPOKEN.values())),
        )
    except FileNotFoundError:
        return ""
    except (host_file.HostFileError, LinesError) as error:
        return str(error)
    return ""


@lru_cache(maxsize=2)
def _own(
    path: Path, _changed: int, _size: int, *languages: Language
) -> tuple[Helpline, ...] | None:
    """The host's file, read once each time it changes; None where it must not be used."""
    try:
        return read(host_file.read(path, LARGEST), _spoken(languages))
    except (FileNotFoundError, host_file.HostFileError, LinesError) as error:
        log.warning("lines.toml in the data folder is not used: %s", error)
        return None


def read(text: str, spoken: Sentences) -> tuple[Helpline, ...]:
    """Every line in a text, checked; ``spoken`` is what a line may say by name. Raises
    LinesError."""
    try:
        rows = tomllib.loads(text).get("line", [])
    except tomllib.TOMLDecodeError as error:
        raise LinesError(str(error)) from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise LinesError("a line begins with [[line]]")
    lines = tuple(_line(row, spoken) for row in rows)
    if not any(_answers(line) for line in lines):
        raise LinesError("it has no line where somebody answers")
    if not any(line.kind == "emergency" for line in lines):
        raise LinesError("it has no emergency number")
    return lines


def _answers(line: Helpline) -> bool:
    """Whether somebody picks up there, as far as anyone knows."""
    return line.kind != "emergency" and line.way != "text" and not line.doubt


def _line(row: dict[str, Any], spoken: Sentences) -> Helpline:
    name = str(row.get("name", "?"))
    strange = sorted(row.keys() - {*_WORDS, *_SIGNED, *_OTHERS})
    if strange:
        raise LinesError(f"{name}: unknown {', '.join(strange)}")
    for each in (*_WORDS, *_SIGNED):
        if not isinstance(row.get(each), str):
            raise LinesError(f"{name}: {each} is missing or no text")
    line = Helpline(
        **{each: row[each].strip() for each in _WORDS},
        way=row.get("way", "call"),
        languages=_texts(name, row.get("languages")),
        doubt=row.get("doubt", False) is True,
        says=_by_language(name, row.get("says"), spoken),
        verified_on=_day(name, row["verified_on"]),
        verified_by=row["verified_by"].strip(),
    )
    _sound(line)
    return line


def _sound(line: Helpline) -> None:
    """Refuse what would mislead: a number no phone dials, a check without a checker."""
    faults = {
        "name": not 0 < len(line.name) <= 80,
        "number": not _NUMBER.fullmatch(line.number),
        "country": not re.fullmatch(r"[A-Z]{2}", line.country),
        "kind": line.kind not in KINDS,
        "way": line.way not in WAYS,
        "seen": not re.fullmatch(r"source|20[0-9]{2}|", line.seen),
        "source_url": not re.fullmatch(r"https://[^\s/]+\.[^\s]+", line.source_url),
        "verified_by": bool(line.verified_by) != (line.verified_on is not None),
    }
    for each, wrong in faults.items():
        if wrong:
            raise LinesError(f"{line.name}: {each} cannot be used")


def _texts(name: str, given: object) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise LinesError(f"{name}: languages is no list of codes")
    return tuple(given)


def _by_language(name: str, given: object, spoken: Sentences) -> dict[str, str]:
    """A sentence of the host's own, by language, or the name of one of ours."""
    if isinstance(given, str):
        given = spoken.get(given)
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise LinesError(f"{name}: says is no sentence by language")
    if not given.get(HOME, "").strip():
        raise LinesError(f"{name}: says has no English")
    return {code: sentence.strip() for code, sentence in given.items()}


def _day(name: str, given: str) -> date | None:
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise LinesError(f"{name}: verified_on is no day like 2026-11-24") from None
