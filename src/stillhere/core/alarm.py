"""The alarm as a value: whom to reach, who was told, who is going, who is there.

Owns the ``Alarm``, which holds a plan (``circle.py``), and the invariants of every open alarm. What
happens to an alarm is in ``ladder.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.core.circle import Circle, Reach
from stillhere.core.events import Cause, Word

EVERYONE_WITHIN_S = 180  # from alarm to everyone rung at least once
HOLDING_ETA_S = 300  # a claim up to this holds the ladder; later ones hold nothing
ALL_HOLDS_S = 600  # all holds together, without an arrival
HELP_RUNG_S = 45  # a call for help is as urgent in a routine
HELP_AMBULANCE_S = 300  # as in an acute watch


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, "I'm going". ``hold_until_at`` None means the claim does not hold the ladder: the
    contact is far away, the holds are used up, or the hold ran out. ``changes`` counts how often
    this contact has said it again during this alarm. What was said on a phone that is not ``known``
    to be theirs is passed on, and no more."""

    contact: int
    at: int
    eta_s: int | None
    hold_until_at: int | None
    changes: int = 0
    known: bool = True


@dataclass(frozen=True)  # no slots: see ``watch_state.replace``
class Alarm:
    """An open alarm. ``rung`` counts the rungs started in this ``round``. ``told`` lists contacts
    in the order they were told. ``since_at`` is the last sign of life, or the call for help.
    ``out`` cannot or will not come; ``gone`` must never hear from us again; ``broken`` are ways
    that failed for good. ``obstacle`` was last reported by ``obstacle_by``, kept so that the same
    report twice is passed on once. ``taken_back``: who said that they cannot after all, once for
    each time. ``wants_to_die``: the person said so in this alarm."""

    no: int
    cause: Cause
    raised_at: int
    since_at: int
    circle: Circle
    rung_s: int
    next_rung_at: int
    ambulance_at: int | None
    round: int = 0
    rung: int = 0
    told: tuple[int, ...] = ()
    out: tuple[int, ...] = ()
    gone: tuple[int, ...] = ()
    broken: tuple[int, ...] = ()
    claims: tuple[Claim, ...] = ()
    held_from_at: int | None = None
    arrivals: tuple[int, ...] = ()
    check_at: int | None = None
    checked: bool = False
    answered_at: int | None = None
    recheck_at: int | None = None
    ambulance_told: bool = False
    obstacle: Word | None = None
    obstacle_by: int | None = None
    obstacle_at: int = 0
    taken_back: tuple[int, ...] = ()
    wants_to_die: bool = False

    def reach(self, contact: int) -> Reach | None:
        return next((r for rung in self.circle.rungs for r in rung if r.contact == contact), None)

    def listeners(self, *but: int | None) -> tuple[int, ...]:
        """Everyone who was told and may still hear from us, except ``but``: who else hears of what
        somebody did."""
        return tuple(c for c in self.told if c not in self.gone and c not in but)

    def only(self, *these: int) -> tuple[int, ...]:
        """Those of ``these`` who may still hear from us."""
        return tuple(c for c in self.listeners() if c in these)

    def going(self) -> tuple[int, ...]:
        """Who is there, or said themselves that they are going and has not taken it back."""
        said = [c.contact for c in self.claims if c.known and c.eta_s is not None]
        return (*self.arrivals, *(who for who in said if who not in (*self.arrivals, *self.out)))

    def covered_by(self, contact: int) -> bool:
        """Whether the others believe that ``contact`` is with the person, or about to be."""
        going = any(c.contact == contact and c.hold_until_at is not None for c in self.claims)
        return going or contact in self.arrivals

    def held(self, now: int) -> bool:
        """Whether a claim still holds the ladder."""
        return any(c.hold_until_at is not None and c.hold_until_at > now for c in self.claims)


def begin(
    no: int,
    cause: Cause,
    circle: Circle,
    rung_s: int,
    ambulance_s: int | None,
    now: int,
    since_at: int,
) -> Alarm:
    """A new alarm with nobody told yet; the first rung is due now. ``since_at`` is the last sign of
    life, and a call for help counts as one. Rungs are ``rung_s`` apart, or closer if many rungs
    would otherwise take an acute alarm past the three minutes within which everyone must have been
    rung."""
    if cause is Cause.HELP:
        rung_s = min(rung_s, HELP_RUNG_S)
        ambulance_s = HELP_AMBULANCE_S if ambulance_s is None else ambulance_s
    elif cause is Cause.FORCE:  # an ambulance by the clock would lead more people in unwarned
        rung_s, ambulance_s = min(rung_s, HELP_RUNG_S), None
    if ambulance_s is not None or cause is Cause.FORCE:
        gaps = max(len(circle.rungs) - 1, 1)
        rung_s = max(min(rung_s, EVERYONE_WITHIN_S // gaps), 1)
    ambulance_at = None if ambulance_s is None else now + ambulance_s * 1000
    return Alarm(no, cause, now, since_at, circle, rung_s, now, ambulance_at)


def check(alarm: Alarm) -> None:
    """The invariants of every open alarm. Raises AssertionError."""
    ids = set(alarm.circle.contacts())
    assert set(alarm.told) <= ids, "told somebody who is not in the circle"
    assert len(set(alarm.told)) == len(alarm.told), "told in order, each once"
    assert set(alarm.arrivals) <= set(alarm.told), "somebody arrived who is not on the alarm"
    assert set(alarm.gone) <= set(alarm.out), "somebody who opted out may still be rung"
    assert not set(alarm.out) & set(alarm.arrivals), "somebody is out and there"
    assert alarm.rung <= len(alarm.circle.rungs), "a rung beyond the ladder"
    assert (alarm.check_at is not None) == bool(alarm.arrivals), (
        "someone there has a timer, nobody there has none"
    )
    for c in alarm.claims:
        if c.hold_until_at is not None:
            assert c.contact not in alarm.out, "somebody is out and going"
            assert alarm.held_from_at is not None, "a hold without a beginning"
            assert c.hold_until_at <= alarm.held_from_at + ALL_HOLDS_S * 1000, (
                "holds outlast their ten minutes"
            )
            assert c.hold_until_at <= c.at + HOLDING_ETA_S * 1000, (
                "one hold outlasts its five minutes"
            )
