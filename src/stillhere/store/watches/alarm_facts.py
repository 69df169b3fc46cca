"""What the words of an alarm say beside what the core knows: that no ask ever went out, and that
the person says they want to die.

Reads messages and the journal; decides nothing. A journal that cannot be read says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

from django.db import connection

from stillhere.core.events import Cause, Word
from stillhere.core.watch import Watch
from stillhere.store.models import JournalLine
from stillhere.store.watches.optional_tables import JOURNAL

MoreFacts = Mapping[tuple[int, Word], Mapping[str, object]]  # by watch and word
_HELP = "NeedHelp"
_WANTS_TO_DIE = "wants_to_die"
SAID = f'"{_WANTS_TO_DIE}": true'  # in the facts of a message


class _Line(Protocol):
    """A line of the journal that is not written yet."""

    @property
    def watch_id(self) -> int: ...
    @property
    def event(self) -> str: ...
    @property
    def facts(self) -> str: ...


def more(told: Mapping[Word, Sequence[Watch]], lines: Iterable[_Line]) -> MoreFacts:
    """What belongs to the words that are ``told`` now; ``lines`` are what happened just now."""
    facts: dict[tuple[int, Word], dict[str, object]] = {}
    for watch in _unasked(told.get(Word.ALARM, ())):
        facts[watch, Word.ALARM] = {"unasked": True}
    urgent = [watch for word in (Word.HELP, Word.AGAIN) for watch in told.get(word, ())]
    if urgent:
        since = {
            watch.id: watch.alarm.raised_at
            for watch in urgent
            if watch.alarm is not None and watch.alarm.cause is Cause.HELP
        }
        now = {line.watch_id for line in lines if _says_so(line.event, line.facts)}
        for watch in now | wanting_to_die(since):
            facts |= {(watch, word): {_WANTS_TO_DIE: True} for word in (Word.HELP, Word.AGAIN)}
    return facts


def wanting_to_die(since: Mapping[int, int]) -> set[int]:
    """The watches (id -> when its alarm was raised) in whose alarm the person said so."""
    if not since:
        return set()
    mine = JournalLine.objects.filter(watch__in=list(since), event=_HELP)
    nothing: list[tuple[int, int, str, str]] = []
    rows = JOURNAL.around(lambda: list(mine.values_list("watch", "at", "event", "facts")), nothing)
    return {
        watch for watch, at, event, facts in rows if at >= since[watch] and _says_so(event, facts)
    }


def _says_so(event: str, facts: str) -> bool:
    return event == _HELP and json.loads(facts).get(_WANTS_TO_DIE) is True


def _unasked(watches: Collection[Watch]) -> set[int]:
    """The daily check-ins among these, whose alarm calls people although no ask was ever sent:
    there was no way to the person, or none that worked. For an acute watch the ask was on an
    open page."""
    since = {
        watch.id: watch.alarm.since_at
        for watch in watches
        if watch.routine is not None and watch.alarm is not None
    }
    if not since:
        return set()
    marks = ", ".join(["%s"] * len(since))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT watch_id, max(created_at) FROM message "
            f"WHERE watch_id IN ({marks}) AND word IN ('ask', 'ask-ring') "
            "AND attempts > 0 AND status <> 'failed' GROUP BY watch_id",
            list(since),
        )
        asked = {watch for watch, at in cursor.fetchall() if at > since[watch]}
    return since.keys() - asked
