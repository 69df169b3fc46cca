"""`stillhere clock`: what time it is here and why; with --right, a person vouches for it."""

from __future__ import annotations

import os

import click

from stillhere.cli import loading
from stillhere.cli.check import key_fit
from stillhere.config import environment


@click.command()
@click.option("--right", is_flag=True, help="The clock of this machine (or database) is right now.")
def command(right: bool) -> None:
    """Say whether the time is right, or (--right) that it is."""
    key_fit.require_keys(environment.read(os.environ))
    loading.action("clock").show(settle=right)
