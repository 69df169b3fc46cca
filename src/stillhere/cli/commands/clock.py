"""`stillhere clock`: what time it is here and why; with --right, a person's word for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
import django
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from stillhere.cli import database
from stillhere.config.environment import Stillhere


@click.command()
@click.option("--right", is_flag=True, help="The clock of this machine (or database) is right now.")
def command(right: bool) -> None:
    """Say whether the time is right, or (--right) that it is."""
    django.setup()
    settle: Callable[[int], int] = import_string("stillhere.engine.timekeeping.settle")
    look: Callable[[Stillhere], Iterator[tuple[bool, str]]] = import_string(
        "stillhere.cli.check.time_kept.look"
    )
    try:
        if right:
            by_ms = settle(settings.RAW_NOW_MS(connection))
            words = import_string("stillhere.store.db.clock.in_words")(by_ms)
            click.echo(f"Stillhere's time was set by {words}." if by_ms else "It was right.")
        click.echo(import_string("stillhere.cli.check.time_kept.shown")())
        for good, sentence in look(settings.STILLHERE):
            click.echo(f"{'ok  ' if good else 'LOOK'}  {sentence}")
    except DatabaseError as error:
        raise database.problem(error, settings.STILLHERE) from None
