"""How well the words of a person on watch are read, on texts made for the purpose; and how many
segments of SMS each of our own texts takes, which is what it costs.

``make bench-words``. No clock is in it. ``held_out`` is what no word was tuned on; of the other
sets ``tests/core/texts`` says how each was read the first time. A set that misses a
limit ends this with 1.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import django

from benchmarks.report import Figure, tell
from stillhere.channels.wording import WORDS, compose
from stillhere.channels.wording.spoken import SENTENCES as SPOKEN
from stillhere.cli import scratch_env
from stillhere.core.messages import Facts
from tests.channels.alphabet import GSM
from tests.core import texts
from tests.core.texts import MOST_FALSE_HELP, RECALL

NIGHT = Facts(
    person="Sam",
    contact="Maya",
    who="Leo",
    at=1_769_909_040_000,
    tz="America/New_York",
    eta_s=180,
    program="Example County Neighbours",
)
# With the names of the cast, and as it leaves with a link of a key of ours.
LINK = " https://lamp.example.org/c/" + "x" * 27


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


def segments(text: str) -> int:
    """How many segments a text takes: of 160 letters of GSM 03.38 or of 70 others where it is one,
    of 153 or 67 where there are more (3GPP TS 23.038 and 23.040)."""
    plain = set(text) <= GSM
    length = len(text) if plain else len(text.encode("utf-16-le")) // 2
    whole, part = (160, 153) if plain else (70, 67)
    return 1 if length <= whole else -(-length // part)


def catalogue() -> list[Figure]:
    """Every text there is, in each language, without and with a link behind it."""
    figures = []
    for lang, link in ((lang, link) for lang in ("en", "es") for link in ("", LINK)):
        counts = {w: segments(compose(w, NIGHT, lang).text + link) for w in WORDS - SPOKEN.keys()}
        name = f"texts_{lang}_{'with_link' if link else 'alone'}"
        figures += [
            Figure(f"{name}_texts", len(counts)),
            Figure(f"{name}_segments", sum(counts.values())),
            Figure(f"{name}_longest", max(counts.values()), most=2 if link else 1),
        ]
    return figures


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        scratch_env.set_up(Path(folder))
        django.setup()
        costs = catalogue()
    figures = measure()
    tell("what a person on watch texts, and what it is read as", figures)
    tell("what we text, in segments", costs)
    return 0 if all(figure.holds for figure in (*figures, *costs)) else 1


if __name__ == "__main__":
    sys.exit(main())
