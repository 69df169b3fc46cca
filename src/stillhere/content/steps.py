"""The walk-through: what to do when someone is down, one screen at a time.

Owns reading and checking ``content/walk.toml``, what a programme puts in its place (``walk.toml``
in the data folder, by id), and whether a clinician has signed what is shown (``walk.signed``).
Every sentence about what to do stands in these files with rows of ``sources.toml``. Needs no
database.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import get_language

from stillhere.store.kits import naloxone
from stillhere.store.watches import care_log

log = logging.getLogger("stillhere.web")

FILE, SIGNED = "walk.toml", "walk.signed"
SOURCES, READING = "sources.toml", "reading.toml"
LARGEST = 256 * 1024
MOST_WORDS = 10
MOST_BEAT = 30
FIRST = "look"
CHOICES = {"first": ("call", "naloxone"), "not_breathing": ("press", "breathe")}
_KEYS: Mapping[str, type] = {
    **dict.fromkeys(("id", "draw", "does", "form", "note"), str),
    **dict.fromkeys(("says", "said", "quiet"), dict),
    **dict.fromkeys(("answers", "also", "sources"), list),
    **dict.fromkeys(("kit", "stay", "well", "law", "card", "last", "emergency"), bool),
    "beat": int,
}

_BACK = ("@back", "@no-kit", "@on", "@no-breaths")
_DOES = ("breaths", "presses", "breathing")
_TAKEN = ("top", "now", "walk", "live", "here", "got", "more", "exit", "whose", "review", "sms")
_DRAWN = frozenset(
    file.name.removesuffix(".svg")
    for file in resources.files("stillhere.web").joinpath("templates/drawings").iterdir()
)


class WalkError(ValueError):
    """A file of steps that must not be used. The message is fit for the log and for a terminal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A button: what it says, the screen it leads to, and what the others on the alarm read.

    Where a script runs, it leads to ``dosed`` once a dose was given, ``back`` to the breaths or
    pushes that were going on, ``give`` to the naloxone that was given last."""

    says: str
    to: str
    did: str
    draw: str
    dosed: str
    back: bool
    give: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """One instruction, in the reader's language."""

    id: str
    draw: str
    says: str
    said: str
    quiet: str
    answers: tuple[Answer, ...]
    also: tuple[Answer, ...]
    does: str
    beat: int
    form: str
    emergency: bool
    kit: bool
    stay: bool
    well: bool
    law: bool
    card: bool
    last: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """Who answers for the words, and since when (a day, as it was signed)."""

    by: str
    on: str


# --- what is shown --------------------------------------------------------------------------------


def screens(form: str = "", *, in_hand: bool = False) -> list[Screen]:
    """Every screen in order. ``form`` is the naloxone that is known to be there, or nothing;
    nobody is asked to look for what they have ``in_hand``."""
    told, reads = known(), language()
    places = _places(told["choose"])
    shape = naloxone.given_as(form)
    gives = next((r["id"] for r in told["screen"] if shape and r.get("form") == shape), "")
    if gives:
        places["@give"] = gives
        if in_hand and places["@breaths"] == "kit":
            places["@breaths"] = gives
    found = [_screen(row, places, reads) for row in told["screen"]]
    return [replace(each, form=form) if each.id == gives else each for each in found]


def spoken() -> list[tuple[str, str]]:
    """The same for a call: (what to do, what stands beside it), one after the other."""
    by_id = {screen.id: screen for screen in screens()}
    return [(by_id[id].said, by_id[id].quiet) for id in known()["spoken"]["order"]]


def never() -> list[str]:
    """What not to do."""
    return [said_in(row["says"], language()) for row in known()["never"]]


def law(country: str) -> str:
    """What the law of that country says to whoever calls, or nothing."""
    rows = [row for row in known()["law"] if row["country"] == country]
    return said_in(rows[-1]["says"], language()) if rows else ""


def sources() -> Mapping[str, Mapping[str, str]]:
    """Where each medical fact is from, by the name the other files use."""
    return _sources()


def _screen(row: Mapping[str, Any], places: Mapping[str, str], language: str) -> Screen:
    def answers(kind: str) -> tuple[Answer, ...]:
        return tuple(
            Answer(
                says=said_in(a, language),
                to=places.get(a["to"], a["to"]),
                did=a.get("did", ""),
                draw=a.get("draw", ""),
                dosed=a.get("dosed", ""),
                back=a["to"] in _BACK,
                give=a["to"] == "@give",
            )
            for a in row.get(kind, ())
        )

    says = said_in(row["says"], language)
    return Screen(
        id=row["id"],
        draw=row["draw"],
        says=says,
        said=said_in(row.get("said", {}), language) or says,
        quiet=said_in(row.get("quiet", {}), language),
        answers=answers("answers"),
        also=answers("also"),
        does=row.get("does", ""),
        beat=row.get("beat", 0),
        form=row.get("form", ""),
        emergency=row["id"] == "call" or row.get("emergency", False),
        kit=row.get("kit", False),
        stay=row.get("stay", False),
        well=row.get("well", False),
        law=row.get("law", False),
        card=row.get("card", False),
        last=row.get("last", False),
    )


def _places(choose: Mapping[str, str]) -> dict[str, str]:
    """Where the answers lead that depend on what the programme chose."""
    call_first = choose["first"] == "call"
    return {
        "@first": "call" if call_first else "kit",
        "@called": "breathing",
        "@not-breathing": "press" if choose["not_breathing"] == "press" else "airway",
        "@breaths": "kit" if call_first else "breathe",
        "@no-kit": "breathe" if call_first else "call",
        "@give": "form",
        "@back": "chest" if call_first else "call",
        "@on": "chest",
        "@no-breaths": "well" if choose["not_breathing"] == "press" else "press",
    }


def language() -> str:
    """The reader's, without its country."""
    return (get_language() or "en").partition("-")[0]


def said_in(says: Mapping[str, str], language: str) -> str:
    """A sentence in that language, in English where it has none."""
    return says.get(language) or says.get("en", "")


# --- who signed it --------------------------------------------------------------------------------


def signature() -> Signature | None:
    """Who signed exactly these words. None where nobody did, or where they were changed since."""
    try:
        text = (settings.STILLHERE.data / SIGNED).read_text("utf-8")[:LARGEST]
        kept = json.loads(text)
        if kept["sha256"] != known()["sha256"]:
            return None
        return Signature(str(kept["by"])[:120], str(kept["on"])[:10])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def sign(by: str, on: str) -> None:
    """Keep that ``by`` answers for the words as they are now, since the day ``on``."""
    kept = {"by": by, "on": on, "sha256": known()["sha256"]}
    (settings.STILLHERE.data / SIGNED).write_text(json.dumps(kept, indent=1), "utf-8")


def signed_words() -> Mapping[str, Any]:
    """All that a clinician answers for: the steps as they are here, and the pages to read."""
    return {"steps": known(), "reading": reading()}


def digest(told: Mapping[str, Any]) -> str:
    """A change of any word or choice changes it. Reckoned once, when the words are read."""
    regular = json.dumps(told, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(regular.encode()).hexdigest()


# --- reading --------------------------------------------------------------------------------------


def known() -> Mapping[str, Any]:
    """The steps of this installation: ours, with what the host's own file says instead."""
    path = settings.STILLHERE.data / FILE
    try:
        told = path.stat()
    except OSError:
        return _built_in()
    return _own(path, told.st_mtime_ns, told.st_size) or _built_in()


def own_fault() -> str:
    """Why the host's own file is not used, or nothing."""
    path = settings.STILLHERE.data / FILE
    try:
        read(path.read_text("utf-8"), _built_in())
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError, WalkError) as error:
        return str(error)
    return ""


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, Any]:
    return read(_packaged(FILE), None)


@lru_cache(maxsize=1)
def reading() -> Mapping[str, Any]:
    """The pages to read as they are in their file."""
    return tomllib.loads(_packaged(READING))


@lru_cache(maxsize=1)
def _sources() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(_packaged(SOURCES))


def _packaged(name: str) -> str:
    return resources.files("stillhere.content").joinpath(name).read_text("utf-8")


@lru_cache(maxsize=2)
def _own(path: Path, _changed: int, size: int) -> Mapping[str, Any] | None:
    """The host's file over ours, read once each time it changes; None where it must not be used."""
    try:
        if size > LARGEST:
            raise WalkError("it is too large")
        return read(path.read_text("utf-8"), _built_in())
    except (OSError, UnicodeDecodeError, WalkError) as error:
        log.warning("walk.toml in the data folder is not used: %s", error)
        return None


def read(text: str, under: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The steps in a text, over those ``under`` them, checked. Raises WalkError, and nothing else:
    a file of any shape is refused in whole, and ours is shown."""
    try:
        return _read(text, under)
    except WalkError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise WalkError(f"it cannot be understood ({type(error).__name__})") from error


def _read(text: str, under: Mapping[str, Any] | None) -> Mapping[str, Any]:
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WalkError(str(error)) from error
    strange = sorted(own.keys() - {"choose", "spoken", "screen", "never", "law"})
    if strange:
        raise WalkError(f"unknown {', '.join(strange)}")
    below = under or {"choose": {}, "spoken": {"order": []}, "screen": [], "never": [], "law": []}
    told = {
        "choose": {**below["choose"], **_table(own, "choose")},
        "spoken": {**below["spoken"], **_table(own, "spoken")},
        "screen": _over(below["screen"], _rows(own, "screen"), "id"),
        "never": _over(below["never"], _rows(own, "never"), "id"),
        "law": _over(below["law"], _rows(own, "law"), "country"),
    }
    for fault in _faults(told):
        raise WalkError(fault)
    return told | {"sha256": digest({"steps": told, "reading": reading()})}


def _table(own: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = own.get(name, {})
    if not isinstance(table, dict):
        raise WalkError(f"[{name}] is no table")
    return table


def _rows(own: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    rows = own.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WalkError(f"one of them begins with [[{name}]]")
    return rows


def _over(below: list[dict[str, Any]], own: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Rows of ours, each with what the host's row of the same name says instead."""
    rows = {row[key]: row for row in below}
    for row in own:
        name = row.get(key)
        if not isinstance(name, str):
            raise WalkError(f"a row has no {key}")
        rows[name] = {**rows.get(name, {}), **row}
    return list(rows.values())


def _faults(told: Mapping[str, Any]) -> Iterator[str]:
    """Everything for which these steps must not be shown, in words."""
    for name, chosen in told["choose"].items():
        if chosen not in CHOICES.get(name, ()):
            names = ", ".join(CHOICES.get(name, CHOICES))
            yield f"choose {name} is one of {names}"
            return
    rows = {row["id"]: row for row in told["screen"]}
    for row in told["screen"]:
        yield from _faults_of(row, rows, _places(told["choose"]))
    order = told["spoken"].get("order")
    spoken = isinstance(order, list) and order and told["spoken"].keys() == {"order"}
    if FIRST not in rows or not spoken or any(id not in rows for id in order):
        yield "the first screen, or one that a call reads, is missing"
    else:
        yield from _astray(rows, _places(told["choose"]))
    for row in (*told["never"], *told["law"]):
        yield from _unsaid(row, str(row.get("id", row.get("country"))))


def _faults_of(
    row: Mapping[str, Any], rows: Mapping[str, Any], places: Mapping[str, str]
) -> Iterator[str]:
    id = row["id"]
    if not re.fullmatch(r"[a-z]{2,20}", id) or row.keys() - _KEYS.keys():
        yield f"{id}: unknown {', '.join(sorted(row.keys() - _KEYS.keys())) or 'name'}"
        return
    misshapen = [name for name, value in row.items() if not _shaped(value, _KEYS[name])]
    if misshapen:
        yield f"{id}: {misshapen[0]} is not what it should be"
        return
    yield from _unsaid(row, id)
    if len(said_in(row.get("says", {}), "en").split()) > MOST_WORDS:
        yield f"{id}: says has more than {MOST_WORDS} words"
    if not 0 <= row.get("beat", 0) <= MOST_BEAT:
        yield f"{id}: beat is a number of seconds up to {MOST_BEAT}"
    if not 1 <= len(row.get("answers", ())) <= 2:
        yield f"{id}: it is a dead end, or has more than two answers"
    yield from _unknown(row)
    draws = [row.get("draw")]
    for answer in (*row.get("answers", ()), *row.get("also", ())):
        if not isinstance(answer, dict) or not _texts(answer) or not said_in(answer, "en"):
            yield f"{id}: an answer says nothing"
            continue
        to = places.get(answer.get("to", ""), answer.get("to", ""))
        if to == id or any(each not in rows for each in (to, answer.get("dosed", to))):
            yield f"{id}: an answer leads nowhere"
        draws += [answer["draw"]] if "draw" in answer else []
    if not _DRAWN.issuperset(map(str, draws)):
        yield f"{id}: draw is one of {', '.join(sorted(_DRAWN))}"


def _unknown(row: Mapping[str, Any]) -> Iterator[str]:
    """What nothing here knows: the record, the timer and the kits would be wrong."""
    id, answers = row["id"], [*row.get("answers", ()), *row.get("also", ())]
    if id in _TAKEN:
        yield f"{id}: another part of the page has this name"
    dids = {a.get("did", "") for a in answers if isinstance(a, dict)}
    if not dids <= {"", *care_log.WHATS}:
        yield f"{id}: did is one of {', '.join(care_log.WHATS)}"
    if row.get("does", "") not in ("", *_DOES):
        yield f"{id}: does is one of {', '.join(_DOES)}"
    if "form" in row and (row["form"] not in naloxone.FORMS or "dose" not in dids):
        yield f"{id}: a form is one of {', '.join(naloxone.FORMS)}, with an answer that did a dose"


def _astray(rows: Mapping[str, Mapping[str, Any]], places: Mapping[str, str]) -> Iterator[str]:
    """Screens from which no answer leads to the look at the breathing, or to the end."""
    ways = {
        id: {places.get(a["to"], a["to"]) for a in (*row["answers"], *row.get("also", ()))}
        for id, row in rows.items()
    }
    for goal in (id for id, row in rows.items() if row.get("last") or id == "breathing"):
        there: set[str] = {goal}
        while more := {id for id, to in ways.items() if id not in there and to & there}:
            there |= more
        lost = sorted(rows.keys() - there)
        if lost:
            yield f"{lost[0]}: from here nobody comes to {goal}"


def _shaped(value: object, kind: type) -> bool:
    return type(value) is kind and (not isinstance(value, dict) or _texts(value))


def _texts(table: Mapping[str, Any]) -> bool:
    return all(isinstance(value, str) for value in table.values())


def _unsaid(row: Mapping[str, Any], name: str) -> Iterator[str]:
    says, found = row.get("says"), row.get("sources", [])
    if not isinstance(says, dict) or not _texts(says) or not says.get("en", "").strip():
        yield f"{name}: says has no English"
    missing = [each for each in found if each not in _sources()] if type(found) is list else [found]
    if not found or missing:
        yield f"{name}: no source {', '.join(map(str, missing))}"
