"""What people type as a name or a note, made harmless before it is stored."""

from __future__ import annotations

import unicodedata

LONGEST_NAME = 80
LONGEST_NOTE = 1000
LOOKED_AT = 4 * LONGEST_NOTE  # of what was typed: whatever is longer is no name and no note
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def readable(typed: str) -> str:
    """What was typed, without anything that could garble the words around it: control characters
    (line breaks stay) and marks that change the writing direction; its beginning, if it is long."""
    typed = typed.strip()[:LOOKED_AT]
    kept = (c for c in typed if c == "\n" or not (unicodedata.category(c) == "Cc" or c in TURNING))
    return "".join(kept).strip()
