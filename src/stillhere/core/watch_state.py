"""The watch as a value.

Owns the fields of a ``Watch``; all ``_at`` are ms UTC. What happens to it stands in
``quiet_handlers.py`` and ``alarm_handlers.py``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from stillhere.core.alarm import Alarm
from stillhere.core.events import Outcome, State
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine

__all__ = ["Watch", "replace"]


@dataclass(frozen=True, slots=True)
class Watch:
    """The complete state of one watch. ``routine`` None means acute.

    ``base_at`` is the instant from which the stages of the open ask are counted, ``stage`` how many
    were sent. ``unclear_at`` is when something that could not be read last made the phone ring, or
    was passed on. ``rechecks`` are the asks still owed after a stand-down. ``alarms`` counts the
    alarms so far. ``ended_by`` are the contacts whose word ended one since the person's own last
    sign of life: it ends no other until then. ``held`` keeps the watch from erasure until somebody
    has looked (someone died or was taken to hospital).
    """

    id: int
    profile: Profile
    state: State
    started_at: int
    seen_at: int
    ends_at: int | None
    next_ask_at: int | None
    routine: Routine | None = None
    deadline_at: int | None = None
    marked_at: int | None = None
    seq: int = -1
    asks: int = 0
    base_at: int | None = None
    stage: int = 0
    shown: bool = False
    grace_at: int | None = None
    unclear_at: int | None = None
    rechecks: tuple[int, ...] = ()
    alarms: int = 0
    ended_by: tuple[int, ...] = ()
    alarm: Alarm | None = None
    outcome: Outcome | None = None
    closed_at: int | None = None
    held: bool = False


if TYPE_CHECKING:  # what may be changed is checked as there
    from dataclasses import replace
else:

    def replace(value, /, **changes):
        """A copy of a watch, alarm or claim with some fields changed, as ``dataclasses.replace``
        makes it. That one goes through the constructor, which takes three times as long and was
        half of what a step costs. Raises TypeError for a field that does not exist."""
        kind = type(value)
        slots, read_all = _slots(kind)
        if not slots:
            return dataclasses.replace(value, **changes)
        copy = object.__new__(kind)
        for (name, put), as_it_was in zip(slots, read_all(value), strict=True):
            put(copy, changes.pop(name, as_it_was))
        if changes:
            raise TypeError(f"{kind.__name__} has no field {', '.join(changes)}")
        return copy


@cache
def _slots(kind: type) -> tuple[list[tuple[str, Any]], attrgetter[Any]]:
    """How each field is set, and how all are read; nothing for a value that checks itself when it
    is made."""
    names = [field.name for field in dataclasses.fields(kind)]
    checks_itself = hasattr(kind, "__post_init__")
    slots = [] if checks_itself else [(name, getattr(kind, name).__set__) for name in names]
    return slots, attrgetter(*names)
