"""Shows the installation's time, and sets it right."""

from __future__ import annotations

import click
from django.conf import settings
from django.db import DatabaseError, connection

from stillhere.cli import database
from stillhere.cli.check import key_fit, time_kept
from stillhere.engine import timekeeping
from stillhere.store.db import clock


def show(*, settle: bool) -> None:
    """Say what time it is and whether it is right; ``settle``: the machine's clock is right, so
    adopt it first. Raises `SettingError`,
    and without ``settle`` ends with 1 where something is to be looked at."""
    key_fit.require_usable(settings.STILLHERE)
    try:
        if settle:
            by_ms = timekeeping.settle(settings.RAW_NOW_MS(connection))
            words = clock.in_words(by_ms)
            click.echo(f"Stillhere's time was set by {words}." if by_ms else "It was right.")
        click.echo(time_kept.shown())
        well = True
        for good, sentence in time_kept.look(settings.STILLHERE):
            well = well and good
            click.echo(f"{'ok  ' if good else 'LOOK'}  {sentence}")
    except DatabaseError as error:
        raise database.problem(error, settings.STILLHERE) from None
    if not well and not settle:  # whoever vouched has done their part
        raise SystemExit(1)
