"""How a process of ours that runs for long looks for garbage.

What was loaded at the start stays for good; looking through all of it again and again costs each
check-in and each message a tenth of its time.
"""

from __future__ import annotations

import gc

AFTER = 20_000  # new objects, before Python looks for garbage among them


def seldom() -> None:
    """Call once, when everything is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(AFTER, 10, 20)
