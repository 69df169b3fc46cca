"""`stillhere simulate`: lives through seeded nights of faults and says whether everything held.

Owns a folder of its own for keys that seal nothing real; the database of a night is in memory. It
reads no setting, touches no installation, sends nothing.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click
import django
from django.utils.module_loading import import_string

from stillhere.config import keys

if TYPE_CHECKING:
    from stillhere.sim.nights import Verdict

COUNTED = ("watches", "check-ins", "alarms", "messages", "duplicates", "crashes")


@click.command()
@click.option("--nights", default=100, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=1, show_default=True, help="The first night's seed.")
def command(nights: int, seed: int) -> None:
    """Live through NIGHTS nights, one a seed; exit with 1 at anything that must never be.

    A night that fails does so again, alone: stillhere simulate --nights 1 --seed N.
    """
    with tempfile.TemporaryDirectory(prefix="stillhere-simulate-") as folder:
        _settings_of_its_own(Path(folder))
        counts: Counter[str] = Counter()
        broken = 0
        with import_string("stillhere.sim.nights.opened")() as simulator:
            for each in range(seed, seed + nights):
                verdict = simulator.run(each)
                counts.update(verdict.counts)
                broken += verdict.broken is not None
                _tell(verdict)
    click.echo(summary(nights, seed, counts, broken))
    sys.exit(1 if broken else 0)


def summary(nights: int, seed: int, counts: Counter[str], broken: int) -> str:
    """What happened, as `name=value` words in one line."""
    words = [f"nights={nights}", f"seeds={seed}-{seed + nights - 1}"]
    words += [f"{what}={counts[what]}" for what in COUNTED]
    return " ".join([*words, f"violations={broken}"])


def _tell(verdict: Verdict) -> None:
    """A night in which something broke: the rule, the last events, and how to see it again."""
    if verdict.broken is None:
        return
    click.echo(f"seed {verdict.seed}: {verdict.broken}")
    for line in verdict.lines:
        click.echo(f"  {line}")
    click.echo(f"again: stillhere simulate --nights 1 --seed {verdict.seed}\n")


def _settings_of_its_own(data: Path) -> None:
    """Whatever this machine's installation is set to, the simulator's is not."""
    for name in [name for name in os.environ if name.startswith("STILLHERE_")]:
        del os.environ[name]
    os.environ["DJANGO_SETTINGS_MODULE"] = "stillhere.config.settings"
    os.environ["STILLHERE_DATA"] = str(data)
    os.environ["STILLHERE_BASE_URL"] = "http://localhost:8420"
    keys.ensure_folder(data)
    keys.create_missing(data)
    django.setup()
