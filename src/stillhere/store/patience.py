"""How long this process waits for one answer of a database server.

Owns one number, apart from the connection that keeps to it (``store/postgresql``), so that an
installation on SQLite loads no driver it does not use.
"""

from __future__ import annotations

from dataclasses import dataclass

ANSWER_S = 5.0  # a commit takes milliseconds; a standby that died holds one up for two seconds


@dataclass(slots=True)
class Patience:
    """``limit_s`` None waits for ever: a migration may well take an hour."""

    limit_s: float | None = None


PATIENCE = Patience()


def be_impatient(limit_s: float | None = ANSWER_S) -> None:
    """From now on no connection of this process waits longer. For web and engine, whose statements
    are all short; never for a migration or a backup."""
    PATIENCE.limit_s = limit_s
