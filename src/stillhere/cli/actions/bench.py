"""What this machine can do, measured and put in words.

Owns the words. Runs in a folder of its own, which ``commands/bench.py`` makes.
"""

from __future__ import annotations

from collections.abc import Iterator

import click
from django.conf import settings

from stillhere.cli.actions import migrate
from stillhere.sim import capacity
from stillhere.sim.capacity import Capacity

LIMITS = {
    "check-ins": "What sets the limit is how fast check-ins reach the disk.",
    "alarms": "What sets the limit is how many alarms could be raised at once.",
}


def measure(seconds: float) -> None:
    """Measure for about ``seconds`` and print what was found."""
    migrate.migrate(settings.STILLHERE, [])
    found = capacity.measure(seconds, click.echo)
    people, limit = capacity.promise(found)
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
