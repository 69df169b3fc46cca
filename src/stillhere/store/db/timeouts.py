"""How long this process waits for one answer from a database server, and on whose behalf.

Owns a few numbers, apart from the connection that obeys them (``store/db/postgresql``), so that an
installation on SQLite loads no driver it does not use.
"""

from __future__ import annotations

from dataclasses import dataclass

ANSWER_S = 5.0  # a commit takes milliseconds; a standby that died holds one up for two seconds
LOCK_S = 1.0  # for what somebody else holds; whoever waits keeps others waiting
# Our own patience is this much longer than the server's: it ends what we asked, and the line lives.
LAST_WORD_S = 0.5


@dataclass(slots=True)
class Patience:
    """``limit_s`` None waits forever: a migration may well take an hour."""

    limit_s: float | None = None


PATIENCE = Patience()


def be_impatient(limit_s: float | None = ANSWER_S) -> None:
    """From now on no connection of this process waits longer, and no server works or holds a lock
    for it longer, should this process be stopped or killed. For web and engine, whose statements
    are all short; never for a migration or a backup."""
    PATIENCE.limit_s = limit_s
