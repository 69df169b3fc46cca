"""Whether what a message says about an alarm is still true when it is about to be sent, or
repeated. Reads, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from stillhere.core.events import UNTOLD, Word
from stillhere.store.models import Message
from stillhere.store.watches import rows
from stillhere.store.watches.queries import ALARMED


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a message says, to whom, about which watch and which of its alarms."""

    watch: int
    contact: int | None
    word: str
    alarm: int


@dataclass(frozen=True, slots=True)
class Standing:
    """The current state of that watch, in its row's own columns. ``alarm``: the open one, as
    text."""

    outcome: str
    alarms: int
    state: str
    alarm: str


def still_true(m: Message) -> bool:
    """As ``holds``, for a message that was read with its watch."""
    w = m.watch
    assert w is not None
    spoken = Spoken(w.id, m.contact_id, m.word, m.alarm)
    return holds(spoken, Standing(w.outcome, w.alarms, w.state, w.alarm))


def holds(m: Spoken, w: Standing) -> bool:
    """Whether what a message says about its alarm is still true. The news that an alarm is over is,
    unless the same contact is involved in a newer one, called or not, and will hear when that one
    ends."""
    if w.outcome in UNTOLD:
        return False
    if m.word == Word.STAND_DOWN:
        newer = Message.objects.filter(watch=m.watch, contact=m.contact, alarm__gt=m.alarm)
        came = rows.alarm_or_none(w.alarm) if w.alarm else None
        if w.alarm and came is None:
            return False  # nobody knows who was called since: never say that it is over
        return not newer.exists() and (
            came is None or came.no <= m.alarm or m.contact not in came.told
        )
    return w.alarms == m.alarm and w.state in ALARMED
