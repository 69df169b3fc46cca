"""What steps must be to be shown, and where their answers lead.

Owns the choices a programme has, and everything for which a file of steps is refused, in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from stillhere.content.languages import HOME
from stillhere.content.sentences import said_in
from stillhere.store.kits import naloxone
from stillhere.store.watches import care_log

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
_DOES = ("breaths", "presses", "breathing")
_TAKEN = ("top", "now", "walk", "live", "here", "got", "more", "exit", "whose", "review", "sms")
_DRAWN = frozenset(
    file.name.removesuffix(".svg")
    for file in resources.files("stillhere.web").joinpath("templates/drawings").iterdir()
)


def places(choose: Mapping[str, str]) -> dict[str, str]:
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


def faults(told: Mapping[str, Any], sources: Mapping[str, Any]) -> Iterator[str]:
    """Everything for which these steps must not be shown, in words."""
    for name, chosen in told["choose"].items():
        if chosen not in CHOICES.get(name, ()):
            names = ", ".join(CHOICES.get(name, CHOICES))
            yield f"choose {name} is one of {names}"
            return
    rows = {row["id"]: row for row in told["screen"]}
    for row in told["screen"]:
        yield from _faults_of(row, rows, places(told["choose"]), sources)
    order = told["spoken"].get("order")
    spoken = isinstance(order, list) and order and told["spoken"].keys() == {"order"}
    if FIRST not in rows or not spoken or any(id not in rows for id in order):
        yield "the first screen, or one that a call reads, is missing"
    else:
        yield from _astray(rows, places(told["choose"]))
    for row in (*told["never"], *told["law"]):
        yield from _unsaid(row, str(row.get("id", row.get("country"))), sources)


def _faults_of(
    row: Mapping[str, Any],
    rows: Mapping[str, Any],
    leads: Mapping[str, str],
    sources: Mapping[str, Any],
) -> Iterator[str]:
    id = row["id"]
    if not re.fullmatch(r"[a-z]{2,20}", id) or row.keys() - _KEYS.keys():
        yield f"{id}: unknown {', '.join(sorted(row.keys() - _KEYS.keys())) or 'name'}"
        return
    misshapen = [name for name, value in row.items() if not _shaped(value, _KEYS[name])]
    if misshapen:
        yield f"{id}: {misshapen[0]} is not what it should be"
        return
    yield from _unsaid(row, id, sources)
    if len(said_in(row.get("says", {}), HOME).split()) > MOST_WORDS:
        yield f"{id}: says has more than {MOST_WORDS} words"
    if not 0 <= row.get("beat", 0) <= MOST_BEAT:
        yield f"{id}: beat is a number of seconds up to {MOST_BEAT}"
    if not 1 <= len(row.get("answers", ())) <= 2:
        yield f"{id}: it is a dead end, or has more than two answers"
    yield from _unknown(row)
    draws = [row.get("draw")]
    for answer in (*row.get("answers", ()), *row.get("also", ())):
        if not isinstance(answer, dict) or not _texts(answer) or not said_in(answer, HOME):
            yield f"{id}: an answer says nothing"
            continue
        to = leads.get(answer.get("to", ""), answer.get("to", ""))
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


def _astray(rows: Mapping[str, Mapping[str, Any]], leads: Mapping[str, str]) -> Iterator[str]:
    """Screens from which no answer leads to the look at the breathing, or to the end."""
    ways = {
        id: {leads.get(a["to"], a["to"]) for a in (*row["answers"], *row.get("also", ()))}
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


def _unsaid(row: Mapping[str, Any], name: str, sources: Mapping[str, Any]) -> Iterator[str]:
    says, found = row.get("says"), row.get("sources", [])
    if not isinstance(says, dict) or not _texts(says) or not says.get(HOME, "").strip():
        yield f"{name}: says has no English"
    missing = [each for each in found if each not in sources] if type(found) is list else [found]
    if not found or missing:
        yield f"{name}: no source {', '.join(map(str, missing))}"
