"""How a watch is stored in its row: the only place that knows both forms.

Rows are plain tuples in the order of ``COLUMNS``, because a check-in has no time for model
instances. ``thaw`` makes the value, ``freeze`` makes the row again; a test round-trips every form.
"""

from __future__ import annotations

import json
import logging
from dataclasses import fields, replace
from functools import lru_cache
from importlib import resources
from typing import Any

from stillhere.core import profiles, schedule
from stillhere.core.alarm import Alarm, Claim
from stillhere.core.circle import Circle, Reach
from stillhere.core.events import Cause, Outcome, State
from stillhere.core.profiles import Profile
from stillhere.core.watch import Watch, start, wake_at
from stillhere.core.watch_state import restore

log = logging.getLogger("stillhere.rows")

# What never changes after the start, then everything a step may change.
FIXED = ("id", "profile", "own")
MUTABLE = (
    "wake_at",
    "state",
    "started_at",
    "seen_at",
    "ends_at",
    "next_ask_at",
    "routine",
    "deadline_at",
    "marked_at",
    "seq",
    "asks",
    "base_at",
    "stage",
    "shown",
    "grace_at",
    "unclear_at",
    "rechecks",
    "alarms",
    "alarm",
    "ended_by",
    "outcome",
    "closed_at",
    "held",
)
COLUMNS = (*FIXED, *MUTABLE)

Row = tuple[Any, ...]

_STATES = {state.value: state for state in State}
_STATE_TEXTS = {state: text for text, state in _STATES.items()}
_ALARM = tuple(field.name for field in fields(Alarm))
_LATER = ("wants_to_die", "taken_back")  # what the release before does not know
_COMPACT = json.JSONEncoder(separators=(",", ":"))
# What stands in the text of an alarm by the word under force, of one in its first round, and of one
# of which nobody was told.
UNDER_FORCE, FIRST_ROUND, TOLD_NOBODY = '"cause":"force"', '"round":0,', '"told":[],'


@lru_cache(maxsize=1)
def known_profiles() -> dict[str, Profile]:
    """The reviewed profiles that ship with the code."""
    return profiles.load(
        resources.files("stillhere.content").joinpath("profiles.toml").read_text("utf-8")
    )


@lru_cache(maxsize=4096)
def profile_of(key: str, own: str) -> Profile:
    """A profile by its key, with the person's own numbers (JSON) if they set some."""
    base = known_profiles()[key]
    return profiles.own(base, **json.loads(own)) if own else base


def thaw(row: Row) -> Watch:
    """The value of a row read as ``COLUMNS``."""
    found = dict(zip(COLUMNS, row, strict=True))
    del found["wake_at"]
    found["profile"] = profile_of(found["profile"], found.pop("own"))
    found["state"] = _STATES[found["state"]]
    found["routine"] = schedule.from_text(found["routine"]) if found["routine"] else None
    found["shown"], found["held"] = bool(found["shown"]), bool(found["held"])
    for name in ("rechecks", "ended_by"):
        found[name] = tuple(map(int, found[name].split())) if found[name] else ()
    found["alarm"] = alarm_from(found["alarm"]) if found["alarm"] else None
    found["outcome"] = Outcome(found["outcome"]) if found["outcome"] else None
    return restore(found)


def thaw_or_stand_in(row: Row) -> tuple[Watch, bool]:
    """The value of a row, and whether it could be read. One that could not (written by another
    version, or damaged) becomes a stand-in with its id, so that it harms no other watch."""
    try:
        return thaw(row), True
    except Exception:
        log.exception("unreadable watch=%d", row[0])
        facts = dict(zip(COLUMNS, row, strict=True))
        stand_in = start(facts["id"], known_profiles()["injected"], facts["started_at"])
        return replace(stand_in, alarms=facts["alarms"]), False


def freeze(w: Watch) -> Row:
    """The changeable columns of a watch, in the order of ``MUTABLE``."""
    return (
        wake_at(w),
        _STATE_TEXTS[w.state],
        w.started_at,
        w.seen_at,
        w.ends_at,
        w.next_ask_at,
        schedule.to_text(w.routine) if w.routine is not None else "",
        w.deadline_at,
        w.marked_at,
        w.seq,
        w.asks,
        w.base_at,
        w.stage,
        w.shown,
        w.grace_at,
        w.unclear_at,
        " ".join(map(str, w.rechecks)) if w.rechecks else "",
        w.alarms,
        alarm_text(w.alarm) if w.alarm is not None else "",
        " ".join(map(str, w.ended_by)) if w.ended_by else "",
        w.outcome.value if w.outcome is not None else "",
        w.closed_at,
        w.held,
    )


def alarm_text(alarm: Alarm) -> str:
    """An alarm as compact JSON. Ids and times only. What is as usual is left out where
    the previous release does not know it, because both may run for a while."""
    facts = {name: getattr(alarm, name) for name in _ALARM}
    facts["circle"] = {"rungs": [[_plain(reach) for reach in rung] for rung in alarm.circle.rungs]}
    facts["claims"] = [_plain(claim) for claim in alarm.claims]
    for name in _LATER:
        if not facts[name]:
            del facts[name]
    for claim in facts["claims"]:
        if not claim["changes"]:
            del claim["changes"]
        if claim["known"]:
            del claim["known"]
    return _COMPACT.encode(facts)


def _plain(value: Reach | Claim) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def alarm_or_none(text: str) -> Alarm | None:
    """The same, or None if the text cannot be read: a query over many watches must not fail because
    of one."""
    try:
        return alarm_from(text)
    except Exception:
        log.exception("unreadable alarm")
        return None


def alarm_from(text: str) -> Alarm:
    """The alarm that ``alarm_text`` wrote."""
    raw = {"taken_back": [], **json.loads(text)}
    rungs = tuple(
        tuple(Reach(r["contact"], tuple(r["ways"]), r["confirmed"]) for r in rung)
        for rung in raw["circle"]["rungs"]
    )
    lists = ("told", "out", "gone", "broken", "arrivals", "taken_back")
    return Alarm(
        **{
            **raw,
            **{name: tuple(raw[name]) for name in lists},
            "cause": Cause(raw["cause"]),
            "circle": Circle(rungs),
            "claims": tuple(Claim(**claim) for claim in raw["claims"]),
        }
    )
