"""The watch as a value.

Owns the fields of a ``Watch``; all ``_at`` are ms UTC. What happens to it stands in
``quiet_handlers.py`` and ``alarm_handlers.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.core.alarm import Alarm
from stillhere.core.events import Outcome, State
from stillhere.core.profiles import Profile
from stillhere.core.schedule import Routine


@dataclass(frozen=True, slots=True)
class Watch:
    """The complete state of one watch. ``routine`` None means acute.

    ``base_at`` is the instant from which the stages of the open ask are counted, ``stage`` how many
    were sent. ``rechecks`` are the asks still owed after a stand-down. ``alarms`` counts the alarms
    so far. ``held`` keeps the watch from erasure until somebody has looked (someone died or was
    taken to hospital).
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
    unclear: bool = False
    rechecks: tuple[int, ...] = ()
    alarms: int = 0
    alarm: Alarm | None = None
    outcome: Outcome | None = None
    closed_at: int | None = None
    held: bool = False
