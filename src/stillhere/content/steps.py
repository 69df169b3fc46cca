"""The walk-through: what to do when someone is down, one screen at a time.

Owns reading and checking ``content/walk.toml`` with what each language says of it
(``locale/<lang>/steps.toml``), what a programme puts in its place (``walk.toml`` in the data
folder, by id), and whether a clinician has signed what is shown (``walk.signed``). Every sentence
about what to do stands in these files with rows of ``sources.toml``. A signature covers every
language's words: a language that is added, or left out, ends it. Needs no database.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import translation

from stillhere.content import host_file, sentences
from stillhere.content.languages import Language
from stillhere.content.sentences import language, said_in
from stillhere.content.step_rules import faults, places
from stillhere.store.kits import naloxone

log = logging.getLogger("stillhere.web")

FILE, SIGNED = "walk.toml", "walk.signed"
SPOKEN, SOURCES, READING = "steps.toml", "sources.toml", "reading.toml"
LARGEST = 256 * 1024
# After a dose the chest is looked at again: 2 to 3 minutes (``cdc-response`` in sources.toml).
LOOK_AGAIN = ("kit", "chest", 150)
_PLAIN = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")  # the one letter more costs half of a text
_BACK = ("@back", "@no-kit", "@on", "@no-breaths")


class WalkError(ValueError):
    """A file of steps that must not be used. The message is fit for the log and for a terminal."""


@dataclass(frozen=True, slots=True)
class Button:
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
    answers: tuple[Button, ...]
    also: tuple[Button, ...]
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
    leads = places(told["choose"])
    shape = naloxone.given_as(form)
    gives = next((r["id"] for r in told["screen"] if shape and r.get("form") == shape), "")
    if gives:
        leads["@give"] = gives
        if in_hand and leads["@breaths"] == "kit":
            leads["@breaths"] = gives
    found = [_screen(row, leads, reads) for row in told["screen"]]
    return [replace(each, form=form) if each.id == gives else each for each in found]


def spoken() -> list[tuple[str, str]]:
    """The same for a call: (what to do, what stands beside it), one after the other."""
    by_id = {screen.id: screen for screen in screens()}
    return [(by_id[id].said, by_id[id].quiet) for id in known()["spoken"]["order"]]


def spoken_order() -> tuple[str, ...]:
    """The ids of the steps that are told one by one, by call or by text."""
    return tuple(known()["spoken"]["order"])


def told(id: str, lang: str) -> str:
    """One of them as a text, with its place among them, in letters of which 160 make one text;
    nothing for one that is not told."""
    order = spoken_order()
    if id not in order:
        return ""
    with translation.override(settings.SPOKEN.of(lang).code):
        said, _beside = spoken()[order.index(id)]
    return f"{order.index(id) + 1}/{len(order)}: {said.translate(_PLAIN)}"


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


def _screen(row: Mapping[str, Any], leads: Mapping[str, str], language: str) -> Screen:
    def answers(kind: str) -> tuple[Button, ...]:
        return tuple(
            Button(
                says=said_in(a, language),
                to=leads.get(a["to"], a["to"]),
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
        return _built_in(*_languages())
    return _own(path, told.st_mtime_ns, told.st_size, *_languages()) or _built_in(*_languages())


def own_fault() -> str:
    """Why the host's own file is not used, or nothing."""
    path = settings.STILLHERE.data / FILE
    try:
        read(host_file.read(path, LARGEST), _built_in(*_languages()))
    except FileNotFoundError:
        return ""
    except (host_file.HostFileError, WalkError) as error:
        return str(error)
    return ""


def language_faults() -> list[str]:
    """Why what a language says of the steps or of the pages is not used."""
    return [*_walk(*_languages())[1], *_reading(*_languages())[1]]


def _languages() -> Iterable[Language]:
    return settings.SPOKEN.values()


@lru_cache(maxsize=4)
def _built_in(*languages: Language) -> Mapping[str, Any]:
    rows, faults = _walk(*languages)
    for fault in faults:
        log.warning("not used: %s", fault)
    return _checked(_over_below(rows, None))


@lru_cache(maxsize=4)
def _walk(*languages: Language) -> tuple[Mapping[str, Any], list[str]]:
    return sentences.put_in(tomllib.loads(_packaged(FILE)), SPOKEN, languages)


def reading() -> Mapping[str, Any]:
    """The pages to read, each sentence in every language."""
    return _reading(*_languages())[0]


@lru_cache(maxsize=4)
def _reading(*languages: Language) -> tuple[Mapping[str, Any], list[str]]:
    rows, faults = sentences.put_in(tomllib.loads(_packaged(READING)), READING, languages)
    # A name is a place in the files and no word of what is signed.
    unnamed = {
        kind: [{key: row[key] for key in row if key != "id"} for row in rows[kind]] for kind in rows
    }
    return unnamed, faults


@lru_cache(maxsize=1)
def _sources() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(_packaged(SOURCES))


def _packaged(name: str) -> str:
    return resources.files("stillhere.content").joinpath(name).read_text("utf-8")


@lru_cache(maxsize=2)
def _own(path: Path, _changed: int, _size: int, *languages: Language) -> Mapping[str, Any] | None:
    """The host's file over ours, read once each time it changes; None where it must not be used."""
    try:
        return read(host_file.read(path, LARGEST), _built_in(*languages))
    except (FileNotFoundError, host_file.HostFileError, WalkError) as error:
        log.warning("walk.toml in the data folder is not used: %s", error)
        return None


def read(text: str, under: Mapping[str, Any]) -> Mapping[str, Any]:
    """The steps in a text, over those ``under`` them, checked. Raises WalkError, and nothing else:
    a file of any shape is refused in whole, and ours is shown."""
    try:
        return _read(text, under)
    except WalkError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
        raise WalkError(f"it cannot be understood ({type(error).__name__})") from error


def _read(text: str, under: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WalkError(str(error)) from error
    return _checked(_over_below(own, under))


def _over_below(own: Mapping[str, Any], under: Mapping[str, Any] | None) -> dict[str, Any]:
    strange = sorted(own.keys() - {"choose", "spoken", "screen", "never", "law"})
    if strange:
        raise WalkError(f"unknown {', '.join(strange)}")
    below = under or {"choose": {}, "spoken": {"order": []}, "screen": [], "never": [], "law": []}
    return {
        "choose": {**below["choose"], **_table(own, "choose")},
        "spoken": {**below["spoken"], **_table(own, "spoken")},
        "screen": _over(below["screen"], _rows(own, "screen"), "id"),
        "never": _over(below["never"], _rows(own, "never"), "id"),
        "law": _over(below["law"], _rows(own, "law"), "country"),
    }


def _checked(told: dict[str, Any]) -> Mapping[str, Any]:
    for fault in faults(told, _sources()):
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
