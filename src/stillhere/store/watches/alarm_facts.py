"""What the words of an alarm say beside who is told them: that no ask ever went out, and that the
person says they want to die.

Reads messages; decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.db import connection

from stillhere.core.events import Word
from stillhere.core.watch import Watch

MoreFacts = Mapping[tuple[int, Word], Mapping[str, object]]  # by watch and word


def more(told: Mapping[Word, Sequence[Watch]]) -> MoreFacts:
    """What belongs to the words that are ``told`` now."""
    facts: dict[tuple[int, Word], dict[str, object]] = {}
    for id in _unasked(told.get(Word.ALARM, ())):
        facts[id, Word.ALARM] = {"unasked": True}
    for word in (Word.HELP, Word.AGAIN):
        for watch in told.get(word, ()):
            if watch.alarm is not None and watch.alarm.wants_to_die:
                facts[watch.id, word] = {"wants_to_die": True}
    return facts


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
