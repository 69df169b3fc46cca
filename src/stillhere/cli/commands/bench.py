"""`stillhere bench`: how many people this machine can look after, in words, within a minute.

Owns a folder of its own beside the data folder (the same disk), gone afterwards, and the words.
Touches no installation and sends nothing. It measures SQLite; with PostgreSQL the answer is more
web and engine processes (docs/scale.md).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
from django.core.management import call_command
from django.utils.module_loading import import_string

from stillhere.cli import scratch_env
from stillhere.config import environment

if TYPE_CHECKING:
    from stillhere.sim.capacity import Capacity

LIMITS = {
    "check-ins": "What sets the limit is how fast check-ins reach the disk.",
    "alarms": "What sets the limit is how many alarms could be raised at once.",
}


@click.command()
@click.option("--seconds", default=8.0, show_default=True, type=click.FloatRange(0.1, 120))
def command(seconds: float) -> None:
    """Measure this machine, and say how many people it can look after at once."""
    beside = environment.read(os.environ).data
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=beside) as folder:
        scratch_env.set_up(Path(folder))
        call_command("migrate", verbosity=0)
        found: Capacity = import_string("stillhere.sim.capacity.measure")(seconds, click.echo)
        people, limit = import_string("stillhere.sim.capacity.promise")(found)
    for line in told(found, people, limit):
        click.echo(line)


def told(found: Capacity, people: int, limit: str) -> Iterator[str]:
    """What was found, in words, and as plain ``name=value`` lines."""
    yield ""
    yield f"This machine can look after about {people:,} people at once."
    yield LIMITS[limit]
    yield (
        f"It keeps {found.grouped_per_s:,.0f} check-ins a second when they come together, "
        f"{found.one_per_s:,.0f} one by one, and raises {found.alarms_per_s:,.0f} alarms a second."
    )
    yield "Four times as much as promised was possible while nothing else ran here."
    yield ""
    yield f"people={people}"
    yield f"checkins_one_per_s={found.one_per_s:.0f}"
    yield f"checkins_grouped_per_s={found.grouped_per_s:.0f}"
    yield f"alarms_per_s={found.alarms_per_s:.0f}"
