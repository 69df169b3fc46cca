"""`stillhere clock`: what time it is here and why; with --right, a person vouches for it."""

from __future__ import annotations

import click

from stillhere.cli import loading


@click.command()
@click.option("--right", is_flag=True, help="The clock of this machine (or database) is right now.")
def command(right: bool) -> None:
    """Say whether the time is right, or (--right) that it is."""
    loading.action("clock").show(settle=right)
