"""One step, and one alarm, as they look from outside.

Owns the records ``observer.py`` fills and ``rules/`` read. All ``_at`` are what the clock showed,
in ms. Judges nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from stillhere.core import events as ev
from stillhere.core.events import Cause, Effect, Event
from stillhere.core.watch import Watch

LIFE = (ev.StillHere, ev.Marked, ev.Extended, ev.Paused, ev.Ended, ev.NeedHelp)


class Moment:
    """One step: what came, what the watch was and is, what it asks for. ``due_at`` and ``wake_at``
    are the timers before and after; ``asked_at`` is the open ask's and ``unclear_at`` when
    something unclear last did anything, as they were before."""

    __slots__ = (
        "after", "asked_at", "before", "due_at", "effects", "ended", "ended_by", "event", "life",
        "looks_now", "made_at",
        "now", "outages", "raised", "refused", "taken", "unclear_at", "wake_at", "was",
    )  # fmt: skip

    def __init__(
        self, before: Watch, event: Event, after: Watch, effects: tuple[Effect, ...], now: int,
        due_at: int | None, wake_at: int | None,
    ) -> None:  # fmt: skip
        self.before, self.event, self.after, self.effects = before, event, after, effects
        self.now, self.due_at, self.wake_at = now, due_at, wake_at
        self.looks_now = wake_at is not None and wake_at <= now  # a tick is due, and will come
        self.raised = after.alarms > before.alarms
        self.ended = before.alarm is not None and after.alarm is None
        self.refused = bool(effects) and isinstance(effects[0], ev.Refused)
        self.life = isinstance(event, LIFE) and not self.refused
        self.taken = self.life
        self.made_at = min(event.made_at, now) if isinstance(event, ev.StillHere) else now
        self.asked_at: int | None = None
        self.unclear_at: int | None = None
        self.outages: list[tuple[int, int, int]] = []
        self.ended_by: frozenset[int] = frozenset()  # as it was before
        self.was = before.state


@dataclass(slots=True)
class CoreStory:
    """One alarm. ``heard`` is everybody who is on it, in the order in which they were; ``called``
    those who were called, with when; ``planned_at`` when the newest rung was due, or at the
    earliest, ``moved_at`` when something other than time last moved the ladder."""

    no: int
    cause: Cause
    raised_at: int
    urgent: bool
    rung_ms: int
    ambulance_at: int | None
    planned_at: int
    sure: bool = True  # that ``planned_at`` is exact
    rung: int = -1
    moved_at: int = 0
    heard: list[int] = field(default_factory=list)
    called: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    cannot: set[int] = field(default_factory=set)
    dead: set[int] = field(default_factory=set)
    ambulance: set[int] = field(default_factory=set)
    going: dict[int, int] = field(default_factory=dict)  # until when, for holding claims
    there: dict[int, int] = field(default_factory=dict)  # since when they were last heard of
    answers: list[int] = field(default_factory=list)
    first_hold_at: int | None = None
    covered_at: int = 0  # when somebody was last going or there
    pages: int = 0
    paged_at: int = 0
    outages: int = 0
    away_ms: int = 0
    counted_on: set[int] = field(default_factory=set)  # going or there, as far as others know
    claimed: dict[int, tuple[int, int | None, bool]] = field(default_factory=dict)
    spoke: set[int] = field(default_factory=set)  # said once that they are going
    word_at: int = 0  # when somebody who is there was last heard of
    # About the step that was just made, as things stood before it.
    early_ms: int = 0
    given_up_early_ms: int = 0
    fresh: set[int] = field(default_factory=set)
    on_before: tuple[int, ...] = ()
    dropped: set[int] = field(default_factory=set)
    there_before: tuple[int, ...] = ()
    covered_before: tuple[int, ...] = ()
