"""How well the words of a person on watch are read, on texts made for the purpose.

``make bench-words``. No clock is in it. ``held_out`` is what no word was tuned on; of the other
sets ``tests/core/texts`` says how each was read the first time. A set that misses a
limit ends this with 1.
"""

from __future__ import annotations

import sys

from benchmarks.report import Figure, tell
from tests.core import texts
from tests.core.texts import MOST_FALSE_HELP, RECALL


def measure() -> list[Figure]:
    """The rates of each set, in percent, and false "I'm here" as a number."""
    figures = []
    for name, each in texts.sets().items():
        found = texts.rates(each)
        figures += [
            Figure(f"words_{name}_texts", len(each)),
            Figure(f"words_{name}_help_recall", found.recall, "%", least=RECALL),
            Figure(f"words_{name}_false_help", found.false_help, "%", most=MOST_FALSE_HELP),
            Figure(f"words_{name}_here_recall", found.here, "%"),
            Figure(f"words_{name}_false_here", found.false_here, "", most=0),
        ]
    return figures


def main() -> int:
    figures = measure()
    tell("what a person on watch texts, and what it is read as", figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
