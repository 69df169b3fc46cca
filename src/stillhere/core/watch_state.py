"""The watch as a value.

Owns the fields of a ``Watch``; all ``_at`` are ms UTC. What happens to it stands in
``quiet_handlers.py`` and ``alarm_handlers.py``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stillhere.core.alarm import Alarm
from stillhere.core.events import Outcome, State
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine

__all__ = ["Watch", "replace", "restore"]


@dataclass(frozen=True)  # no slots: see ``replace``
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


def restore(fields: dict[str, Any]) -> Watch:
    """A watch from all of its fields, as they were read. The value keeps ``fields`` itself."""
    watch = object.__new__(Watch)
    object.__setattr__(watch, "__dict__", fields)
    return watch


_COPIED = (Watch, Alarm)  # they do not check themselves when they are made

if TYPE_CHECKING:  # what may be changed is checked as there
    from dataclasses import replace
else:

    def replace(value, /, **changes):
        """A copy of a watch or an alarm with some fields changed, as ``dataclasses.replace`` makes
        it. That one goes through the constructor, which sets each field by itself and takes five
        times as long as copying all fields at once. Raises TypeError for a field that does not
        exist."""
        kind = type(value)
        if kind not in _COPIED:
            return dataclasses.replace(value, **changes)
        fields = value.__dict__ | changes
        if len(fields) != len(value.__dict__):
            unknown = changes.keys() - value.__dict__.keys()
            raise TypeError(f"{kind.__name__} has no field {', '.join(unknown)}")
        copy = object.__new__(kind)
        object.__setattr__(copy, "__dict__", fields)
        return copy
