"""The vocabulary of a core night: what may happen, and what it waits for.

Owns plain frozen values, no behaviour. Beside the core's own events stand the few things that only
become one in the moment they reach it (a tap needs the time, a call for help the plan).
"""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.core.events import Event


@dataclass(frozen=True, slots=True)
class Tap:
    """A check-in, kept by the phone for ``age_ms``."""

    age_ms: int = 0
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """The person asks for help, some say that they want to die; the plan is the one of that
    moment."""


@dataclass(frozen=True, slots=True)
class OtherTick:
    """Another engine's tick, at whatever moment."""


@dataclass(frozen=True, slots=True)
class Away:
    """The service is away for so long. What was pressed meanwhile is kept and sent again."""

    ms: int


@dataclass(frozen=True, slots=True)
class Still:
    """The clock stands still for so long, while life goes on."""

    ms: int


What = Event | Tap | Help | OtherTick | Away | Still
Cue = tuple[str, int]
BEGIN: Cue = ("begin", 0)


@dataclass(frozen=True, slots=True)
class PlannedDeed:
    """One thing that will happen. ``back_ms``: its transaction read the clock a moment ago."""

    name: str
    cue: Cue
    delay_ms: int
    what: What
    back_ms: int = 0
